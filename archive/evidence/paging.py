"""From any evidence to its pages: the one place that knows which module makes pages of which kind."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pikepdf

from archive.errors import Code
from archive.evidence import appending, documents, images, mails
from archive.evidence.attachments import Attachment
from archive.evidence.kinds import EvidenceKind, Family
from archive.evidence.limits import Limits
from archive.evidence.recognising import recognise
from archive.evidence.refusing import Refused

if TYPE_CHECKING:
    from archive.evidence.blocks import Sheet

_DEEPEST = 3  # mails within mails, and PDFs within PDFs, whose own attachments are shown


@dataclass(frozen=True, slots=True)
class Help:
    """What came from outside for some bytes: what was said of them, and what was made of them."""

    said: Mapping[str, Any]
    made: bytes = b""


Helps = Mapping[str, Help]  # by the SHA-256, in hex, of what they are for


def wanting(
    data: bytes, kind: EvidenceKind, limits: Limits, depth: int = 0
) -> dict[str, tuple[EvidenceKind, bytes]]:
    """What programs outside must help with before there are pages, by SHA-256: the evidence itself, or what is
    attached to a mail or a PDF, at any depth that is shown.

    :raises Refused: EVIDENCE_UNREADABLE, CONVERSION_TOO_LARGE.
    """
    if kind.wants_aid:
        return {hashlib.sha256(data).hexdigest(): (kind, data)}
    found: dict[str, tuple[EvidenceKind, bytes]] = {}
    for attachment in _attached(data, kind, limits):
        with suppress(Refused):  # what is wrong with one of them is said where it is shown
            its_kind = recognise(attachment.data) if attachment.data else ""
            if isinstance(its_kind, EvidenceKind) and depth < _DEEPEST:
                found |= wanting(attachment.data, its_kind, limits, depth + 1)
    return dict(islice(found.items(), limits.helped_parts))


def parts(data: bytes, limits: Limits) -> dict[str, bytes]:
    """What is attached to a mail or a PDF and becomes pages, by SHA-256.

    :raises Refused: EVIDENCE_UNREADABLE, CONVERSION_TOO_LARGE.
    """
    found: dict[str, bytes] = {}
    for attachment in _attached(data, recognise(data), limits):
        with suppress(Refused):
            if attachment.data and isinstance(recognise(attachment.data), EvidenceKind):
                found[hashlib.sha256(attachment.data).hexdigest()] = attachment.data
    return found


def _attached(data: bytes, kind: EvidenceKind | str, limits: Limits) -> Sequence[Attachment]:
    """Those that are shown; none of what is neither mail nor PDF.

    :raises Refused: EVIDENCE_UNREADABLE, CONVERSION_TOO_LARGE.
    """
    if kind is EvidenceKind.MAIL:
        return mails.parse(data).attachments[: limits.parts]
    return documents.attached(data, limits)[: limits.parts] if kind is EvidenceKind.PDF else ()


def paginate(
    data: bytes, kind: EvidenceKind, limits: Limits, helps: Helps = MappingProxyType({}), depth: int = 0
) -> pikepdf.Pdf:
    """A new document that shows the evidence; the caller closes it. Kinds that want aid need theirs in ``helps``.

    :raises Refused: EVIDENCE_ENCRYPTED, EVIDENCE_UNREADABLE, EVIDENCE_TOO_MANY_PAGES, CONVERSION_TOO_LARGE.
    """

    def show(attached: bytes, its_kind: EvidenceKind) -> pikepdf.Pdf:
        known = helps.get(hashlib.sha256(attached).hexdigest())
        if known is not None and (failed := known.said.get("failed")):
            raise Refused(Code(failed))
        if depth == _DEEPEST:
            raise Refused(Code.EVIDENCE_UNREADABLE)
        return paginate(attached, its_kind, limits, helps, depth + 1)

    if kind.family is Family.DOCUMENT:
        return appending.whole(documents.paginate(data, limits), limits, show)
    if kind.family is Family.PICTURE:
        return images.paginate(data, kind, limits)
    sha256 = hashlib.sha256(data).hexdigest()
    helped = helps.get(sha256)
    if kind.wants_aid and (helped is None or helped.said.get("failed")):
        raise Refused(Code.EVIDENCE_KIND if helped is None else Code.EVIDENCE_UNREADABLE, kind=kind.value)
    if helped is not None and helped.said.get("rendered"):
        made = documents.paginate(helped.made, limits)
        return appending.whole(appending.with_asides(made, data, kind), limits, show)
    # Fonts and compiler, for those who bring texts only.
    from archive.evidence import correspondence, presenting, typesetting  # noqa: PLC0415

    if helped is not None:
        return typesetting.typeset(_cover(len(data), kind, sha256, helped), limits)
    if kind is not EvidenceKind.MAIL:
        return typesetting.typeset(presenting.present(data, kind, sha256), limits)
    return correspondence.paginate(data, sha256, limits, show)


def cover_of_stream(size: int, kind: EvidenceKind, sha256: str, limits: Limits, helped: Help) -> pikepdf.Pdf:
    """The cover of a recording of ``size`` bytes that does not ride in it; the caller closes it."""
    from archive.evidence import typesetting  # noqa: PLC0415 -- as above

    return typesetting.typeset(_cover(size, kind, sha256, helped, inside=False), limits)


def _cover(size: int, kind: EvidenceKind, sha256: str, helped: Help, *, inside: bool = True) -> "Sheet":
    from archive.evidence import covers  # noqa: PLC0415 -- as above

    why, found = covers.why_waiting(helped.said), helped.said.get("media", {})
    if kind.family is Family.OFFICE:
        return covers.waiting(kind, size, sha256, why)
    poster = images.plain_jpeg(helped.made) if helped.made else None
    return covers.behind(kind, size, sha256, found, poster, why, inside=inside)
