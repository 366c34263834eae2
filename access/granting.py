"""Why somebody may read a case file now (P14.1): their role, or a request that was provided and runs
today.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from access import tables
from access.permissions import Permission, may
from access.person import Person, find_person
from access.requests.request import Request, approvals_recorded, load
from access.workflow import RequestState
from archive.keys.filekey import CaseFileId

_ROW = tables.request.c


@dataclass(frozen=True, slots=True)
class Grant:
    """``request`` is none for those who may look directly."""

    request: str | None
    until: date | None  # the last day, in the time zone of the house


def grant_of(connection: sa.Connection, person: Person, case_file: CaseFileId, today: date) -> Grant | None:
    """Decided on the rows as they are now. Of several requests, the one that runs longest."""
    now = find_person(connection, person.number)
    if now is None or now.disabled:
        return None
    if may(now, Permission.READ_DIRECTLY):
        return Grant(None, None)
    query = _running(now, today).where(
        _ROW.number.in_(
            sa.select(tables.request_file.c.request).where(tables.request_file.c.case_file == case_file)
        )
    )
    for request in load(connection, query, today):
        if _holds(connection, request):
            return Grant(request.number, request.ends_on)
    return None


def granted(connection: sa.Connection, person: Person, today: date) -> frozenset[CaseFileId]:
    """The case files that a request lets this person read now; not those that their role does."""
    now = find_person(connection, person.number)
    if now is None or now.disabled:
        return frozenset()
    numbers = [
        request.number
        for request in load(connection, _running(now, today), today)
        if _holds(connection, request)
    ]
    files = sa.select(tables.request_file.c.case_file).where(tables.request_file.c.request.in_(numbers))
    return frozenset(CaseFileId(each) for each in connection.execute(files).scalars())


def _running(person: Person, today: date) -> sa.Select[Any]:
    """The requests of a person that were provided and run today, the longest first."""
    return (
        tables.request.select()
        .where(
            _ROW.requester == person.number,
            _ROW.state == RequestState.PROVIDED.value,
            _ROW.starts_on <= today,
            _ROW.ends_on >= today,
        )
        .order_by(_ROW.ends_on.desc(), _ROW.number.desc())
    )


def _holds(connection: sa.Connection, request: Request) -> bool:
    """A state alone is no approval: each is looked for again, in the rows and in the ledger."""
    return request.approved_by_distinct_others and approvals_recorded(connection, request)
