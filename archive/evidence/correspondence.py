"""A mail as pages: its head and words, a list of what was attached, then each attachment that can be shown."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pikepdf

from archive.errors import Code
from archive.evidence import blocks, mails, presenting, webpages
from archive.evidence.blocks import Block, Sheet
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.mails import Attachment, Mail
from archive.evidence.recognising import recognise
from archive.evidence.refusing import Refused
from archive.evidence.typesetting import typeset

Paginate = Callable[[bytes, EvidenceKind], pikepdf.Pdf]

_HEAD = ("序号", "附件名称", "类型", "大小", "显示", "SHA-256")
_WEIGHTS = (7, 34, 16, 15, 20, 22)
_INSIDE = "仅附于原件"
_FAILED = "无法显示"
_TOO_MANY = "附件过多，未显示"
_TOO_LARGE = "展开后过大"
_TOO_MANY_PAGES = "页数过多"
_TOO_SLOW = "转换用时过长"
_REFUSALS = {
    Code.EVIDENCE_ENCRYPTED: "设有密码",
    Code.EVIDENCE_EMPTY: "空文件",
    Code.EVIDENCE_TOO_MANY_PAGES: _TOO_MANY_PAGES,
    Code.CONVERSION_TIMEOUT: _TOO_SLOW,
    Code.CONVERSION_TOO_LARGE: _TOO_LARGE,
    Code.EVIDENCE_KIND: _INSIDE,
}
_MORE = "附件共 {count} 个，只列出前 {listed} 个；其余的都在原件内。"


@dataclass(frozen=True, slots=True)
class _Shown:
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


def paginate(
    data: bytes,
    sha256: str,
    limits: Limits,
    show: Paginate,
    busy: Callable[[], float] = time.process_time,
) -> pikepdf.Pdf:
    """``show`` makes pages of an attachment, or refuses; ``busy`` tells the seconds of work done so far. The caller
    closes the result.

    A bad attachment makes no bad mail: the list says why it is not shown.

    :raises Refused: EVIDENCE_UNREADABLE, EVIDENCE_TOO_MANY_PAGES, CONVERSION_TOO_LARGE.
    """
    mail = mails.parse(data)
    shown = _all_shown(mail.attachments, limits, show, busy)
    try:
        whole = typeset(_sheet(mail, shown, len(data), sha256), limits)
        # A page to spare, in case that the list grows by a line.
        fitting = _fitting(shown, limits.pages - len(whole.pages) - 1)
        if fitting != shown:
            whole.close()
            whole = typeset(_sheet(mail, fitting, len(data), sha256), limits)
        for each in fitting:
            if each.pages is not None:
                whole.pages.extend(each.pages.pages)
    finally:
        for each in shown:
            each.close()
    return whole


def _all_shown(
    attachments: Sequence[Attachment], limits: Limits, show: Paginate, busy: Callable[[], float]
) -> list[_Shown]:
    """Each of them, until there are too many, or half of the time is gone: the other half is for what follows."""
    until, room = busy() + limits.cpu_seconds / 2, limits.pages
    shown: list[_Shown] = []
    for number, attachment in enumerate(attachments):
        if number >= limits.parts:
            shown.append(_Shown("—", _TOO_MANY))
        elif busy() > until:
            shown.append(_Shown("—", _TOO_SLOW))
        else:
            each = _shown(attachment, show)
            (fitting,) = _fitting([each], room)
            if fitting != each:
                each.close()
            room -= fitting.count
            shown.append(fitting)
    return shown


def _fitting(shown: Sequence[_Shown], room: int) -> list[_Shown]:
    """As many of them as have room, in pages; the others are only named."""
    fitting: list[_Shown] = []
    for each in shown:
        fits = each.count <= max(room, 0)
        fitting.append(each if fits else replace(each, fate=_TOO_MANY_PAGES, pages=None))
        room -= fitting[-1].count
    return fitting


def _shown(attachment: Attachment, show: Paginate) -> _Shown:
    if not attachment.data:
        return _Shown("—", "空文件")
    kind: EvidenceKind | str = "—"
    try:
        kind = recognise(attachment.data)
        if not isinstance(kind, EvidenceKind):
            return _Shown(kind.upper(), _INSIDE)
        pages = show(attachment.data, kind)
    except Refused as refused:
        return _Shown(kind.upper(), _REFUSALS.get(refused.code, _FAILED))
    except MemoryError:
        return _Shown(kind.upper(), _TOO_LARGE)
    except Exception:  # noqa: BLE001 -- whatever a library raises for one attachment is no fault of the mail
        return _Shown(kind.upper(), _FAILED)
    return _Shown(kind.upper(), f"见后附 {len(pages.pages)} 页", pages)


def _sheet(mail: Mail, shown: Sequence[_Shown], size: int, sha256: str) -> Sheet:
    body: list[Block] = webpages.read(mail.body) if mail.html else blocks.lines(mail.body.strip("\n"))
    notes = ["正文取自网页格式的邮件；图片、脚本和远程内容均不加载。"] if mail.html else []
    if mail.more:
        listed = len(mail.attachments)
        notes.append(_MORE.format(count=listed + mail.more, listed=listed))
    if mail.attachments:
        rows = [
            (
                str(number),
                each.name + ("（正文内嵌）" if each.inline else ""),
                fate.kind,
                presenting.size(len(each.data)).split("（")[0],
                fate.fate,
                hashlib.sha256(each.data).hexdigest()[:16],
            )
            for number, (each, fate) in enumerate(zip(mail.attachments, shown, strict=True), start=1)
        ]
        body = [
            *body,
            blocks.heading(f"附件（{len(rows) + mail.more} 个）", 3),
            blocks.table([_HEAD, *rows], _WEIGHTS, head=True, size=8.5),
        ]
    facts = [*mail.headers, ("大小", presenting.size(size)), ("SHA-256", sha256)]
    return Sheet(*presenting.title(EvidenceKind.MAIL), facts, body, notes)
