"""The proof that numbers run in order, none skipped, none missing (P9)."""

from dataclasses import dataclass
from itertools import groupby

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import FileState
from archive.casefile.reference import Series


@dataclass(frozen=True, slots=True)
class Run:
    """The numbers of one series. Void files count: they keep their number."""

    series: Series
    last: int
    files: int
    void: int
    missing: tuple[int, ...]


def runs(connection: sa.Connection) -> tuple[Run, ...]:
    """Every series with the numbers that are missing between 1 and its last."""
    columns = tables.case_file.c
    key = (columns.year, columns.level, columns.category)
    rows = connection.execute(sa.select(*key, columns.number, columns.state).order_by(*key, columns.number))
    result = []
    for (year, level, category), group in groupby(rows, key=lambda row: (row[0], row[1], row[2])):
        files = list(group)
        taken = {row.number for row in files}
        last = max(taken)
        missing = tuple(number for number in range(1, last + 1) if number not in taken)
        void = sum(row.state == FileState.VOID.value for row in files)
        result.append(Run(Series(year, level, category), last, len(files), void, missing))
    return tuple(result)


def last_number(connection: sa.Connection, series: Series) -> int:
    """The highest number taken in the series; 0 when there is none."""
    columns = tables.case_file.c
    query = sa.select(sa.func.max(columns.number)).where(
        columns.year == series.year, columns.level == series.level, columns.category == series.category
    )
    return connection.execute(query).scalar() or 0
