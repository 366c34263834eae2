"""What a request is, and reading requests from their rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from access import tables
from access.person import COLUMNS, Person, Role, person_of
from access.workflow import RequestState, state_on
from archive.casefile import tables as casefile_tables
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act


@dataclass(frozen=True, slots=True)
class Approval:
    """One step of a request; nobody has decided it while ``approver`` is none."""

    step: int  # from 1
    role: Role
    department: str | None
    approver: Person | None
    decided_at: datetime | None

    def may_be_decided_by(self, person: Person) -> bool:
        return person.role is self.role and self.department in (None, person.department)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands today. People are as they are now; ``level`` is the highest of its files."""

    number: str  # CX-2026-00001
    requester: Person
    references: tuple[str, ...]
    level: str
    purpose: str
    reason: str
    starts_on: date
    ends_on: date
    state: RequestState
    made_at: datetime
    approvals: tuple[Approval, ...]
    provided_by: Person | None
    provided_at: datetime | None
    signed_off_at: datetime | None
    remark: str | None  # the reader's at sign-off; of a recalled request, why it was recalled
    closed_by: Person | None
    closed_at: datetime | None
    refused_by: Person | None
    refusal: str | None

    @property
    def awaited(self) -> Approval | None:
        """The step that is to be decided next."""
        return next((each for each in self.approvals if each.approver is None), None)

    @property
    def recalled(self) -> bool:
        """Taken back without the reader's sign-off."""
        return self.closed_at is not None and self.signed_off_at is None

    def decided_by(self, person: Person) -> bool:
        return any(each.approver and each.approver.number == person.number for each in self.approvals)

    @property
    def approved_by_distinct_others(self) -> bool:
        """Every step decided, each by somebody else, none by the requester (P14.1)."""
        deciders = {each.approver.number for each in self.approvals if each.approver}
        return 0 < len(self.approvals) == len(deciders) and self.requester.number not in deciders


def load(connection: sa.Connection, query: sa.Select[Any], today: date) -> list[Request]:
    """The requests whose rows ``query`` selects from the request table, in its order."""
    rows = connection.execute(query).all()
    numbers = [row.number for row in rows]
    references = _references(connection, numbers)
    decided = _approvals(connection, numbers)
    people = _people(connection, rows, [each for some in decided.values() for each in some])
    return [
        Request(
            number=row.number,
            requester=people[row.requester],
            references=tuple(references[row.number]),
            level=row.level,
            purpose=row.purpose,
            reason=row.reason,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            state=state_on(RequestState(row.state), row.ends_on, today),
            made_at=row.made_at,
            approvals=tuple(
                Approval(
                    each.step, Role(each.role), each.department, people.get(each.approver), each.decided_at
                )
                for each in decided[row.number]
            ),
            provided_by=people.get(row.provided_by),
            provided_at=row.provided_at,
            signed_off_at=row.signed_off_at,
            remark=row.remark,
            closed_by=people.get(row.closed_by),
            closed_at=row.closed_at,
            refused_by=people.get(row.refused_by),
            refusal=row.refusal,
        )
        for row in rows
    ]


def find(connection: sa.Connection, number: str, today: date) -> Request | None:
    found = load(connection, tables.request.select().where(tables.request.c.number == number), today)
    return found[0] if found else None


def approvals_recorded(connection: sa.Connection, request: Request) -> bool:
    """Whether the ledger holds each approval the catalogue claims: rows alone can be written by whoever has
    the key, the ledger cannot be rewritten unnoticed.
    """
    entry = ledger_tables.entry.c
    query = sa.select(entry.actor).where(
        entry.subject == request.number, entry.act == Act.REQUEST_APPROVED.value
    )
    recorded = sorted(connection.execute(query).scalars())
    return recorded == sorted(each.approver.number for each in request.approvals if each.approver)


def _references(connection: sa.Connection, numbers: Sequence[str]) -> dict[str, list[str]]:
    kept = casefile_tables.case_file.c
    query = (
        sa.select(tables.request_file.c.request, kept.reference)
        .join_from(tables.request_file, casefile_tables.case_file)
        .where(tables.request_file.c.request.in_(numbers))
        .order_by(kept.year, kept.level, kept.category, kept.number)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for number, reference in connection.execute(query):
        found[number].append(reference)
    return found


def _approvals(connection: sa.Connection, numbers: Sequence[str]) -> dict[str, list[Any]]:
    query = tables.approval.select().where(tables.approval.c.request.in_(numbers))
    found: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query.order_by(tables.approval.c.step)):
        found[row.request].append(row)
    return found


def _people(
    connection: sa.Connection, rows: Iterable[Any], approvals: Iterable[Any]
) -> dict[str | None, Person]:
    named = {each.approver for each in approvals}
    for row in rows:
        named |= {row.requester, row.provided_by, row.closed_by, row.refused_by}
    query = sa.select(*COLUMNS).where(tables.person.c.number.in_(named - {None}))
    return {row.number: person_of(row) for row in connection.execute(query)}
