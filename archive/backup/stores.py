"""Where a backup lies: a port, and a folder as its engine. Another one is ``archive.backup.s3``."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

from archive.causes import MISSING
from archive.errors import Code, MunimentError
from archive.vault import durable
from archive.vault.local import raise_unless_missing

_TEMPORARY = "incoming"


class Store(Protocol):
    """Named objects, each whole or not there. Names are ASCII with ``/`` between their parts."""

    def create(self) -> None:
        """The place itself, where nobody else is to make it."""

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """The object, on the disk when this returns; one that is there is replaced at once. When ``pieces`` raises,
        nothing was stored. Raises OSError.

        This and the others may raise VAULT_UNREACHABLE and VAULT_REFUSED where the store is a service.
        """

    def has(self, name: str) -> bool: ...

    def open(self, name: str) -> BinaryIO:
        """Raises MunimentError(BACKUP_DAMAGED) when it is not there."""

    def names(self, below: str) -> Iterator[str]:
        """Every object whose name begins with ``below`` and ``/``, in order. Raises OSError where they cannot be
        listed: what is not named here may be taken for gone.
        """

    def remove(self, name: str) -> None:
        """One that is not there is no fault."""

    def set_aside(self, name: str) -> None:
        """Keeps the object for whoever looks into it, and makes room for a good one under its name. One that is not
        there is no fault.
        """

    def clear(self) -> None:
        """Away with what a run that was cut off left half written. No other run is under way."""


class FolderStore:
    """A folder: another disk, a mounted share."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        """Folders are made as objects come."""

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        target = self.root / name
        incoming = self.root / _TEMPORARY
        incoming.mkdir(parents=True, exist_ok=True)
        fresh = incoming / str(uuid4())
        try:
            durable.write(fresh, pieces)
            durable.make_folders(target.parent, self.root)
            fresh.replace(target)
        except BaseException:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise
        durable.sync_folder(target.parent)

    def has(self, name: str) -> bool:
        return (self.root / name).is_file()

    def open(self, name: str) -> BinaryIO:
        try:
            return (self.root / name).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise MunimentError(Code.BACKUP_DAMAGED, path=name, problem=MISSING) from None

    def names(self, below: str) -> Iterator[str]:
        for folder, subfolders, files in os.walk(self.root / below, onerror=raise_unless_missing):
            subfolders.sort()
            for each in sorted(files):
                yield Path(folder, each).relative_to(self.root).as_posix()

    def remove(self, name: str) -> None:
        target = self.root / name
        target.unlink(missing_ok=True)
        if target.parent.is_dir():
            durable.sync_folder(target.parent)

    def set_aside(self, name: str) -> None:
        target = self.root / "damaged" / f"{name}.{uuid4()}"
        if not self.has(name):
            return
        durable.make_folders(target.parent, self.root)
        (self.root / name).replace(target)
        durable.sync_folder(target.parent)

    def clear(self) -> None:
        for each in (self.root / _TEMPORARY).glob("*"):
            each.unlink(missing_ok=True)
