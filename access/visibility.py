"""Which files somebody may know of: their catalogue facts, which hold no customer's data; never the content.

Administrators, auditors, operations and management know every file; so do the departments that keep the
archive (P5: customer service builds the files). Others know the files their own department received, those
they filed themselves, and those they have asked to see. Any other file is to them as if it were not there.
"""

from typing import Any, Final

import sqlalchemy as sa

from access import tables
from access.permissions import Permission, may
from access.person import Person
from archive.casefile import tables as casefile_tables

KEEPERS: Final = frozenset({"客服部"})
_FILE: Final = casefile_tables.case_file.c


def known(person: Person, keepers: frozenset[str] = KEEPERS) -> sa.Select[Any]:
    """A SELECT of the ids of the case files this person may know of; ``keepers`` are departments."""
    query = sa.select(_FILE.id)
    if not may(person, Permission.BROWSE):
        return query.where(sa.false())
    if may(person, Permission.KNOW_ALL) or person.department in keepers:
        return query
    asked_for = sa.select(tables.request_file.c.case_file).where(
        tables.request_file.c.request == tables.request.c.number,
        tables.request.c.requester == person.number,
    )
    return query.where(
        sa.or_(
            _FILE.department == person.department,
            _FILE.filed_by == person.number,
            _FILE.id.in_(asked_for),
        )
    )
