"""Sealing what is too large for one box: pieces of 1 MiB under AES-256-GCM, in an order that cannot be changed.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce of a piece is ``prefix(7) | number(4) |
last(1)``, so that no piece can be moved, left out or taken for the end. The form is ``MUNS | version(1) | prefix(7)``
and then each piece with its tag; the head and the place are associated data of all of them. The key belongs to one
stream. Since all pieces but the last are of one size, any of them can be opened alone.
"""

import io
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.keys.sealing import BoxError, Randomness

_MAGIC = b"MUNS\x01"
_PREFIX = 7
_HEAD = len(_MAGIC) + _PREFIX
_PIECE = 1 << 20  # bytes of plain text
_TAG = 16

Fetch = Callable[
    [int, int], bytes
]  # so many sealed bytes from an offset on; fewer only where the stream ends


class Target(Protocol):
    def write(self, content: bytes, /) -> object: ...


class StreamSealer:
    """Seals what is written, however it is cut. Only ``close`` writes the last piece: without it, nothing opens."""

    def __init__(self, key: bytes, target: Target, place: str, *, randomness: Randomness) -> None:
        self._prefix = randomness(_PREFIX)
        head = _MAGIC + self._prefix
        self._cipher, self._bound_to = AESGCM(key), head + place.encode()
        self._target = target
        self._waiting = bytearray()
        self._number = 0
        target.write(head)

    def write(self, content: bytes) -> None:
        self._waiting += content
        while len(self._waiting) > _PIECE:  # what fills a piece exactly may be the last
            piece = bytes(self._waiting[:_PIECE])
            del self._waiting[:_PIECE]
            self._seal(piece, last=False)

    def close(self) -> None:
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, piece: bytes, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._number, last=last)
        self._target.write(self._cipher.encrypt(nonce, piece, self._bound_to))
        self._number += 1


def seal_stream(key: bytes, source: BinaryIO, target: Target, place: str, *, randomness: Randomness) -> None:
    """Memory stays at a few pieces, however long the source."""
    sealer = StreamSealer(key, target, place, randomness=randomness)
    while content := source.read(_PIECE):
        sealer.write(content)
    sealer.close()


def open_stream(key: bytes, source: BinaryIO, place: str) -> Iterator[bytes]:
    """The plain text, piece by piece; each was proved before it is given.

    :raises BoxError: altered, moved, cut off, or under another key; what came before was whole.
    """
    cipher, prefix, bound_to = _begun(key, source.read(_HEAD), place)
    for number, piece, last in _pieces(source, _PIECE + _TAG):
        yield _opened(cipher, _nonce(prefix, number, last=last), piece, bound_to)


def plain_size(sealed_size: int) -> int:
    """The bytes of plain text in a sealed stream of this size. Raises BoxError where no stream is so long."""
    body = sealed_size - _HEAD
    full, rest = divmod(body, _PIECE + _TAG)
    if body < _TAG or (rest and rest < _TAG) or (rest == _TAG and full):
        raise BoxError("no sealed stream has this size")
    return body - (full + bool(rest)) * _TAG


def open_anywhere(key: bytes, fetch: Fetch, sealed_size: int, place: str) -> io.BufferedReader:
    """The plain text as a stream to be read from anywhere: only the pieces that hold what is asked for are fetched,
    and each is proved before any of it is given. ``sealed_size`` is what the whole must measure: that a stream was cut
    off shows at its last piece.

    :raises BoxError: here or while reading, as ``open_stream``.
    """
    return io.BufferedReader(_Reader(key, fetch, sealed_size, place), _PIECE)


class _Reader(io.RawIOBase):
    """Keeps the piece that was read last."""

    def __init__(self, key: bytes, fetch: Fetch, sealed_size: int, place: str) -> None:
        super().__init__()
        self._size, self._at = plain_size(sealed_size), 0
        self._last = max(0, -(-self._size // _PIECE) - 1)
        self._fetch = fetch
        self._cipher, self._prefix, self._bound_to = _begun(key, fetch(0, _HEAD), place)
        self._number, self._piece = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if at < 0:
            raise ValueError("a place before the beginning")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def readinto(self, into: "bytearray | memoryview") -> int:  # type: ignore[override]
        number = min(self._at // _PIECE, self._last)  # the end too is proved before it is told
        within = self._at - number * _PIECE
        part = self._opened(number)[within : within + len(into)]
        into[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _opened(self, number: int) -> bytes:
        if number != self._number:
            count = self._length(number) + _TAG
            sealed = self._fetch(_HEAD + number * (_PIECE + _TAG), count)
            if len(sealed) != count:
                raise BoxError("the stream is cut off")
            nonce = _nonce(self._prefix, number, last=number == self._last)
            self._piece = _opened(self._cipher, nonce, sealed, self._bound_to)
            self._number = number
        return self._piece

    def _length(self, number: int) -> int:
        return self._size - number * _PIECE if number == self._last else _PIECE


def _begun(key: bytes, head: bytes, place: str) -> tuple[AESGCM, bytes, bytes]:
    """Cipher, prefix and associated data of a stream that begins so. Raises BoxError."""
    if not head.startswith(_MAGIC) or len(head) != _HEAD:
        raise BoxError("no sealed stream, or of an unknown version")
    return AESGCM(key), head[len(_MAGIC) :], head + place.encode()


def _opened(cipher: AESGCM, nonce: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, sealed, bound_to)
    except (InvalidTag, ValueError) as error:
        raise BoxError("the stream does not open") from error


def _pieces(source: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Number, bytes, and whether it is the last; at least one, which may be empty."""
    number, piece = 0, _whole(source, size)
    while True:
        following = _whole(source, size) if len(piece) == size else b""
        yield number, piece, not following
        if not following:
            return
        number, piece = number + 1, following


def _whole(source: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end; streams may give less at once."""
    parts = []
    while size and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4) + bytes([last])
