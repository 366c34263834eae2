"""Counting case files by their facts, in SQL: only of those that the given query selects."""

from collections import Counter
from collections.abc import Mapping
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
    """``query`` selects case files; of these, those with the chosen values. A year that is none selects nothing."""
    for facet, value in chosen.items():
        given: int | str = value
        if facet is Facet.YEAR:
            given = int(value) if value.isascii() and value.isdecimal() and len(value) == 4 else 0
        query = query.where(_VALUE[facet] == given)
    return query


def counts(
    connection: sa.Connection, query: sa.Select[Any], most: int = 12
) -> tuple[int, dict[Facet, list[Count]]]:
    """How many files there are, and how many have each value: the most frequent first, years newest first.

    One pass over the files: there are few combinations of values, however many files.
    """
    values = [_VALUE[each].label(each.value) for each in Facet]
    grouped = query.with_only_columns(*values, sa.func.count().label("files")).group_by(*values)
    total = 0
    tallies: dict[Facet, Counter[str]] = {each: Counter() for each in Facet}
    for row in connection.execute(grouped).mappings():
        total += row["files"]
        for facet, tally in tallies.items():
            tally[str(row[facet.value])] += row["files"]
    return total, {facet: _ordered(facet, tally)[:most] for facet, tally in tallies.items()}


def _ordered(facet: Facet, tally: Counter[str]) -> list[Count]:
    found = [Count(value, files) for value, files in sorted(tally.items())]
    if facet is Facet.YEAR:
        return found[::-1]
    return sorted(found, key=lambda each: -each.files)
