"""Receiving uploads without a byte of them on disk in plain: small ones in memory, large ones sealed.

A large upload is held in a nameless temporary file under a key that lives as long as the file and is kept nowhere, so
that neither memory nor a thief of the disk has it.
"""

import io
import os
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask import Request
from waitress.buffers import FileBasedBuffer, OverflowableBuffer

FORM = 1 << 18  # bytes of a form without files: the longest one is filled in with a tenth of them
IN_MEMORY = 4 << 20  # bytes of a request whose files are held in memory
_BLOCK = 16  # bytes of AES
_BUFFER = 1 << 18


class SealedFile(io.RawIOBase):
    """A temporary file under AES-256 in counter mode (NIST SP 800-38A, 6.5), to be read anywhere and added to.

    No place is ever written twice: a second text under the same counter would give away both.
    """

    def __init__(self) -> None:
        super().__init__()
        self._file: BinaryIO = TemporaryFile(buffering=0)  # noqa: SIM115 - closed by ``close``
        self._key, self._start = os.urandom(32), int.from_bytes(os.urandom(16))
        self._end = self._at = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, into: "bytearray | memoryview") -> int:  # type: ignore[override]
        self._file.seek(self._at)
        sealed = self._file.read(len(into))
        into[: len(sealed)] = self._crypt(sealed)
        self._at += len(sealed)
        return len(sealed)

    def write(self, given: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        if self._at != self._end:
            raise io.UnsupportedOperation("a sealed file is only added to")
        self._file.seek(self._at)
        written = self._file.write(self._crypt(bytes(given)))
        self._at = self._end = self._at + written
        return written

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()

    def _crypt(self, text: bytes) -> bytes:
        """Either way: the key stream from the place where the file stands."""
        counter = (self._start + self._at // _BLOCK) % (1 << 128)
        stream = Cipher(algorithms.AES(self._key), modes.CTR(counter.to_bytes(_BLOCK))).encryptor()
        stream.update(bytes(self._at % _BLOCK))
        return stream.update(text)


def sealed_file() -> io.BufferedRandom:
    """Buffered, as a file for any reader."""
    return io.BufferedRandom(SealedFile(), _BUFFER)


class SealedBuffer(OverflowableBuffer):  # type: ignore[misc]
    """The server's buffer of a request's body, which would else go to /tmp in plain."""

    buf: Any

    def _set_large_buffer(self) -> None:
        before = self.buf
        self.buf = FileBasedBuffer(sealed_file(), before)
        if before is not None:
            before.close()
        self.overflowed = True


class SealedRequest(Request):
    """Its uploaded files vanish with their descriptor, at the end of the request at the latest."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._streams: list[IO[bytes]] = []

    def close(self) -> None:
        """Also what came of a form that was refused half read: its files were handed to nobody."""
        super().close()
        for each in self._streams:
            each.close()

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,  # noqa: ARG002 - werkzeug's signature
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        # Werkzeug would spool to /tmp beyond 500 KB: a customer's evidence in plain on disk.
        small = total_content_length is not None and total_content_length <= IN_MEMORY
        stream = os.fdopen(os.memfd_create("upload", os.MFD_CLOEXEC), "w+b") if small else sealed_file()
        self._streams.append(stream)
        return stream
