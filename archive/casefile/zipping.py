"""ZIP archives written as they are read, in the memory of a few pieces, however long what goes in.

With a password they are WinZip's AE-2 (AES-256 in counter mode, HMAC-SHA1, PBKDF2): 7-Zip, WinRAR, Keka and libarchive
open them. Its key derivation is weak by today's measure, so only a password that is random itself will do.
"""

import io
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from stream_zip import ZIP_64, stream_zip

_BLOCK = 1 << 16
_MODE = 0o100600

Member = tuple[str, BinaryIO]  # read from its start, and closed when it was


def zipped(members: Iterable[Member], at: datetime, password: str | None = None) -> Iterator[bytes]:
    """What goes in is stored as it is: it is encrypted, or compressed, already."""
    entries = ((name, at, _MODE, ZIP_64, _read(stream)) for name, stream in members)
    yield from stream_zip(entries, get_compressobj=_storing, password=password)


class Zipped(io.RawIOBase):
    """The same as a stream, made while it is read."""

    def __init__(self, members: Iterable[Member], at: datetime, password: str | None = None) -> None:
        super().__init__()
        self._members = tuple(members)
        self._pieces = zipped(self._members, at, password)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: "bytearray | memoryview") -> int:  # type: ignore[override]
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        part, self._left = self._left[: len(into)], self._left[len(into) :]
        into[: len(part)] = part
        return len(part)

    def close(self) -> None:
        for _, stream in self._members:
            stream.close()
        super().close()


def _read(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while block := stream.read(_BLOCK):
            yield block


def _storing() -> "zlib._Compress":
    return zlib.compressobj(level=0, wbits=-zlib.MAX_WBITS)
