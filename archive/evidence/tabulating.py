"""Rows of text as tables that fit a page: a delimiter found, widths weighed, too many columns set as records."""

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Sequence

from archive.evidence import blocks
from archive.evidence.blocks import Block

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE = 200  # lines that are looked at
_LEAST_ROWS = 2
_EVEN = 0.9  # of the rows have as many fields as the most
_WIDEST = 14  # columns; more make records
_ROWS = 400  # a table; the head is repeated with each
_NARROW, _BROAD = 4, 44  # bounds of a column's weight, in halves of a Chinese character
_PORTRAIT = 104  # such halves across a page
_LARGEST, _SMALLEST = 9.0, 6.0  # points
csv.field_size_limit(1 << 20)


def split(text: str) -> list[list[str]] | None:
    """The rows of a CSV file (RFC 4180, or with tabs, semicolons or bars); None when it is no table."""
    sample = text.split("\n", _SAMPLE)[:_SAMPLE]
    for delimiter in _DELIMITERS:
        if sum(delimiter in line for line in sample) < _LEAST_ROWS:
            continue
        rows = _rows("\n".join(sample), delimiter)
        if rows and _is_even(rows):
            return _rows(text, delimiter)
    return None


def is_broad(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table wants the page's long side."""
    return max(len(row) for row in rows) <= _WIDEST and sum(_weights(rows)) > _PORTRAIT * 0.9


def tabulated(rows: Sequence[Sequence[str]], *, head: bool) -> list[Block]:
    """The rows as tables of some hundred rows each, or as records; ``head``: the first row names the columns."""
    columns = max(len(row) for row in rows)
    filled = [[*row, *[""] * (columns - len(row))] for row in rows]
    if columns > _WIDEST:
        return _records(filled, head=head)
    weights = _weights(filled)
    room = _PORTRAIT * (1.45 if is_broad(filled) else 1.0)
    size = min(_LARGEST, max(_SMALLEST, _LARGEST * room / sum(weights)))
    names, body = (filled[:1], filled[1:]) if head and len(filled) > 1 else ([], filled)
    return [
        blocks.table([*names, *body[at : at + _ROWS]], weights, head=bool(names), size=round(size, 1))
        for at in range(0, len(body), _ROWS)
    ]


def _rows(text: str, delimiter: str) -> list[list[str]] | None:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return None
    return [row for row in rows if any(field.strip() for field in row)]


def _is_even(rows: list[list[str]]) -> bool:
    if len(rows) < _LEAST_ROWS:
        return False
    fields, count = Counter(len(row) for row in rows).most_common(1)[0]
    # Two rows of two fields are as likely two sentences with a comma each.
    return fields > 1 and count >= len(rows) * _EVEN and (len(rows) > 2 or fields > 2)


def _weights(rows: Sequence[Sequence[str]]) -> list[float]:
    """How wide each column wants to be: what nine of ten of its fields need."""
    columns = max(len(row) for row in rows)
    weights = []
    for column in range(columns):
        widths = sorted(_width(row[column]) for row in rows[:500] if column < len(row))
        wanted = max(widths[int(len(widths) * 0.9)], min(widths[-1], 16))
        weights.append(float(min(max(wanted + 2, _NARROW), _BROAD)))
    return weights


def _width(text: str) -> int:
    """Of its longest line, in halves of a Chinese character."""
    return max(
        (
            sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in line[:_BROAD])
            for line in text.split("\n")
        ),
        default=0,
    )


def _records(rows: list[list[str]], *, head: bool) -> list[Block]:
    names = rows[0] if head else [str(number) for number in range(1, len(rows[0]) + 1)]
    body = rows[1:] if head else rows
    return [
        blocks.record(
            number, [(name, value) for name, value in zip(names, row, strict=True) if value.strip()]
        )
        for number, row in enumerate(body, start=1)
    ]
