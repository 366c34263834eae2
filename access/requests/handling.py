"""Requests made, decided, provided and taken back (P14.1, P14.3, P14.5).

Who may do what, and whether the state allows it, is decided inside the transaction of the act, on the rows as
they are then: of two who approve at the same time one is told that it is done already, and a double click
changes nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

import sqlalchemy as sa

from access import tables
from access.permissions import Permission, may, require
from access.person import Person, acting
from access.requests.making import Asked, highest_level, next_number, once
from access.requests.request import Approval, Request, approvals_recorded, find, load
from access.workflow import OPEN, TRANSITIONS, Move, RequestState, chain
from archive.casefile.reading import CaseFiles
from archive.database.catalogue import Catalogue, Unit
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import Detail
from archive.reasons import reason_of, remark_of
from archive.scheme.scheme import Scheme

_ROW = tables.request.c


@dataclass(frozen=True, slots=True)
class _Handled:
    """A request under the write lock, and who handles it, both as they are at this moment."""

    unit: Unit
    person: Person
    request: Request
    today: date

    def move(self, move: Move, act: Act, detail: Detail | None = None, **values: object) -> None:
        """Raises MunimentError(REQUEST_STATE) where the transition table has no such way."""
        after = TRANSITIONS.get((self.request.state, move))
        if after is None:
            raise _not_now(self.request)
        self.unit.connection.execute(
            tables.request.update()
            .where(_ROW.number == self.request.number)
            .values(state=after.value, **values)
        )
        self.unit.record(act, self.request.number, detail=detail)


class Requests:
    """Every method is for the person who does it, and raises ACCESS_DENIED for one who was disabled."""

    def __init__(self, catalogue: Catalogue, case_files: CaseFiles, scheme: Scheme, zone: tzinfo) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._scheme = scheme
        self._zone = zone

    def make(
        self,
        person: Person,
        references: Sequence[str],
        purpose: str,
        reason: str,
        starts_on: date,
        ends_on: date,
    ) -> Request:
        """Any code may be named, also one its requester could not list: who handles a complaint knows its
        code from the slip in hand. Codes run without gap, so that one exists is no secret, and asking leaves
        a request that approvers and administrators see. A code that does not exist is FILE_NOT_FOUND.

        Raises MunimentError also: ACCESS_DENIED, REFERENCE_INVALID, PURPOSE_UNKNOWN, REASON_MISSING,
        PERIOD_INVALID.
        """
        require(person, Permission.REQUEST)
        asked = Asked.check(self._scheme, purpose, reason, starts_on, ends_on, self._today())
        files = {each.id: each for each in map(self._case_files.get, once(references))}
        level = highest_level(self._scheme, files.values())
        with self._catalogue.unit(person.actor) as unit:
            person = acting(unit.connection, person)
            require(person, Permission.REQUEST)
            number = next_number(unit.connection, unit.at.astimezone(self._zone).year)
            unit.connection.execute(
                tables.request.insert().values(
                    number=number,
                    requester=person.number,
                    department=person.department,
                    level=level.name,
                    purpose=asked.purpose,
                    reason=asked.reason,
                    starts_on=asked.starts_on,
                    ends_on=asked.ends_on,
                    state=RequestState.PENDING.value,
                    made_at=unit.at,
                )
            )
            unit.connection.execute(
                tables.request_file.insert(), [{"request": number, "case_file": each} for each in files]
            )
            steps = chain(person.role, person.department, level)
            unit.connection.execute(
                tables.approval.insert(),
                [
                    {"request": number, "step": place, "role": step.role.value, "department": step.department}
                    for place, step in enumerate(steps, start=1)
                ],
            )
            unit.record(
                Act.REQUEST_MADE,
                number,
                detail={
                    "references": [each.reference for each in files.values()],
                    "purpose": asked.purpose,
                    "reason": asked.reason,
                    "starts_on": asked.starts_on.isoformat(),
                    "ends_on": asked.ends_on.isoformat(),
                    "approvers": [step.role.value for step in steps],
                },
            )
        return self._reread(number)

    def approve(self, person: Person, number: str) -> Request:
        """The next step. Raises MunimentError: OWN_REQUEST, REQUEST_STATE, ACCESS_DENIED."""
        with self._handling(person, number) as handled:
            step = self._step_of(handled)
            handled.unit.connection.execute(
                tables.approval.update()
                .where(
                    tables.approval.c.request == number,
                    tables.approval.c.step == step.step,
                    tables.approval.c.approver.is_(None),
                )
                .values(approver=handled.person.number, decided_at=handled.unit.at)
            )
            last = step.step == handled.request.approvals[-1].step
            handled.move(
                Move.APPROVE_LAST if last else Move.APPROVE,
                Act.REQUEST_APPROVED,
                {"step": step.step, "role": step.role.value},
            )
        return self._reread(number)

    def refuse(self, person: Person, number: str, reason: str) -> Request:
        """By whoever decides the next step; of an approved one by the administrator who would provide it.

        Raises MunimentError: REASON_MISSING, OWN_REQUEST, REQUEST_STATE, ACCESS_DENIED.
        """
        reason = reason_of(reason)
        with self._handling(person, number) as handled:
            if handled.request.state is RequestState.APPROVED and may(handled.person, Permission.PROVIDE):
                _not_own(handled)
            else:
                self._step_of(handled)
            handled.move(
                Move.REFUSE,
                Act.REQUEST_REFUSED,
                {"reason": reason},
                refused_by=handled.person.number,
                refusal=reason,
            )
        return self._reread(number)

    def withdraw(self, person: Person, number: str) -> Request:
        """By the requester, before it is provided. Raises MunimentError: ACCESS_DENIED, REQUEST_STATE."""
        with self._handling(person, number) as handled:
            _only_own(handled)
            handled.move(Move.WITHDRAW, Act.REQUEST_WITHDRAWN)
        return self._reread(number)

    def provide(self, person: Person, number: str) -> Request:
        """The administrator checks the approvals, in the catalogue and in the ledger, then provides (P14.3).

        Raises MunimentError: ACCESS_DENIED, OWN_REQUEST, REQUEST_STATE.
        """
        with self._handling(person, number) as handled:
            require(handled.person, Permission.PROVIDE)
            _not_own(handled)
            request = handled.request
            recorded = approvals_recorded(handled.unit.connection, request)
            if not (request.approved_by_distinct_others and recorded):
                raise _not_now(request)
            handled.move(
                Move.PROVIDE,
                Act.REQUEST_PROVIDED,
                provided_by=handled.person.number,
                provided_at=handled.unit.at,
            )
        return self._reread(number)

    def sign_off(self, person: Person, number: str, remark: str = "") -> Request:
        """The reader signs the lookup ledger; no page is shown after it (P14.5).

        Raises MunimentError: ACCESS_DENIED, REQUEST_STATE.
        """
        remark = remark_of(remark)
        with self._handling(person, number) as handled:
            _only_own(handled)
            handled.move(
                Move.SIGN_OFF,
                Act.REQUEST_SIGNED_OFF,
                {"remark": remark},
                signed_off_at=handled.unit.at,
                remark=remark or None,
            )
        return self._reread(number)

    def close(self, person: Person, number: str) -> Request:
        """The administrator takes the files back, after every document was found as it was filed (P14.5).

        Raises MunimentError: ACCESS_DENIED, OWN_REQUEST, REQUEST_STATE, DOCUMENT_ALTERED, DOCUMENT_MISSING.
        """
        self._check_return(person, number, Move.CLOSE)
        with self._handling(person, number) as handled:
            self._take_back(handled, Move.CLOSE, Act.REQUEST_CLOSED, {"intact": True})
        return self._reread(number)

    def recall(self, person: Person, number: str, reason: str) -> Request:
        """Closes a request whose period ended and whose reader does not sign off. The files are checked as at
        close.

        Raises MunimentError: REASON_MISSING, and what ``close`` raises.
        """
        reason = reason_of(reason)
        self._check_return(person, number, Move.RECALL)
        with self._handling(person, number) as handled:
            detail: Detail = {"reason": reason, "intact": True}
            self._take_back(handled, Move.RECALL, Act.REQUEST_RECALLED, detail, remark=reason)
        return self._reread(number)

    def mine(self, person: Person, limit: int = 500) -> list[Request]:
        """The person's own, newest first."""
        return self._load(_newest(limit).where(_ROW.requester == person.number))

    def inbox(self, person: Person) -> list[Request]:
        """What awaits this person, oldest first: their step, or providing, closing and recalling."""
        wanted = [
            each
            for each in (_awaiting_step(person), *_awaiting_desk(person, self._today()))
            if each is not None
        ]
        if not wanted:
            return []
        query = tables.request.select().where(sa.or_(*wanted), _ROW.requester != person.number)
        found = self._load(query.order_by(_ROW.made_at, _ROW.number))
        return [each for each in found if _awaits(person, each)]

    def get(self, person: Person, number: str) -> Request:
        """For its requester, those who may decide one of its steps, administrators and auditors; for anybody
        else it is not there. Raises MunimentError(REQUEST_NOT_FOUND).
        """
        with self._catalogue.reading() as connection:
            return _visible(find(connection, number, self._today()), person, number)

    def all(self, person: Person, limit: int = 500) -> list[Request]:
        """Everybody's, newest first. Raises MunimentError(ACCESS_DENIED)."""
        require(person, Permission.READ_REQUESTS)
        return self._load(_newest(limit))

    def in_use(self) -> dict[CaseFileId, list[str]]:
        """The requests that may still lead to reading, by case file id: such a file is not disposed of."""
        query = (
            sa.select(tables.request_file.c.case_file, _ROW.number)
            .join_from(tables.request_file, tables.request)
            .where(_ROW.state.in_([each.value for each in OPEN]))
            .where(
                sa.or_(
                    _ROW.ends_on >= self._today(),
                    _ROW.state.in_([RequestState.PROVIDED.value, RequestState.SIGNED_OFF.value]),
                )
            )
            .order_by(_ROW.number)
        )
        found: dict[CaseFileId, list[str]] = {}
        with self._catalogue.reading() as connection:
            for case_file, number in connection.execute(query):
                found.setdefault(case_file, []).append(number)
        return found

    @contextmanager
    def _handling(self, person: Person, number: str) -> Iterator[_Handled]:
        with self._catalogue.unit(person.actor) as unit:
            person = acting(unit.connection, person)
            today = unit.at.astimezone(self._zone).date()
            request = _visible(find(unit.connection, number, today), person, number)
            yield _Handled(unit, person, request, today)

    def _step_of(self, handled: _Handled) -> Approval:
        """The step that awaits this person. Raises OWN_REQUEST, REQUEST_STATE, ACCESS_DENIED."""
        _not_own(handled)
        step = handled.request.awaited
        if handled.request.state is not RequestState.PENDING or step is None:
            raise _not_now(handled.request)
        if handled.request.decided_by(
            handled.person
        ):  # a second click, or a second role: one decision a person
            raise _not_now(handled.request)
        require(handled.person, Permission.APPROVE)
        if not step.may_be_decided_by(handled.person):
            raise MunimentError(Code.ACCESS_DENIED)
        return step

    def _check_return(self, person: Person, number: str, move: Move) -> None:
        """Before the write lock is taken: reading every document may take a while."""
        request = self.get(person, number)
        require(person, Permission.CLOSE)
        if (request.state, move) not in TRANSITIONS:
            raise _not_now(request)
        for reference in request.references:
            self._case_files.check(self._case_files.get(reference))

    def _take_back(self, handled: _Handled, move: Move, act: Act, detail: Detail, **values: object) -> None:
        require(handled.person, Permission.CLOSE)
        _not_own(handled)
        if move is Move.RECALL and handled.today <= handled.request.ends_on:
            raise _not_now(handled.request)
        handled.move(move, act, detail, closed_by=handled.person.number, closed_at=handled.unit.at, **values)

    def _today(self) -> date:
        return self._catalogue.clock().astimezone(self._zone).date()

    def _load(self, query: sa.Select[Any]) -> list[Request]:
        with self._catalogue.reading() as connection:
            return load(connection, query, self._today())

    def _reread(self, number: str) -> Request:
        return self._load(tables.request.select().where(_ROW.number == number))[0]


def _newest(limit: int) -> sa.Select[Any]:
    return tables.request.select().order_by(_ROW.made_at.desc(), _ROW.number.desc()).limit(limit)


def _awaiting_step(person: Person) -> sa.ColumnElement[bool] | None:
    if not may(person, Permission.APPROVE):
        return None
    step = tables.approval.c
    theirs = sa.select(step.request).where(step.role == person.role.value, step.approver.is_(None))
    return sa.and_(_ROW.state == RequestState.PENDING.value, _ROW.number.in_(theirs))


def _awaiting_desk(person: Person, today: date) -> Iterator[sa.ColumnElement[bool]]:
    if may(person, Permission.PROVIDE):
        yield _ROW.state == RequestState.APPROVED.value
    if may(person, Permission.CLOSE):
        yield _ROW.state == RequestState.SIGNED_OFF.value
        yield sa.and_(_ROW.state == RequestState.PROVIDED.value, _ROW.ends_on < today)


def _awaits(person: Person, request: Request) -> bool:
    if request.state is not RequestState.PENDING:
        return request.state is not RequestState.EXPIRED
    step = request.awaited
    return step is not None and step.may_be_decided_by(person) and not request.decided_by(person)


def _visible(request: Request | None, person: Person, number: str) -> Request:
    if request is not None and (
        request.requester.number == person.number
        or may(person, Permission.READ_REQUESTS)
        or request.decided_by(person)
        or (
            may(person, Permission.APPROVE)
            and any(each.may_be_decided_by(person) for each in request.approvals)
        )
    ):
        return request
    raise MunimentError(Code.REQUEST_NOT_FOUND, number=number[:20])


def _not_own(handled: _Handled) -> None:
    if handled.request.requester.number == handled.person.number:
        raise MunimentError(Code.OWN_REQUEST)


def _only_own(handled: _Handled) -> None:
    if handled.request.requester.number != handled.person.number:
        raise MunimentError(Code.ACCESS_DENIED)


def _not_now(request: Request) -> MunimentError:
    return MunimentError(Code.REQUEST_STATE, number=request.number, state=request.state)
