"""Sealed objects of any length, written and read piece by piece (AES-256-GCM in the STREAM construction).

``MUNB 01 | salt(32) | chunk…``; each chunk is 1 MiB of plaintext (the last one shorter, or empty) and its tag. The key
of an object is HKDF over the backup's key, bound to salt and name; the nonce counts the chunks and marks the last. A
chunk that was altered, moved, dropped or added, and an object under another's name, do not open.
Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance (2015), 7.
"""

import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from hmac import new as hmac_new
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from archive.causes import ALTERED, UNREADABLE, Cause
from archive.errors import Code, MunimentError
from archive.keys.sealing import KEY_BYTES, Randomness, derive

MAGIC = b"MUNB\x01"
CHUNK = 1 << 20
OBJECTS = "objects"
_SALT, _TAG = 32, 16
_NONCE = struct.Struct(">3xQB")


class Sealer:
    """``key`` is the backup's own: 32 bytes, wrapped by the master key where it is kept. Its repr shows nothing."""

    def __init__(self, key: bytes, randomness: Randomness) -> None:
        self._key = key
        self._randomness = randomness
        self._names = derive(key, "names")

    def name_of(self, sha512: bytes) -> str:
        """The name of a piece of content: who sees the backup cannot tell whether it holds a known file."""
        named = hmac_new(self._names, sha512, sha256).hexdigest()
        return f"{OBJECTS}/{named[:2]}/{named[2:]}"

    def seal(self, name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
        salt = self._randomness(_SALT)
        cipher = self._cipher(name, salt)
        yield MAGIC + salt
        for number, chunk in enumerate(_chunks(pieces)):
            yield cipher.encrypt(_NONCE.pack(number, len(chunk) < CHUNK), chunk, None)

    def open(self, name: str, stream: BinaryIO) -> Iterator[bytes]:
        """What was sealed, each piece proven before it is given. Raises MunimentError(BACKUP_DAMAGED): only then is
        it known that the end is not the end, so whoever used the pieces must undo it.
        """
        head = _read(name, stream, len(MAGIC) + _SALT)
        if not head.startswith(MAGIC) or len(head) != len(MAGIC) + _SALT:
            raise _damaged(name)
        cipher = self._cipher(name, head[len(MAGIC) :])
        number, held = 0, _read(name, stream, CHUNK + _TAG)
        while True:
            following = _read(name, stream, CHUNK + _TAG)
            try:
                opened = cipher.decrypt(_NONCE.pack(number, 0 if following else 1), held, None)
            except (InvalidTag, ValueError):
                raise _damaged(name) from None
            yield opened
            if not following:
                return
            number, held = number + 1, following

    def _cipher(self, name: str, salt: bytes) -> AESGCM:
        info = b"object:" + name.encode()
        return AESGCM(HKDF(SHA256(), KEY_BYTES, salt=salt, info=info).derive(self._key))


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of ``CHUNK``; the last one shorter, and always there."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= CHUNK:
            yield bytes(waiting[:CHUNK])
            del waiting[:CHUNK]
    yield bytes(waiting)


def _read(name: str, stream: BinaryIO, count: int) -> bytes:
    """All of ``count`` bytes unless the stream ends: one that comes over a network may give less at a time."""
    pieces = bytearray()
    try:
        while len(pieces) < count and (piece := stream.read(count - len(pieces))):
            pieces += piece
    except OSError:
        raise _damaged(name, UNREADABLE) from None
    return bytes(pieces)


def _damaged(name: str, problem: Cause = ALTERED) -> MunimentError:
    return MunimentError(Code.BACKUP_DAMAGED, path=name, problem=problem)
