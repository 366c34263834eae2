"""Numbers that two objects claim: an act that was cut off never used its number up, so the next was given it too.

Nobody can tell any more whether the first was committed in the very last moment, so both stand: what is kept for a
reason that nobody gave is kept, what is destroyed against one that was given is gone. The later keeps the number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.record import Record, Row

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Renumbered:
    """What ``table`` says of the case file ``object`` has another number now."""

    table: str
    object: str
    was: int
    now: int


def numbered(others: Iterable[sa.Table]) -> dict[str, sa.Column[Any]]:
    """Of those tables whose rows bear a number of their own: the column that holds it."""
    keys = {table.name: table.primary_key.columns.values() for table in others}
    return {name: key[0] for name, key in keys.items() if len(key) == 1 and _is_number(key[0])}


def fresh(
    connection: sa.Connection, columns: Mapping[str, sa.Column[Any]], claiming: Sequence[Record]
) -> dict[str, Iterator[int]]:
    """Numbers, by table, that neither the catalogue has nor one of those who are not in it yet."""
    return {name: count(_highest(connection, column, claiming) + 1) for name, column in columns.items()}


def make_room(
    connection: sa.Connection,
    record: Record,
    columns: Mapping[str, sa.Column[Any]],
    free: Mapping[str, Iterator[int]],
) -> tuple[Record, list[Renumbered]]:
    """The record with numbers that nobody has; where it is the later claim, the row that is there gets another."""
    rows, done = dict(record.rows), []
    for name in rows.keys() & columns.keys():
        kept = []
        for row in rows[name]:
            mine, renumbered = _settled(connection, record, row, columns[name], free[name])
            kept.append(mine)
            done += renumbered
        rows[name] = kept
    return Record(record.case_file, record.documents, rows, record.checkpoint), done


def _settled(
    connection: sa.Connection, record: Record, row: Row, number: sa.Column[Any], free: Iterator[int]
) -> tuple[Row, list[Renumbered]]:
    table, was = number.table, row[number.name]
    there = connection.execute(sa.select(table).where(number == was)).mappings().first()
    if there is None:
        return row, []
    now = next(free)
    if _latest(there.values()) > _latest(row.values()):
        return {**row, number.name: now}, [
            Renumbered(str(table.name), str(record.case_file["reference"]), was, now)
        ]
    connection.execute(sa.update(table).where(number == was).values({number.name: now}))
    other = sa.select(tables.case_file.c.reference).where(tables.case_file.c.id == there["case_file"])
    return row, [Renumbered(str(table.name), connection.execute(other).scalar_one(), was, now)]


def _latest(values: Iterable[Any]) -> datetime:
    return max((each for each in values if isinstance(each, datetime)), default=_NEVER)


def _highest(connection: sa.Connection, column: sa.Column[Any], claiming: Sequence[Record]) -> int:
    claimed: list[int] = [
        row[column.name] for each in claiming for row in each.rows.get(column.table.name, ())
    ]
    return max(int(connection.execute(sa.select(sa.func.max(column))).scalar() or 0), 0, *claimed)


def _is_number(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.Integer)
