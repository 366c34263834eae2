"""What each role may do: one table, and ``require``, the one place that decides. What is not listed is
denied.

The system administrator keeps the accounts and sees no content. Internal audit reads everything and changes
nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from access.person import Person, Role
from archive.errors import Code, MunimentError


class Permission(StrEnum):
    APPROVE = "approve"  # access requests, at the step of one's own role
    BROWSE = "browse"  # the catalogue's facts of the files one may know of
    CHECK = "check"  # that what is kept is whole
    CLOSE = "close"  # take a file back: return check, recall
    COMPLETE = "complete"
    FILE = "file"
    HEAR = "hear"  # recordings, in which nothing can be masked
    HOLD = "hold"  # place and lift holds
    KNOW_ALL = "know-all"  # that any file exists
    MANAGE_PEOPLE = "manage-people"
    OVERSEE = "oversee"  # how checks, backups and the index stand, which tells of no file's content
    PROVIDE = "provide"  # what an approved request asks for
    READ_DIRECTLY = "read-directly"  # without a request, always recorded (P14.1)
    READ_LEDGER = "read-ledger"  # and verify it
    READ_LOOKUPS = "read-lookups"  # everybody's; one's own are always readable
    READ_REQUESTS = "read-requests"  # everybody's; likewise
    RECOGNISE = "recognise"  # see how far the reading of pictures is, and try again
    RELEASE = "release"
    REPAIR = "repair"  # what a check found damaged, from another copy
    REQUEST = "request"
    SEARCH = "search"  # the words inside files, not only the catalogue
    SWEEP = "sweep"
    VOID = "void"


_APPROVER = frozenset({Permission.APPROVE, Permission.BROWSE, Permission.REQUEST})

_GRANTED: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: frozenset(
            {
                Permission.BROWSE,
                Permission.CHECK,
                Permission.CLOSE,
                Permission.COMPLETE,
                Permission.FILE,
                Permission.HEAR,
                Permission.HOLD,
                Permission.KNOW_ALL,
                Permission.OVERSEE,
                Permission.PROVIDE,
                Permission.READ_DIRECTLY,
                Permission.READ_LOOKUPS,
                Permission.READ_REQUESTS,
                Permission.RECOGNISE,
                Permission.RELEASE,
                Permission.REPAIR,
                Permission.SEARCH,
                Permission.SWEEP,
                Permission.VOID,
            }
        ),
        Role.AUDITOR: frozenset(
            {
                Permission.BROWSE,
                Permission.CHECK,
                Permission.HEAR,
                Permission.KNOW_ALL,
                Permission.OVERSEE,
                Permission.READ_DIRECTLY,
                Permission.READ_LEDGER,
                Permission.READ_LOOKUPS,
                Permission.READ_REQUESTS,
                Permission.SEARCH,
            }
        ),
        Role.EMPLOYEE: frozenset({Permission.BROWSE, Permission.REQUEST}),
        Role.HEAD: _APPROVER,
        Role.MANAGEMENT: _APPROVER | {Permission.KNOW_ALL},
        Role.OPERATIONS: _APPROVER | {Permission.KNOW_ALL},
        Role.REGISTRAR: frozenset({Permission.BROWSE, Permission.FILE, Permission.REQUEST}),
        Role.SYSTEM: frozenset({Permission.MANAGE_PEOPLE, Permission.OVERSEE}),
    }
)


def may(person: Person, permission: Permission) -> bool:
    return not person.disabled and permission in _GRANTED.get(person.role, frozenset())


def require(person: Person, permission: Permission) -> None:
    """Raises MunimentError(ACCESS_DENIED)."""
    if not may(person, permission):
        raise MunimentError(Code.ACCESS_DENIED)
