"""The vault on a local disk: an OCFL 1.1 storage root whose objects are case files.

A version is built in a staging folder on the same disk and moved into place by one rename; only then does the
caller commit the catalogue (files before rows). The staging folder stays, locked by its process, until the commit:
one that nobody holds tells ``recover`` where a crash may have left a version that no row knows.

Locks, always taken in this order: the series of a number, the staging folders, the folders of the root.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha512
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from archive.errors import Code, MunimentError
from archive.vault import durable, inventory
from archive.vault.inventory import Change

_BLOCK = 1 << 20
_STAGING, _FOLDERS = "staging", "folders"  # locks; no series is called so


@dataclass(frozen=True, slots=True)
class Stored:
    """A document on the disk."""

    size: int  # bytes
    sha512: bytes


@dataclass(slots=True)
class Staging:
    """A version in the making. Names may be provisional until ``LocalVault.place``.

    While it is not ``settled``, an object may hold a version of which nobody can say yet whether a row knows it: then
    the folder outlives its block, for ``LocalVault.recover`` to find.
    """

    folder: Path
    stored: dict[str, Stored] = field(default_factory=dict)
    settled: bool = True

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
        staging = Staging(self._staging / f"{uuid4()}{mark}")
        with self.locked(_STAGING):  # recovery never meets a folder that is not held yet
            staging.folder.mkdir()
            descriptor = os.open(staging.folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            (staging.folder / "content").mkdir()
            if mark:  # recovery must find the mark after a power cut
                durable.sync_folder(self._staging)
            yield staging
        finally:
            if staging.settled:
                shutil.rmtree(staging.folder, ignore_errors=True)
            os.close(descriptor)

    def place(self, staging: Staging, folder: str, identifier: str, change: Change) -> None:
        """The staged content becomes version 1 of a new object. What a crash left at this place is removed:
        the caller holds the series' lock and knows that no row names it.
        """
        target = self.root / folder
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
        self.remove(folder)
        with self.locked(_FOLDERS):
            durable.make_folders(target.parent, self.root)
            built.rename(target)
            durable.sync_folder(target.parent)

    def add_version(self, staging: Staging, folder: str, version: int, change: Change) -> None:
        """The staged content becomes version ``version`` of an object that is there; not ``settled`` until the
        caller has committed it or rolled it back.
        """
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
        staging.settled = False
        built.rename(target / f"v{version}")
        durable.sync_folder(target)
        durable.replace(target / inventory.SIDECAR, sidecar)
        durable.replace(target / inventory.NAME, content)

    def replace(self, path: str, stream: BinaryIO) -> None:
        """Another copy in the place of a file that is damaged or missing. What was there is kept beside the vault."""
        target = self.root / path
        with self.staging() as staging:
            staging.put("copy", stream)
            if target.is_symlink() or target.exists():
                aside = self.root.with_name("aside") / f"{path}.{uuid4()}"
                durable.make_folders(aside.parent, self.root.parent)
                target.rename(aside)
                durable.sync_folder(aside.parent)
            with self.locked(_FOLDERS):
                durable.make_folders(target.parent, self.root)
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
            shutil.rmtree(away, ignore_errors=True)  # a recovery at work elsewhere may have begun with it
        self.prune(target.parent)

    def prune(self, path: Path) -> None:
        """Removes this folder and those above it that are empty: a storage root has none (OCFL 1.1, 4.2)."""
        with self.locked(_FOLDERS), suppress(OSError):  # the first that is not empty ends it
            while path != self.root:
                if path.exists():
                    path.rmdir()
                path = path.parent

    def holds(self, folder: str) -> bool:
        return (self.root / folder).exists()

    def series(self) -> list[str]:
        """The folders in which objects lie: ``2026/一级/剧本相关``. Empty ones that a crash left are removed."""
        for pattern in ("*/*/*", "*/*", "*"):
            for path in self.root.glob(pattern):
                if path.is_dir():
                    self.prune(path)
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.glob("*/*/*"))

    def recover(self, settle: Callable[[str], None]) -> int:
        """After a crash: clears staging folders that nobody holds. ``settle`` is given the name of the object that
        a version was for and rolls it back to what the catalogue knows. Returns how many were cleared.
        """
        cleared = 0
        for path in list(self._staging.iterdir()):
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
                _, _, name = path.name.partition("@")
                if name:
                    settle(name)
                shutil.rmtree(path, ignore_errors=True)
                cleared += 1
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
