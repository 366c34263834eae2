"""An excerpt of a recording that is too large for memory: a file of its full length that holds only what tells of it.

Programs that describe a recording jump about in it, so they need a file; nothing of a customer's goes to the disk in
plain, so it is a memory file, and a sparse one: the beginning, the end, and the index where it lies in between. What it
does not hold reads as zeros and takes no memory.
"""

import os
from collections.abc import Sequence
from types import TracebackType
from typing import BinaryIO, Self

_BEGINNING, _END = 32 << 20, 16 << 20  # bytes
_LONGEST_INDEX = 32 << 20  # bytes: that of a film of a day is shorter
_MOST_BOXES = 10_000
_BLOCK = 1 << 20


class Excerpt:
    """``size`` is the recording's. Filled by whoever reads the recording, once, from its start to its end."""

    def __init__(self, size: int, windows: Sequence[range]) -> None:
        self._windows = windows
        self._at = 0
        self.descriptor = os.memfd_create("excerpt", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.descriptor, size)
        except BaseException:
            os.close(self.descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)

    def write(self, piece: bytes) -> None:
        """The next bytes of the recording."""
        view, end = memoryview(piece), self._at + len(piece)
        for window in self._windows:
            start, stop = max(window.start, self._at), min(window.stop, end)
            while start < stop:
                start += os.pwrite(self.descriptor, view[start - self._at : stop - self._at], start)
        self._at = end

    def pick(self, source: BinaryIO) -> None:
        """From a recording that can be read anywhere: no more of it is read than is held."""
        for window in self._windows:
            self._at = source.seek(window.start)
            while self._at < window.stop and (piece := source.read(min(_BLOCK, window.stop - self._at))):
                self.write(piece)


def windows(source: BinaryIO, size: int) -> tuple[range, ...]:
    """What of a recording is worth keeping. ``source`` is left somewhere."""
    found = [range(min(_BEGINNING, size)), range(max(0, size - _END), size)]
    index = _index(source, size)
    if index is not None:
        found.append(range(index.start, min(index.stop, index.start + _LONGEST_INDEX)))
    return tuple(found)


def _index(source: BinaryIO, size: int) -> range | None:
    """Where the ``moov`` box lies: it may be anywhere among the boxes at the top (ISO/IEC 14496-12, 4.2 and 8.2)."""
    at = 0
    for _ in range(_MOST_BOXES):
        source.seek(at)
        head = source.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:  # to the end
            length = size - at
        if length < 8 or at + length > size:
            return None
        if head[4:8] == b"moov":
            return range(at, at + length)
        at += length
    return None
