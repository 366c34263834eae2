"""Files sealed in chunks, so that a reader decrypts no more than it reads.

A file is ``MXI2 | salt (16) | chunk...``: chunks of 64 KiB, each an AES-256-GCM ciphertext with its tag, under a key
that HKDF derives from the index key, the salt and the file's name, and that is never used for another file. The
chunk's number is its nonce; number, name and whether it is the last are its associated data, so that chunks cannot
be moved, doubled, dropped, or cut off at the end (the STREAM construction; NIST SP 800-38D, RFC 5869).
"""

import os
import threading
import weakref
from collections import OrderedDict
from errno import EIO
from itertools import count
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.keys.sealing import Randomness, derive
from indexer.engine import IndexDamagedError

FORMAT = b"MXI2"
CHUNK = 65536
_SALT = 16
_TAG = 16
_HEADER = len(FORMAT) + _SALT


class SealingFile:
    """Seals what is written to it, chunk by chunk, into ``file``; ``finish`` makes it whole.

    The first chunk is sealed last: until then it can be written over. ``head`` comes before the content and is not
    counted in its places.
    """

    def __init__(
        self, file: BinaryIO, key: bytes, name: str, randomness: Randomness, head: bytes = b""
    ) -> None:
        salt = randomness(_SALT)
        self._file = file
        self._name = name
        self._cipher = _cipher(key, name, salt)
        self._first = bytearray(head)
        self._head = len(head)
        self._rest = bytearray()  # what follows the last chunk that was sealed
        self._number = 1  # of the chunk that it begins
        self._over: int | None = None  # where in the first chunk it is written over
        file.write(FORMAT + salt)
        file.seek(_HEADER + CHUNK + _TAG)

    def write(self, content: bytes) -> None:
        if self._over is not None:
            end = self._over + len(content)
            if end > len(self._first):
                raise ValueError("only the first chunk can be written over")
            self._first[self._over : end] = content
            self._over = end
            return
        room = CHUNK - len(self._first)
        self._first += content[:room]
        self._rest += content[room:]
        while len(self._rest) > CHUNK:  # so the last one is never sealed as one that others follow
            self._seal(self._number, bytes(self._rest[:CHUNK]), last=False)
            self._number += 1
            del self._rest[:CHUNK]

    def tell(self) -> int:
        if self._over is not None:
            return self._over - self._head
        return len(self._first) - self._head + (self._number - 1) * CHUNK + len(self._rest)

    def seek(self, place: int) -> int:
        """Back into the first chunk, for good."""
        self._over = self._head + place
        return place

    def finish(self) -> None:
        if self._rest:
            self._seal(self._number, bytes(self._rest), last=True)
        self._file.seek(_HEADER)
        self._seal(0, bytes(self._first), last=not self._rest)

    def _seal(self, number: int, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(number), piece, _place(self._name, last=last)))


class ChunkCache:
    """The chunks used last, of all files together: 8 MiB at most."""

    def __init__(self, most: int = 128) -> None:
        self._most = most
        self._chunks: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._guard = threading.Lock()
        self._numbers = count()

    def number(self) -> int:
        """For a file that joins; never given twice."""
        return next(self._numbers)

    def get(self, key: tuple[int, int]) -> bytes | None:
        with self._guard:
            chunk = self._chunks.get(key)
            if chunk is not None:
                self._chunks.move_to_end(key)
        return chunk

    def put(self, key: tuple[int, int], chunk: bytes) -> None:
        with self._guard:
            self._chunks[key] = chunk
            while len(self._chunks) > self._most:
                self._chunks.popitem(last=False)


class SealedFile:
    """An open file, for several threads; closed when nobody holds it any more. It outlives its name on the disk."""

    def __init__(self, descriptor: int, key: bytes, name: str, cache: ChunkCache) -> None:
        """The descriptor is closed with it. Raises IndexDamagedError."""
        self._name = name
        self._cache = cache
        self._number = cache.number()
        weakref.finalize(self, os.close, descriptor)
        self._descriptor = descriptor
        header = os.pread(descriptor, _HEADER, 0)
        if len(header) != _HEADER or not header.startswith(FORMAT):
            raise IndexDamagedError(name)
        self._cipher = _cipher(key, name, header[len(FORMAT) :])
        sealed = os.fstat(descriptor).st_size - _HEADER
        self._count = max(1, -(-sealed // (CHUNK + _TAG)))
        self.size = sealed - self._count * _TAG  # bytes of plain content
        if self.size < 0:
            raise IndexDamagedError(name)
        # Only then is it the last: nobody is to be told of an end that is not the file's own.
        self._chunk(self._count - 1)

    @classmethod
    def at(cls, path: Path, key: bytes, name: str, cache: ChunkCache) -> "SealedFile":
        """Raises IndexDamagedError; FileNotFoundError."""
        return cls(os.open(path, os.O_RDONLY), key, name, cache)

    def read(self, start: int, end: int) -> bytes:
        """From ``start`` to before ``end``, both within the size. Raises IndexDamagedError."""
        first = start // CHUNK
        if end <= (first + 1) * CHUNK:
            return self._chunk(first)[start - first * CHUNK : end - first * CHUNK] if start < end else b""
        last = (end - 1) // CHUNK
        whole = b"".join(map(self._chunk, range(first, last + 1)))
        return whole[start - first * CHUNK : end - first * CHUNK]

    def verify(self) -> None:
        """Authenticates every chunk. Raises IndexDamagedError."""
        for number in range(self._count):
            self._unseal(number)

    def _chunk(self, number: int) -> bytes:
        key = (self._number, number)
        chunk = self._cache.get(key)
        if chunk is None:
            chunk = self._unseal(number)
            self._cache.put(key, chunk)
        return chunk

    def _unseal(self, number: int) -> bytes:
        place = _place(self._name, last=number == self._count - 1)
        try:
            sealed = os.pread(self._descriptor, CHUNK + _TAG, _HEADER + number * (CHUNK + _TAG))
            return self._cipher.decrypt(_nonce(number), sealed, place)
        except (InvalidTag, ValueError) as error:
            raise IndexDamagedError(self._name) from error
        except OSError as error:
            if error.errno != EIO:
                raise
            raise IndexDamagedError(self._name) from error  # the disk has lost it


def _cipher(key: bytes, name: str, salt: bytes) -> AESGCM:
    return AESGCM(derive(key, f"index:{salt.hex()}:{name}"))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _place(name: str, *, last: bool) -> bytes:
    return f"{name}:{'last' if last else 'more'}".encode()
