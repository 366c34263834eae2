"""People and their roles."""

import sys
from typing import TYPE_CHECKING

import click

from access.person import Person, role_of
from archive.errors import Code, MunimentError
from archive.ledger.entries import CONSOLE
from web.cli.frame import Frame, attended, framed, typed

if TYPE_CHECKING:
    from web.wiring import House

_LONGEST_LINE = 4096


@click.group()
def people() -> None:
    """Who may come in: adding, ending, new passwords · 人员：添加、停用、重设密码."""


@people.command()
@click.option(
    "--role",
    required=True,
    help="The role: administrator, auditor, employee, head, … · 角色：档案管理员、内部审计、员工、部门负责人……",
)
@click.option(
    "--department",
    required=True,
    help="The department or store: 客服部, 春熙路店, … · 部门或门店：客服部、春熙路店……",
)
@click.option(
    "--password-stdin", is_flag=True, help="The password is a line of standard input · 从标准输入读取密码."
)
@click.argument("name")
@framed
def add(frame: Frame, *, role: str, department: str, password_stdin: bool, name: str) -> None:
    """Add a person · 新增人员."""
    wanted = role_of(role)
    password = _password(frame, from_input=password_stdin)
    with frame.house() as house:
        person = house.people.add(CONSOLE, name, wanted, department, password)
    frame.give(_shown(person), (f"{person.number}  {person.name}",))


@people.command("list")
@framed
def list_(frame: Frame) -> None:
    """Everybody, by number · 人员名单."""
    with frame.house() as house:
        found = house.people.list()
    frame.give({"people": [_shown(each) for each in found]}, (_told(frame, each) for each in found))


@people.command()
@click.argument("name")
@framed
def disable(frame: Frame, *, name: str) -> None:
    """End somebody's access at once · 停用账号."""
    with frame.house() as house:
        person = house.people.disable(CONSOLE, _named(house, name).number)
    frame.give(_shown(person), (frame.words("people.disabled_done", name=person.name),))


@people.command("password")
@click.option(
    "--password-stdin", is_flag=True, help="The password is a line of standard input · 从标准输入读取密码."
)
@click.argument("name")
@framed
def reset(frame: Frame, *, password_stdin: bool, name: str) -> None:
    """Give a new password to somebody who forgot theirs · 重设密码."""
    password = _password(frame, from_input=password_stdin)
    with frame.house() as house:
        found = _named(house, name)
        house.people.reset_password(CONSOLE, found.number, password)
    frame.give(_shown(found), (f"{found.number}  {found.name}",))


def _named(house: "House", name: str) -> Person:
    found = house.people.by_name(name)
    if found is None:
        raise MunimentError(Code.PERSON_NOT_FOUND)
    return found


def _password(frame: Frame, *, from_input: bool) -> str:
    """Never an argument: those can be read by everybody on the machine."""
    if from_input:
        return sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    if not attended():
        raise click.UsageError(frame.words("cli.password_stdin"))
    return typed(frame.words("cli.password"))


def _shown(person: Person) -> dict[str, str | bool]:
    return {
        "number": person.number,
        "name": person.name,
        "role": person.role.value,
        "department": person.department,
        "disabled": person.disabled,
    }


def _told(frame: Frame, person: Person) -> str:
    ended = (frame.words("people.disabled"),) if person.disabled else ()
    role = frame.words.of("role", person.role)
    return "  ".join((person.number, person.name, role, person.department, *ended))


COMMANDS = (people,)
