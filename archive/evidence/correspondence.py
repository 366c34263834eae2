"""A mail as pages: its head and words, a list of what was attached, then each attachment that can be shown."""

import hashlib
from collections.abc import Callable

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
_REFUSALS = {
    Code.EVIDENCE_ENCRYPTED: "设有密码",
    Code.EVIDENCE_EMPTY: "空文件",
    Code.EVIDENCE_TOO_MANY_PAGES: "页数过多",
    Code.CONVERSION_TOO_LARGE: "展开后过大",
    Code.EVIDENCE_KIND: _INSIDE,
}


def paginate(data: bytes, sha256: str, limits: Limits, show: Paginate) -> pikepdf.Pdf:
    """``show`` makes pages of an attachment, or refuses. The caller closes the result.

    :raises Refused: EVIDENCE_UNREADABLE, EVIDENCE_TOO_MANY_PAGES, CONVERSION_TOO_LARGE.
    """
    mail = mails.parse(data)
    shown = [_shown(each, show) for each in mail.attachments]
    try:
        whole = typeset(_sheet(mail, [fate for fate, _ in shown], len(data), sha256), limits)
        for _, pages in shown:
            if pages is not None:
                whole.pages.extend(pages.pages)
    finally:
        for _, pages in shown:
            if pages is not None:
                pages.close()
    if len(whole.pages) > limits.pages:
        count = len(whole.pages)
        whole.close()
        raise Refused(Code.EVIDENCE_TOO_MANY_PAGES, pages=count, limit=limits.pages)
    return whole


def _shown(attachment: Attachment, show: Paginate) -> tuple[tuple[str, str], pikepdf.Pdf | None]:
    """Kind and fate in words, and the pages. A bad attachment does not make a bad mail: the list says why."""
    if not attachment.data:
        return ("—", "空文件"), None
    kind: EvidenceKind | str = "—"
    try:
        kind = recognise(attachment.data)
        if not isinstance(kind, EvidenceKind):
            return (kind.upper(), _INSIDE), None
        pages = show(attachment.data, kind)
    except Refused as refused:
        return (kind.upper(), _REFUSALS.get(refused.code, "无法显示")), None
    return (kind.upper(), f"见后附 {len(pages.pages)} 页"), pages


def _sheet(mail: Mail, fates: list[tuple[str, str]], size: int, sha256: str) -> Sheet:
    body: list[Block] = webpages.read(mail.body) if mail.html else blocks.lines(mail.body.strip("\n"))
    notes = ["正文取自网页格式的邮件；图片、脚本和远程内容均不加载。"] if mail.html else []
    if mail.attachments:
        rows = [
            (
                str(number),
                each.name + ("（正文内嵌）" if each.inline else ""),
                kind,
                presenting.size(len(each.data)).split("（")[0],
                fate,
                hashlib.sha256(each.data).hexdigest()[:16],
            )
            for number, (each, (kind, fate)) in enumerate(zip(mail.attachments, fates, strict=True), start=1)
        ]
        body = [
            *body,
            blocks.heading(f"附件（{len(rows)} 个）", 3),
            blocks.table([_HEAD, *rows], _WEIGHTS, head=True, size=8.5),
        ]
    facts = [*mail.headers, ("大小", presenting.size(size)), ("SHA-256", sha256)]
    return Sheet(*presenting.title(EvidenceKind.MAIL), facts, body, notes)
