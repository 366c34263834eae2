"""Whoosh's files, encrypted: each is one box, written whole, durably, and never changed afterwards.

A file is ``MXI1 | salt (16) | box``: an AES-256-GCM box under a key derived by HKDF from the index key, the
salt and the file's name, with the name as associated data. Inside come the stamp (length in 4 bytes, then the
bytes) and the content. The stamp is a note of the engine's that comes true in the same rename as the file.

Only what a commit leaves behind reaches the disk: segments (``.seg``) and tables of contents (``.toc``). All
that Whoosh uses on the way there stays in memory.
"""

import contextlib
import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import SEEK_CUR, SEEK_END, SEEK_SET, BytesIO
from pathlib import Path
from typing import Any

from whoosh.filedb.filestore import RamStorage, Storage
from whoosh.filedb.structfile import BufferFile, StructFile

from archive.keys.sealing import BoxError, Randomness, derive, seal, unseal
from indexer.engine import IndexDamagedError

FORMAT = b"MXI1"
_SALT = 16
_STAMP_LENGTH = struct.Struct(">I")
_LASTING = (".seg", ".toc")
_UNFINISHED = ".unfinished"


class EncryptedStorage(Storage):  # type: ignore[misc]  # Whoosh has no types
    """The folder of one index. Opened segments are kept in memory, since they never change."""

    readonly = False
    supports_mmap = False

    def __init__(self, folder: Path, key: bytes, randomness: Randomness) -> None:
        self._folder = folder
        self._key = key
        self._randomness = randomness
        self._stamp = b""
        self._staged: dict[str, bytes] = {}
        self._opened: dict[str, memoryview] = {}
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
        return self._open(name)[0]

    def discard_unfinished(self) -> None:
        """Removes what a writer left that was killed. The caller is the only writer."""
        for path in self._folder.glob(f".*{_UNFINISHED}"):
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
        lasting = [name for name in names if name.endswith(_LASTING)]
        with self._guard:
            for gone in self._opened.keys() - set(lasting):
                del self._opened[gone]
        return [*lasting, *list(self._staged)]

    def create_file(self, name: str, **_options: object) -> Any:
        def keep(content: bytes) -> None:
            if name.endswith(_LASTING):
                self._write(name, content)
            else:
                self._staged[name] = content

        return StructFile(_Kept(keep), name=name)

    def open_file(self, name: str, **_options: object) -> Any:
        staged = self._staged.get(name)
        return _View(memoryview(staged) if staged is not None else self._open(name)[1], name)

    def file_exists(self, name: str) -> bool:
        return name in self._staged or (name.endswith(_LASTING) and (self._folder / name).exists())

    def file_length(self, name: str) -> int:
        staged = self._staged.get(name)
        return len(staged) if staged is not None else len(self._open(name)[1])

    def file_modified(self, name: str) -> float:  # noqa: ARG002
        return -1.0  # nothing is decided by time here

    def delete_file(self, name: str) -> None:
        if self._staged.pop(name, None) is None:
            (self._folder / name).unlink(missing_ok=True)
            with self._guard:
                self._opened.pop(name, None)

    def rename_file(self, name: str, newname: str, safe: bool = False) -> None:  # noqa: FBT001, FBT002
        """Whoosh's commit: a table of contents that was staged takes effect."""
        if safe and self.file_exists(newname):
            raise FileExistsError(newname)
        self._write(newname, self._staged[name])
        del self._staged[name]

    def lock(self, name: str) -> threading.Lock:  # noqa: ARG002
        return threading.Lock()  # always free: the engine holds the lock that counts, among processes too

    def temp_storage(self, name: str | None = None) -> "_Memory":  # noqa: ARG002
        return _Memory()

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, name: str, content: bytes) -> None:
        salt = self._randomness(_SALT)
        plain = _STAMP_LENGTH.pack(len(self._stamp)) + self._stamp + content
        box = seal(self._key_of(name, salt), plain, name, randomness=self._randomness)
        unfinished = self._folder / f".{name}.{self._randomness(4).hex()}{_UNFINISHED}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(FORMAT + salt + box)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, self._folder / name)  # noqa: PTH105 - the one name tests stop it at
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
        sync_folder(self._folder)

    def _open(self, name: str) -> tuple[bytes, memoryview]:
        """Stamp and content."""
        with self._guard:
            plain = self._opened.get(name)
        if plain is None:
            plain = memoryview(self._read(name))
            if name.endswith(
                ".seg"
            ):  # their names are random and never used again; those of tables of contents may be
                with self._guard:
                    self._opened[name] = plain
        start = _STAMP_LENGTH.size
        (length,) = _STAMP_LENGTH.unpack_from(plain)
        return bytes(plain[start : start + length]), plain[start + length :]

    def _read(self, name: str) -> bytes:
        file = (self._folder / name).read_bytes()
        start = len(FORMAT) + _SALT
        if file[: len(FORMAT)] != FORMAT:
            raise IndexDamagedError(name)
        try:
            return unseal(self._key_of(name, file[len(FORMAT) : start]), file[start:], name)
        except BoxError as error:
            raise IndexDamagedError(name) from error

    def _key_of(self, name: str, salt: bytes) -> bytes:
        return derive(self._key, f"index:{salt.hex()}:{name}")


def sync_folder(folder: Path) -> None:
    """Makes renames and new names in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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


class _View(BufferFile):  # type: ignore[misc]
    """A file over bytes in memory whose parts are not copied."""

    def __init__(self, content: memoryview, name: str | None = None) -> None:
        super().__init__(b"", name=name)
        self._buf = content
        self.file = _Window(content)

    def subset(self, position: int, length: int, name: str | None = None) -> "_View":
        return _View(self._buf[position : position + length], name or self._name)


class _Window:
    """Reads a part of memory as a file; just what Whoosh and pickle ask for."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._at = 0

    def read(self, size: int | None = -1) -> bytes:
        end = len(self._content) if size is None or size < 0 else self._at + size
        piece = bytes(self._content[self._at : end])
        self._at += len(piece)
        return piece

    def readline(self) -> bytes:
        rest = BytesIO(bytes(self._content[self._at :]))
        line = rest.readline()
        self._at += len(line)
        return line

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        base = {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: len(self._content)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """Nothing is held open."""
