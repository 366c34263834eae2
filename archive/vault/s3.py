"""The vault over any S3: the layout of the local one, file for object.

Nothing can be renamed there, so the commit of the catalogue takes the place of the rename: readers go by the version
and the names of its rows, never by a listing. A version is put content first, its own inventory next, the object's
inventory last: who reads the bucket without the catalogue sees a whole version or the one before. What a crash leaves
is at the next number of a series or beyond an object's known version, where the next filing or ``recover`` removes it.

The locks are those of one machine. Several machines that file into one bucket need a lock that they share.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from archive.errors import Code, MunimentError
from archive.vault import inventory
from archive.vault.bucket import Bucket
from archive.vault.inventory import Change
from archive.vault.protection import Protection
from archive.vault.staging import Staging, StagingArea, digest_of

_VERSION = re.compile(r"v([1-9]\d*)/")


class S3Vault:
    def __init__(self, bucket: Bucket, area: StagingArea) -> None:
        self._bucket = bucket
        self._area = area

    def create(self) -> None:
        name, content = inventory.ROOT_DECLARATION
        self._bucket.locks.check()
        if any(key != name for key in self._bucket.keys("")):  # one that was cut off right here goes on
            raise MunimentError(Code.VAULT_OCCUPIED, place=self._bucket.place)
        self.prepare()
        self._bucket.create(name, content)

    def prepare(self) -> None:
        self._area.create()

    def locked(self, name: str) -> AbstractContextManager[None]:
        return self._area.locked(name)

    def held(self, name: str) -> AbstractContextManager[None]:
        return self._area.locked(name)

    def staging(self, adds_to: str | None = None) -> AbstractContextManager[Staging]:
        return self._area.staging(adds_to)

    def place(self, staging: Staging, folder: str, identifier: str, change: Change) -> None:
        self.remove(folder)
        name, declaration = inventory.OBJECT_DECLARATION
        self._bucket.create(f"{folder}/{name}", declaration)
        self._put_version(staging, folder, 1, inventory.first(identifier, change))

    def add_version(self, staging: Staging, folder: str, version: int, change: Change) -> None:
        self.roll_back(folder, version - 1)
        staging.settled = False
        self._put_version(staging, folder, version, inventory.following(self.inventory(folder), change))

    def _put_version(self, staging: Staging, folder: str, version: int, document: Mapping[str, Any]) -> None:
        within = f"{folder}/v{version}"
        content, sidecar = inventory.encode(document)
        for path in sorted(staging.content.iterdir()):
            self._bucket.create(f"{within}/content/{path.name}", path)
        self._bucket.create(f"{within}/{inventory.NAME}", content)
        self._bucket.create(f"{within}/{inventory.SIDECAR}", sidecar)
        self._head(folder, content, sidecar)

    def _head(self, folder: str, content: bytes, sidecar: bytes) -> None:
        self._bucket.replace(f"{folder}/{inventory.SIDECAR}", sidecar)
        self._bucket.replace(f"{folder}/{inventory.NAME}", content)

    def roll_back(self, folder: str, version: int) -> None:
        if version == 0:
            self.remove(folder)
            return
        beyond = [key for key in self._bucket.keys(f"{folder}/") if _version(key, folder) > version]
        content, sidecar = self._inventory_files(f"{folder}/v{version}")
        if content is None or sidecar is None:
            raise MunimentError(Code.DOCUMENT_MISSING, document=inventory.NAME)
        if self._inventory_files(folder) != (content, sidecar):
            self._head(folder, content, sidecar)
        for key in beyond:
            self._bucket.delete(key)
        self._bucket.give_up_uploads(f"{folder}/")

    def _inventory_files(self, within: str) -> tuple[bytes | None, bytes | None]:
        return (
            self._bucket.read(f"{within}/{inventory.NAME}"),
            self._bucket.read(f"{within}/{inventory.SIDECAR}"),
        )

    def remove(self, folder: str) -> None:
        """The object's inventory first, so that what is left of it never passes for an object."""
        head = f"{folder}/{inventory.NAME}"
        for key in sorted(self._bucket.keys(f"{folder}/"), key=lambda key: key != head):
            self._bucket.delete(key)
        self._bucket.give_up_uploads(f"{folder}/")

    def holds(self, folder: str, beyond: int = 0) -> bool:
        return any(not beyond or _version(key, folder) > beyond for key in self._bucket.keys(f"{folder}/"))

    def series(self) -> list[str]:
        folders = [""]
        for _ in ("year", "level", "category"):
            folders = [below for each in folders for below in self._bucket.folders(each)]
        return sorted(each.rstrip("/") for each in folders)

    def recover(self, settle: Callable[[str], None], of: str | None = None) -> int:
        return self._area.recover(settle, of)

    def marked(self, name: str) -> bool:
        return self._area.marked(name)

    def inventory(self, folder: str) -> dict[str, object]:
        with self._bucket.open(f"{folder}/{inventory.NAME}") as file:
            return inventory.decode(file.read(inventory.LONGEST + 1))

    def open(self, folder: str, version: int, name: str) -> BinaryIO:
        return self._bucket.open(f"{folder}/v{version}/content/{name}")

    def read(self, folder: str, version: int, name: str, start: int, count: int) -> bytes:
        return self._bucket.read_range(f"{folder}/v{version}/content/{name}", start, count)

    def stamp(self, folder: str, version: int, name: str) -> None:  # noqa: ARG002 - all of it would have to come here
        return None

    def paths(self, below: str = "") -> Iterator[str]:
        return self._bucket.keys(f"{below.rstrip('/')}/" if below else "")

    def open_path(self, path: str) -> BinaryIO:
        return self._bucket.open(path)

    def replace(self, path: str, stream: BinaryIO) -> None:
        """Locked as the head of its object is: a repaired file is no less protected than the others."""
        folder, locks = inventory.object_of(path), self._bucket.locks
        like = locks.protection(f"{folder}/{inventory.NAME}") if folder and locks.on else None
        self._bucket.replace(path, stream, like)

    @property
    def protecting(self) -> bool:
        return self._bucket.locks.on

    def check_protection(self) -> None:
        self._bucket.locks.check()

    def protect(self, folder: str, wanted: Protection) -> None:
        """The declaration first and the head last: where both are as they must be, all between them is, for every
        new version replaces the head, and what was cut off has changed the one and not the other.
        """
        if self._bucket.locks.on:
            first, last = _ends(folder)
            for key in sorted(
                self._bucket.keys(f"{folder}/"), key=lambda key: (key == last) - (key == first)
            ):
                self._bucket.locks.protect(key, wanted)

    def protects(self, folder: str, wanted: Protection, *, weakly: bool = False) -> bool:
        return not self._bucket.locks.on or all(
            self._bucket.locks.protects(key, wanted, weakly=weakly) for key in _ends(folder)
        )

    def sha512(self, stream: BinaryIO) -> bytes:
        return digest_of(stream)


def _ends(folder: str) -> tuple[str, str]:
    return f"{folder}/{inventory.OBJECT_DECLARATION[0]}", f"{folder}/{inventory.NAME}"


def _version(key: str, folder: str) -> int:
    """Of the version folder that the key lies in; 0 for what lies in none."""
    match = _VERSION.match(key.removeprefix(f"{folder}/"))
    return 0 if match is None else int(match[1])
