"""Taking a snapshot: the catalogue as it is at one moment, and each file of vault and quarantine that it names.

The files are there already, since files come before rows, and never change. What the backup holds is not copied
again. A snapshot counts from the moment its list is in place, which comes last: cut off before that, the snapshots
before it are as they were, and the next run finds what is copied already.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b, sha512
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from archive.backup.keeping_apart import key_lines, strip
from archive.backup.lines import written
from archive.backup.places import Place, prepare_place
from archive.backup.remembering import PlaceKeys
from archive.backup.sealing import OBJECTS, Sealer
from archive.backup.snapshots import (
    FORMAT,
    QUARANTINE,
    Header,
    Kept,
    Trailer,
    catalogue_name,
    keys_name,
    lines_of,
    newest,
    snapshot_name,
)
from archive.casefile import tables
from archive.casefile.quarantining import Quarantine
from archive.database.catalogue import Catalogue
from archive.database.engine import Database
from archive.database.schema import text_of
from archive.errors import DOCUMENT_DAMAGED, MunimentError
from archive.fixity.held import Held, held
from archive.keys.keyring import Keyring
from archive.keys.sealing import Randomness
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.log import latest_checkpoint, size
from archive.vault.inventory import NAME, SIDECAR, sidecar
from archive.vault.port import Vault
from archive.vault.staging import digest_of

Progress = Callable[[int, int], None]  # case files copied, of how many
_BLOCK = 1 << 20
_KEY_PARTS = 2  # the newest, and one should it be damaged


@dataclass(frozen=True, slots=True)
class Taken:
    """``copied`` counts what was not in the backup before; ``damaged`` names what the vault no longer has."""

    snapshot: str
    files: int
    documents: int
    size: int  # bytes of all files in the snapshot
    copied: int
    copied_size: int
    damaged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backups:
    catalogue: Catalogue
    vault: Vault
    quarantine: Quarantine
    keyring: Keyring
    home: Path
    catalogue_key: bytes
    randomness: Randomness

    def take(
        self,
        actor: Actor,
        place: Place,
        *,
        keep: int = 30,
        progress: Progress = lambda _done, _total: None,
    ) -> Taken:
        """One snapshot; the newest ``keep`` stay. Documents that are damaged in the vault are named and left out,
        but stay in the backup where an earlier run copied them whole.

        Raises MunimentError: BACKUP_OF_OTHER, BACKUP_DAMAGED, BACKUP_KEY_VERSION, KEY_WRONG, DISK_FULL,
        VAULT_UNREACHABLE, VAULT_REFUSED; OSError.
        """
        with self.vault.held("backup"), self.vault.staging() as staging:
            origin = self.catalogue.ledger.origin
            place.keys.create()
            place.store.clear()
            place.keys.clear()
            kept = PlaceKeys(self.catalogue, self.keyring)
            sealer = prepare_place(place, origin, self.keyring, self.randomness, kept)
            path = staging.folder / "catalogue.db"
            self.catalogue.database.copy_to(path)
            copy = Database(path, self.catalogue_key)
            try:
                taken = _Taking(self, place, sealer, copy, progress).run(path)
            finally:
                copy.close()
            _prune(place, keep)
            with self.catalogue.unit(actor) as unit:
                unit.record(
                    Act.BACKED_UP,
                    f"backup:{taken.snapshot}",
                    detail={
                        "files": taken.files,
                        "documents_copied": taken.copied,
                        "documents": list(taken.damaged[:100]),
                        "result": "damaged" if taken.damaged else "whole",
                    },
                )
        return taken


class _Taking:
    """One run, over the copy of the catalogue."""

    def __init__(
        self, backups: Backups, place: Place, sealer: Sealer, copy: Database, progress: Progress
    ) -> None:
        self._backups = backups
        self._place = place
        self._sealer = sealer
        self._copy = copy
        self._progress = progress
        self._documents = self._size = self._copied = self._copied_size = 0
        self._damaged: list[str] = []
        # One listing instead of a question for each object; so short that a million of them fit into memory.
        self._there = {_short(name) for name in place.store.names(OBJECTS)}

    def run(self, path: Path) -> Taken:
        header = self._header()
        snapshot, store = header.snapshot, self._place.store
        keys = keys_name(snapshot)
        lines = key_lines(self._copy, self._backups.home, self._place.keys, self._sealer)
        self._place.keys.put(keys, self._sealer.seal(keys, written(lines)))
        strip(self._copy)
        with self._copy.reading() as connection:
            ids = list(connection.execute(sa.select(tables.case_file.c.id)).scalars())
        trailer: list[Trailer] = []
        listed = written(lines_of(header, self._kept(ids, trailer), trailer))
        # Into a file first: what the list names must be in the backup before the list is.
        with path.with_name("snapshot").open("xb+") as sealed:
            for piece in self._sealer.seal(snapshot_name(snapshot), listed):
                sealed.write(piece)
            self._copy.close()  # now all of the catalogue is in the one file
            with path.open("rb") as file:
                name = catalogue_name(snapshot)
                store.put(name, self._sealer.seal(name, _blocks(file)))
            sealed.seek(0)
            store.put(snapshot_name(snapshot), _blocks(sealed))
        end = trailer[0]
        return Taken(
            snapshot,
            end.files,
            end.documents,
            end.size,
            self._copied,
            self._copied_size,
            tuple(end.damaged),
        )

    def _header(self) -> Header:
        backups = self._backups
        taken_at = backups.catalogue.clock().astimezone(UTC)
        with self._copy.reading() as connection:
            entries, note = size(connection), latest_checkpoint(connection)
        return Header(
            FORMAT,
            backups.catalogue.ledger.origin,
            _snapshot(taken_at, entries),
            text_of(taken_at),
            entries,
            note,
        )

    def _kept(self, ids: list[str], trailer: list[Trailer]) -> Iterator[Kept]:
        for done, case_file in enumerate(ids, start=1):
            with self._copy.reading() as connection:
                known = held(connection, case_file)  # type: ignore[arg-type]
            if known is not None:
                yield from self._file(known)
            self._progress(done, len(ids))
        yield from self._isolated()
        trailer.append(Trailer(len(ids), self._documents, self._size, self._damaged))

    def _file(self, known: Held) -> Iterator[Kept]:
        for version in range(1, known.version + 1):
            inventory = self._inventory(known, version)
            if inventory is not None:
                yield inventory
        for content in known.contents():
            path = f"{known.folder}/{content.path}"
            if self._bring(path, content.sha512, content.name):
                self._documents += 1
                self._size += content.size
                yield Kept(known.id, path, content.sha512, content.size)
        for record in known.records:
            path = f"{known.folder}/{record.path}"
            if self._bring(path, record.sha512, path):
                self._size += record.size
                yield Kept(known.id, path, record.sha512, record.size)

    def _isolated(self) -> Iterator[Kept]:
        for number, path in self._backups.quarantine.kept():
            if path is None:
                self._damaged.append(f"{QUARANTINE}/{number}")
                continue
            with path.open("rb") as file:
                digest = digest_of(file).hex()
                self._put(digest, _blocks(file))
            size = path.stat().st_size
            self._size += size
            yield Kept(QUARANTINE, path.name, digest, size)

    def _inventory(self, known: Held, version: int) -> Kept | None:
        """An inventory is known by nothing but its sidecar; both are small."""
        folder = f"{known.folder}/v{version}"
        try:
            with self._backups.vault.open_path(f"{folder}/{NAME}") as file:
                content = file.read()
            with self._backups.vault.open_path(f"{folder}/{SIDECAR}") as file:
                confirming = file.read()
        except (MunimentError, OSError) as error:
            _check_is_damage(error)
            content, confirming = b"", b""
        digest = sha512(content).hexdigest()
        if confirming != sidecar(content):
            self._damaged.append(f"{folder}/{NAME}")
            return None
        self._put(digest, [content])
        self._size += len(content)
        return Kept(known.id, f"{folder}/{NAME}", digest, len(content))

    def _bring(self, path: str, digest: str, said: str) -> bool:
        """False when neither vault nor backup has the document as it was filed."""
        try:
            self._put(digest, self._proven(path, digest))
        except _Damaged:
            self._damaged.append(said)
            return False
        return True

    def _put(self, digest: str, pieces: Iterable[bytes]) -> None:
        name = self._sealer.name_of(bytes.fromhex(digest))
        if _short(name) not in self._there:
            self._place.store.put(name, self._sealer.seal(name, self._counted(pieces)))
            self._there.add(_short(name))
            self._copied += 1

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._copied_size += len(piece)
            yield piece

    def _proven(self, path: str, digest: str) -> Iterator[bytes]:
        found = sha512()
        try:
            with self._backups.vault.open_path(path) as file:
                for block in _blocks(file):
                    found.update(block)
                    yield block
        except (MunimentError, OSError) as error:
            _check_is_damage(error)
            raise _Damaged from None
        if found.hexdigest() != digest:
            raise _Damaged


def _check_is_damage(error: Exception) -> None:
    """A vault that is away has lost nothing: that ends the run."""
    if isinstance(error, MunimentError) and error.code not in DOCUMENT_DAMAGED:
        raise error


def _short(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=16).digest()


class _Damaged(Exception):  # noqa: N818 - says what happened
    """The vault does not have what the catalogue says."""


def _snapshot(taken_at: datetime, entries: int) -> str:
    """Sorts by time; the ledger's size tells apart what one second holds."""
    return f"{taken_at:%Y%m%dT%H%M%SZ}-{entries:010d}"


def _prune(place: Place, keep: int) -> None:
    """Older snapshots go, their lists first; and the key parts, so that a shredded key is soon nowhere."""
    for snapshot in newest(place.store, "snapshots")[keep:]:
        place.store.remove(snapshot_name(snapshot))
    listed = set(newest(place.store, "snapshots"))
    for snapshot in newest(place.store, "catalogue"):
        if snapshot not in listed:
            place.store.remove(catalogue_name(snapshot))
    for snapshot in newest(place.keys, "keys")[_KEY_PARTS:]:
        place.keys.remove(keys_name(snapshot))


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block
