"""The proof that numbers run in order, none skipped, none missing (P9)."""

from collections import defaultdict
from dataclasses import dataclass

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import FileState
from archive.casefile.reference import Reference, Series
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act

_FILE = tables.case_file.c
_TAKEN = tuple(each.value for each in (Act.FILED, Act.IMPORTED, Act.FILE_REBUILT, Act.NOT_REBUILT))
_KEY = (_FILE.year, _FILE.level, _FILE.category)


@dataclass(frozen=True, slots=True)
class Run:
    """The numbers of one series. Void files count: they keep their number."""

    series: Series
    last: int
    files: int
    void: int
    missing: tuple[int, ...]  # in a whole archive, none

    @property
    def whole(self) -> bool:
        return not self.missing


def runs(connection: sa.Connection) -> tuple[Run, ...]:
    """Every series, newest year first, with what is missing from 1 to the last number.

    The last number is the highest in the catalogue or in the ledger: a row that vanished from the end of a series is
    missed too, because its filing is recorded.
    """
    void = sa.func.sum(sa.case((_FILE.state == FileState.VOID.value, 1), else_=0))
    query = (
        sa.select(
            *_KEY, sa.func.count().label("files"), sa.func.max(_FILE.number).label("last"), void.label("void")
        )
        .group_by(*_KEY)
        .order_by(_FILE.year.desc(), _FILE.level, _FILE.category)
    )
    kept = {Series(row.year, row.level, row.category): row for row in connection.execute(query)}
    vanished = _vanished(connection)
    found = []
    for series in [*kept, *(each for each in vanished if each not in kept)]:
        row = kept.get(series)
        files, last = (row.files, row.last) if row else (0, 0)
        last = max(last, *vanished[series]) if series in vanished else last
        missing = () if files == last else _missing(connection, series, last)
        found.append(Run(series, last, files, row.void if row else 0, missing))
    return tuple(found)


def _missing(connection: sa.Connection, series: Series, last: int) -> tuple[int, ...]:
    query = sa.select(_FILE.number).where(
        _FILE.year == series.year, _FILE.level == series.level, _FILE.category == series.category
    )
    there = set(connection.execute(query).scalars())
    return tuple(number for number in range(1, last + 1) if number not in there)


def _vanished(connection: sa.Connection) -> dict[Series, list[int]]:
    """Numbers whose filing the ledger recorded and the catalogue does not know."""
    entry = ledger_tables.entry.c
    query = sa.select(entry.subject).where(
        entry.act.in_(_TAKEN), entry.subject.not_in(sa.select(_FILE.reference))
    )
    found: dict[Series, list[int]] = defaultdict(list)
    for subject in connection.execute(query).scalars():
        reference = Reference.parse(subject)
        found[reference.series].append(reference.number)
    return found


def last_number(connection: sa.Connection, series: Series) -> int:
    """The highest number taken in the series; 0 when there is none. One whose file could not be rebuilt stays taken:
    the object still lies in the vault.
    """
    query = sa.select(sa.func.max(_FILE.number)).where(
        _FILE.year == series.year, _FILE.level == series.level, _FILE.category == series.category
    )
    entry = ledger_tables.entry.c
    lost = sa.select(entry.subject).where(entry.act == Act.NOT_REBUILT.value)
    numbers = [
        each.number
        for each in map(Reference.parse, connection.execute(lost).scalars())
        if each.series == series
    ]
    return max(connection.execute(query).scalar() or 0, *numbers, 0)
