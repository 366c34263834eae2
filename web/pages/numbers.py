"""The numbers 编号核对 (P9): that each series runs from 1 without a gap, void ones included."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, render_template

from access.permissions import Permission
from archive.casefile import tables
from archive.casefile.reading import FileState
from archive.casefile.reference import Reference, Series
from web.admitting import admits
from web.visit import Visit, visit

pages = Blueprint("numbers", __name__)

_NAMED = 20


@dataclass(frozen=True, slots=True)
class Run:
    """One series as it is kept. ``missing`` names the first absent numbers: in a whole archive, none."""

    series: Series
    count: int
    highest: int
    void: int
    missing: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return self.count == self.highest


@pages.get("/numbers")
@admits(Permission.SWEEP, Permission.READ_LEDGER)
def series() -> str:
    runs = _runs(visit())
    return render_template("numbers.html", runs=runs, whole=all(each.whole for each in runs))


def _runs(here: Visit) -> list[Run]:
    columns = tables.case_file.c
    key = (columns.year, columns.level, columns.category)
    void = sa.func.sum(sa.case((columns.state == FileState.VOID.value, 1), else_=0))
    query = (
        sa.select(
            *key,
            sa.func.count().label("files"),
            sa.func.max(columns.number).label("highest"),
            void.label("void"),
        )
        .group_by(*key)
        .order_by(columns.year.desc(), columns.level, columns.category)
    )
    with here.house.catalogue.reading() as connection:
        rows = connection.execute(query).all()
        return [
            Run(found, row.files, row.highest, row.void, _missing(connection, found, row.files, row.highest))
            for row in rows
            for found in [Series(row.year, row.level, row.category)]
        ]


def _missing(connection: sa.Connection, series: Series, count: int, highest: int) -> tuple[str, ...]:
    if count == highest:
        return ()
    columns = tables.case_file.c
    query = sa.select(columns.number).where(
        columns.year == series.year, columns.level == series.level, columns.category == series.category
    )
    there = set(connection.execute(query).scalars())
    absent = [number for number in range(1, highest + 1) if number not in there]
    return tuple(str(Reference(series, number)) for number in absent[:_NAMED])
