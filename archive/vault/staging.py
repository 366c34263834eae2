"""Versions in the making, on the local disk, whatever the vault lies on: only encrypted documents are written here.

A staging folder stays, locked by its process, until the commit, and bears the name of the object that it is for: one
that nobody holds is the proof that what lies there beyond its row was never acknowledged, and the only one.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha512
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from archive.vault import durable

_BLOCK = 1 << 20
_MARK = "@"  # between a staging folder's own name and that of its object
_STAGING = "staging"  # a lock; no series is called so


@dataclass(frozen=True, slots=True)
class Stored:
    """A document on the disk."""

    size: int  # bytes
    sha512: bytes


class Measured:
    """A file that is written, with the size and the SHA-512 of what went in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size, self.digest = 0, sha512()

    def write(self, block: bytes) -> None:
        self._file.write(block)
        self.size += len(block)
        self.digest.update(block)


@dataclass(slots=True)
class Staging:
    """A version in the making. Names may be provisional until ``Vault.place``.

    While it is not ``settled``, an object may hold a version of which nobody can say yet whether a row knows it: then
    the folder outlives its block, for ``Vault.recover`` to find.
    """

    folder: Path
    stored: dict[str, Stored] = field(default_factory=dict)
    settled: bool = True

    @property
    def content(self) -> Path:
        return self.folder / "content"

    def put(self, name: str, stream: BinaryIO) -> Stored:
        """Copies the stream, from its start, to the disk, fsynced."""
        stream.seek(0)
        with self.writing(name) as target:
            while block := stream.read(_BLOCK):
                target.write(block)
        return self.stored[name]

    @contextmanager
    def writing(self, name: str) -> Iterator["Measured"]:
        """A new file that is written bit by bit; fsynced and stored at the end of the block, gone if that fails."""
        path = self.content / name
        with path.open("xb") as file:
            try:
                target = Measured(file)
                yield target
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                path.unlink()
                raise
        self.stored[name] = Stored(target.size, target.digest.digest())

    def open(self, name: str) -> BinaryIO:
        """What was stored, to be compared before it counts."""
        return (self.content / name).open("rb")

    def mark(self, name: str) -> None:
        """Before an object of that name is placed: from now on the folder says so, on the disk; not ``settled``."""
        self.folder = self.folder.rename(self.folder.with_name(f"{self.folder.name}{_MARK}{name}"))
        durable.sync_folder(self.folder.parent)
        self.settled = False

    def rename(self, names: Mapping[str, str]) -> None:
        """Provisional names become final ones."""
        for old, new in names.items():
            (self.content / old).rename(self.content / new)
            self.stored[new] = self.stored.pop(old)


@dataclass(frozen=True, slots=True)
class StagingArea:
    """Where a vault stages, and the locks of one machine (several machines on one vault need another kind)."""

    folder: Path
    locks: Path

    def create(self) -> None:
        for folder in (self.folder, self.locks):
            folder.mkdir(exist_ok=True)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """One process and thread at a time; the kernel releases it when the process dies."""
        with (self.locks / f"{name}.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def staging(self, adds_to: str | None = None) -> Iterator[Staging]:
        """As ``Vault.staging``."""
        mark = "" if adds_to is None else f"{_MARK}{adds_to}"
        staging = Staging(self.folder / f"{uuid4()}{mark}")
        with self.locked(_STAGING):  # recovery never meets a folder that is not held yet
            staging.folder.mkdir()
            descriptor = os.open(staging.folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            staging.content.mkdir()
            if mark:  # recovery must find the mark after a power cut
                durable.sync_folder(self.folder)
            yield staging
        finally:
            if staging.settled:
                shutil.rmtree(staging.folder, ignore_errors=True)
            os.close(descriptor)

    def marked(self, name: str) -> bool:
        """As ``Vault.marked``."""
        return any(path.name.partition(_MARK)[2] == name for path in self.folder.iterdir())

    def recover(self, settle: Callable[[str], None], of: str | None = None) -> int:
        """Clears staging folders that nobody holds. ``settle`` is given the name of the object that a version was for
        and rolls it back to what the catalogue knows. Returns how many were cleared.
        """
        cleared = 0
        for path in list(self.folder.iterdir()):
            _, _, name = path.name.partition(_MARK)
            if of not in (None, name):
                continue
            with ExitStack() as held:
                try:
                    with self.locked(_STAGING):
                        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
                        held.callback(os.close, descriptor)
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except (BlockingIOError, FileNotFoundError):
                    continue  # a filing at work in another process, or done by now
                if not path.exists():
                    continue  # done since it was opened
                if name:
                    settle(name)
                shutil.rmtree(path, ignore_errors=True)
                cleared += 1
        return cleared


def digest_of(stream: BinaryIO) -> bytes:
    """The SHA-512 of the whole stream, which is rewound."""
    stream.seek(0)
    digest = sha512()
    while block := stream.read(_BLOCK):
        digest.update(block)
    stream.seek(0)
    return digest.digest()
