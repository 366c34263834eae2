"""The terms of a segment, in order, each with how many documents have it and where its postings lie. Pure.

Blocks of up to 64 terms (the lengths of the terms, their documents, the bytes of their postings, the terms); after
them the first term of each block, where it begins and where the postings of its terms do. That much is kept in memory;
a block is read when a term of it is asked for.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import BinaryIO, NamedTuple

from indexer.postings import Packed, Read, pack

_BLOCK = 64
_FOOTER = struct.Struct(">QII")  # where what is kept in memory begins, blocks, terms


class Entry(NamedTuple):
    documents: int
    start: int  # of the postings
    end: int


class TermsWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._terms: list[bytes] = []  # of the block at hand
        self._counts: list[int] = []
        self._lengths: list[int] = []
        self._firsts: list[bytes] = []
        self._starts = [0]  # of the blocks, and where the next one begins
        self._bases = [0]  # of their postings
        self._total = 0

    def add(self, term: bytes, count: int, length: int) -> None:
        """``length``: bytes of its postings, which follow those of the term before."""
        self._terms.append(term)
        self._counts.append(count)
        self._lengths.append(length)
        if len(self._terms) == _BLOCK:
            self._write_block()

    def close(self) -> None:
        self._write_block()
        if self._firsts:
            self._file.write(pack(list(map(len, self._firsts)), self._starts, self._bases))
            self._file.write(b"".join(self._firsts))
        self._file.write(_FOOTER.pack(self._starts[-1], len(self._firsts), self._total))

    def _write_block(self) -> None:
        if not self._terms:
            return
        block = pack(list(map(len, self._terms)), self._counts, self._lengths) + b"".join(self._terms)
        self._file.write(block)
        self._firsts.append(self._terms[0])
        self._starts.append(self._starts[-1] + len(block))
        self._bases.append(self._bases[-1] + sum(self._lengths))
        self._total += len(self._terms)
        for each in (self._terms, self._counts, self._lengths):
            each.clear()


class _Block(NamedTuple):
    terms: list[bytes]
    counts: Sequence[int]
    bounds: list[int]  # of the postings

    def entry(self, at: int) -> Entry:
        return Entry(self.counts[at], self.bounds[at], self.bounds[at + 1])


class Terms:
    """Reads what ``TermsWriter`` wrote: ``read`` gives a part of it, of ``length`` bytes in all.

    It may be shared by threads as far as ``read`` may.
    """

    def __init__(self, read: Read, length: int) -> None:
        self._read = read
        end = length - _FOOTER.size
        start, blocks, self._total = _FOOTER.unpack(read(end, length))
        self._firsts: list[bytes] = []
        if blocks:
            content = read(start, end)
            packed = Packed(content)
            lengths = packed.row(blocks)
            self._starts, self._bases = packed.row(blocks + 1), packed.row(blocks + 1)
            self._firsts = _cut(content, packed.at, lengths)

    def find(self, term: bytes) -> Entry | None:
        number = bisect_right(self._firsts, term) - 1
        if number < 0:
            return None
        block = self._block(number)
        at = bisect_left(block.terms, term)
        return block.entry(at) if at < len(block.terms) and block.terms[at] == term else None

    def beginning_with(self, start: bytes) -> Iterator[tuple[bytes, Entry]]:
        for number in range(max(0, bisect_right(self._firsts, start) - 1), len(self._firsts)):
            block = self._block(number)
            for at in range(bisect_left(block.terms, start), len(block.terms)):
                if not block.terms[at].startswith(start):
                    return
                yield block.terms[at], block.entry(at)

    def _block(self, number: int) -> _Block:
        content = self._read(self._starts[number], self._starts[number + 1])
        count = min(_BLOCK, self._total - number * _BLOCK)
        packed = Packed(content)
        lengths, counts, sizes = packed.row(count), packed.row(count), packed.row(count)
        bounds = list(accumulate(sizes, initial=self._bases[number]))
        return _Block(_cut(content, packed.at, lengths), counts, bounds)


def _cut(content: bytes, start: int, lengths: Sequence[int]) -> list[bytes]:
    found = []
    for length in lengths:
        end = start + length
        found.append(content[start:end])
        start = end
    return found
