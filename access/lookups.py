"""The lookup ledger 档案查阅登记台账 (P14.5): who looked at what, when, why, under whose approval, and how it
ended.

A register over the ledger's entries: nothing is kept twice, so it cannot say anything else than the ledger
does. One row is one request that was provided, or one direct look: what one person saw of one file on one
day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, Final

import sqlalchemy as sa

from access import tables
from access.permissions import Permission, may
from access.person import COLUMNS, Person, Role, person_of
from access.requests.request import Approval, Request, load
from archive.casefile import tables as casefile_tables
from archive.casefile.reading import CaseFiles
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue
from archive.database.schema import Moment
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.log import Entry, entries

_ENTRY = ledger_tables.entry.c
_ROW = tables.request.c
_BATCH: Final = 200


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    """A page that was shown; page 0 of document 0 is the file's description."""

    reference: str
    document: int
    page: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """One row of the register. Without a ``request`` it is a direct look."""

    request: str | None
    reader: Person
    department: str  # the reader's; of a request, when it was made
    references: tuple[str, ...]
    purpose: str | None
    reason: str | None
    approvals: tuple[Approval, ...]
    provided_by: Person | None
    provided_at: datetime | None
    pages: tuple[Seen, ...]  # each once
    first_at: datetime | None  # none while nothing was looked at
    last_at: datetime | None
    signed_off_at: datetime | None
    remark: str | None
    returned_to: Person | None  # who checked that the file is whole
    returned_at: datetime | None
    recalled: bool

    @property
    def at(self) -> datetime:
        """When it began: where the row stands in the register."""
        found = self.provided_at or self.first_at
        if found is None:
            raise ValueError("a look-up without a time")
        return found


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the register is asked for; none asks for everything."""

    reference: str | None
    reader: str | None
    since: datetime | None
    until: datetime | None
    limit: int

    def overlaps(self, first: datetime, last: datetime) -> bool:
        return (self.since is None or last >= self.since) and (self.until is None or first < self.until)


@dataclass(slots=True)
class _Look:
    """What one person saw of one file on one day, while it is gathered."""

    reader: Person
    reference: str
    first_at: datetime
    last_at: datetime
    pages: set[Seen] = field(default_factory=set)


class Lookups:
    def __init__(self, catalogue: Catalogue, case_files: CaseFiles, zone: tzinfo) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._zone = zone

    def register(
        self,
        person: Person,
        *,
        reference: str | None = None,
        reader: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 200,
    ) -> list[Lookup]:
        """Newest first. Administrators and auditors read everybody's rows, others their own whatever they
        ask for.

        ``reader`` is a person's number. A row belongs to the time from ``since`` to before ``until`` when it
        began before its end and was still looked at after its start. Raises MunimentError(REFERENCE_INVALID).
        """
        code = None if reference is None else str(Reference.parse(reference))
        if not may(person, Permission.READ_LOOKUPS):
            reader = person.number
        wanted = _Wanted(code, reader, since, until, limit)
        with self._catalogue.reading() as connection:
            rows = [*self._requested(connection, wanted), *self._direct(connection, wanted)]
        return sorted(rows, key=lambda row: row.at, reverse=True)[:limit]

    def _requested(self, connection: sa.Connection, wanted: _Wanted) -> Iterator[Lookup]:
        today = self._catalogue.clock().astimezone(self._zone).date()
        query = _provided(wanted).order_by(_ROW.provided_at.desc(), _ROW.number.desc())
        found, start = 0, 0
        while batch := load(connection, query.limit(_BATCH).offset(start), today):
            for request in batch:
                row = self._row(connection, request)
                if wanted.overlaps(row.at, row.last_at or row.at):
                    yield row
                    found += 1
                if found == wanted.limit:
                    return
            start += _BATCH

    def _row(self, connection: sa.Connection, request: Request) -> Lookup:
        query = sa.select(_ENTRY.position).where(
            _ENTRY.act == Act.VIEWED.value,
            _ENTRY.actor == request.requester.number,
            _ENTRY.subject.in_(request.references),
            _ENTRY.at >= request.provided_at,
        )
        ended = request.signed_off_at or request.closed_at
        if ended is not None:
            query = query.where(_ENTRY.at <= ended)
        found = entries(
            connection, self._catalogue.ledger, query.order_by(_ENTRY.position), self._case_files.file_key
        )
        seen = [each for each in found if each.detail and each.detail.get("request") == request.number]
        return Lookup(
            request=request.number,
            reader=request.requester,
            department=request.requester.department,
            references=request.references,
            purpose=request.purpose,
            reason=request.reason,
            approvals=request.approvals,
            provided_by=request.provided_by,
            provided_at=request.provided_at,
            pages=tuple(sorted({_seen(each) for each in seen})),
            first_at=seen[0].at if seen else None,
            last_at=seen[-1].at if seen else None,
            signed_off_at=request.signed_off_at,
            remark=request.remark,
            returned_to=request.closed_by,
            returned_at=request.closed_at,
            recalled=request.recalled,
        )

    def _direct(self, connection: sa.Connection, wanted: _Wanted) -> list[Lookup]:
        query = sa.select(_ENTRY.position).where(_ENTRY.act == Act.VIEWED.value)
        if wanted.reference is not None:
            query = query.where(_ENTRY.subject == wanted.reference)
        if wanted.reader is not None:
            query = query.where(_ENTRY.actor == wanted.reader)
        if wanted.since is not None:
            query = query.where(_ENTRY.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(_ENTRY.at < wanted.until)
        people = {row.number: person_of(row) for row in connection.execute(sa.select(*COLUMNS))}
        newest = query.order_by(_ENTRY.position.desc())
        found = entries(connection, self._catalogue.ledger, newest, self._case_files.file_key)
        return [_direct_row(look) for look in self._gathered(found, people, wanted.limit)]

    def _gathered(self, found: Iterable[Entry], people: dict[str, Person], limit: int) -> Iterable[_Look]:
        """From entries newest first; ends at ``limit`` rows, when the day of the oldest one is whole."""
        looks: dict[tuple[str, str, date], _Look] = {}
        for entry in found:
            if entry.detail is None or entry.detail.get("request") is not None:
                continue
            day = entry.at.astimezone(self._zone).date()
            key = (entry.actor, entry.subject, day)
            if key not in looks and len(looks) >= limit:
                if day < min(each for _, _, each in looks):
                    break
                continue
            look = looks.setdefault(
                key, _Look(_reader(people, entry.actor), entry.subject, entry.at, entry.at)
            )
            look.first_at = entry.at
            look.pages.add(_seen(entry))
        return looks.values()


def _reader(people: dict[str, Person], actor: Actor) -> Person:
    """Whoever looks from the console of the machine has no account."""
    return people.get(actor) or Person(actor, actor, Role.SYSTEM, "–")


def _provided(wanted: _Wanted) -> sa.Select[Any]:
    """The requests that may belong into the register; what was seen of them decides."""
    query = tables.request.select().where(_ROW.provided_at.is_not(None))
    if wanted.reference is not None:
        code = casefile_tables.case_file.c.reference == wanted.reference
        files = sa.select(tables.request_file.c.request).join_from(
            tables.request_file, casefile_tables.case_file
        )
        query = query.where(_ROW.number.in_(files.where(code)))
    if wanted.reader is not None:
        query = query.where(_ROW.requester == wanted.reader)
    if wanted.until is not None:  # nothing is seen before it is provided
        query = query.where(_ROW.provided_at < wanted.until)
    if wanted.since is not None:  # nor after it was signed off or taken back
        ended = sa.func.coalesce(_ROW.signed_off_at, _ROW.closed_at, type_=Moment)
        query = query.where(sa.or_(ended.is_(None), ended >= wanted.since))
    return query


def _seen(entry: Entry) -> Seen:
    detail: Any = entry.detail
    return Seen(entry.subject, int(detail["document"]), int(detail["page"]))


def _direct_row(look: _Look) -> Lookup:
    return Lookup(
        request=None,
        reader=look.reader,
        department=look.reader.department,
        references=(look.reference,),
        purpose=None,
        reason=None,
        approvals=(),
        provided_by=None,
        provided_at=None,
        pages=tuple(sorted(look.pages)),
        first_at=look.first_at,
        last_at=look.last_at,
        signed_off_at=None,
        remark=None,
        returned_to=None,
        returned_at=None,
        recalled=False,
    )
