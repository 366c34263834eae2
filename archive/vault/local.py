"""The vault on a local disk: an OCFL 1.1 storage root whose objects are case files.

A version is built in a staging folder on the same disk and moved into place by one rename; only then does the
caller commit the catalogue (files before rows). The staging folder stays, locked by its process, until the commit:
one that nobody holds tells ``recover`` where a crash may have left a version that no row knows.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha512
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from archive.errors import Code, MunimentError
from archive.vault import durable, inventory
from archive.vault.inventory import Change

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A document on the disk."""

    size: int  # bytes
    sha512: bytes


@dataclass(slots=True)
class Staging:
    """A version in the making. Names may be provisional until ``LocalVault.place``."""

    folder: Path
    stored: dict[str, Stored] = field(default_factory=dict)

    def put(self, name: str, stream: BinaryIO) -> Stored:
        """Copies the stream, from its start, to the disk, fsynced."""
        digest, size = sha512(), 0
        stream.seek(0)
        with (self.folder / "content" / name).open("xb") as file:
            while block := stream.read(_BLOCK):
                digest.update(block)
                size += len(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        self.stored[name] = Stored(size, digest.digest())
        return self.stored[name]

    def rename(self, names: Mapping[str, str]) -> None:
        """Provisional names become final ones."""
        for old, new in names.items():
            (self.folder / "content" / old).rename(self.folder / "content" / new)
            self.stored[new] = self.stored.pop(old)


class LocalVault:
    """``root`` is the OCFL storage root, ``staging`` and ``locks`` lie beside it on the same disk."""

    def __init__(self, root: Path, staging: Path, locks: Path) -> None:
        self.root = root
        self._staging = staging
        self._locks = locks

    def create(self) -> None:
        for folder in (self.root, self._staging, self._locks):
            folder.mkdir(exist_ok=True)
        name, content = inventory.ROOT_DECLARATION
        durable.write(self.root / name, content)
        durable.sync_folder(self.root)
        durable.sync_folder(self.root.parent)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """One process and thread at a time; the kernel releases it when the process dies."""
        with (self._locks / f"{name}.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def staging(self, adds_to: str | None = None) -> Iterator[Staging]:
        """A staging folder; ``adds_to`` names the object when a version is added to one that is there."""
        mark = "" if adds_to is None else f"@{adds_to}"
        path = self._staging / f"{uuid4()}{mark}"
        staging = None
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (path / "content").mkdir()
            if mark:  # recovery must find the mark after a power cut
                durable.sync_folder(self._staging)
            staging = Staging(path)
            yield staging
        finally:
            shutil.rmtree(path if staging is None else staging.folder, ignore_errors=True)
            os.close(descriptor)

    def place(self, staging: Staging, folder: str, identifier: str, change: Change) -> None:
        """The staged content becomes version 1 of a new object. What a crash left at this place is removed:
        the caller holds the series' lock and knows that no row names it.
        """
        target = self.root / folder
        self._mark(staging, target.name)
        content, sidecar = inventory.encode(inventory.first(identifier, change))
        built = staging.folder / "object"
        version = built / "v1"
        version.mkdir(parents=True)
        (staging.folder / "content").rename(version / "content")
        for path in (version, built):
            durable.write(path / inventory.NAME, content)
            durable.write(path / inventory.SIDECAR, sidecar)
        durable.write(built / inventory.OBJECT_DECLARATION[0], inventory.OBJECT_DECLARATION[1])
        for path in (version / "content", version, built):
            durable.sync_folder(path)
        durable.make_folders(target.parent, self.root)
        self.remove(folder)
        built.rename(target)
        durable.sync_folder(target.parent)

    def _mark(self, staging: Staging, name: str) -> None:
        """From here on recovery knows what was being made, as when a version is added."""
        marked = staging.folder.with_name(f"{staging.folder.name}@{name}")
        staging.folder.rename(marked)
        staging.folder = marked
        durable.sync_folder(self._staging)

    def add_version(self, staging: Staging, folder: str, version: int, change: Change) -> None:
        """The staged content becomes version ``version`` of an object that is there."""
        target = self.root / folder
        self.roll_back(folder, version - 1)
        following = inventory.following(self.inventory(folder), change)
        content, sidecar = inventory.encode(following)
        built = staging.folder / f"v{version}"
        built.mkdir()
        (staging.folder / "content").rename(built / "content")
        durable.write(built / inventory.NAME, content)
        durable.write(built / inventory.SIDECAR, sidecar)
        for path in (built / "content", built):
            durable.sync_folder(path)
        built.rename(target / f"v{version}")
        durable.sync_folder(target)
        durable.replace(target / inventory.SIDECAR, sidecar)
        durable.replace(target / inventory.NAME, content)

    def replace(self, path: str, stream: BinaryIO) -> None:
        """Another copy in the place of a file that is damaged or missing. What was there is kept beside the vault."""
        target = self.root / path
        with self.staging() as staging:
            staging.put("copy", stream)
            durable.make_folders(target.parent, self.root)
            if target.is_symlink() or target.exists():
                aside = self.root.with_name("aside") / f"{path}.{uuid4()}"
                durable.make_folders(aside.parent, self.root.parent)
                target.rename(aside)
                durable.sync_folder(aside.parent)
            (staging.folder / "content" / "copy").rename(target)
            durable.sync_folder(target.parent)

    def roll_back(self, folder: str, version: int) -> None:
        """Removes what is beyond ``version``; version 0 removes the object. Nothing to do is the usual case."""
        target = self.root / folder
        if version == 0:
            self.remove(folder)
            return
        beyond = target / f"v{version + 1}"
        kept = target / f"v{version}"
        if beyond.exists() or (target / inventory.NAME).read_bytes() != (kept / inventory.NAME).read_bytes():
            durable.replace(target / inventory.SIDECAR, (kept / inventory.SIDECAR).read_bytes())
            durable.replace(target / inventory.NAME, (kept / inventory.NAME).read_bytes())
            shutil.rmtree(beyond, ignore_errors=True)
            durable.sync_folder(target)

    def remove(self, folder: str) -> None:
        """Removes an object that no row names; moved away first, so that it is never half there."""
        target = self.root / folder
        if target.exists():
            away = self._staging / f"{uuid4()}"
            target.rename(away)
            durable.sync_folder(target.parent)
            shutil.rmtree(away)

    def recover(self, settle: Callable[[str], None]) -> int:
        """After a crash: clears staging folders that nobody holds. ``settle`` is given the name of the object that
        a version was for and rolls it back to what the catalogue knows. Returns how many were cleared.
        """
        cleared = 0
        for path in list(self._staging.iterdir()):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue  # a filing at work has just marked or cleared it
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _, _, name = path.name.partition("@")
                if name:
                    settle(name)
                shutil.rmtree(path)
                cleared += 1
            except BlockingIOError:
                continue  # a filing at work in another process
            finally:
                os.close(descriptor)
        return cleared

    def inventory(self, folder: str) -> dict[str, object]:
        document: dict[str, object] = json.loads((self.root / folder / inventory.NAME).read_bytes())
        return document

    def open(self, folder: str, version: int, name: str) -> BinaryIO:
        """Raises MunimentError(DOCUMENT_MISSING)."""
        try:
            return (self.root / folder / f"v{version}" / "content" / name).open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise MunimentError(Code.DOCUMENT_MISSING, document=name) from None

    def paths(self, below: str = "") -> Iterator[str]:
        """Every file at or below the folder ``below``, as paths from the root, folder by folder and in order.
        Links are named, never followed; a folder that is not there holds nothing.
        """
        for folder, subfolders, names in os.walk(self.root / below, onerror=_raise_unless_missing):
            subfolders.sort()
            links = [each for each in subfolders if Path(folder, each).is_symlink()]
            for name in sorted([*names, *links]):
                yield Path(folder, name).relative_to(self.root).as_posix()

    def open_path(self, path: str) -> BinaryIO:
        """Any plain file by its path from the root. Raises MunimentError(DOCUMENT_MISSING)."""
        try:
            descriptor = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            raise MunimentError(Code.DOCUMENT_MISSING, document=path.rpartition("/")[2]) from None
        return os.fdopen(descriptor, "rb")

    def sha512(self, stream: BinaryIO) -> bytes:
        """Of the whole stream, which is rewound."""
        stream.seek(0)
        digest = sha512()
        while block := stream.read(_BLOCK):
            digest.update(block)
        stream.seek(0)
        return digest.digest()


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
