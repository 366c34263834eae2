"""What the archive asks of a vault, whatever it lies on. ``tests/contracts`` says the same with examples.

A vault is an OCFL 1.1 storage root whose objects are case files. Objects are named by their folder, documents by
folder, version and name, as the catalogue's rows have them: nothing is ever found by listing. Files come before rows:
what no row names is rolled back, replaced, or never read.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from archive.vault.inventory import Change
from archive.vault.protection import Protection
from archive.vault.staging import Staging


class Vault(Protocol):
    """Any method may raise MunimentError: DISK_FULL, VAULT_UNREACHABLE, VAULT_REFUSED."""

    def create(self) -> None:
        """An empty storage root. Raises VAULT_OCCUPIED where anything is there already."""

    def prepare(self) -> None:
        """Makes what it works with on this machine: for a root that is there already."""

    def locked(self, name: str) -> AbstractContextManager[None]:
        """One process and thread of this machine at a time. Not to be taken twice by one thread."""

    def held(self, name: str) -> AbstractContextManager[None]:
        """The same for work that adds nothing to the vault and may take long: it may move meanwhile."""

    def staging(self, adds_to: str | None = None) -> AbstractContextManager[Staging]:
        """A staging folder; ``adds_to`` names the object when a version is added to one that is there."""

    def place(self, staging: Staging, folder: str, identifier: str, change: Change) -> None:
        """The staged content becomes version 1 of a new object. What lies at this place is removed: the caller holds
        the series' lock and knows that no row names it, nor that of a newer catalogue, and has marked the staging.
        """

    def add_version(self, staging: Staging, folder: str, version: int, change: Change) -> None:
        """The staged content becomes version ``version`` of an object that is there; not ``settled`` until the
        caller has committed it or rolled it back.
        """

    def roll_back(self, folder: str, version: int) -> None:
        """Removes what is beyond ``version``; version 0 removes the object. Nothing to do is the usual case."""

    def remove(self, folder: str) -> None:
        """Removes an object that no row names."""

    def holds(self, folder: str, beyond: int = 0) -> bool:
        """Whether anything lies there, of versions after ``beyond``."""

    def series(self) -> list[str]:
        """The folders in which objects lie, or lay: ``2026/一级/剧本相关``."""

    def recover(self, settle: Callable[[str], None], of: str | None = None) -> int:
        """After a crash: ``settle`` is given the name of each object that a version was being made for; ``of``: only
        where it is that one.
        """

    def marked(self, name: str) -> bool:
        """Whether somebody makes a version of the object of that name, or was cut off at it."""

    def inventory(self, folder: str) -> dict[str, object]:
        """Raises DOCUMENT_MISSING, DOCUMENT_ALTERED for what is none."""

    def open(self, folder: str, version: int, name: str) -> BinaryIO:
        """A seekable stream of a file that version ``version`` brought, encrypted. Raises DOCUMENT_MISSING, and
        DOCUMENT_UNREADABLE where a service answers but does not give this one.
        """

    def read(self, folder: str, version: int, name: str, start: int, count: int) -> bytes:
        """So many bytes of the same from ``start`` on, fewer only where it ends: nothing else of it is fetched, and
        nothing of it is compared. Raises as ``open``.
        """

    def stamp(self, folder: str, version: int, name: str) -> tuple[int, ...] | None:
        """What a disk says of the same without reading it, which differs once it was written (also by others); none
        where reading all of it takes longer than anybody waits. Raises as ``open``.
        """

    def sha512(self, stream: BinaryIO) -> bytes:
        """Of the whole stream, which is rewound."""

    def paths(self, below: str = "") -> Iterator[str]:
        """Every file at or below the folder ``below``, as paths from the root, in order. An empty folder, where there
        is such a thing, is named too, with a ``/`` behind it.
        """

    def open_path(self, path: str) -> BinaryIO:
        """Any file by its path from the root. Raises DOCUMENT_MISSING."""

    def replace(self, path: str, stream: BinaryIO) -> None:
        """The file at ``path`` is the stream, durably: for repairing and for copying a vault. On a disk, what was there
        is kept beside the vault; in a bucket, where its versioning keeps it.
        """

    @property
    def protecting(self) -> bool:
        """Whether anything is locked here; where it is not, the others do nothing."""

    def check_protection(self) -> None:
        """Raises VAULT_UNLOCKED where objects are to be locked and cannot be."""

    def protect(self, folder: str, wanted: Protection) -> None:
        """Every file of the object is locked so, those that are locked longer stay so; again is no fault, and what a
        crash left half done goes on.
        """

    def protects(self, folder: str, wanted: Protection, *, weakly: bool = False) -> bool:
        """Whether the last ``protect`` of the object asked for as much, and no version was added or damaged since.
        ``weakly``: by locks, too, of a weaker mode than is wanted by now.
        """
