"""Who somebody is to the archive: a number, a name, one role, a department (P5, P6)."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from access import tables
from archive.errors import Code, MunimentError
from archive.ledger.entries import Actor


class Role(StrEnum):
    """What somebody is here; everybody has exactly one role."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    EMPLOYEE = "employee"
    HEAD = "head"
    MANAGEMENT = "management"
    OPERATIONS = "operations"
    REGISTRAR = "registrar"
    SYSTEM = "system"

    def say(self, language: str) -> str:
        """档案管理员, ``administrator``."""
        return _TITLES[self] if language == "zh" else self.value


_TITLES: Final = MappingProxyType(
    {
        Role.ADMINISTRATOR: "档案管理员",
        Role.AUDITOR: "内部审计",
        Role.EMPLOYEE: "员工",
        Role.HEAD: "部门负责人",
        Role.MANAGEMENT: "管理层",
        Role.OPERATIONS: "运营负责人",
        Role.REGISTRAR: "登记员",
        Role.SYSTEM: "系统管理员",
    }
)


def role_of(text: str) -> Role:
    """The role with this name, in English or Chinese. Raises MunimentError(ROLE_UNKNOWN)."""
    wanted = text.strip()
    for role, title in _TITLES.items():
        if wanted.lower() == role.value or wanted == title:
            return role
    known = "、".join(f"{role.value} {title}" for role, title in _TITLES.items())
    raise MunimentError(Code.ROLE_UNKNOWN, given=wanted[:40], known=known)


@dataclass(frozen=True, slots=True)
class Person:
    number: str  # P0001: what the ledger names
    name: str
    role: Role
    department: str
    disabled: bool = False

    @property
    def actor(self) -> Actor:
        """As the ledger names them."""
        return Actor(self.number)


COLUMNS: Final = (
    tables.person.c.number,
    tables.person.c.name,
    tables.person.c.role,
    tables.person.c.department,
    tables.person.c.disabled_at,
)


def person_of(row: Any) -> Person:
    """From a row that has COLUMNS."""
    return Person(row.number, row.name, Role(row.role), row.department, row.disabled_at is not None)


def find_person(connection: sa.Connection, number: str) -> Person | None:
    query = sa.select(*COLUMNS).where(tables.person.c.number == number)
    row = connection.execute(query).one_or_none()
    return None if row is None else person_of(row)


def acting(connection: sa.Connection, person: Person) -> Person:
    """The person as they are now: rights are decided inside the transaction, never on a copy that may be
    stale.

    Raises MunimentError(ACCESS_DENIED) for somebody who was disabled meanwhile.
    """
    found = find_person(connection, person.number)
    if found is None or found.disabled:
        raise MunimentError(Code.ACCESS_DENIED)
    return found
