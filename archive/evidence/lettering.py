"""The letters on a drawn page and where they stand, from its text layer or from what was recognised in it.

Masks and marks are made from either in the same way: rectangles around letters, in pixels of the picture.
"""

import ctypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pypdfium2
from pypdfium2 import raw

from archive.evidence import seams
from archive.evidence.masking import Span
from archive.evidence.recognised import DOUBTFUL, LEGIBLE, SCALE, Line, RecognisedPage
from archive.evidence.seams import Seams, spans_on

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels

_PADDING = 2  # pixels
_SPARE = 0.2  # of a letter's height: recognised letters lie a little beside their places
_LINE_HYPHEN = 2  # what pdfium calls a hyphen at the end of a line
_LONG = 3.0  # width to height from which a line may hold a telephone number


@dataclass(frozen=True, slots=True)
class Lettering:
    """``box`` gives the place of the letter at an index of ``text``; ``hidden`` are whole lines to paint over.

    ``digits`` is the text as numbers are looked for in it, if that differs: as long, letter by letter.
    """

    text: str
    box: Callable[[int], Box]
    digits: str = ""
    spare: float = 0.0  # of a letter's height, around it
    hidden: tuple[Box, ...] = ()
    around: Seams = seams.NONE

    def masks(self) -> Iterator[Box]:
        """What must not be read (P16): one rectangle a hit and line, so that gaps are covered too."""
        yield from self.hidden
        for span in self._spans():
            for line in self._lines(range(span.start, span.end)):
                yield self._around(line)

    def marks(self, words: Sequence[str]) -> Iterator[Box]:
        """Where the words stand, as they are written and white space apart; never what is masked."""
        secret = {at for span in self._spans() for at in range(span.start, span.end)}
        seen = [at for at, letter in enumerate(self.text) if letter.strip()]
        bare = "".join(self.text[at] for at in seen)
        for word in words:
            for start in _occurrences(bare, word):
                found = seen[start : start + len(word)]
                if secret.isdisjoint(found) and self._is_whole(found[0], found[-1]):
                    for line in self._lines(range(found[0], found[-1] + 1)):
                        yield self._around(line)

    def _spans(self) -> tuple[Span, ...]:
        return spans_on(self.digits or self.text, self.around)

    def _is_whole(self, first: int, last: int) -> bool:
        """Latin words are marked whole: ``art`` is not in ``party``."""
        before, after = self.text[max(first - 1, 0) : first], self.text[last + 1 : last + 2]
        return not (_latin(before) and _latin(self.text[first])) and not (
            _latin(after) and _latin(self.text[last])
        )

    def _lines(self, places: range) -> Iterator[list[int]]:
        """The visible letters, line by line; a line break stands where a line ends."""
        line: list[int] = []
        for index in places:
            if self.text[index] in "\r\n":
                if line:
                    yield line
                line = []
            elif self.text[index].strip():
                line.append(index)
        if line:
            yield line

    def _around(self, line: Iterable[int]) -> Box:
        lefts, tops, rights, bottoms = zip(*(self.box(index) for index in line), strict=True)
        left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
        spare = self.spare * min(bottom - top, right - left)
        return (
            left - 1 - spare,
            top - _PADDING - spare / 2,
            right + 1 + spare,
            bottom + _PADDING + spare / 2,
        )


def of_text_layer(
    page: pypdfium2.PdfPage, textpage: Any, size: tuple[int, int], around: Seams = seams.NONE
) -> Lettering:
    """``size`` is the picture's. Good while page and text page are open."""
    text = "".join(_letter(textpage, index) for index in range(textpage.count_chars()))
    return Lettering(text, lambda index: _box(page, textpage, size, index), around=around)


def of_recognised(page: RecognisedPage, size: tuple[int, int], around: Seams = seams.NONE) -> Lettering:
    boxes: list[Box] = []
    for line in page.lines:
        boxes += [_to_pixels(place, size) for place in line.places]
        boxes.append((0.0, 0.0, 0.0, 0.0))  # of the line break
    text = "\n".join(line.text for line in page.lines)
    hidden = tuple(_whole(line, size) for line in page.lines if _may_hide_a_number(line, size))
    return Lettering(text, boxes.__getitem__, page.digits, _SPARE, hidden, around)


def _occurrences(text: str, word: str) -> Iterator[int]:
    at = text.find(word) if word else -1
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _may_hide_a_number(line: Line, size: tuple[int, int]) -> bool:
    if line.score >= DOUBTFUL:
        return False
    left, top, right, bottom = _whole(line, size)
    long = max(right - left, bottom - top) >= _LONG * min(right - left, bottom - top)
    return line.is_doubtful_number or (line.score < LEGIBLE and long)


def _whole(line: Line, size: tuple[int, int]) -> Box:
    lefts, tops, rights, bottoms = zip(*(_to_pixels(place, size) for place in line.places), strict=True)
    return min(lefts) - _PADDING, min(tops) - _PADDING, max(rights) + _PADDING, max(bottoms) + _PADDING


def _to_pixels(place: tuple[int, int, int, int], size: tuple[int, int]) -> Box:
    left, top, right, bottom = place
    width, height = size
    return left * width / SCALE, top * height / SCALE, right * width / SCALE, bottom * height / SCALE


def _letter(textpage: Any, index: int) -> str:
    """Exactly one character, so that positions in the text are pdfium's positions."""
    value = raw.FPDFText_GetUnicode(textpage, index)
    if value == _LINE_HYPHEN:
        return "-"
    return chr(value) if 0 < value < 0x110000 and not 0xD800 <= value < 0xE000 else " "


def _box(page: pypdfium2.PdfPage, textpage: Any, size: tuple[int, int], index: int) -> Box:
    left, bottom, right, top = textpage.get_charbox(index, loose=True)
    if not (right > left and top > bottom):  # odd fonts claim no size; a letter as large as its font then
        x, y = ctypes.c_double(), ctypes.c_double()
        raw.FPDFText_GetCharOrigin(textpage, index, x, y)
        spread = max(float(raw.FPDFText_GetFontSize(textpage, index)), 12.0)
        left, bottom, right, top = x.value - spread, y.value - spread, x.value + spread, y.value + spread
    corners = [_pixel(page, size, x, y) for x in (left, right) for y in (bottom, top)]
    across, down = zip(*corners, strict=True)
    return min(across), min(down), max(across), max(down)


def _pixel(page: pypdfium2.PdfPage, size: tuple[int, int], x: float, y: float) -> tuple[int, int]:
    """From page space to the picture, with the page's rotation and crop box."""
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, across, down)
    return across.value, down.value
