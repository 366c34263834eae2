"""What was recognised in the picture of a page: lines of text, how sure they are, where each letter stands.

Kept sealed, as JSON: ``{"v": 1, "lines": [[text, score, [left, top, right, bottom, left, …]], …]}``.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from archive.evidence import seams
from archive.evidence.masking import digits_read_right
from archive.evidence.seams import Seams, mask_page

SCALE: Final = 10_000  # boxes are in ten-thousandths of the page's width and height, from its upper left
LEGIBLE: Final = 0.5  # a line read with less confidence is no text to be found, but may hide a number
DOUBTFUL: Final = 0.8  # a line read with less confidence than this is hidden whole where it may hold a number
FEW_DIGITS: Final = 4
_VERSION: Final = 1
_MOST_CHARACTERS: Final = 200_000  # of a page

Place = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Line:
    """``places`` has one place for each character of ``text``; ``score`` is from 0 to 1."""

    text: str
    score: float
    places: tuple[Place, ...]

    @property
    def is_doubtful_number(self) -> bool:
        return self.score < DOUBTFUL and sum(letter.isdigit() for letter in self.text) >= FEW_DIGITS


@dataclass(frozen=True, slots=True)
class RecognisedPage:
    """Lines from top to bottom."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The lines that are legible."""
        return "\n".join(line.text for line in self.lines if line.score >= LEGIBLE)

    @property
    def digits(self) -> str:
        """All lines as numbers are looked for in them: as long, letter by letter."""
        return "\n".join(digits_read_right(line.text) for line in self.lines)

    def masked(self, around: Seams = seams.NONE) -> str:
        """``text`` without what the page's picture hides (P16). Same length."""
        whole = mask_page("\n".join(line.text for line in self.lines), around, self.digits)
        shown, start = [], 0
        for line in self.lines:
            end = start + len(line.text)
            if line.score >= LEGIBLE:
                shown.append("*" * len(line.text) if line.is_doubtful_number else whole[start:end])
            start = end + 1
        return "\n".join(shown)

    @property
    def confidence(self) -> int:
        """Of all letters, in percent; 100 where there are none."""
        letters = sum(len(line.text) for line in self.lines)
        sure = sum(len(line.text) * line.score for line in self.lines)
        return round(100 * sure / letters) if letters else 100

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        rows = [
            [line.text, round(line.score, 3), [edge for place in line.places for edge in place]]
            for line in self.lines
        ]
        return {"v": _VERSION, "lines": rows}

    def to_bytes(self) -> bytes:
        return json.dumps(self.document(), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, kept: bytes) -> "RecognisedPage":
        """Raises ValueError."""
        return cls.read(json.loads(kept))

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "RecognisedPage":
        """Nothing is taken on trust: it may come from a worker that was taken over. Raises ValueError."""
        try:
            if document["v"] != _VERSION:
                raise ValueError("an unknown version")
            lines = tuple(_line(*row) for row in document["lines"])
        except (KeyError, TypeError) as error:
            raise ValueError("not a recognised page") from error
        if sum(len(line.text) for line in lines) > _MOST_CHARACTERS:
            raise ValueError("more than a page holds")
        return cls(lines)


def _line(text: object, score: object, edges: Iterable[object]) -> Line:
    flat = [edge for edge in edges if isinstance(edge, int) and 0 <= edge <= SCALE]
    if not (isinstance(text, str) and isinstance(score, int | float) and 0 <= score <= 1):
        raise ValueError("not a line")
    if len(flat) != 4 * len(text):
        raise ValueError("not a place for each character")
    places = tuple((flat[at], flat[at + 1], flat[at + 2], flat[at + 3]) for at in range(0, len(flat), 4))
    return Line(text, float(score), places)
