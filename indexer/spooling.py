"""Files as they are written: lasting ones, which are there when they are closed, and passing ones of any size."""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from archive.keys.sealing import KEY_BYTES, Randomness
from archive.vault import durable
from indexer.chunks import ChunkCache, SealedFile, SealingFile

UNFINISHED = ".unfinished"
_SPOOLED = 4 << 20  # bytes of a passing file that stay in memory
_AHEAD = 2  # chunks of it that are kept when it is read


class Content(Protocol):
    @property
    def size(self) -> int: ...
    def read(self, start: int, end: int) -> bytes:
        """From ``start`` to before ``end``, both within the content."""


class Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read(self, start: int, end: int) -> bytes:
        return self._content[start:end]


class Lasting:
    """A file with a name, sealed as it is written. It is there when it is closed; given up before, it never was."""

    def __init__(
        self, folder: Path, name: str, sealing: Callable[[BinaryIO, str], SealingFile], randomness: Randomness
    ) -> None:
        self._folder = folder
        self._name = name
        self._unfinished = folder / f".{name}.{randomness(4).hex()}{UNFINISHED}"
        descriptor = os.open(self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        with self._dropped_when_it_fails():
            self._sealed = sealing(self._file, name)
        self.tell, self.seek = self._sealed.tell, self._sealed.seek

    def write(self, content: bytes) -> None:
        with self._dropped_when_it_fails():
            self._sealed.write(content)

    def flush(self) -> None:
        """A chunk is written when it is full."""

    def close(self) -> None:
        if self._file.closed:
            return
        with self._dropped_when_it_fails():
            self._sealed.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            os.replace(self._unfinished, self._folder / self._name)  # noqa: PTH105 - the one name tests stop it at
        self._file.close()
        durable.sync_folder(self._folder)

    @contextmanager
    def _dropped_when_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):
                self._unfinished.unlink()
            with contextlib.suppress(OSError):
                self._file.close()
            raise


class Passing:
    """A file without a name and under a key of its own: gone, for all to come, when nobody holds it any more."""

    def __init__(self, folder: Path, randomness: Randomness) -> None:
        path = folder / f".{randomness(8).hex()}{UNFINISHED}"
        self._key = randomness(KEY_BYTES)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        path.unlink()
        self._sealed = SealingFile(self._file, self._key, "", randomness)
        self.write = self._sealed.write

    def closed(self) -> SealedFile:
        """To be read, from one end to the other."""
        with self._file:
            self._sealed.finish()
            self._file.flush()
            return SealedFile(os.dup(self._file.fileno()), self._key, "", ChunkCache(_AHEAD))


class Spooled:
    """A file in memory, or when it grows large a passing one, that hands over its content when it is closed."""

    def __init__(self, keep: Callable[[Content], None], passing: Callable[[], Passing]) -> None:
        self._keep = keep
        self._new = passing
        self._memory = BytesIO()
        self._passing: Passing | None = None

    def write(self, content: bytes) -> None:
        if self._passing is None and self._memory.tell() + len(content) > _SPOOLED:
            self._passing = self._new()
            self._passing.write(self._memory.getvalue())
            self._memory.close()
        (self._passing or self._memory).write(content)

    def flush(self) -> None:
        """Nobody reads it before it is closed."""

    def close(self) -> None:
        self._keep(Bytes(self._memory.getvalue()) if self._passing is None else self._passing.closed())
