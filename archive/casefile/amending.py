"""Amending: what changes in a case file after it was filed becomes a new version of its object, then the catalogue's.

Every version brings a new sealed record, many bring nothing else (a completion, a hold). The record and the
catalogue's rows are made of the same values, so they cannot differ.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles, FileState
from archive.casefile.record import Row
from archive.casefile.recording import Recording, changed
from archive.casefile.recovering import make_way, undo
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue, Unit
from archive.errors import Code, MunimentError
from archive.keys.filekey import FileKey
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Detail
from archive.vault.inventory import Change
from archive.vault.port import Vault
from archive.vault.staging import Staging


@dataclass(frozen=True, slots=True)
class Draft:
    """A version in the making: documents are put into ``staging``; ``at`` is the time for rows."""

    staging: Staging
    key: FileKey
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Amendment:
    """``message`` stands in the object's inventory, for readers without the catalogue: no personal data."""

    message: str
    act: Act
    detail: Detail | None = None
    case_file: Row = field(default_factory=dict)  # columns that change
    documents: Sequence[Row] = ()  # new ones
    rows: Mapping[sa.Table, Sequence[Row]] = field(
        default_factory=dict
    )  # new, or instead of those with their key


# Given the case file as it will be, and the act: what belongs around the commit, once the version is in the vault.
Around = Callable[[CaseFile, Act], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Amending:
    catalogue: Catalogue
    vault: Vault
    case_files: CaseFiles
    recording: Recording
    around: Around = lambda _case_file, _act: nullcontext()

    def amend(self, actor: Actor, case_file: CaseFile, make: Callable[[Draft], Amendment]) -> None:
        """All of it or nothing. The caller holds the lock of the series, and read the case file under it.

        Raises ARCHIVE_BUSY when somebody changed it all the same: the lock was not kept. CATALOGUE_OLDER.
        """
        key = self.case_files.key_of(case_file)
        version, reference = case_file.version + 1, Reference.parse(case_file.reference)
        make_way(self.catalogue, self.vault, reference, case_file.version)
        with self.vault.staging(adds_to=case_file.reference) as staging:
            at = self.catalogue.clock()
            amendment = make(Draft(staging, key, version, at))
            recorded = self._record(staging, case_file, key, amendment)
            brings = {name: each.sha512.hex() for name, each in staging.stored.items()}
            try:
                change = Change(at, amendment.message, actor, brings)
                self.vault.add_version(staging, reference.folder, version, change)
                with (
                    self.around(_amended(case_file, amendment), amendment.act),
                    self.catalogue.unit(actor) as unit,
                ):
                    _write(unit, case_file, amendment)
                    unit.connection.execute(tables.record.insert().values(recorded))
                    unit.record(amendment.act, case_file.reference, detail=amendment.detail, key=key)
                staging.settled = True
            except BaseException as error:
                undo(self.catalogue, self.vault, reference, staging, error)
                raise

    def _record(self, staging: Staging, case_file: CaseFile, key: FileKey, amendment: Amendment) -> Row:
        before = self.recording.of(case_file.id)
        if before is None or before.case_file["version"] != case_file.version:
            raise MunimentError(Code.ARCHIVE_BUSY)
        row = {**amendment.case_file, "version": case_file.version + 1}
        after = changed(before, row, amendment.documents, amendment.rows)
        return self.recording.put(staging, after, key)


def _amended(case_file: CaseFile, amendment: Amendment) -> CaseFile:
    values = {**amendment.case_file, "version": case_file.version + 1}
    return replace(case_file, **{**values, "state": FileState(values.get("state", case_file.state))})


def _write(unit: Unit, case_file: CaseFile, amendment: Amendment) -> None:
    columns, connection = tables.case_file.c, unit.connection
    done = connection.execute(
        sa.update(tables.case_file)
        .where(columns.id == case_file.id, columns.version == case_file.version)
        .values({**amendment.case_file, "version": case_file.version + 1})
    )
    if done.rowcount != 1:
        raise MunimentError(Code.ARCHIVE_BUSY)
    for row in amendment.documents:
        connection.execute(tables.document.insert().values(row))
    for table, rows in amendment.rows.items():
        for row in rows:
            keys = table.primary_key.columns.keys()
            connection.execute(
                insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=dict(row))
            )
