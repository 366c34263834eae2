"""What retention knows of a file, as conditions on the catalogue, for those who look for files by it."""

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import FileState
from retention.schedule import Schedule, latest_completion
from retention.tables import hold

_FILE = tables.case_file.c
_DAY = timedelta(days=1)


class Selecting:
    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def held(self) -> sa.ColumnElement[bool]:
        """Under a hold now."""
        return _FILE.id.in_(sa.select(hold.c.case_file).where(hold.c.lifted_at.is_(None)))

    def due(self, first: date | None, last: date | None) -> sa.ColumnElement[bool]:
        """With a due date in these days, both counted; open at an end without one. As ``Schedule.due_on`` has it."""
        due = self._due_by(date.max if last is None else last)
        if first is not None and first > date.min:
            due = sa.and_(due, sa.not_(self._due_by(first - _DAY)))
        return due

    def _due_by(self, day: date) -> sa.ColumnElement[bool]:
        levels = [
            sa.and_(_FILE.level == level.name, self._started_by(latest))
            for level in self._schedule.scheme.levels
            if (latest := latest_completion(day, level.retention_years)) is not None
        ]
        return sa.and_(_FILE.permanent.is_(None), sa.or_(sa.false(), *levels))

    def _started_by(self, latest: date) -> sa.ColumnElement[bool]:
        """Completed by then, or voided by then and never completed. ``latest`` is a year before the last, at most."""
        completed = sa.and_(_FILE.completed_on.is_not(None), _FILE.completed_on <= latest)
        midnight = datetime.combine(latest + _DAY, time.min, self._schedule.zone)
        return sa.or_(completed, sa.and_(counts_from_voiding(), _FILE.voided_at < midnight))


def counts_from_voiding() -> sa.ColumnElement[bool]:
    """As ``Schedule.starts_on`` has it: void, and never completed."""
    return sa.and_(
        _FILE.completed_on.is_(None),
        _FILE.voided_at.is_not(None),
        _FILE.state == FileState.VOID.value,
    )
