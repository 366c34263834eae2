"""Sealing what is too large for one box: pieces of 1 MiB under AES-256-GCM, in an order that cannot be changed.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce of a piece is ``prefix(7) | number(4) |
last(1)``, so that no piece can be moved, left out or taken for the end. The form is ``MUNS | version(1) | prefix(7)``
and then each piece with its tag; the head and the place are associated data of all of them. The key belongs to one
stream.
"""

from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.keys.sealing import BoxError, Randomness

_MAGIC = b"MUNS\x01"
_PREFIX = 7
_PIECE = 1 << 20  # bytes of plain text
_TAG = 16


def seal_stream(
    key: bytes, source: BinaryIO, target: BinaryIO, place: str, *, randomness: Randomness
) -> None:
    """Memory stays at a few pieces, however long the source."""
    prefix = randomness(_PREFIX)
    head = _MAGIC + prefix
    target.write(head)
    cipher, bound_to = AESGCM(key), head + place.encode()
    for number, piece, last in _pieces(source, _PIECE):
        sealed = cipher.encrypt(_nonce(prefix, number, last=last), piece, bound_to)
        target.write(sealed)


def open_stream(key: bytes, source: BinaryIO, place: str) -> Iterator[bytes]:
    """The plain text, piece by piece; each was proved before it is given.

    :raises BoxError: altered, moved, cut off, or under another key; what came before was whole.
    """
    head = source.read(len(_MAGIC) + _PREFIX)
    if not head.startswith(_MAGIC) or len(head) != len(_MAGIC) + _PREFIX:
        raise BoxError("no sealed stream, or of an unknown version")
    cipher, bound_to = AESGCM(key), head + place.encode()
    for number, piece, last in _pieces(source, _PIECE + _TAG):
        try:
            nonce = _nonce(head[len(_MAGIC) :], number, last=last)
            yield cipher.decrypt(nonce, piece, bound_to)
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
