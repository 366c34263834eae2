"""The retention schedule: from which day on a file may be disposed of (P13.3).

Periods are counted as the Civil Code of China counts years (articles 201 and 202): the day of completion
itself does not count; the period ends with the same calendar day N years later, or with the last day of that
month where the year has no such day; and it runs to the end of its last day. So the first day on which a file
may go is the day after the anniversary, never earlier:

    completed     years   the period ends with   due on
    2024-03-01      2     2026-03-01             2026-03-02
    2024-02-28      2     2026-02-28             2026-03-01
    2024-02-29      2     2026-02-28             2026-03-01
    2024-02-29     10     2034-02-28             2034-03-01
    2024-02-29      4     2028-02-29             2028-03-01
    2024-12-31      5     2029-12-31             2030-01-01
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Protocol

from archive.casefile.reading import FileState
from archive.keys.filekey import CaseFileId
from archive.scheme.scheme import Scheme

_DAY = timedelta(days=1)


def due_date(completed_on: date | None, years: int) -> date | None:
    """The first day on which the file may be disposed of, ``years`` (1 or more) after its completion.

    None when it is not completed, or when that day is beyond the year 9999 and cannot come.
    """
    if years < 1:
        raise ValueError("a retention period is a year at least")
    if completed_on is None or completed_on.year + years > date.max.year:
        return None
    anniversary = _same_day(completed_on, completed_on.year + years)
    return None if anniversary == date.max else anniversary + _DAY


def latest_completion(due_by: date, years: int) -> date | None:
    """The other way round: a file completed on this day or before is due by ``due_by``. None: no day is."""
    if years < 1:
        raise ValueError("a retention period is a year at least")
    if due_by == date.min:
        return None
    ended = due_by - _DAY  # the last anniversary that is over by then
    if ended.year - years < date.min.year:
        return None
    latest = _same_day(ended, ended.year - years)
    # 28 February is also the anniversary of 29 February, in a year without one.
    following = latest + _DAY
    return following if _same_day(following, ended.year) == ended else latest


def _same_day(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28)


class Scheduled(Protocol):
    """What the schedule needs to know of a file; a ``CaseFile`` knows it."""

    @property
    def id(self) -> CaseFileId: ...
    @property
    def reference(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def state(self) -> FileState: ...
    @property
    def completed_on(self) -> date | None: ...
    @property
    def permanent(self) -> str | None: ...
    @property
    def voided_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """The periods of a scheme, in the zone where the organisation's days begin and end."""

    scheme: Scheme
    zone: tzinfo

    def starts_on(self, file: Scheduled) -> date | None:
        """From when the period counts: completion, or voiding for a void file that was never completed.

        A void file keeps the period of its level, for it is kept whole like any other (P9); without the
        second rule a complaint that was registered by mistake would be kept for ever.
        """
        if file.completed_on is not None or file.state is not FileState.VOID or file.voided_at is None:
            return file.completed_on
        return file.voided_at.astimezone(self.zone).date()

    def years(self, level: str) -> int | None:
        """None for a level that the scheme does not have (any more)."""
        return next((each.retention_years for each in self.scheme.levels if each.name == level), None)

    def due_on(self, file: Scheduled) -> date | None:
        """None: permanent, not completed, of an unknown level, or beyond the calendar. Never due, then."""
        years = self.years(file.level)
        if file.permanent is not None or years is None:
            return None
        return due_date(self.starts_on(file), years)
