"""The vault wherever it lies now. A place is ``""`` (the folder in the home folder), an absolute folder, or ``s3://…``."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from archive.causes import Unfit
from archive.vault import tables
from archive.vault.bucket import Bucket
from archive.vault.connection import AMAZON, SCHEME, Service
from archive.vault.inventory import Change
from archive.vault.local import LocalVault
from archive.vault.locks import Gate
from archive.vault.port import Vault
from archive.vault.protection import Protection
from archive.vault.s3 import S3Vault
from archive.vault.staging import Staging, StagingArea

HOME = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Makes the vault of a place. Staging and locks are in the home folder, whatever the place."""

    home: Path
    service: Service = AMAZON

    @property
    def locks(self) -> Path:
        return self.home / "locks"

    def named(self, text: str) -> str:
        """The place that somebody means. Raises Unfit for what can be none."""
        if text.startswith(SCHEME):
            return self._bucket(text).place
        root = Path(text).absolute() if text else self.home / "vault"
        if root == self.home / "vault":
            return HOME
        if root.is_relative_to(self.home) or self.home.is_relative_to(root):
            raise Unfit(f"{root} 与档案库自己的目录重叠", f"{root} overlaps with the archive's own folder")
        return str(root)

    def shown(self, place: str) -> str:
        """For people."""
        return place or str(self.home / "vault")

    def vault(self, place: str) -> Vault:
        staging = self.home / "staging"
        if place.startswith(SCHEME):
            return S3Vault(self._bucket(place), StagingArea(staging, self.locks))
        if place == HOME:
            return LocalVault(self.home / "vault", staging, self.locks)
        root = Path(place)
        return LocalVault(root, staging, self.locks, beside=root.with_name(f"{root.name}.staging"))

    def _bucket(self, place: str) -> Bucket:
        return Bucket(place, self.service, self.home / "staging")


@dataclass(frozen=True, slots=True)
class Where:
    place: str
    moving_to: str | None


def read_where(connection: sa.Connection) -> Where:
    row = connection.execute(sa.select(tables.vault_place)).one_or_none()
    return Where(HOME, None) if row is None else Where(row.place, row.moving_to)


def write_where(connection: sa.Connection, where: Where) -> None:
    connection.execute(sa.delete(tables.vault_place))
    connection.execute(tables.vault_place.insert().values(id=1, place=where.place, moving_to=where.moving_to))


class PlacedVault:
    """The vault as everybody uses it: each act goes to where the catalogue says that it lies at that moment, so that
    a running server follows a move. While somebody holds a lock of ``locked``, it does not move.
    """

    def __init__(self, where: Callable[[], Where], places: Places) -> None:
        self.where = where
        self.places = places
        self._gate = Gate(places.locks)
        self._known: dict[str, Vault] = {}

    @property
    def now(self) -> Vault:
        place = self.where().place
        if place not in self._known:
            self._known[place] = self.places.vault(place)
        return self._known[place]

    def standing_still(self) -> AbstractContextManager[None]:
        """Nobody adds to the vault meanwhile; those who are at it have finished."""
        return self._gate.closed()

    def create(self) -> None:
        self.now.create()

    def prepare(self) -> None:
        self.now.prepare()

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        with self._gate.passing(), self.now.locked(name):
            yield

    def held(self, name: str) -> AbstractContextManager[None]:
        return self.now.held(name)

    def staging(self, adds_to: str | None = None) -> AbstractContextManager[Staging]:
        return self.now.staging(adds_to)

    def place(self, staging: Staging, folder: str, identifier: str, change: Change) -> None:
        self.now.place(staging, folder, identifier, change)

    def add_version(self, staging: Staging, folder: str, version: int, change: Change) -> None:
        self.now.add_version(staging, folder, version, change)

    def roll_back(self, folder: str, version: int) -> None:
        self.now.roll_back(folder, version)

    def remove(self, folder: str) -> None:
        self.now.remove(folder)

    def holds(self, folder: str, beyond: int = 0) -> bool:
        return self.now.holds(folder, beyond)

    def series(self) -> list[str]:
        return self.now.series()

    def recover(self, settle: Callable[[str], None], of: str | None = None) -> int:
        return self.now.recover(settle, of)

    def marked(self, name: str) -> bool:
        return self.now.marked(name)

    def inventory(self, folder: str) -> dict[str, object]:
        return self.now.inventory(folder)

    def open(self, folder: str, version: int, name: str) -> BinaryIO:
        return self.now.open(folder, version, name)

    def read(self, folder: str, version: int, name: str, start: int, count: int) -> bytes:
        return self.now.read(folder, version, name, start, count)

    def stamp(self, folder: str, version: int, name: str) -> tuple[int, ...] | None:
        return self.now.stamp(folder, version, name)

    def paths(self, below: str = "") -> Iterator[str]:
        return self.now.paths(below)

    def open_path(self, path: str) -> BinaryIO:
        return self.now.open_path(path)

    def replace(self, path: str, stream: BinaryIO) -> None:
        self.now.replace(path, stream)

    def sha512(self, stream: BinaryIO) -> bytes:
        return self.now.sha512(stream)

    @property
    def protecting(self) -> bool:
        return self.now.protecting

    def check_protection(self) -> None:
        self.now.check_protection()

    def protect(self, folder: str, wanted: Protection) -> None:
        self.now.protect(folder, wanted)

    def protects(self, folder: str, wanted: Protection, *, weakly: bool = False) -> bool:
        return self.now.protects(folder, wanted, weakly=weakly)
