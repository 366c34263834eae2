"""Whoosh's files, encrypted: each is written whole, durably, and never changed afterwards.

A file is sealed in chunks (``indexer.chunks``) and opened as it is read. Its content begins with a stamp (length in
4 bytes, then the bytes): a note of the engine's that comes true in the same rename as the file.

Only what a commit leaves behind reaches the disk under a name: segments (``.seg``) and tables of contents (``.toc``).
What is used on the way there stays in memory, and of it what grows large is sealed too, in files without a name and
under keys that nobody keeps: sort files hold every term in a coded form that a plain search of the disk would miss.
"""

import contextlib
import struct
import sys
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import SEEK_CUR, SEEK_END, SEEK_SET, BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakValueDictionary

from whoosh.filedb.filestore import RamStorage, Storage
from whoosh.filedb.structfile import StructFile

from archive.keys.sealing import Randomness
from indexer.chunks import ChunkCache, SealedFile, SealingFile
from indexer.spooling import UNFINISHED, Content, Lasting, Passing, Spooled

_STAMP_LENGTH = struct.Struct(">I")
_LASTING = (".seg", ".toc")
_LINE = 256  # bytes read at once in search of an end of line


class EncryptedStorage(Storage):  # type: ignore[misc]  # Whoosh has no types
    """The folder of one index."""

    readonly = False
    supports_mmap = False

    def __init__(self, folder: Path, key: bytes, randomness: Randomness) -> None:
        self._folder = folder
        self._key = key
        self._randomness = randomness
        self._stamp = b""
        self._staged: dict[str, Content] = {}
        self._opened: WeakValueDictionary[str, SealedFile] = WeakValueDictionary()
        self._cache = ChunkCache()
        self._guard = threading.Lock()

    @contextmanager
    def stamped(self, stamp: bytes) -> Iterator[None]:
        """Files written within carry the stamp; what is left over of the work is dropped at the end."""
        self._stamp = stamp
        try:
            yield
        finally:
            self._stamp = b""
            self._staged.clear()

    def stamp_of(self, name: str) -> bytes:
        """Raises IndexDamagedError; FileNotFoundError."""
        file = self._open(name)
        return file.read(_STAMP_LENGTH.size, _start(file))

    def verify(self, name: str) -> None:
        """Reads and authenticates all of the file as it is now. Raises IndexDamagedError; FileNotFoundError."""
        SealedFile.at(self._folder / name, self._key, name, self._cache).verify()

    def hold(self, name: str) -> SealedFile:
        """While the answer is kept, the file can be read, even when a writer has deleted it since.

        Raises IndexDamagedError; FileNotFoundError.
        """
        return self._open(name)

    def weight(self) -> int:
        """Bytes on the disk."""
        with contextlib.suppress(FileNotFoundError):
            return sum(path.stat().st_size for path in self._folder.iterdir())
        return 0

    def discard_unfinished(self) -> None:
        """Removes what a writer left that was killed. The caller is the only writer."""
        for path in self._folder.glob(f".*{UNFINISHED}"):
            path.unlink(missing_ok=True)

    # What Whoosh asks of a storage

    def create(self) -> "EncryptedStorage":
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def list(self) -> list[str]:
        """The names of all files."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            names = []
        return [*(name for name in names if name.endswith(_LASTING)), *list(self._staged)]

    def create_file(self, name: str, **_options: object) -> Any:
        if name.endswith(_LASTING):
            return StructFile(Lasting(self._folder, name, self._sealing, self._randomness), name=name)

        def keep(content: Content) -> None:
            self._staged[name] = content

        return StructFile(Spooled(keep, lambda: Passing(self._folder, self._randomness)), name=name)

    def open_file(self, name: str, **_options: object) -> Any:
        staged = self._staged.get(name)
        if staged is not None:
            return _View(staged, 0, staged.size, name)
        file = self._open(name)
        return _View(file, _start(file), file.size, name)

    def file_exists(self, name: str) -> bool:
        return name in self._staged or (name.endswith(_LASTING) and (self._folder / name).exists())

    def file_length(self, name: str) -> int:
        staged = self._staged.get(name)
        if staged is not None:
            return staged.size
        file = self._open(name)
        return file.size - _start(file)

    def file_modified(self, name: str) -> float:  # noqa: ARG002
        return -1.0  # nothing is decided by time here

    def delete_file(self, name: str) -> None:
        if self._staged.pop(name, None) is None:
            (self._folder / name).unlink(missing_ok=True)

    def rename_file(self, name: str, newname: str, safe: bool = False) -> None:  # noqa: FBT001, FBT002
        """Whoosh's commit: a table of contents that was staged takes effect."""
        if safe and self.file_exists(newname):
            raise FileExistsError(newname)
        staged = self._staged[name]
        lasting = Lasting(self._folder, newname, self._sealing, self._randomness)
        lasting.write(staged.read(0, staged.size))
        lasting.close()
        del self._staged[name]

    def lock(self, name: str) -> threading.Lock:  # noqa: ARG002
        return threading.Lock()  # always free: the engine holds the lock that counts, among processes too

    def temp_storage(self, name: str | None = None) -> "_Memory":  # noqa: ARG002
        return _Memory()

    def close(self) -> None:
        """Nothing is held open."""

    def _sealing(self, file: BinaryIO, name: str) -> SealingFile:
        head = _STAMP_LENGTH.pack(len(self._stamp)) + self._stamp
        return SealingFile(file, self._key, name, self._randomness, head)

    def _open(self, name: str) -> SealedFile:
        with self._guard:
            file = self._opened.get(name)
        if file is None:
            file = SealedFile.at(self._folder / name, self._key, name, self._cache)
            # The names of segments are random and never used again; those of tables of contents may be.
            if name.endswith(".seg"):
                with self._guard:
                    self._opened[name] = file
        return file


def _start(file: SealedFile) -> int:
    """Where the content begins, after the stamp."""
    (length,) = _STAMP_LENGTH.unpack(file.read(0, _STAMP_LENGTH.size))
    return _STAMP_LENGTH.size + int(length)


class _Memory(RamStorage):  # type: ignore[misc]
    """Where Whoosh sorts. RamStorage loses a file closed by its raw half, and has temporary ones on disk."""

    def create_file(self, name: str, **_options: object) -> Any:
        def keep(content: bytes) -> None:
            self.files[name] = content

        return StructFile(_Kept(keep), name=name)

    def temp_storage(self, name: str | None = None) -> "_Memory":  # noqa: ARG002
        return _Memory()

    def destroy(self) -> None:
        self.files.clear()


class _Kept(BytesIO):
    """A file in memory that hands over its content when it is closed."""

    def __init__(self, keep: Callable[[bytes], None]) -> None:
        super().__init__()
        self._keep = keep

    def close(self) -> None:
        if not self.closed:
            content = self.getvalue()
            super().close()
            self._keep(content)

    def __del__(self) -> None:
        """A file that was never closed was given up: nothing is kept."""


class _View(StructFile):  # type: ignore[misc]
    """A part of a content as a file of numbers, whose parts are not copied."""

    def __init__(self, content: Content, start: int, end: int, name: str | None = None) -> None:
        super().__init__(_Window(content, start, end), name=name)
        self._content, self._start, self._end = content, start, end

    def subset(self, position: int, length: int, name: str | None = None) -> "_View":
        start = self._start + position
        return _View(self._content, start, min(start + length, self._end), name or self._name)

    def get(self, position: int, length: int) -> bytes:
        return self.part(position, position + length)

    def part(self, start: int, end: int) -> bytes:
        """From ``start`` to before ``end``; several threads may ask for it."""
        return self._content.read(self._start + start, min(self._start + end, self._end))

    def get_array(self, position: int, typecode: str, length: int) -> "array[int]":
        """Without moving, so that threads may share it; written the other way round by little endian machines."""
        numbers = array(typecode)
        numbers.frombytes(self.get(position, length * numbers.itemsize))
        if sys.byteorder == "little":
            numbers.byteswap()
        return numbers

    @property
    def size(self) -> int:
        return self._end - self._start


class _Window:
    """A part of a content as a file; just what Whoosh and pickle ask for."""

    def __init__(self, content: Content, start: int, end: int) -> None:
        self._content, self._start, self._end = content, start, end
        self._at = start

    def read(self, size: int | None = -1) -> bytes:
        end = self._end if size is None or size < 0 else min(self._at + size, self._end)
        piece = self._content.read(self._at, max(end, self._at))
        self._at += len(piece)
        return piece

    def readline(self) -> bytes:
        start, line = self._at, b""
        while b"\n" not in line and self._at < self._end:
            line += self.read(_LINE)
        line = line[: line.find(b"\n") + 1] if b"\n" in line else line
        self._at = start + len(line)
        return line

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        base = {SEEK_SET: self._start, SEEK_CUR: self._at, SEEK_END: self._end}[whence]
        self._at = max(self._start, base + offset)
        return self.tell()

    def tell(self) -> int:
        return self._at - self._start

    def close(self) -> None:
        """Nothing is held open."""
