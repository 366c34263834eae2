"""HTML as safe text: headings, paragraphs, lists, tables and where links lead. Nothing is run and nothing fetched.

A browser would show more, and would have to be kept from the network, the disk and its own scripts; what a page
says is the evidence. Pictures are named where they stood. The page itself is kept whole beside it.
"""

import re
from html.parser import HTMLParser
from itertools import groupby

from archive.evidence import blocks
from archive.evidence.blocks import Block
from archive.evidence.tabulating import tabulated

_UNSEEN = frozenset({"script", "style", "template", "noscript", "head", "svg", "math", "object", "iframe"})
_BREAKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt"),
        *(
            "fieldset",
            "figcaption",
            "figure",
            "footer",
            "form",
            "header",
            "hr",
            "html",
            "legend",
            "li",
            "main",
        ),
        *(
            "nav",
            "ol",
            "option",
            "p",
            "pre",
            "section",
            "summary",
            "table",
            "tbody",
            "tfoot",
            "thead",
            "tr",
            "ul",
        ),
    }
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SPACES = re.compile(r"[ \t\n\r\f\xa0]+")
_LONGEST_LINK = 300  # characters
_DEEPEST = 200  # open tables and lists; the author chooses how deep they nest


def read(markup: str) -> list[Block]:
    """The blocks of a page, in reading order; none where it shows nothing but pictures and scripts."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    reader.finish()
    return reader.blocks


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._words: list[str] = []
        self._hidden: list[str] = []
        self._level = 0  # of the heading that is open
        self._titled = False  # the title of the page is being read
        self._lists: list[int] = []  # the number of the next item; 0 in lists without numbers
        self._mark = ""
        self._pre = 0
        self._links: list[str] = []
        self._rows: list[list[str]] | None = (
            None  # of the table that is open; one inside another is laid flat
        )
        self._tables = 0
        self._headed = False  # the first row of the open table names its columns

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and self._hidden == ["head"]:
            self._hidden.clear()
            self._titled, self._level = True, 1
            return
        if self._hidden:
            if tag == self._hidden[-1] and len(self._hidden) < _DEEPEST:
                self._hidden.append(tag)
            return
        given = dict(attrs)
        if tag in _UNSEEN:
            self._break()
            self._hidden.append(tag)
        elif tag == "br":
            self._break()
        elif tag == "img":
            self._words.append(f"〔图片{_named(given.get('alt'))}〕")
        elif tag in ("audio", "video", "embed"):
            self._words.append("〔影音〕")
        elif tag == "input" and given.get("type") not in ("hidden", "password") and given.get("value"):
            self._words.append(f"〔{given['value']}〕")
        elif tag == "a":
            self._links.append((given.get("href") or "").strip()[:_LONGEST_LINK])
            del self._links[_DEEPEST:]
        else:
            self._open(tag)

    def _open(self, tag: str) -> None:
        if tag == "table":
            self._tables += 1
            if self._tables == 1:
                self._break()
                self._rows, self._headed = [], False
        elif tag == "tr" and self._tables == 1 and self._rows is not None:
            self._end_cell()
            self._rows.append([])
        elif tag in ("td", "th") and self._rows is not None:
            self._headed = self._headed or (tag == "th" and len(self._rows) == 1)
            self._end_cell()
        elif tag in _BREAKS or tag in _HEADINGS:
            self._break()
            self._level = _HEADINGS.get(tag, 0)
            self._pre += tag == "pre"
            if tag in ("ul", "ol") and len(self._lists) < _DEEPEST:
                self._lists.append(1 if tag == "ol" else 0)
            if tag == "li":
                self._begin_item()

    def _begin_item(self) -> None:
        if self._lists and self._lists[-1]:
            self._mark = f"{self._lists[-1]}."
            self._lists[-1] += 1
        else:
            self._mark = "•"

    def handle_endtag(self, tag: str) -> None:
        if self._titled and tag in ("title", "head"):
            self._end_title(tag)
            return
        if self._hidden:
            if tag == self._hidden[-1]:
                self._hidden.pop()
            return
        if tag == "a" and self._links:
            self._end_link(self._links.pop())
        elif tag == "table" and self._tables:
            self._tables -= 1
            if not self._tables:
                self._end_table()
        elif tag in ("td", "th") and self._tables == 1:
            self._end_cell()
        elif tag in _BREAKS or tag in _HEADINGS:
            self._break()
            self._level = 0
            self._pre = max(0, self._pre - (tag == "pre"))
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()

    def _end_title(self, tag: str) -> None:
        self._break()
        self._titled, self._level = False, 0
        if tag == "title":  # what follows it in the head is not shown
            self._hidden.append("head")

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._pre and self._rows is None:
            first, *rest = data.split("\n")
            self._words.append(first)
            for each in rest:
                self._break()
                self._words.append(each)
        else:
            self._words.append(data)

    def finish(self) -> None:
        self._break()
        if self._rows is not None:  # left open, with however many inside it
            self._tables = 1
            self._end_table()

    def _end_link(self, target: str) -> None:
        """Where a link leads is part of the evidence: what it shows may say another thing."""
        shown = self._words[-1] if self._words else ""
        if re.match(r"(?:https?|mailto|tel|ftp):", target, re.IGNORECASE) and target not in shown:
            self._words.append(f" ‹{target}›")

    def _end_cell(self) -> None:
        if self._tables > 1 or self._rows is None:
            return
        said = self._said()
        if said:
            if not self._rows:  # words of a table that stand in no row
                self._rows.append([])
            self._rows[-1].append(said)

    def _end_table(self) -> None:
        self._end_cell()
        rows, self._rows = [row for row in self._rows or [] if row], None
        # Most tables of mails and pages only place things; what has one cell a row is no table to a reader.
        for wide, some in groupby(rows, key=lambda row: len(row) > 1):
            if wide:
                self.blocks += tabulated(list(some), head=self._headed)
            else:
                self.blocks += [blocks.paragraph(piece) for row in some for piece in blocks.cut(row[0])]

    def _said(self) -> str:
        said = _SPACES.sub(" ", "".join(self._words)).strip()
        self._words.clear()
        return said

    def _break(self) -> None:
        if self._rows is not None:
            self._words.append(" ")
            return
        if self._pre:
            said = "".join(self._words)
            self._words.clear()
            if said.strip() or (self.blocks and self.blocks[-1]["is"] == "line"):
                self.blocks += blocks.lines(said)
            return
        said = self._said()
        if not said:
            return
        if self._level:
            self.blocks.append(blocks.heading(said, self._level))
        elif self._mark:
            self.blocks.append(blocks.item(said, max(0, len(self._lists) - 1), self._mark))
        else:
            self.blocks += [blocks.paragraph(piece) for piece in blocks.cut(said)]
        self._mark = ""


def _named(alt: str | None) -> str:
    said = _SPACES.sub(" ", alt or "").strip()[:80]
    return f"：{said}" if said else ""
