"""Moving the vault to another place while it is in use.

Object after object is copied as the catalogue knows it and read back before it counts. What was filed, voided or
destroyed meanwhile shows in the catalogue's versions, so passes follow until little is left; the last stretch is copied
while nobody may file, and the place changes in one transaction with its ledger entry. Until then everything happens at
the old place: a kill at any moment costs nothing but time, and the next call goes on. The old vault is left as it is.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha512
from io import BytesIO
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import all_documents
from archive.casefile.recording import recorded
from archive.casefile.reference import Reference
from archive.causes import Cause, Unfit
from archive.database.catalogue import Catalogue
from archive.errors import DOCUMENT_DAMAGED, Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.vault import inventory
from archive.vault.locks import alone
from archive.vault.placing import PlacedVault, Where, read_where, write_where
from archive.vault.port import Vault

_PASSES = 5
_LITTLE = 10  # objects: what may be left for the last stretch
_SHOWN = 20  # damaged files that one sentence names

Progress = Callable[[int], None]  # told how many case files are at the new place


@dataclass(frozen=True, slots=True)
class Moved:
    came_from: str  # for people
    place: str
    files: int  # case files
    copied: int  # of them by this call; the rest was there from one that was cut off
    bytes: int


@dataclass(slots=True)
class _Course:
    """How far a move has come."""

    source: Vault
    target: Vault
    progress: Progress
    there: dict[str, int] = field(default_factory=dict)  # reference -> version
    damaged: dict[str, str] = field(default_factory=dict)  # reference -> document
    copied: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Moving:
    catalogue: Catalogue
    vault: PlacedVault

    def move(self, actor: Actor, to: str, progress: Progress = lambda _: None) -> Moved:
        """``to`` is an empty folder or ``s3://bucket/prefix``; one that a cut-off move filled goes on.

        Raises MunimentError: SETTING_INVALID, VAULT_THERE, VAULT_OCCUPIED, VAULT_DAMAGED, VAULT_UNREACHABLE,
        VAULT_REFUSED, DISK_FULL, ARCHIVE_BUSY (another move is at work).
        """
        places = self.vault.places
        try:
            place = places.named(to)
        except Unfit as error:
            raise MunimentError(Code.SETTING_INVALID, key="--to", problem=error.cause) from None
        with alone(places.locks / "vault-move.lock"):
            where = self.vault.where()
            if where.place == place:
                raise MunimentError(Code.VAULT_THERE, place=places.shown(place))
            course = _Course(self.vault.now, places.vault(place), progress)
            self._begin(actor, where, place, course.target)
            for _ in range(_PASSES):
                if self._pass(course) <= _LITTLE:
                    break
            with self.vault.standing_still():
                self._pass(course)
                self._check(course)
                self._switch(actor, where, place)
        return Moved(
            places.shown(where.place), places.shown(place), len(course.there), course.copied, course.bytes
        )

    def _begin(self, actor: Actor, where: Where, place: str, target: Vault) -> None:
        if where.moving_to == place:
            return
        target.create()
        with self.catalogue.unit(actor) as unit:
            write_where(unit.connection, Where(where.place, place))
            unit.record(Act.VAULT_MOVE_BEGUN, "vault", detail={"to": self.vault.places.shown(place)})

    def _switch(self, actor: Actor, where: Where, place: str) -> None:
        places = self.vault.places
        with self.catalogue.unit(actor) as unit:
            if read_where(unit.connection) != Where(where.place, place):
                raise MunimentError(Code.ARCHIVE_BUSY)
            write_where(unit.connection, Where(place, None))
            detail = {"from": places.shown(where.place), "to": places.shown(place)}
            unit.record(Act.VAULT_MOVED, "vault", detail=detail)

    def _pass(self, course: _Course) -> int:
        """Brings over what the catalogue has and the new place has not; how much that was."""
        columns = tables.case_file.c
        with self.catalogue.reading() as connection:
            rows = connection.execute(sa.select(columns.id, columns.reference, columns.version)).all()
        known = {row.reference: row for row in rows}
        gone = course.there.keys() - known.keys()
        for reference in gone:  # destroyed meanwhile
            course.target.remove(Reference.parse(reference).folder)
            del course.there[reference]
        behind = [row for row in rows if course.there.get(row.reference) != row.version]
        course.damaged.clear()
        for row in sorted(behind, key=lambda each: each.reference):
            self._bring(course, row)
            course.progress(len(course.there))
        return len(behind) + len(gone)

    def _bring(self, course: _Course, row: Any) -> None:
        folder = Reference.parse(row.reference).folder
        try:
            copy = _Copy(course.source, course.target, folder, row.version)
            copy.expect(self._contents(row))
            if not copy.is_there():
                course.bytes += copy.make()
                course.copied += 1
            course.there[row.reference] = row.version
        except MunimentError as error:
            if error.code not in DOCUMENT_DAMAGED:
                raise
            course.damaged[row.reference] = str(error.facts["document"])

    def _contents(self, row: Any) -> Iterable[tuple[str, str]]:
        """Path and SHA-512 of documents, with what lies beside them, and records up to the version, as the catalogue
        knows them.
        """
        with self.catalogue.reading() as connection:
            documents = all_documents(connection, row.id)
            records = recorded(connection, row.id, row.reference)
        found = [
            (each.path, each.sha512)
            for document in documents
            if document.version <= row.version
            for each in document.contents
        ]
        found += [(each.path, each.sha512) for each in records if each.version <= row.version]
        return found

    def _check(self, course: _Course) -> None:
        """Raises VAULT_DAMAGED: what is damaged is repaired first, not carried along."""
        if course.damaged:
            named = [f"{each}: {document}" for each, document in sorted(course.damaged.items())]
            shown = named[:_SHOWN] + (["…"] if len(named) > _SHOWN else [])
            raise MunimentError(Code.VAULT_DAMAGED, count=len(named), problems="\n".join(shown))


class _Copy:
    """One object, up to the version that the catalogue knows; what lies beyond it is not copied.

    Raises DOCUMENT_MISSING and DOCUMENT_ALTERED with the name of what the source has lost.
    """

    def __init__(self, source: Vault, target: Vault, folder: str, version: int) -> None:
        self._source = source
        self._target = target
        self._folder = folder
        self._heads = [self._head(f"{folder}/v{each}") for each in range(1, version + 1)]
        manifest = json.loads(self._heads[-1][0])["manifest"]
        self._content = {path: digest for digest, paths in manifest.items() for path in paths}

    def expect(self, documents: Iterable[tuple[str, str]]) -> None:
        """The object holds what the catalogue says, by its own inventory."""
        for path, digest in documents:
            if self._content.get(path) != digest:
                raise MunimentError(Code.DOCUMENT_ALTERED, document=path.rpartition("/")[2])

    def is_there(self) -> bool:
        """The object's inventory is put last, after all else was read back: where it stands, the rest does."""
        try:
            with self._target.open_path(f"{self._folder}/{inventory.NAME}") as stream:
                return stream.read() == self._heads[-1][0]
        except MunimentError as error:
            if error.code is Code.DOCUMENT_MISSING:
                return False
            raise

    def make(self) -> int:
        """The bytes that were copied."""
        self._put(*inventory.OBJECT_DECLARATION)
        size = sum(self._carry(path, digest) for path, digest in sorted(self._content.items()))
        for version, (content, sidecar) in enumerate(self._heads, start=1):
            self._put(f"v{version}/{inventory.NAME}", content)
            self._put(f"v{version}/{inventory.SIDECAR}", sidecar)
        content, sidecar = self._heads[-1]
        self._put(inventory.SIDECAR, sidecar)
        self._put(inventory.NAME, content)
        return size

    def _head(self, within: str) -> tuple[bytes, bytes]:
        with ExitStack() as opened:
            names = (inventory.NAME, inventory.SIDECAR)
            streams = [opened.enter_context(self._source.open_path(f"{within}/{name}")) for name in names]
            content, sidecar = (stream.read() for stream in streams)
        if sidecar != inventory.sidecar(content):  # one that is damaged itself is not carried along either
            raise MunimentError(Code.DOCUMENT_ALTERED, document=inventory.NAME)
        return content, sidecar

    def _carry(self, path: str, digest: str) -> int:
        where = f"{self._folder}/{path}"
        with self._source.open_path(where) as stream:
            if self._source.sha512(stream).hex() != digest:
                raise MunimentError(Code.DOCUMENT_ALTERED, document=path.rpartition("/")[2])
            self._target.replace(where, stream)
            self._read_back(where, digest)
            return stream.seek(0, 2)

    def _put(self, path: str, content: bytes) -> None:
        where = f"{self._folder}/{path}"
        self._target.replace(where, BytesIO(content))
        self._read_back(where, sha512(content).hexdigest())

    def _read_back(self, where: str, digest: str) -> None:
        try:
            with self._target.open_path(where) as stream:
                same = self._target.sha512(stream).hex() == digest
        except MunimentError as error:
            if error.code is not Code.DOCUMENT_MISSING:
                raise
            same = False
        if not same:  # it said that it has it
            raise MunimentError(
                Code.VAULT_REFUSED,
                place=where.rpartition("/")[2],
                problem=Cause("读回的内容与写入的不同", "not as it was put"),
            )
