"""Rotating the master key: every wrapped key is wrapped anew, no PDF is touched.

A new version goes into the key file first; then the archive's own secrets, its description and the file keys, a batch
a transaction, are wrapped with it, while everybody else reads and files on; the key journal follows as a whole. The
old version leaves the key file when the catalogue, under its write lock, and the journal hold nothing that it wrapped.
Both versions stay readable until then: a kill at any instruction leaves an archive that opens, and a rotation that the
next call finishes.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables as casefile_tables
from archive.database.catalogue import Catalogue, Unit
from archive.description import place_of_archive, read_description, write_description
from archive.errors import Code, MunimentError
from archive.journalling import Journalling, JournalStatus
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Keyring, Wrapped, place_of_file_key
from archive.keys.sealing import KEY_BYTES, Randomness
from archive.keys.versions import wrapping_version
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.vault.locks import alone

_BATCH = 2000
_FILE_KEY, _SECRET = casefile_tables.file_key, ledger_tables.secret

Progress = Callable[[int], None]  # told how many file keys are done


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One master key, and what it wraps."""

    version: int
    file_keys: int
    secrets: int  # of the archive itself, its description among them


@dataclass(frozen=True, slots=True)
class KeyStatus:
    path: str
    kind: str  # how the key file is guarded
    current: int
    versions: tuple[KeyVersion, ...]
    journal: JournalStatus

    @property
    def rotating(self) -> bool:
        """A rotation was begun and not finished."""
        return len(self.versions) > 1

    @property
    def file_keys(self) -> int:
        return sum(each.file_keys for each in self.versions)

    def to_json(self) -> dict[str, Any]:
        return {
            "key_file": self.path,
            "kind": self.kind,
            "current": self.current,
            "rotating": self.rotating,
            "versions": [
                {"version": each.version, "file_keys": each.file_keys, "secrets": each.secrets}
                for each in self.versions
            ],
            "journal": self.journal.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Rotated:
    version: int  # what everything is wrapped with now
    retired: tuple[int, ...]
    rewrapped: int  # file keys, by this call
    resumed: bool  # it finished a rotation that was cut off


@dataclass(frozen=True, slots=True)
class Rotating:
    home: Path
    catalogue: Catalogue
    keyring: Keyring
    key_file: KeyFile
    randomness: Randomness
    journalling: Journalling
    before_retiring: Callable[[Actor], None] = lambda _: None  # what lies elsewhere under the old version

    def status(self) -> KeyStatus:
        """Reads the key file anew. Raises as ``KeyFile.open``."""
        keys = self.key_file.open().keys
        with self.catalogue.reading() as connection:
            file_keys = _used(connection, _FILE_KEY.c.master_version)
            secrets = _used(connection, _SECRET.c.master_version)
        secrets[read_description(self.home).wrapped.version] += 1
        return KeyStatus(
            str(self.key_file.path),
            self.key_file.kind(),
            max(keys),
            tuple(KeyVersion(each, file_keys[each], secrets[each]) for each in sorted(keys)),
            self.journalling.status(),
        )

    def rotate(self, actor: Actor, progress: Progress = lambda _: None) -> Rotated:
        """To a new version; where a rotation was cut off, it is finished instead.

        Raises ARCHIVE_BUSY when another rotation is at work, and as ``KeyFile.open``.
        """
        with alone(self.home / "locks" / "rotation.lock"):
            keys = dict(self.key_file.open().keys)
            resumed = len(keys) > 1
            if not resumed:
                keys[max(keys) + 1] = self.randomness(KEY_BYTES)
                self.key_file.replace(keys, self.randomness)
            self.keyring.keys = {**self.keyring.keys, **keys}
            current = max(keys)
            self._rewrap_secrets(actor, current)
            self._rewrap_description(current)
            rewrapped = self._rewrap_file_keys(current, progress)
            self.journalling.renew()
            self.before_retiring(actor)
            retired = tuple(sorted(keys.keys() - {current}))
            self._conclude(actor, current, retired)
            self.key_file.replace({current: keys[current]}, self.randomness)
            return Rotated(current, retired, rewrapped, resumed)

    def _rewrap_secrets(self, actor: Actor, current: int) -> None:
        """From this commit on nobody wraps with an older version (``wrapping_version``)."""
        with self.catalogue.reading() as connection:
            if wrapping_version(connection) == current:
                return
        with self.catalogue.unit(actor) as unit:
            for row in unit.connection.execute(sa.select(_SECRET)).all():
                wrapped = self._anew(row, row.name)
                unit.connection.execute(
                    sa.update(_SECRET)
                    .where(_SECRET.c.name == row.name)
                    .values(master_version=wrapped.version, box=wrapped.box)
                )
            unit.record(Act.KEY_ROTATION_BEGUN, _subject(current))

    def _rewrap_description(self, current: int) -> None:
        description = read_description(self.home)
        if description.wrapped.version != current:
            place = place_of_archive(description.archive)
            wrapped = self.keyring.wrap(self.keyring.unwrap(description.wrapped, place), place)
            write_description(self.home, replace(description, wrapped=wrapped))

    def _rewrap_file_keys(self, current: int, progress: Progress) -> int:
        """In the order of their ids, a batch a transaction, so that others write in between."""
        done, after = 0, ""
        while True:
            with self.catalogue.housekeeping() as connection:
                rows = connection.execute(
                    sa.select(_FILE_KEY)
                    .where(_FILE_KEY.c.case_file > after, _FILE_KEY.c.master_version < current)
                    .order_by(_FILE_KEY.c.case_file)
                    .limit(_BATCH)
                ).all()
                if not rows:
                    return done
                anew = [(row.case_file, self._anew(row, place_of_file_key(row.case_file))) for row in rows]
                connection.execute(
                    sa.update(_FILE_KEY)
                    .where(_FILE_KEY.c.case_file == sa.bindparam("which"))
                    .values(master_version=sa.bindparam("version"), box=sa.bindparam("wrapped")),
                    [{"which": each, "version": w.version, "wrapped": w.box} for each, w in anew],
                )
            done, after = done + len(rows), rows[-1].case_file
            progress(done)

    def _anew(self, row: sa.Row[Any], place: str) -> Wrapped:
        return self.keyring.wrap(self.keyring.unwrap(Wrapped(row.master_version, row.box), place), place)

    def _conclude(self, actor: Actor, current: int, retired: tuple[int, ...]) -> None:
        """Recorded under the write lock, and only when nothing needs the old versions."""
        if self.journalling.left(current):  # since the secrets are wrapped anew, nobody adds to these
            raise MunimentError(Code.ARCHIVE_BUSY)
        with self.catalogue.unit(actor) as unit:
            if _left(unit, current):
                raise MunimentError(Code.ARCHIVE_BUSY)
            unit.record(
                Act.KEYS_ROTATED, _subject(current), detail={"retired": [str(each) for each in retired]}
            )
        self.catalogue.database.truncate_log()  # old boxes lie in it


def _used(connection: sa.Connection, column: sa.Column[int]) -> Counter[int]:
    rows = connection.execute(sa.select(column, sa.func.count()).group_by(column))
    return Counter({version: count for version, count in rows.all()})  # noqa: C416 - rows are no pairs to mypy


def _left(unit: Unit, current: int) -> int:
    """How many wrapped keys still need an older version."""
    used = _used(unit.connection, _FILE_KEY.c.master_version) + _used(
        unit.connection, _SECRET.c.master_version
    )
    return sum(count for version, count in used.items() if version != current)


def _subject(version: int) -> str:
    return f"master-key:{version}"
