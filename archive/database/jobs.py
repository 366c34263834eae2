"""Jobs of one kind in the catalogue itself: leased, tried again, done exactly once.

A worker leases a job for a while and renews the lease as it goes; a worker that was killed loses it, and another
goes on. What a job leads to is written in the same transaction as ``finish``, which refuses a worker whose lease
went to another meanwhile: so the effects come about once, however often the work was begun.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from archive.database import tables
from archive.database.catalogue import Catalogue
from archive.keys.sealing import Randomness

_JOB = tables.job.c
_ADDED_AT_ONCE: Final = 500
ATTEMPTS: Final = 3
LEASE: Final = timedelta(minutes=10)
_WAIT: Final = timedelta(minutes=1)  # before the second attempt; five times as long before the next


class JobState(StrEnum):
    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was leased. ``last``: there is no attempt after this one."""

    id: int
    subject: str
    lease: str
    last: bool


class LeaseLostError(Exception):
    """Another worker has the job by now: nothing more may be written for it."""


class Jobs:
    """The jobs of one kind. Safe for several threads and processes."""

    def __init__(self, kind: str, catalogue: Catalogue, randomness: Randomness) -> None:
        self._kind = kind
        self._catalogue = catalogue
        self._randomness = randomness

    def add(self, connection: sa.Connection, priorities: Mapping[str, int]) -> int:
        """One for each subject that has none yet; how many those were. Within a writing transaction."""
        wanted = list(priorities)
        added = 0
        for start in range(0, len(wanted), _ADDED_AT_ONCE):
            some = wanted[start : start + _ADDED_AT_ONCE]
            there = sa.select(_JOB.subject).where(self._mine, _JOB.subject.in_(some))
            known = set(connection.execute(there).scalars())
            rows = [self._row(each, priorities[each]) for each in some if each not in known]
            if rows:
                connection.execute(tables.job.insert(), rows)
            added += len(rows)
        return added

    def lease(self) -> Job | None:
        """The most urgent job that is due, for ``LEASE``; none when there is none."""
        with self._catalogue.housekeeping() as connection:
            now = self._catalogue.clock()
            due = sa.or_(
                sa.and_(_JOB.state == JobState.WAITING, _JOB.due_at <= now),
                sa.and_(_JOB.state == JobState.LEASED, _JOB.leased_until < now),
            )
            query = (
                sa.select(_JOB.id, _JOB.subject, _JOB.attempts)
                .where(self._mine, due)
                .order_by(_JOB.priority.desc(), _JOB.id.desc())
                .limit(1)
            )
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            job = Job(row.id, row.subject, self._randomness(16).hex(), row.attempts + 1 >= ATTEMPTS)
            connection.execute(
                tables.job.update()
                .where(_JOB.id == job.id)
                .values(
                    state=JobState.LEASED.value,
                    lease=job.lease,
                    leased_until=now + LEASE,
                    attempts=row.attempts + 1,
                )
            )
            return job

    def renew(self, connection: sa.Connection, job: Job) -> None:
        """Raises LeaseLostError: whatever else the transaction holds must not be kept."""
        self._change(connection, job, leased_until=self._catalogue.clock() + LEASE)

    def finish(self, connection: sa.Connection, job: Job, problem: str | None = None) -> None:
        """Done, or given up over ``problem``. Raises LeaseLostError."""
        state = JobState.DONE if problem is None else JobState.FAILED
        self._change(connection, job, state=state.value, lease=None, leased_until=None, problem=problem)

    def put_back(self, connection: sa.Connection, job: Job, problem: str | None) -> None:
        """To be tried again; at once, and without counting this attempt, where there was no problem."""
        values: dict[str, object] = {"state": JobState.WAITING.value, "lease": None, "leased_until": None}
        if problem is None:
            values["attempts"] = _JOB.attempts - 1
        else:
            attempts = connection.execute(sa.select(_JOB.attempts).where(_JOB.id == job.id)).scalar_one()
            values["due_at"] = self._catalogue.clock() + _WAIT * 5 ** (attempts - 1)
        self._change(connection, job, **values, problem=problem)

    def hasten(self, subjects: Iterable[str], priority: int) -> None:
        """Somebody waits for these."""
        with self._catalogue.housekeeping() as connection:
            connection.execute(
                tables.job.update()
                .where(self._mine, _JOB.subject.in_(list(subjects)), _JOB.state == JobState.WAITING)
                .values(priority=priority, due_at=self._catalogue.clock())
            )

    def retry(self) -> int:
        """All that failed are tried anew; how many those are."""
        with self._catalogue.housekeeping() as connection:
            changed = connection.execute(
                tables.job.update()
                .where(self._mine, _JOB.state == JobState.FAILED)
                .values(state=JobState.WAITING.value, attempts=0, due_at=self._catalogue.clock())
            )
            return int(changed.rowcount)

    def counts(self, connection: sa.Connection) -> dict[JobState, int]:
        query = sa.select(_JOB.state, sa.func.count()).where(self._mine).group_by(_JOB.state)
        found = {JobState(state): int(count) for state, count in connection.execute(query)}
        return {each: found.get(each, 0) for each in JobState}

    def undone(self) -> sa.Select[tuple[str]]:
        """The subjects of those that wait, are worked on or were given up."""
        return sa.select(_JOB.subject).where(self._mine, _JOB.state.in_(set(JobState) - {JobState.DONE}))

    def problems(self, connection: sa.Connection) -> list[tuple[str, str]]:
        """Subject and problem of each that was given up."""
        query = sa.select(_JOB.subject, _JOB.problem).where(self._mine, _JOB.state == JobState.FAILED)
        return [(row.subject, row.problem) for row in connection.execute(query.order_by(_JOB.id))]

    def waiting(self, connection: sa.Connection, most: int) -> list[str]:
        """The subjects of those that are to be done next, in order."""
        query = sa.select(_JOB.subject).where(self._mine, _JOB.state == JobState.WAITING)
        order = query.order_by(_JOB.priority.desc(), _JOB.id.desc()).limit(most)
        return list(connection.execute(order).scalars())

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        return _JOB.kind == self._kind

    def _row(self, subject: str, priority: int) -> dict[str, object]:
        return {
            "kind": self._kind,
            "subject": subject,
            "priority": priority,
            "state": JobState.WAITING.value,
            "due_at": self._catalogue.clock(),
            "attempts": 0,
        }

    def _change(self, connection: sa.Connection, job: Job, **values: object) -> None:
        changed = connection.execute(
            tables.job.update().where(_JOB.id == job.id, _JOB.lease == job.lease).values(**values)
        )
        if changed.rowcount != 1:
            raise LeaseLostError


def followed(connection: sa.Connection, name: str) -> int:
    """The position of the first ledger entry that this follower has not followed yet."""
    query = sa.select(tables.follower.c.position).where(tables.follower.c.name == name)
    return connection.execute(query).scalar() or 0


def follow_to(connection: sa.Connection, name: str, position: int) -> None:
    """Within a writing transaction, together with what came of the entries before ``position``."""
    changed = connection.execute(
        tables.follower.update().where(tables.follower.c.name == name).values(position=position)
    )
    if not changed.rowcount:
        connection.execute(tables.follower.insert().values(name=name, position=position))
