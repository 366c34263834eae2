"""Counting case files by their facts, in SQL: only of those that the given query selects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import FileState

_FILE = tables.case_file.c


class Status(StrEnum):
    """How a file stands for somebody who looks for one."""

    OPEN = "open"  # no completion date yet
    COMPLETED = "completed"
    VOID = "void"


class Facet(StrEnum):
    YEAR = "year"
    LEVEL = "level"
    CATEGORY = "category"
    STORE = "store"
    STATUS = "status"


_STATUS: Final[sa.ColumnElement[str]] = sa.case(
    (_FILE.state == FileState.VOID.value, Status.VOID.value),
    (_FILE.completed_on.is_(None), Status.OPEN.value),
    else_=Status.COMPLETED.value,
)
_VALUE: Final[Mapping[Facet, sa.ColumnElement[Any]]] = {
    Facet.YEAR: _FILE.year,
    Facet.LEVEL: _FILE.level,
    Facet.CATEGORY: _FILE.category,
    Facet.STORE: _FILE.store,
    Facet.STATUS: _STATUS,
}


@dataclass(frozen=True, slots=True)
class Count:
    value: str
    files: int


def narrowed(query: sa.Select[Any], chosen: Mapping[Facet, str]) -> sa.Select[Any]:
    """``query`` selects ids; of these, those with the chosen values. A year that is none selects nothing."""
    for facet, value in chosen.items():
        given: int | str = value
        if facet is Facet.YEAR:
            given = int(value) if value.isascii() and value.isdecimal() and len(value) == 4 else 0
        query = query.where(_VALUE[facet] == given)
    return query


def total(connection: sa.Connection, ids: sa.Select[Any]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(ids.subquery())).scalar_one())


def counts(connection: sa.Connection, ids: sa.Select[Any], facet: Facet, most: int = 12) -> Sequence[Count]:
    """How many of the files have each value; the most frequent first, years newest first."""
    value = _VALUE[facet]
    files = sa.func.count()
    query = sa.select(value.label("value"), files.label("files")).where(_FILE.id.in_(ids)).group_by(value)
    order = [value.desc()] if facet is Facet.YEAR else [files.desc(), value]
    rows = connection.execute(query.order_by(*order).limit(most))
    return [Count(str(row.value), row.files) for row in rows]
