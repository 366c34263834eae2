"""A mail as pages: its head and words, a list of what was attached, then each attachment that can be shown."""

import re
import time
import unicodedata
from collections.abc import Iterator, Sequence

import pikepdf

from archive.evidence import blocks, enclosing, mails, presenting, webpages
from archive.evidence.blocks import Block, Sheet
from archive.evidence.enclosing import Busy, Paginate, Shown
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.mails import Mail
from archive.evidence.typesetting import typeset

_WEB = "正文取自网页格式的邮件；图片、脚本和远程内容均不加载。"
_WEB_TOO = "网页格式的正文中另有文字，列在正文之后；图片、脚本和远程内容均不加载。"
_OTHER = "网页格式的正文中另有的文字"
_STANDING_IN = re.compile(
    r"〔(?:图片|影音)：?|〕"
)  # what our own reading of markup puts where pictures stood


def paginate(
    data: bytes, sha256: str, limits: Limits, show: Paginate, busy: Busy = time.process_time
) -> pikepdf.Pdf:
    """``show`` makes pages of an attachment, or refuses. The caller closes the result.

    :raises Refused: EVIDENCE_UNREADABLE, EVIDENCE_TOO_MANY_PAGES, CONVERSION_TOO_LARGE.
    """
    mail = mails.parse(data)
    shown = enclosing.all_shown(mail.attachments, limits, show, busy)
    try:
        whole = typeset(_sheet(mail, shown, len(data), sha256), limits)
        # A page to spare, in case that the list grows by a line.
        fitting = enclosing.fitted(shown, limits.pages - len(whole.pages) - 1)
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


def _sheet(mail: Mail, shown: Sequence[Shown], size: int, sha256: str) -> Sheet:
    body: list[Block] = webpages.read(mail.body) if mail.html else blocks.lines(mail.body.strip("\n"))
    if other := _lacking(webpages.read(mail.other), mail.body):
        body += [blocks.heading(_OTHER, 3), *other]
    body += enclosing.listed(mail.attachments, shown, mail.more)
    notes = [_WEB] if mail.html else [_WEB_TOO] if other else []
    notes += enclosing.unlisted(mail.attachments, mail.more)
    facts = [*mail.headers, ("大小", presenting.size(size)), ("SHA-256", sha256)]
    return Sheet(*presenting.title(EvidenceKind.MAIL), facts, body, notes)


def _lacking(other: Sequence[Block], body: str) -> list[Block]:
    """Of the other half of a mail the blocks with words that the half which is shown lacks: as a rule there are none.

    Halves are wrapped, spaced and quoted in different ways, so only their letters and figures are compared.
    """
    known = _bare(body)
    return [
        block
        for block in other
        if any(_bare(_STANDING_IN.sub("", each)) not in known for each in _said(block))
    ]


def _said(block: Block) -> Iterator[str]:
    for name, value in block.items():
        if name not in ("is", "mark"):
            yield from _strings(value)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
