"""What a set page is made of: plain values that the template lays out, one dictionary a block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document to be set. ``title`` and ``subtitle`` in Chinese and English; ``facts`` are label and value."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    blocks: Sequence[Block] = ()
    notes: Sequence[str] = ()
    landscape: bool = False
    pictures: Sequence[bytes] = field(default=())  # JPEG, named by their place in ``picture`` blocks
    numbered: bool = True
    foot: str = "原件完整附于本文档内"


_EACH = 30  # characters that the mere being of a line or cell counts for: most of the work is in the number
_LONGEST = (
    3000  # characters set as one paragraph; the time to break one into lines grows faster than its length
)


def line(text: str) -> Block:
    """One line as it stands, its leading spaces kept."""
    return {"is": "line", "text": text}


def lines(text: str) -> list[Block]:
    """Every line of a text as it stands, very long ones in pieces."""
    return [line(piece) for each in text.split("\n") for piece in cut(each)]


def paragraph(text: str) -> Block:
    return {"is": "paragraph", "text": text}


def cut(text: str) -> list[str]:
    """At least one piece, none too long for a paragraph."""
    return [text[at : at + _LONGEST] for at in range(0, max(len(text), 1), _LONGEST)]


def heading(text: str, level: int = 2) -> Block:
    return {"is": "heading", "text": text, "level": min(max(level, 1), 4)}


def item(text: str, depth: int = 0, mark: str = "•") -> Block:
    return {"is": "item", "text": text, "depth": min(depth, 6), "mark": mark}


def table(rows: Sequence[Sequence[str]], weights: Sequence[float], *, head: bool, size: float = 9.0) -> Block:
    """``rows`` all as long as ``weights``, which say how wide the columns are to each other; size in points."""
    return {"is": "table", "rows": rows, "weights": weights, "head": head, "size": size}


def record(number: int, pairs: Sequence[tuple[str, str]]) -> Block:
    """A row of a table that is too wide for a page: its fields one below the other."""
    return {"is": "record", "number": number, "pairs": pairs}


def message(who: str, when: str, lines: Sequence[str], tint: int) -> Block:
    return {"is": "message", "who": who, "when": when, "lines": lines, "tint": tint}


def day(text: str) -> Block:
    return {"is": "day", "text": text}


def picture(place: int) -> Block:
    return {"is": "picture", "place": place}


def characters(block: Block) -> int:
    """How much there is to set in a block, roughly."""
    return sum(_characters(value) for value in block.values())


def _characters(value: object) -> int:
    if isinstance(value, str):
        return len(value) + _EACH
    if isinstance(value, list | tuple):
        return sum(_characters(each) for each in value)
    return 0
