"""The vault on a local disk.

A version is built on the same disk and moved into place by one rename; only then does the caller commit the catalogue.

Locks, always taken in this order: the series of a number, the staging folders, the folders of the root.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from archive.errors import Code, MunimentError
from archive.vault import durable, inventory
from archive.vault.inventory import Change
from archive.vault.protection import Protection
from archive.vault.staging import Staging, StagingArea, digest_of

_BLOCK = 1 << 20
_VERSION = re.compile(r"v([1-9]\d*)")
_FOLDERS = "folders"  # a lock; no series is called so


class LocalVault:
    """``root`` is the OCFL storage root. ``beside`` is a folder on its disk, where that of ``staging`` is another."""

    def __init__(self, root: Path, staging: Path, locks: Path, beside: Path | None = None) -> None:
        self.root = root
        self._area = StagingArea(staging, locks)
        self._beside = StagingArea(beside or staging, locks)

    def create(self) -> None:
        name, content = inventory.ROOT_DECLARATION
        if any(path != name for path in self.paths()):  # one that was cut off right here goes on
            raise MunimentError(Code.VAULT_OCCUPIED, place=str(self.root))
        self.root.mkdir(parents=True, exist_ok=True)
        self.prepare()
        durable.replace(self.root / name, content)
        durable.sync_folder(self.root)
        durable.sync_folder(self.root.parent)

    def prepare(self) -> None:
        for area in (self._area, self._beside):
            area.create()

    def locked(self, name: str) -> AbstractContextManager[None]:
        return self._area.locked(name)

    def held(self, name: str) -> AbstractContextManager[None]:
        return self._area.locked(name)

    def staging(self, adds_to: str | None = None) -> AbstractContextManager[Staging]:
        return self._area.staging(adds_to)

    def place(self, staging: Staging, folder: str, identifier: str, change: Change) -> None:
        target = self.root / folder
        content, sidecar = inventory.encode(inventory.first(identifier, change))
        with self._room(staging) as room:
            built = room / "object"
            version = built / "v1"
            version.mkdir(parents=True)
            _hand_over(staging.content, version / "content")
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
        target = self.root / folder
        self.roll_back(folder, version - 1)
        following = inventory.following(self.inventory(folder), change)
        content, sidecar = inventory.encode(following)
        with self._room(staging) as room:
            built = room / f"v{version}"
            built.mkdir()
            _hand_over(staging.content, built / "content")
            durable.write(built / inventory.NAME, content)
            durable.write(built / inventory.SIDECAR, sidecar)
            for path in (built / "content", built):
                durable.sync_folder(path)
            staging.settled = False
            built.rename(target / f"v{version}")
        durable.sync_folder(target)
        durable.replace(target / inventory.SIDECAR, sidecar)
        durable.replace(target / inventory.NAME, content)

    def roll_back(self, folder: str, version: int) -> None:
        target = self.root / folder
        if version == 0:
            self.remove(folder)
            return
        beyond = target / f"v{version + 1}"
        kept = f"{folder}/v{version}"
        content, sidecar = self._bytes(f"{kept}/{inventory.NAME}"), self._bytes(f"{kept}/{inventory.SIDECAR}")
        head = target / inventory.NAME
        if beyond.exists() or not head.exists() or head.read_bytes() != content:
            durable.replace(target / inventory.SIDECAR, sidecar)
            durable.replace(head, content)
            shutil.rmtree(beyond, ignore_errors=True)
            durable.sync_folder(target)

    def remove(self, folder: str) -> None:
        """Moved away first, so that it is never half there; and the folders above it that are empty then: a storage
        root has none (OCFL 1.1, 4.2).
        """
        target, away = self.root / folder, self._beside.folder / f"{uuid4()}"
        with self.locked(_FOLDERS):
            if target.exists():
                target.rename(away)
                durable.sync_folder(target.parent)
            with suppress(OSError):  # the first that is not empty ends it
                for path in target.relative_to(self.root).parents:
                    if path != Path() and (self.root / path).exists():
                        (self.root / path).rmdir()
        shutil.rmtree(away, ignore_errors=True)  # a recovery at work elsewhere may have begun with it

    def holds(self, folder: str, beyond: int = 0) -> bool:
        if not beyond:
            return (self.root / folder).exists()
        found = (_VERSION.fullmatch(path.name) for path in (self.root / folder).glob("v*"))
        return any(int(match[1]) > beyond for match in found if match is not None)

    def series(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.glob("*/*/*"))

    def recover(self, settle: Callable[[str], None], of: str | None = None) -> int:
        cleared = self._area.recover(settle, of)
        if of is None and self._beside != self._area:
            cleared += self._beside.recover(lambda _: None)
        return cleared

    def marked(self, name: str) -> bool:
        return self._area.marked(name)

    def inventory(self, folder: str) -> dict[str, object]:
        with self.open_path(f"{folder}/{inventory.NAME}") as file:
            return inventory.decode(file.read(inventory.LONGEST + 1))

    def open(self, folder: str, version: int, name: str) -> BinaryIO:
        try:
            return (self.root / folder / f"v{version}" / "content" / name).open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise MunimentError(Code.DOCUMENT_MISSING, document=name) from None

    def read(self, folder: str, version: int, name: str, start: int, count: int) -> bytes:
        with self.open(folder, version, name) as stream:
            stream.seek(start)
            return stream.read(count)

    def stamp(self, folder: str, version: int, name: str) -> tuple[int, ...]:
        with self.open(folder, version, name) as stream:
            said = os.fstat(stream.fileno())
        return (said.st_dev, said.st_ino, said.st_size, said.st_mtime_ns, said.st_ctime_ns)

    def paths(self, below: str = "") -> Iterator[str]:
        """Every file at or below the folder ``below``, as paths from the root, folder by folder and in order; of an
        empty folder its own, with a ``/`` behind it. Links are named, never followed; a folder that is not there
        holds nothing.
        """
        for folder, subfolders, names in os.walk(self.root / below, onerror=raise_unless_missing):
            subfolders.sort()
            links = [each for each in subfolders if Path(folder, each).is_symlink()]
            for name in sorted([*names, *links]):
                yield Path(folder, name).relative_to(self.root).as_posix()
            if not names and not subfolders and self._is_empty(Path(folder)):
                yield f"{Path(folder).relative_to(self.root).as_posix()}/"

    def _is_empty(self, folder: Path) -> bool:
        """Looked at again where nobody is about to put an object into it, or to remove it after one. Not where there
        are no locks yet: a rebuild reads the vault, and asks for objects.
        """
        with suppress(FileNotFoundError), self.locked(_FOLDERS):
            return folder != self.root and not any(folder.iterdir())
        return False

    def open_path(self, path: str) -> BinaryIO:
        """Any plain file by its path from the root. Raises MunimentError(DOCUMENT_MISSING)."""
        try:
            descriptor = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            raise MunimentError(Code.DOCUMENT_MISSING, document=path.rpartition("/")[2]) from None
        return os.fdopen(descriptor, "rb")

    def _bytes(self, path: str) -> bytes:
        with self.open_path(path) as file:
            return file.read()

    def replace(self, path: str, stream: BinaryIO) -> None:
        target = self.root / path
        stream.seek(0)
        with self._beside.staging() as room:
            fresh = room.content / target.name
            _copy(stream, fresh)
            with self.locked(_FOLDERS):
                durable.make_folders(target.parent, self.root)
            if target.is_symlink() or target.exists():
                aside = self.root.with_name("aside") / f"{path}.{uuid4()}"
                durable.make_folders(aside.parent, self.root.parent)
                target.rename(aside)
                durable.sync_folder(aside.parent)
            fresh.rename(target)
            durable.sync_folder(target.parent)

    def sha512(self, stream: BinaryIO) -> bytes:
        return digest_of(stream)

    @property
    def protecting(self) -> bool:
        return False

    def check_protection(self) -> None:
        """Nothing is asked of a disk."""

    def protect(self, folder: str, wanted: Protection) -> None:
        """A disk locks nothing."""

    def protects(self, folder: str, wanted: Protection, *, weakly: bool = False) -> bool:  # noqa: ARG002 - as above
        return True

    @contextmanager
    def _room(self, staging: Staging) -> Iterator[Path]:
        """A folder on the root's disk, from which one rename puts a version into its place."""
        if staging.folder.stat().st_dev == self.root.stat().st_dev:
            yield staging.folder
        else:
            with self._beside.staging() as room:
                yield room.folder


def _hand_over(content: Path, target: Path) -> None:
    """The staged folder becomes ``target``: by a rename on one disk, as a copy on another."""
    if content.stat().st_dev == target.parent.stat().st_dev:
        content.rename(target)
        return
    target.mkdir()
    for path in sorted(content.iterdir()):
        with path.open("rb") as stream:
            _copy(stream, target / path.name)


def _copy(stream: BinaryIO, target: Path) -> None:
    """A new file with what the stream holds from where it stands, on the disk."""
    with target.open("xb") as file:
        shutil.copyfileobj(stream, file, _BLOCK)
        file.flush()
        os.fsync(file.fileno())


def raise_unless_missing(error: OSError) -> None:
    """For ``os.walk``: a folder that cannot be listed is not an empty one."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
