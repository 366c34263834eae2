"""What a document is, as people call it: they know pictures and mails, not JPEG and EML."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from archive.evidence.kinds import EvidenceKind
from web.wording import Wording

# Called by what they hold; every other kind is called by its family.
_CALLED: Final[Mapping[EvidenceKind, str]] = MappingProxyType(
    {
        EvidenceKind.CHAT: "chat",
        EvidenceKind.CSV: "table",
        EvidenceKind.HTML: "webpage",
        EvidenceKind.MAIL: "mail",
        EvidenceKind.ODP: "slides",
        EvidenceKind.ODS: "table",
        EvidenceKind.PPT: "slides",
        EvidenceKind.PPTX: "slides",
        EvidenceKind.XLS: "table",
        EvidenceKind.XLSX: "table",
    }
)
_SAID_ENOUGH: Final = frozenset({EvidenceKind.CHAT, EvidenceKind.MAIL, EvidenceKind.PDF, EvidenceKind.TEXT})


def kind_said(words: Wording, kind: str) -> str:
    """``图片 · JPEG``, ``邮件``. A kind of a later version is shown as it is."""
    try:
        known = EvidenceKind(kind)
    except ValueError:
        return kind
    called = words.of("kind", _CALLED.get(known, known.family))
    return called if known in _SAID_ENOUGH else f"{called} · {known.value.upper()}"
