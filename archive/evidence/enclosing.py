"""What is attached to a mail or a PDF: listed, and shown where it can be, each piece behind the other."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pikepdf

from archive.errors import Code
from archive.evidence import blocks, presenting
from archive.evidence.attachments import TOO_LARGE, Attachment
from archive.evidence.blocks import Block
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.recognising import recognise
from archive.evidence.refusing import Refused

Paginate = Callable[[bytes, EvidenceKind], pikepdf.Pdf]
Busy = Callable[[], float]  # seconds of work done so far

_FAILED = "无法显示"
_HEAD = ("序号", "附件名称", "类型", "大小", "显示", "SHA-256")
_WEIGHTS = (7, 34, 16, 15, 20, 22)
_INSIDE = "仅附于原件"
_TOO_MANY = "附件过多，未显示"
_TOO_MANY_PAGES = "页数过多"
_TOO_SLOW = "转换用时过长"
_REFUSALS = {
    Code.EVIDENCE_ENCRYPTED: "设有密码",
    Code.EVIDENCE_EMPTY: "空文件",
    Code.EVIDENCE_TOO_MANY_PAGES: _TOO_MANY_PAGES,
    Code.CONVERSION_TIMEOUT: _TOO_SLOW,
    Code.CONVERSION_TOO_LARGE: TOO_LARGE,
    Code.EVIDENCE_KIND: _INSIDE,
}
_MORE = "附件共 {count} 个，只列出前 {listed} 个；其余的都在原件内。"


@dataclass(frozen=True, slots=True)
class Shown:
    """An attachment: its kind and its fate in words, and its pages where it has some."""

    kind: str
    fate: str
    pages: pikepdf.Pdf | None = None

    @property
    def count(self) -> int:
        return 0 if self.pages is None else len(self.pages.pages)

    def close(self) -> None:
        if self.pages is not None:
            self.pages.close()


def all_shown(
    attachments: Sequence[Attachment], limits: Limits, show: Paginate, busy: Busy = time.process_time
) -> list[Shown]:
    """Each of them, until there are too many, or half of the time is gone: the other half is for what follows.

    ``show`` makes pages of an attachment, or refuses. A bad attachment makes no bad document: its fate says why it is
    not shown.
    """
    until, room = busy() + limits.cpu_seconds / 2, limits.pages
    shown: list[Shown] = []
    for number, attachment in enumerate(attachments):
        if number >= limits.parts:
            shown.append(Shown("—", _TOO_MANY))
        elif busy() > until:
            shown.append(Shown("—", _TOO_SLOW))
        else:
            each = _shown(attachment, show)
            (fitting,) = fitted([each], room)
            if fitting != each:
                each.close()
            room -= fitting.count
            shown.append(fitting)
    return shown


def fitted(shown: Sequence[Shown], room: int) -> list[Shown]:
    """As many of them as have room, in pages; the others are only named."""
    fitting: list[Shown] = []
    for each in shown:
        fits = each.count <= max(room, 0)
        fitting.append(each if fits else replace(each, fate=_TOO_MANY_PAGES, pages=None))
        room -= fitting[-1].count
    return fitting


def listed(attachments: Sequence[Attachment], shown: Sequence[Shown], more: int) -> list[Block]:
    """A heading and a table; ``more`` are not among them. Nothing where nothing is attached."""
    if not attachments:
        return []
    rows = [
        (
            str(number),
            each.name + ("（正文内嵌）" if each.inline else ""),
            fate.kind,
            "—" if each.lacking else presenting.size(len(each.data)).split("（")[0],
            fate.fate,
            "—" if each.lacking else hashlib.sha256(each.data).hexdigest()[:16],
        )
        for number, (each, fate) in enumerate(zip(attachments, shown, strict=True), start=1)
    ]
    return [
        blocks.heading(f"附件（{len(rows) + more} 个）", 3),
        blocks.table([_HEAD, *rows], _WEIGHTS, head=True, size=8.5),
    ]


def unlisted(attachments: Sequence[Attachment], more: int) -> list[str]:
    """What to note where there are more than are listed."""
    return [_MORE.format(count=len(attachments) + more, listed=len(attachments))] if more else []


def _shown(attachment: Attachment, show: Paginate) -> Shown:
    if attachment.lacking or not attachment.data:
        return Shown("—", attachment.lacking or "空文件")
    kind: EvidenceKind | str = "—"
    try:
        kind = recognise(attachment.data)
        if not isinstance(kind, EvidenceKind):
            return Shown(kind.upper(), _INSIDE)
        pages = show(attachment.data, kind)
    except Refused as refused:
        return Shown(kind.upper(), _REFUSALS.get(refused.code, _FAILED))
    except MemoryError:
        return Shown(kind.upper(), TOO_LARGE)
    except Exception:  # noqa: BLE001 -- whatever a library raises for one attachment is no fault of the document
        return Shown(kind.upper(), _FAILED)
    return Shown(kind.upper(), f"见后附 {len(pages.pages)} 页", pages)
