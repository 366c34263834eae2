"""The postings of a term as bytes: in which documents it is, and at which places of each. Pure.

A block holds up to 128 documents: the first one's number and the steps to the next ones, how many places each has, and
the places, document after document. Where there are more, a table stands before the blocks (the last document of
each, the bytes of each), so that a reader gets to a document without the blocks before it. Numbers are as narrow as
the widest of their row allows, and little endian.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice
from operator import sub
from typing import NamedTuple

from indexer.cursors import END

BLOCK = 128
_CODES = "BHIQ"  # 1, 2, 4, 8 bytes
_WIDTHS = (1, 2, 4, 8)
_WIDEST = (0xFF, 0xFFFF, 0xFFFFFFFF)

Read = Callable[[int, int], bytes]  # from a byte of the file to before another


class PostingList(NamedTuple):
    documents: Sequence[int]  # rising
    counts: Sequence[int]  # places in each
    places: Sequence[int]  # all, document after document


def pack(*rows: Sequence[int]) -> bytes:
    """A byte that says how wide the rows are (up to four, 2 bits each), and the rows."""
    head, content = 0, b""
    for at, row in enumerate(rows):
        code = bisect_left(_WIDEST, max(row))
        head |= code << (2 * at)
        content += _little(array(_CODES[code], row)).tobytes()
    return bytes((head,)) + content


class Packed:
    """The rows of ``pack``, in their order."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._widths = content[0]
        self.at = 1  # where the next row begins

    def row(self, length: int) -> "array[int]":
        code = self._widths & 3
        self._widths >>= 2
        start = self.at
        self.at += length * _WIDTHS[code]
        return _little(array(_CODES[code], self._content[start : self.at]))


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def encode(postings: PostingList) -> bytes:
    documents, counts, places = postings
    if len(documents) <= BLOCK:
        return _block(documents, counts, places)
    blocks, at = [], 0
    for start in range(0, len(documents), BLOCK):
        some = counts[start : start + BLOCK]
        end = at + sum(some)
        blocks.append(_block(documents[start : start + BLOCK], some, places[at:end]))
        at = end
    lasts = [documents[min(start + BLOCK, len(documents)) - 1] for start in range(0, len(documents), BLOCK)]
    return _little(array("I", [*lasts, *map(len, blocks)])).tobytes() + b"".join(blocks)


def _block(documents: Sequence[int], counts: Sequence[int], places: Sequence[int]) -> bytes:
    steps = [documents[0], *map(sub, islice(documents, 1, None), documents)]
    return pack(steps, counts, places)


def decode(content: bytes, count: int) -> PostingList:
    """All of it. ``count``: of documents."""
    if count <= BLOCK:
        return _decoded(content, count)
    documents: list[int] = []
    counts: list[int] = []
    places = array("I")
    for _, start, end, some in _blocks(_table(content[: _table_size(count)], count), count):
        block = _decoded(content[start:end], some)
        documents.extend(block.documents)
        counts.extend(block.counts)
        places.extend(array("I", block.places))
    return PostingList(documents, counts, places)


def _decoded(block: bytes, count: int) -> PostingList:
    packed = Packed(block)
    documents, counts = list(accumulate(packed.row(count))), packed.row(count)
    return PostingList(documents, counts, packed.row(sum(counts)))


def _table_size(count: int) -> int:
    return 8 * -(-count // BLOCK)


def _table(content: bytes, count: int) -> "tuple[array[int], list[int]]":
    """The last document of each block, and where the blocks begin and the last one ends."""
    both = _little(array("I", content))
    half = len(both) // 2
    return both[:half], list(accumulate(both[half:], initial=_table_size(count)))


def _blocks(table: "tuple[array[int], list[int]]", count: int) -> Iterator[tuple[int, int, int, int]]:
    """Last document, start, end, documents."""
    lasts, bounds = table
    for at, last in enumerate(lasts):
        yield last, bounds[at], bounds[at + 1], min(BLOCK, count - at * BLOCK)


class Reading:
    """Walks through the postings that ``read`` gives from ``start`` to ``end``; a block at a time."""

    def __init__(self, read: Read, start: int, end: int, count: int) -> None:
        self._read = read
        self._start = start
        if count > BLOCK:
            table = read(start, start + _table_size(count))
            self._blocks = _blocks(_table(table, count), count)
        else:
            self._blocks = iter([(END, 0, end - start, count)])
        self._last = -1
        self._documents: list[int] = []
        self._at = 0
        self._rest: tuple[Packed, int] | None = None  # what of the block was not looked at yet
        self._bounds: list[int] = []
        self._places: Sequence[int] = ()

    def seek(self, document: int) -> int:
        """The first document from ``document`` on; END when there is none. Only ever forward."""
        while True:
            if document <= self._last:
                self._at = at = bisect_left(self._documents, document, self._at)
                if at < len(self._documents):
                    return self._documents[at]
            if not self._next_for(document):
                return END

    def places(self) -> Sequence[int]:
        """In the document that was sought last."""
        if self._rest is not None:
            packed, count = self._rest
            self._bounds = list(accumulate(packed.row(count), initial=0))
            self._places = packed.row(self._bounds[-1])
            self._rest = None
        return self._places[self._bounds[self._at] : self._bounds[self._at + 1]]

    def _next_for(self, document: int) -> bool:
        for last, start, end, count in self._blocks:
            if document <= last:
                packed = Packed(self._read(self._start + start, self._start + end))
                self._documents = list(accumulate(packed.row(count)))
                self._last, self._at, self._rest = self._documents[-1], 0, (packed, count)
                return True
        self._last = -1
        return False
