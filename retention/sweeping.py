"""The sweep: which files are due for disposal on a day, and what keeps some of them back (P13.3).

A sweep only tells; nothing is destroyed here. ``plan_sweep`` is the pure part. ``Sweeps`` reads the
catalogue, where SQL picks the files that may be due out of the many that cannot be, and records the sweep.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta, tzinfo

import sqlalchemy as sa

from archive.casefile.reading import FileState
from archive.casefile.tables import case_file
from archive.database.catalogue import Catalogue
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.scheme.scheme import Scheme
from retention.holds import Hold, Holds
from retention.plan import Due, Ground, Held, SweepPlan, Tally
from retention.schedule import Schedule, Scheduled, latest_completion
from retention.selecting import counts_from_voiding

UPCOMING = timedelta(days=90)

# The files that somebody asked for or is reading, each with the numbers of those requests.
InUse = Callable[[], Mapping[CaseFileId, Sequence[str]]]


def plan_sweep(
    files: Iterable[Scheduled],
    schedule: Schedule,
    holds: Mapping[CaseFileId, tuple[Hold, ...]],
    in_use: Mapping[CaseFileId, Sequence[str]],
    as_of: date,
) -> SweepPlan:
    """What the sweep of ``as_of`` finds among ``files``: a file due on ``as_of`` or before is due or held."""
    due: list[Due] = []
    held: list[Held] = []
    upcoming: list[Due] = []
    rest = Tally()
    horizon = _horizon(as_of)
    for file in files:
        found = _placed(file, schedule)
        if isinstance(found, Tally):
            rest += found
        elif found.due_on > horizon:
            rest += Tally(later=1)
        elif found.due_on > as_of:
            upcoming.append(found)
        elif holds.get(file.id) or in_use.get(file.id):
            held.append(Held.back(found, holds.get(file.id, ()), in_use.get(file.id, ())))
        else:
            due.append(found)
    return SweepPlan(
        as_of,
        tuple(sorted(due, key=_by_date)),
        tuple(sorted(held, key=_by_date)),
        tuple(sorted(upcoming, key=_by_date)),
        rest,
    )


def _placed(file: Scheduled, schedule: Schedule) -> Due | Tally:
    if file.permanent is not None:
        return Tally(permanent=1)
    if schedule.years(file.level) is None:
        return Tally(unscheduled=1)
    if schedule.starts_on(file) is None:
        return Tally(not_completed=1)
    due_on = schedule.due_on(file)
    if due_on is None:  # beyond the calendar
        return Tally(later=1)
    ground = Ground.VOIDED if file.completed_on is None else Ground.COMPLETED
    return Due(file.id, file.reference, file.level, file.completed_on, due_on, ground)


def _by_date(each: Due) -> tuple[date, str]:
    return each.due_on, each.reference


def _horizon(as_of: date) -> date:
    return as_of + min(UPCOMING, date.max - as_of)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The few columns of a case file that the schedule needs."""

    id: CaseFileId
    reference: str
    level: str
    state: FileState
    completed_on: date | None
    permanent: str | None
    voided_at: datetime | None


class Sweeps:
    """Sweeps the archive. ``in_use`` tells which files somebody has asked for or is reading."""

    def __init__(
        self, catalogue: Catalogue, holds: Holds, scheme: Scheme, *, zone: tzinfo, in_use: InUse
    ) -> None:
        self._catalogue = catalogue
        self._holds = holds
        self._schedule = Schedule(scheme, zone)
        self._in_use = in_use

    def sweep(self, actor: Actor, as_of: date, *, record: bool = True) -> SweepPlan:
        """Recorded with its counts before anyone sees it.

        ``record=False`` is for a glance at the figures, on which nobody acts.
        """
        candidates, rest = self._read(as_of)
        # Read after the files, so that a hold or request that comes in between still keeps its file.
        holds, in_use = self._holds.all_active(), self._in_use()
        plan = plan_sweep(candidates, self._schedule, holds, in_use, as_of)
        plan = replace(plan, rest=plan.rest + rest)
        if record:
            with self._catalogue.unit(actor) as unit:
                unit.record(Act.SWEPT, f"sweep:{as_of.isoformat()}", detail=plan.counts())
        return plan

    def _read(self, as_of: date) -> tuple[list[_Candidate], Tally]:
        """The files that may be due or upcoming, and how many others there are, in one snapshot."""
        columns = [case_file.c[each.name] for each in fields(_Candidate)]
        # One query a branch: joined by OR they would be answered by reading every row.
        branches = [
            sa.select(*columns).where(_kept_for_a_time(), each) for each in self._branches(_horizon(as_of))
        ]
        with self._catalogue.reading() as connection:
            candidates = [
                _Candidate(CaseFileId(row[0]), row[1], row[2], FileState(row[3]), *row[4:])
                for row in connection.execute(sa.union_all(*branches))
            ]
            row = connection.execute(self._counts()).one()
        later = row.files - row.permanent - row.unscheduled - row.not_completed - len(candidates)
        return candidates, Tally(row.permanent, row.not_completed, later, row.unscheduled)

    def _branches(self, horizon: date) -> Iterator[sa.ColumnElement[bool]]:
        """What may be due by ``horizon``: of each level, and all that counts from voiding, a few."""
        for level in self._schedule.scheme.levels:
            latest = latest_completion(horizon, level.retention_years)
            if latest is not None:
                yield sa.and_(case_file.c.level == level.name, case_file.c.completed_on <= latest)
        yield sa.and_(self._scheduled(), counts_from_voiding())

    def _counts(self) -> sa.Executable:
        def of(name: str, *conditions: sa.ColumnElement[bool]) -> sa.Label[int]:
            return sa.func.count(sa.case((sa.and_(*conditions), 1))).label(name)

        never_started = (case_file.c.completed_on.is_(None), sa.not_(counts_from_voiding()))
        return sa.select(
            sa.func.count().label("files"),
            of("permanent", case_file.c.permanent.is_not(None)),
            of("unscheduled", _kept_for_a_time(), sa.not_(self._scheduled())),
            of("not_completed", _kept_for_a_time(), self._scheduled(), *never_started),
        ).select_from(case_file)

    def _scheduled(self) -> sa.ColumnElement[bool]:
        return case_file.c.level.in_([level.name for level in self._schedule.scheme.levels])


def _kept_for_a_time() -> sa.ColumnElement[bool]:
    return case_file.c.permanent.is_(None)
