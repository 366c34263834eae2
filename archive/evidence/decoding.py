"""From bytes to text: UTF-8, UTF-16 and UTF-32 by their mark, else GB18030 or Big5, whichever reads as Chinese.

Neither encoding of Chinese can be told from the other by its form: most texts of one are also valid in the other,
as a row of rare characters. So both are read, and the one with the more everyday characters is taken.
"""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
# What no text file holds, or hardly ever; Ctrl-Z ends old ones.
_CONTROLS = bytes({*range(9), *range(14, 27), 28, 29, 30, 31} - {0x1A})
_HIGH = bytes(range(0x80, 0x100))
_MOST_CONTROLS = 0.001
_SAMPLE = 20_000  # characters that are judged
_CONVINCING = 0.7
_FREQUENT = frozenset(
    "的一是了我不人在有他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天"
    "而能好都然没日于起还发成事只作当想看文无开手用主行方又如前所本见经头面公同三已老从动两长給這個們來說時為會過"
    "學對裡後麼還發沒於開無間問題顧客店退款投诉投訴先生女士电话電話您请請谢謝"
)


@dataclass(frozen=True, slots=True)
class Text:
    """``encoding`` is named for a human. ``doubtful`` characters could not be read and stand as U+FFFD."""

    content: str
    encoding: str
    doubtful: int = 0


def decode(data: bytes) -> Text | None:
    """None when the bytes are no text. Line ends become line feeds; a character cut off at the end is left out."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return _found(data[len(mark) :].decode(codec, "replace"), name)
    if b"\x00" in data or len(data) - len(data.translate(None, _CONTROLS)) > len(data) * _MOST_CONTROLS:
        return None
    content = _strictly(data, "utf-8")
    if content is not None:
        return _found(content, "UTF-8")
    return _chinese(data) or _western(data) or _damaged(data)


def _chinese(data: bytes) -> Text | None:
    read = [(name, _strictly(data, codec)) for name, codec, _ in _CHINESE]
    judged = [
        (_share(content, common), name, content)
        for (name, content), (_, _, common) in zip(read, _CHINESE, strict=True)
        if content is not None
    ]
    if not judged:
        return None
    share, name, content = max(judged, key=lambda each: each[0])
    return _found(content, name) if share >= _CONVINCING else None


def _western(data: bytes) -> Text | None:
    """A few accented letters among plain ones; anything denser is in no encoding that is known here."""
    content = _strictly(data, "cp1252")
    beyond = len(data) - len(data.translate(None, _HIGH))
    return _found(content, "Windows-1252") if content is not None and beyond < len(data) * 0.3 else None


def _damaged(data: bytes) -> Text | None:
    """The reading with the fewest gaps, as long as they are few."""
    names = (("UTF-8", "utf-8"), *((name, codec) for name, codec, _ in _CHINESE))
    read = [(data.decode(codec, "replace"), name) for name, codec in names]
    content, name = min(read, key=lambda each: each[0].count("\ufffd"))
    return _found(content, name) if content.count("\ufffd") < len(content) * 0.02 else None


def _found(content: str, name: str) -> Text:
    plain = content.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a")
    return Text(plain, name, plain.count("\ufffd"))


def _strictly(data: bytes, codec: str) -> str | None:
    """All of it, but for a character that the end of the file cuts in two."""
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data, final=False)
    except UnicodeDecodeError:
        return None


def _share(content: str, common: frozenset[str]) -> float:
    """Of the characters beyond ASCII, how many are everyday ones; the most frequent of all count twice."""
    beyond = [letter for letter in content[: _SAMPLE * 4] if letter > "\x7f"][:_SAMPLE]
    if not beyond:
        return 0.0
    return sum((letter in common) + (letter in _FREQUENT) for letter in beyond) / len(beyond)


def _table(codec: str, rows: Iterable[int]) -> frozenset[str]:
    """The characters of a two-byte code in the given rows."""
    found: set[str] = set()
    for row in rows:
        for column in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
            found.update(bytes((row, column)).decode(codec, "ignore"))
    return frozenset(letter for letter in found if letter > "\x7f")


# Rows of everyday characters: GB 2312 level 1, Big5 level 1, and the punctuation before each.
_CHINESE = (
    ("GB18030", "gb18030", _table("gb2312", (0xA1, 0xA3, *range(0xB0, 0xD8)))),
    ("Big5", "big5hkscs", _table("big5", (0xA1, 0xA2, 0xA3, *range(0xA4, 0xC7)))),
)
