"""Recording: the sealed record goes into the same version of the object as what it tells of.

Files come before rows, so whatever the catalogue acknowledges about a case file is in the vault already.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.record import Record, Row, seal
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue
from archive.keys.filekey import CaseFileId, FileKey
from archive.ledger.log import latest_checkpoint
from archive.vault.staging import Staging


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record in the vault, as the catalogue knows it."""

    version: int  # of the object that brought it
    name: str
    size: int  # bytes
    sha512: str

    @property
    def path(self) -> str:
        """From the folder of the object."""
        return f"v{self.version}/content/{self.name}"

    def authentic(self, key: FileKey, sha512: bytes) -> bool:  # noqa: ARG002 - as ``Content``
        """Its seal proves the rest, when it is opened."""
        return sha512.hex() == self.sha512


@dataclass(frozen=True, slots=True)
class Recording:
    """``others`` are the tables, of every part of the house, whose rows belong to a case file (column ``case_file``)
    and are no more to be had when the catalogue is lost.
    """

    catalogue: Catalogue
    others: tuple[sa.Table, ...]

    def of(self, case_file: CaseFileId) -> Record | None:
        """What the catalogue says now, with the ledger's newest checkpoint; none when it does not know the file."""
        with self.catalogue.reading() as connection:
            row = (
                connection.execute(_of(tables.case_file, tables.case_file.c.id, case_file)).mappings().first()
            )
            if row is None:
                return None
            return Record(
                dict(row),
                _rows(connection, tables.document, case_file),
                {each.name: _rows(connection, each, case_file) for each in self.others},
                latest_checkpoint(connection),
            )

    def begun(self, case_file: Row, documents: Sequence[Row], rows: Mapping[str, Sequence[Row]]) -> Record:
        """The record of a case file that the catalogue does not know yet."""
        with self.catalogue.reading() as connection:
            return Record(case_file, documents, rows, latest_checkpoint(connection))

    def put(self, staging: Staging, record: Record, key: FileKey) -> dict[str, Any]:
        """Into the version in the making; the row that tells the catalogue of it."""
        name = Reference.parse(record.case_file["reference"]).record
        stored = staging.put(name, BytesIO(seal(record, key)))
        return {
            "case_file": key.case_file,
            "version": record.case_file["version"],
            "size": stored.size,
            "sha512": stored.sha512.hex(),
        }


def changed(
    record: Record, case_file: Row, documents: Sequence[Row], rows: Mapping[sa.Table, Iterable[Row]]
) -> Record:
    """The record after an act: ``rows`` are new, or replace those with the same primary key."""
    others = {name: list(each) for name, each in record.rows.items()}
    for table, given in rows.items():
        keys = table.primary_key.columns.keys()
        merged = {tuple(row[key] for key in keys): row for row in (*others.get(table.name, ()), *given)}
        others[table.name] = list(merged.values())
    return Record(
        {**record.case_file, **case_file}, [*record.documents, *documents], others, record.checkpoint
    )


def recorded(connection: sa.Connection, case_file: CaseFileId, reference: str) -> tuple[Recorded, ...]:
    """Every record of a case file, oldest first; none of those from before there were records."""
    row, name = tables.record.c, Reference.parse(reference).record
    query = (
        sa.select(row.version, row.size, row.sha512).where(row.case_file == case_file).order_by(row.version)
    )
    return tuple(Recorded(each.version, name, each.size, each.sha512) for each in connection.execute(query))


def unrecorded() -> sa.Select[tuple[str]]:
    """The ids of case files whose newest version has no record: filed before there were records."""
    file, row = tables.case_file.c, tables.record.c
    known = sa.select(row.case_file).where(row.case_file == file.id, row.version == file.version)
    return sa.select(file.id).where(~known.exists())


def _of(table: sa.Table, column: sa.Column[Any], case_file: CaseFileId) -> sa.Select[Any]:
    return sa.select(table).where(column == case_file).order_by(*table.primary_key.columns)


def _rows(connection: sa.Connection, table: sa.Table, case_file: CaseFileId) -> list[Row]:
    found = connection.execute(_of(table, table.c.case_file, case_file)).mappings()
    return [dict(each) for each in found]
