"""The people of the archive: adding, signing in, disabling, passwords. Accounts are never lent (P16).

Whoever fails five times is locked out for fifteen minutes, whether the name exists or not, so that neither
the answer nor its time tells which names do.
"""

import threading
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from access import tables
from access.passwords import SHORTEST, Passwords
from access.permissions import Permission, require
from access.person import COLUMNS, Person, Role, acting, find_person, person_of
from archive.database.catalogue import Catalogue, Unit
from archive.errors import Code, MunimentError
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, NOBODY, SYSTEM, Actor
from archive.ledger.log import Entry, entries

FAILURES: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
_STRANGERS: Final = 10_000  # names remembered that nobody has
_LONGEST_NAME: Final = 80
_LONGEST_DEPARTMENT: Final = 120


class People:
    """Safe to call from several threads."""

    def __init__(self, catalogue: Catalogue, passwords: Passwords) -> None:
        self._catalogue = catalogue
        self._passwords = passwords
        # In memory, bounded: what somebody types into the name field may be a password, and must fill no
        # disk.
        self._strangers: dict[bytes, tuple[int, datetime | None]] = {}
        self._lock = threading.Lock()

    def add(self, actor: Actor, name: str, role: Role, department: str, password: str) -> Person:
        """Numbers run from P0001 without gap. Raises MunimentError: ACCESS_DENIED, NAME_INVALID, NAME_TAKEN,
        PASSWORD_WEAK.
        """
        name, department = _line(name, _LONGEST_NAME), _line(department, _LONGEST_DEPARTMENT)
        self._passwords.check(password, name)
        kept = self._passwords.hash(password)
        with self._catalogue.unit(actor) as unit:
            _may_manage(unit)
            if _row(unit.connection, name) is not None:
                raise MunimentError(Code.NAME_TAKEN, name=name)
            person = Person(_next_number(unit.connection), name, role, department)
            unit.connection.execute(
                tables.person.insert().values(
                    number=person.number,
                    name=name,
                    role=role.value,
                    department=department,
                    password=kept,
                    added_at=unit.at,
                    password_changed_at=unit.at,
                )
            )
            detail = {"name": name, "role": role.value, "department": department}
            unit.record(Act.PERSON_ADDED, person.number, detail=detail)
        return person

    def authenticate(self, name: str, password: str) -> Person:
        """Recorded either way. Raises MunimentError: CREDENTIALS_WRONG, ACCOUNT_LOCKED.

        While an account is locked no password is looked at, and nothing more is recorded: an attack fills no
        ledger.
        """
        given = _normal(name)
        with self._catalogue.reading() as connection:
            row = _row(connection, given)
        if row is None:
            raise self._refused_stranger(given, password)
        _refuse_locked(row.locked_until, self._catalogue.clock())
        right = self._passwords.matches(row.password, password) and row.disabled_at is None
        fresh = self._passwords.hash(password) if right and self._passwords.outdated(row.password) else None
        return self._signed_in(row, right=right, fresh=fresh)

    def list(self) -> tuple[Person, ...]:
        """By number."""
        number = tables.person.c.number
        query = sa.select(*COLUMNS).order_by(sa.func.length(number), number)
        with self._catalogue.reading() as connection:
            return tuple(person_of(row) for row in connection.execute(query))

    def get(self, number: str) -> Person:
        """Raises MunimentError(PERSON_NOT_FOUND)."""
        with self._catalogue.reading() as connection:
            return _found(connection, number)

    def names(self) -> dict[str, str]:
        """Who the actors of the ledger are, by number: everybody here, and those whom an imported package named."""
        with self._catalogue.reading() as connection:
            known = self._known(connection)
        return {number: name for number, name in known.items() if name is not None}

    def name(self, actor: Actor, named: Mapping[str, str | None]) -> None:
        """From now on these numbers are these people's, whose work was brought from elsewhere: nobody else is given
        one. None: nobody knows the name. Raises MunimentError: PEOPLE_DIFFER (nothing was recorded), ARCHIVE_BUSY.
        """
        with self._catalogue.reading() as connection:
            if not _unknown(self._known(connection), named):
                return
        with self._catalogue.unit(actor) as unit:
            unknown = _unknown(self._known(unit.connection), named)
            if not unknown:  # the same was done meanwhile
                raise MunimentError(Code.ARCHIVE_BUSY)
            for number in unknown:
                name = named[number]
                unit.record(Act.PERSON_NAMED, number, detail=None if name is None else {"name": name})

    def _known(self, connection: sa.Connection) -> dict[str, str | None]:
        """Everybody's name by number; none for those of whom only the number is known."""
        position = ledger_tables.entry.c.position
        query = sa.select(position).where(ledger_tables.entry.c.act == Act.PERSON_NAMED.value)
        # Under the ledger's own key: of a case file none is needed.
        found = entries(connection, self._catalogue.ledger, query.order_by(position), lambda _: None)
        named = {each.subject: _name_in(each) for each in found}
        people = connection.execute(sa.select(tables.person.c.number, tables.person.c.name))
        return named | {row.number: row.name for row in people}

    def by_name(self, name: str) -> Person | None:
        with self._catalogue.reading() as connection:
            row = _row(connection, _normal(name))
        return None if row is None else person_of(row)

    def disable(self, actor: Actor, number: str) -> Person:
        """Ends every session at once; the number and the name stay. Once more changes nothing. Nobody disables
        themselves: the last system administrator would leave nobody to let anyone in.

        Raises MunimentError: ACCESS_DENIED, PERSON_NOT_FOUND.
        """
        person = self.get(number)
        if person.disabled:
            return person
        if actor == number:
            raise MunimentError(Code.ACCESS_DENIED)
        with self._catalogue.unit(actor) as unit:
            _may_manage(unit)
            _found(unit.connection, number)
            self._update(unit.connection, number, disabled_at=unit.at)
            _end_sessions(unit.connection, number)
            unit.record(Act.PERSON_DISABLED, number)
        return self.get(number)

    def change_password(self, person: Person, old: str, new: str) -> None:
        """Ends every session of the person: whoever changes it signs in again. Wrong old ones count as
        failures.

        Raises MunimentError: CREDENTIALS_WRONG, ACCOUNT_LOCKED, PASSWORD_WEAK.
        """
        with self._catalogue.reading() as connection:
            row = _row(connection, person.name)
        if row is None or row.disabled_at is not None:
            raise MunimentError(Code.ACCESS_DENIED)
        _refuse_locked(row.locked_until, self._catalogue.clock())
        if not self._passwords.matches(row.password, old):
            raise self._failed(row)
        if old == new:
            raise MunimentError(Code.PASSWORD_WEAK, length=SHORTEST)
        self._set_password(person.actor, person, new)

    def reset_password(self, actor: Actor, number: str, new: str) -> None:
        """For somebody who forgot theirs. Lifts a lock. Raises MunimentError: ACCESS_DENIED,
        PERSON_NOT_FOUND, PASSWORD_WEAK.
        """
        self._set_password(actor, self.get(number), new, manages=True)

    def _set_password(self, actor: Actor, person: Person, new: str, *, manages: bool = False) -> None:
        self._passwords.check(new, person.name)
        kept = self._passwords.hash(new)
        with self._catalogue.unit(actor) as unit:
            if manages:
                _may_manage(unit)
            else:
                acting(unit.connection, person)
            self._update(
                unit.connection,
                person.number,
                password=kept,
                password_changed_at=unit.at,
                failures=0,
                locked_until=None,
            )
            _end_sessions(unit.connection, person.number)
            unit.record(Act.PASSWORD_CHANGED, person.number)

    def _signed_in(self, seen: Any, *, right: bool, fresh: str | None) -> Person:
        if not right:
            raise self._failed(seen)
        with self._catalogue.unit(Actor(seen.number)) as unit:
            row = _row(unit.connection, seen.name)
            # Decided again under the write lock: a hundred guesses at the same time are still five guesses.
            if row is None or row.disabled_at is not None or row.password != seen.password:
                raise MunimentError(Code.CREDENTIALS_WRONG)
            _refuse_locked(row.locked_until, unit.at)
            self._update(
                unit.connection, row.number, failures=0, locked_until=None, password=fresh or row.password
            )
            unit.record(Act.SIGNED_IN, row.number)
        return person_of(row)

    def _failed(self, seen: Any) -> MunimentError:
        with self._catalogue.unit(NOBODY) as unit:
            row = _row(unit.connection, seen.name)
            _refuse_locked(row.locked_until, unit.at)
            failures, locked_until = _one_more(row.failures, row.locked_until, unit.at)
            self._update(unit.connection, row.number, failures=failures, locked_until=locked_until)
            unit.record(Act.SIGN_IN_REFUSED, row.number, detail={"failures": failures})
        return MunimentError(Code.CREDENTIALS_WRONG)

    def _refused_stranger(self, name: str, password: str) -> MunimentError:
        key = sha256(name.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            self._look_up(key)
        self._passwords.matches(None, password)
        with self._lock:
            stranger = self._look_up(key)
            self._strangers.pop(key, None)  # and to the end: the one longest unheard of is forgotten first
            self._strangers[key] = _one_more(*stranger, self._catalogue.clock())
            while len(self._strangers) > _STRANGERS:
                del self._strangers[next(iter(self._strangers))]
        with self._catalogue.unit(NOBODY) as unit:
            unit.record(Act.SIGN_IN_REFUSED, NOBODY)
        return MunimentError(Code.CREDENTIALS_WRONG)

    def _look_up(self, key: bytes) -> tuple[int, datetime | None]:
        failures, locked_until = self._strangers.get(key, (0, None))
        _refuse_locked(locked_until, self._catalogue.clock())
        return failures, locked_until

    @staticmethod
    def _update(connection: sa.Connection, number: str, **values: object) -> None:
        connection.execute(tables.person.update().where(tables.person.c.number == number).values(**values))


def _may_manage(unit: Unit) -> None:
    """The console and the start of the house, and people who hold the permission. Raises ACCESS_DENIED."""
    if unit.actor in (CONSOLE, SYSTEM):
        return
    person = find_person(unit.connection, unit.actor)
    if person is None:
        raise MunimentError(Code.ACCESS_DENIED)
    require(person, Permission.MANAGE_PEOPLE)


def _row(connection: sa.Connection, name: str) -> Any:
    return connection.execute(tables.person.select().where(tables.person.c.name == name)).one_or_none()


def _found(connection: sa.Connection, number: str) -> Person:
    person = find_person(connection, number)
    if person is None:
        raise MunimentError(Code.PERSON_NOT_FOUND)
    return person


def _next_number(connection: sa.Connection) -> str:
    """After the highest that anybody has or, where case files were rebuilt or imported, had."""
    entry = ledger_tables.entry.c
    had = sa.select(_highest(entry.subject)).where(entry.act == Act.PERSON_NAMED.value)
    has = sa.select(_highest(tables.person.c.number))
    last = max(connection.execute(query).scalar() or 0 for query in (has, had))
    return f"P{last + 1:04d}"


def _highest(number: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    return sa.func.max(sa.cast(sa.func.substr(number, 2), sa.Integer))


def _name_in(entry: Entry) -> str | None:
    name = None if entry.detail is None else entry.detail.get("name")
    return None if name is None else str(name)


def _unknown(known: Mapping[str, str | None], named: Mapping[str, str | None]) -> list[str]:
    """The numbers that nobody has yet. Raises PEOPLE_DIFFER. A number without a name may be anybody's."""
    others = [number for number, name in named.items() if number in known and known[number] != name]
    if others:
        raise MunimentError(Code.PEOPLE_DIFFER, numbers=", ".join(sorted(others)))
    return [number for number in named if number not in known]


def _end_sessions(connection: sa.Connection, number: str) -> None:
    connection.execute(tables.session.delete().where(tables.session.c.person == number))


def _refuse_locked(locked_until: datetime | None, now: datetime) -> None:
    if locked_until is not None and now < locked_until:
        minutes = -((now - locked_until) // timedelta(minutes=1))  # rounded up
        raise MunimentError(Code.ACCOUNT_LOCKED, minutes=minutes)


def _one_more(failures: int, locked_until: datetime | None, now: datetime) -> tuple[int, datetime | None]:
    """A lock that ran out starts the count anew."""
    failures = 1 if locked_until is not None else failures + 1
    return failures, now + LOCKED_FOR if failures >= FAILURES else None


def _normal(name: str) -> str:
    """NFKC, blanks folded: one name is typed in one way only."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


def _line(text: str, longest: int) -> str:
    """Something to print on one line. Raises MunimentError(NAME_INVALID)."""
    line = _normal(text)
    if not 0 < len(line) <= longest or not line.isprintable():
        raise MunimentError(Code.NAME_INVALID, longest=longest)
    return line
