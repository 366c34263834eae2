"""What a document says beside its pages: comments, notes, hidden words, values of forms.

They are set on pages of their own behind the document's, so that what is found is also seen, and masked like the rest.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archive.evidence import blocks
from archive.evidence.blocks import Block, Sheet

MOST_CHARACTERS = 400_000  # of all of them that are listed
_MOST = 5000
_TITLE = ("不在页面上的内容", "Beside the pages")
# Without the words that people look for: it stands in many documents.
_NOTE = "以下各项在原件之中，但不显示在前面的页上。页码从所属文件的第一页数起。"
_MORE = "这样的内容较多，有 {count} 处没有列全，没有列出的也不能被检索到；它们都在原件内。"


@dataclass(frozen=True, slots=True)
class Aside:
    """``words``, and what they are, in Chinese; ``by`` whom, and ``where`` or on which ``page`` (from 0), if known.

    ``perhaps_shown``: as a rule they stand on the pages too, and then they need no other place.
    """

    what: str
    words: str
    by: str = ""
    where: str = ""
    page: int | None = None
    perhaps_shown: bool = False


def unshown(asides: Iterable[Aside], pages: Mapping[int, str]) -> list[Aside]:
    """Those with words that are not among the texts of the ``pages``; none twice in one place."""
    bare = {number: _bare(text) for number, text in pages.items()}
    whole = "".join(bare.values())
    found: dict[tuple[str, str, int | None], Aside] = {}
    for each in asides:
        words = _bare(each.words)
        known = whole if each.page is None else bare.get(each.page, "")
        if words and not (each.perhaps_shown and words in known):
            found.setdefault((each.where, words, each.page), each)
    return list(found.values())


def beyond(asides: Iterable[Aside], known: Iterable[Aside]) -> list[Aside]:
    """Those whose words are not among the known ones': two readings of one document find the same comments."""
    words = {_bare(each.words) for each in known}
    return [each for each in asides if _bare(each.words) not in words]


def sheet(asides: Sequence[Aside], more: Sequence[Block], notes: Sequence[str]) -> Sheet:
    """``more`` blocks and ``notes`` follow."""
    said: list[Block] = []
    room = MOST_CHARACTERS
    for each in asides[:_MOST]:
        said.append(_message(each, room))
        room -= len(each.words)
        if room < 0:
            break
    if left := len(asides) - len(said) + (room < 0):
        notes = [_MORE.format(count=left), *notes]
    return Sheet(*_TITLE, (), [*said, *more], [_NOTE, *notes], numbered=False)


def _message(aside: Aside, room: int) -> Block:
    lines = [piece for line in aside.words[:room].strip().splitlines() for piece in blocks.cut(line)]
    place = f"第 {aside.page + 1} 页" if aside.page is not None else aside.where
    return blocks.message(" · ".join(filter(None, (place, aside.what))), aside.by[:80], lines, 0)


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
