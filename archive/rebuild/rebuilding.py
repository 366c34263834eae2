"""Rebuilding: the catalogue anew from the vault, the master key and the key journal alone, when no backup is there.

It is built inside the home folder and put into its place by the last step: until then there is no catalogue, and a run
that was cut off begins again. An object that cannot be rebuilt is named and left untouched, and its number stays taken.
The ledger begins anew; its first entry says how far the lost one had come, as far as the records knew.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.filing import insert_rows
from archive.casefile.numbering import runs
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue, Clock
from archive.database.engine import Database
from archive.database.migrating import migrate
from archive.description import described, read_description, write_description
from archive.errors import Code, MunimentError
from archive.founding import catalogue_key_of, is_founded, open_ledger
from archive.keys.journal import Kept, KeyJournal
from archive.keys.keyring import Keyring
from archive.keys.sealing import Randomness
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, PERSON
from archive.ledger.notes import Checkpoint, NoteError, open_note
from archive.rebuild.objects import Reader, Reason, Told, UnfitError, newest_version
from archive.rebuild.renumbering import Renumbered, fresh, make_room, numbered
from archive.vault import durable
from archive.vault.connection import AMAZON, Service
from archive.vault.inventory import ROOT_DECLARATION, object_of
from archive.vault.local import LocalVault
from archive.vault.locks import alone
from archive.vault.placing import HOME, Places, Where, write_where
from archive.vault.port import Vault

Progress = Callable[[int], None]  # case files
_CATALOGUE = "catalogue.db"
_BATCH = 64
_READERS = 8
_ENTRIES = 1000  # of the ledger in one transaction


@dataclass(frozen=True, slots=True)
class Unfit:
    """An object that was not rebuilt: its reference, or its folder where that is no reference."""

    object: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``missing`` are numbers within a series that no rebuilt file bears; ``unused_keys`` counts keys of the journal
    that no object asked for. ``known`` is the newest checkpoint of the lost ledger that a record holds. The records of
    those ``renumbered`` are stale until they are written anew.
    """

    place: str  # of the vault, for people
    files: int
    documents: int
    unfit: tuple[Unfit, ...]
    missing: tuple[str, ...]
    unused_keys: int
    known: Checkpoint | None
    renumbered: tuple[Renumbered, ...]
    unsettled: tuple[
        str, ...
    ]  # references; the next start clears away what an act left there that was cut off


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """``others`` as in ``Recording``; ``place`` is where the vault lies."""

    home: Path
    keyring: Keyring
    journal: KeyJournal
    clock: Clock
    randomness: Randomness
    others: tuple[sa.Table, ...]
    place: str = HOME
    service: Service = AMAZON

    def rebuild(self, progress: Progress = lambda _: None) -> Rebuilt:
        """Raises MunimentError: ARCHIVE_EXISTS, KEY_JOURNAL_MISSING, KEY_JOURNAL_OF_OTHER, KEY_WRONG, PATH_NOT_FOUND
        (no vault), ARCHIVE_BUSY (another rebuild), VAULT_UNREACHABLE, VAULT_REFUSED, DISK_FULL.
        """
        self._check_absent()
        kept = self.journal.read()
        key = self._catalogue_key(kept)
        locks, made = self.home / "locks", not self.home.exists()
        locks.mkdir(parents=True, exist_ok=True)
        with alone(locks / "rebuild.lock"):
            self._check_absent()
            work = self.home / "rebuilding"
            shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
            work.mkdir()
            try:
                return self._rebuild(work, kept, key, progress)
            except BaseException:
                if made:  # nobody had a home here: it is no archive
                    shutil.rmtree(locks, ignore_errors=True)
                raise
            finally:
                shutil.rmtree(work, ignore_errors=True)
                with suppress(OSError):  # it holds an archive now
                    self.home.rmdir()

    def _check_absent(self) -> None:
        if (self.home / _CATALOGUE).exists():
            raise MunimentError(Code.ARCHIVE_EXISTS, home=str(self.home))

    def _catalogue_key(self, kept: Kept) -> bytes:
        """Raises KEY_JOURNAL_MISSING for a journal that does not say enough."""
        if kept.archive is None or not {"ledger-signing", "ledger-details"} <= kept.secrets.keys():
            raise MunimentError(Code.KEY_JOURNAL_MISSING, path=str(self.journal.path))
        description = described(kept.archive)
        if is_founded(self.home) and read_description(self.home).archive != description.archive:
            raise MunimentError(Code.KEY_JOURNAL_OF_OTHER, path=str(self.journal.path))
        return catalogue_key_of(description, self.keyring)

    def _rebuild(self, work: Path, kept: Kept, key: bytes, progress: Progress) -> Rebuilt:
        vault = self._vault(work)
        objects, declared = _objects(vault), _is_declared(vault)
        if not objects and not declared:
            raise self._no_vault()
        database = Database(work / _CATALOGUE, key)
        try:
            rebuilt = self._filled(database, kept, vault, objects, progress)
            if declared and not _is_declared(vault):  # its disk went meanwhile: what is missing is not lost
                raise self._no_vault()
            if not database.truncate_log():  # closing would do it too, and keep silent where there is no room
                raise MunimentError(Code.ARCHIVE_BUSY)
        finally:
            database.close()
        self._put_into_place(work, kept, rebuilt.unsettled)
        return rebuilt

    def _no_vault(self) -> MunimentError:
        return MunimentError(Code.PATH_NOT_FOUND, path=Places(self.home).shown(self.place))

    def _vault(self, work: Path) -> Vault:
        if self.place == HOME:
            return LocalVault(self.home / "vault", work / "staging", work / "locks")
        vault = Places(work, self.service).vault(self.place)
        (work / "staging").mkdir()
        return vault

    def _filled(
        self,
        database: Database,
        kept: Kept,
        vault: Vault,
        objects: Mapping[str, int],
        progress: Progress,
    ) -> Rebuilt:
        migrate(database)
        with database.writing() as connection:
            for name, wrapped in kept.secrets.items():
                row = {"name": name, "master_version": wrapped.version, "box": wrapped.box}
                connection.execute(ledger_tables.secret.insert().values(row))
            write_where(connection, Where(self.place, None))
        archive = described(kept.archive or {}).archive
        ledger = open_ledger(database, self.keyring, archive, self.randomness)
        catalogue = Catalogue(database, ledger, self.clock)
        course = _Course(database, self.others)
        reader = Reader(vault, self.keyring, kept, self.others)
        for done, (folder, found) in enumerate(_read(reader, objects), start=1):
            course.take(folder, found)
            progress(done)
        course.end()
        known = course.known(ledger.origin, lambda note: open_note(note, [ledger.verifier]))
        self._record(catalogue, archive, course, known)
        with database.reading() as connection:
            missing = [Reference(run.series, number) for run in runs(connection) for number in run.missing]
        return Rebuilt(
            Places(self.home).shown(self.place),
            len(course.references),
            course.documents,
            tuple(course.unfit),
            tuple(map(str, missing)),
            len(kept.file_keys.keys() - reader.asked),
            known,
            tuple(course.renumbered),
            tuple(course.unsettled),
        )

    def _record(
        self, catalogue: Catalogue, archive: str, course: "_Course", known: Checkpoint | None
    ) -> None:
        """The first entries of the new ledger: what happened, then each case file, for those who follow it."""
        with catalogue.unit(CONSOLE) as unit:
            unit.record(
                Act.REBUILT,
                f"archive:{archive}",
                detail={
                    "files": len(course.references),
                    "findings": len(course.unfit),
                    "entries": 0 if known is None else known.size,
                    "root": None if known is None else known.root.hex(),
                    "renumbered": [f"{each.object} {each.was} {each.now}" for each in course.renumbered],
                },
            )
            # Their numbers stay those people's, whom only a backup knows by name.
            for person in sorted(each for each in course.actors if PERSON.fullmatch(each)):
                unit.record(Act.PERSON_NAMED, person)
        subjects = [(Act.FILE_REBUILT, each) for each in course.references]
        subjects += [
            (Act.NOT_REBUILT, each.object) for each in course.unfit if each.reason is not Reason.NAME
        ]
        for start in range(0, len(subjects), _ENTRIES):
            with catalogue.unit(CONSOLE) as unit:
                for act, subject in subjects[start : start + _ENTRIES]:
                    unit.record(act, subject)

    def _put_into_place(self, work: Path, kept: Kept, unsettled: Iterable[str]) -> None:
        """The catalogue comes last, by one step that never replaces one."""
        home = self.home
        for left in (home / f"{_CATALOGUE}-wal", home / f"{_CATALOGUE}-shm"):  # of another catalogue
            if left.exists():
                durable.make_folders(home / "aside", home)
                left.rename(home / "aside" / f"{left.name}.{uuid4()}")
        shutil.rmtree(
            home / "staging", ignore_errors=True
        )  # nobody is at work, nor was anything acknowledged
        for folder in ("staging", "locks"):
            (home / folder).mkdir(exist_ok=True)
        vault = Places(home, self.service).vault(self.place)
        vault.prepare()
        for reference in unsettled:
            with vault.staging(adds_to=reference) as staging:
                staging.settled = False
        write_description(home, described(kept.archive or {}))
        with (work / _CATALOGUE).open("rb") as file:
            os.fsync(file.fileno())
        try:
            (home / _CATALOGUE).hardlink_to(work / _CATALOGUE)
        except FileExistsError:
            raise MunimentError(Code.ARCHIVE_EXISTS, home=str(home)) from None
        durable.sync_folder(home)
        durable.sync_folder(home.parent)


@dataclass(slots=True)
class _Course:
    """What was found so far; rows are written a batch a transaction."""

    database: Database
    others: tuple[sa.Table, ...]
    references: list[str] = field(default_factory=list)
    unfit: list[Unfit] = field(default_factory=list)
    documents: int = 0
    notes: set[str] = field(default_factory=set)
    actors: set[str] = field(default_factory=set)
    waiting: list[Told] = field(default_factory=list)
    claiming: list[Told] = field(default_factory=list)  # what another has already
    renumbered: list[Renumbered] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)

    def take(self, folder: str, found: Told | Reason) -> None:
        if isinstance(found, Reason):
            name = folder if found is Reason.NAME else folder.rpartition("/")[2]
            self.unfit.append(Unfit(name, found))
            return
        self.waiting.append(found)
        if len(self.waiting) == _BATCH:
            self.write()

    def write(self) -> None:
        with self.database.writing() as connection:
            for told in self.waiting:
                if not self._wrote(connection, told):
                    self.claiming.append(told)
        self.waiting.clear()

    def end(self) -> None:
        """What is left is written, and those who claim what another has are given what nobody has."""
        self.write()
        columns = numbered(self.others)
        with self.database.writing() as connection:
            free = fresh(connection, columns, [each.record for each in self.claiming])
            for told in self.claiming:
                with connection.begin_nested() as attempt:
                    record, renumbered = make_room(connection, told.record, columns, free)
                    if self._wrote(connection, replace(told, record=record)):
                        self.renumbered += renumbered
                        continue
                    attempt.rollback()
                self.unfit.append(Unfit(str(told.record.case_file["reference"]), Reason.DISAGREES))

    def _wrote(self, connection: sa.Connection, told: Told) -> bool:
        """False where two say the same of themselves."""
        try:
            with connection.begin_nested():
                self._insert(connection, told)
        except sa.exc.IntegrityError:
            return False
        self.references.append(str(told.record.case_file["reference"]))
        self.unsettled += [] if told.settled else self.references[-1:]
        self.documents += len(told.record.documents)
        self.actors |= told.actors
        self.notes |= {told.record.checkpoint} if told.record.checkpoint else set()
        return True

    def known(self, origin: str, opened: Callable[[str], Checkpoint]) -> Checkpoint | None:
        """The newest of the checkpoints that the records hold and that the archive's own key signed."""
        found = []
        for note in self.notes:
            with suppress(NoteError):
                found.append(opened(note))
        return max(
            (each for each in found if each.origin == origin), key=lambda each: each.size, default=None
        )

    def _insert(self, connection: sa.Connection, told: Told) -> None:
        insert_rows(connection, told.record, told.wrapped)
        others = {each.name: each for each in self.others}
        rows: Iterable[tuple[sa.Table, Mapping[str, Any]]] = (
            *((tables.record, row) for row in told.recorded),
            *((others[name], row) for name, each in told.record.rows.items() for row in each),
        )
        for table, row in rows:
            connection.execute(table.insert().values(dict(row)))


def _read(reader: Reader, objects: Mapping[str, int]) -> Iterator[tuple[str, Told | Reason]]:
    def one(folder: str) -> Told | Reason:
        try:
            return reader.read(folder, objects[folder])
        except UnfitError as error:
            return error.reason

    folders = sorted(objects)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="rebuild") as pool:
        for start in range(0, len(folders), _BATCH):
            some = folders[start : start + _BATCH]
            yield from zip(some, pool.map(one, some), strict=True)


def _objects(vault: Vault) -> dict[str, int]:
    """The newest version of each object, by its folder; what lies elsewhere is for a check to name."""
    return {
        folder: newest_version(paths, folder)
        for folder, paths in groupby(
            (path for path in vault.paths() if not path.endswith("/")), key=object_of
        )
        if folder is not None
    }


def _is_declared(vault: Vault) -> bool:
    try:
        with vault.open_path(ROOT_DECLARATION[0]):
            return True
    except MunimentError as error:
        if error.code is not Code.DOCUMENT_MISSING:
            raise
        return False
