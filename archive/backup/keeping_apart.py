"""The keys of a snapshot, apart from its catalogue: taken out of the copy at backup, put back at restore.

Every newer key part holds the keys of all older ones, so one serves every snapshot. A key leaves the key parts only
when it was marked as shredded, never because it is missing: it may be missing through damage. What is marked is not
restored from any snapshot, so a restore brings no destroyed case file back.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archive.backup.lines import read
from archive.backup.sealing import Sealer
from archive.backup.snapshots import keys_name, newest
from archive.backup.stores import Store
from archive.casefile import tables as casefile_tables
from archive.causes import NO_KEY_LIST
from archive.database.engine import Database
from archive.description import Description, described, read_description
from archive.errors import Code, MunimentError
from archive.ledger import tables as ledger_tables

_SHREDDED = "shredded"


def key_lines(copy: Database, home: Path, keys: Store, sealer: Sealer) -> Iterator[dict[str, Any]]:
    """The lines of a new key part: ``archive.json``, the archive's secrets, the key of each case file.

    Raises ARCHIVE_DAMAGED for an ``archive.json`` that has decayed: it would push the key parts out that are whole.
    """
    gone = shredded(keys)
    yield {"archive": read_description(home).to_json()}
    with copy.reading() as connection:
        for row in connection.execute(sa.select(ledger_tables.secret)):
            yield {"secret": row.name, **_wrapped(row)}
        query = sa.select(casefile_tables.file_key).execution_options(yield_per=1000)
        for row in connection.execute(query):
            if row.case_file not in gone:
                yield {"case_file": row.case_file, **_wrapped(row)}
        yield from _missing(connection, keys, sealer, gone)


def strip(copy: Database) -> None:
    """The copy of the catalogue without any key; what they were is overwritten (``secure_delete``).

    Nor with a full-text index inside: the words of a case file would outlive its key there. It is built anew from the
    archive when a search finds it missing.
    """
    with copy.writing() as connection:
        virtual = "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
        for name in connection.exec_driver_sql(virtual).scalars().all():
            connection.exec_driver_sql(f'DROP TABLE "{name}"')
        connection.execute(sa.delete(casefile_tables.file_key))
        connection.execute(sa.delete(ledger_tables.secret))


def put_back(catalogue: Database, lines: Iterable[Mapping[str, Any]], gone: frozenset[str]) -> None:
    """The keys into a restored catalogue, but for case files that it does not know and those that are gone."""
    with catalogue.writing() as connection:
        for line in lines:
            values = {"master_version": line["master_version"], "box": b64decode(line["box"])}
            if "secret" in line:
                connection.execute(ledger_tables.secret.insert().values(name=line["secret"], **values))
            elif line["case_file"] not in gone and _is_known(connection, line["case_file"]):
                insert = casefile_tables.file_key.insert()
                connection.execute(insert.values(case_file=line["case_file"], **values))


def description_of(lines: Iterator[dict[str, Any]], name: str) -> Description:
    """``archive.json``, the first line of a key part. Raises BACKUP_DAMAGED."""
    document = next(lines, {}).get("archive")
    try:
        return described(document)
    except MunimentError:
        raise MunimentError(Code.BACKUP_DAMAGED, path=name, problem=NO_KEY_LIST) from None


def mark_shredded(keys: Store, case_files: Iterable[str]) -> None:
    """From now on no restore brings these back, and the next key part does without them. The one who destroys a
    case file calls this before saying that it is destroyed.
    """
    for each in case_files:
        keys.put(f"{_SHREDDED}/{each}", [b""])


def shredded(keys: Store) -> frozenset[str]:
    return frozenset(name.rpartition("/")[2] for name in keys.names(_SHREDDED))


def _missing(
    connection: sa.Connection, keys: Store, sealer: Sealer, gone: frozenset[str]
) -> list[dict[str, Any]]:
    """What the newest key part that opens has and the catalogue has no more: usually nothing."""
    for snapshot in newest(keys, "keys"):
        name = keys_name(snapshot)
        try:
            with keys.open(name) as stream:
                return [
                    line
                    for line in read(sealer.open(name, stream), name)
                    if "case_file" in line
                    and line["case_file"] not in gone
                    and not _has_key(connection, line["case_file"])
                ]
        except MunimentError as error:
            if error.code is not Code.BACKUP_DAMAGED:
                raise
            # a rehearsal names it
    return []


def _has_key(connection: sa.Connection, case_file: str) -> bool:
    column = casefile_tables.file_key.c.case_file
    return connection.execute(sa.select(column).where(column == case_file)).first() is not None


def _is_known(connection: sa.Connection, case_file: str) -> bool:
    column = casefile_tables.case_file.c.id
    return connection.execute(sa.select(column).where(column == case_file)).first() is not None


def _wrapped(row: Any) -> dict[str, Any]:
    return {"master_version": row.master_version, "box": b64encode(row.box).decode()}
