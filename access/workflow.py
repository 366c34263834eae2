"""An access request's way (P14.1, P14.3, P14.5), pure: its states, its one transition table, and who must
approve.

    pending ─approve…─> approved ─provide─> provided ─sign off─> signed-off ─close─> closed
       │                   │                   └──recall (the period ended)──────────> closed
       └─refuse, withdraw──┴─> refused, withdrawn

A request whose period ended before it was provided is *expired*. That is computed from the date, never
stored: no clock has to run for it to be true.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from access.person import Role
from archive.causes import Cause
from archive.errors import Code, MunimentError
from archive.scheme.scheme import Level


class RequestState(StrEnum):
    APPROVED = "approved"
    CLOSED = "closed"
    EXPIRED = "expired"
    PENDING = "pending"
    PROVIDED = "provided"
    REFUSED = "refused"
    SIGNED_OFF = "signed-off"
    WITHDRAWN = "withdrawn"

    def say(self, language: str) -> str:
        """审批中, ``pending``."""
        return _TITLES[self] if language == "zh" else self.value


_TITLES: Final = MappingProxyType(
    {
        RequestState.APPROVED: "已批准",
        RequestState.CLOSED: "已归还",
        RequestState.EXPIRED: "已过期",
        RequestState.PENDING: "审批中",
        RequestState.PROVIDED: "查阅中",
        RequestState.REFUSED: "未获批准",
        RequestState.SIGNED_OFF: "已签字",
        RequestState.WITHDRAWN: "已撤回",
    }
)


class Move(StrEnum):
    """What can be done to a request."""

    APPROVE = "approve"  # a step that is not the last
    APPROVE_LAST = "approve-last"
    CLOSE = "close"
    PROVIDE = "provide"
    RECALL = "recall"
    REFUSE = "refuse"
    SIGN_OFF = "sign-off"
    WITHDRAW = "withdraw"


TRANSITIONS: Final[Mapping[tuple[RequestState, Move], RequestState]] = MappingProxyType(
    {
        (RequestState.PENDING, Move.APPROVE): RequestState.PENDING,
        (RequestState.PENDING, Move.APPROVE_LAST): RequestState.APPROVED,
        (RequestState.PENDING, Move.REFUSE): RequestState.REFUSED,
        (RequestState.PENDING, Move.WITHDRAW): RequestState.WITHDRAWN,
        (RequestState.APPROVED, Move.PROVIDE): RequestState.PROVIDED,
        (RequestState.APPROVED, Move.REFUSE): RequestState.REFUSED,
        (RequestState.APPROVED, Move.WITHDRAW): RequestState.WITHDRAWN,
        (RequestState.PROVIDED, Move.SIGN_OFF): RequestState.SIGNED_OFF,
        (RequestState.PROVIDED, Move.RECALL): RequestState.CLOSED,
        (RequestState.SIGNED_OFF, Move.CLOSE): RequestState.CLOSED,
    }
)

OPEN: Final = frozenset(state for state, _ in TRANSITIONS)  # something can still be done to it

_MAY_EXPIRE: Final = frozenset({RequestState.APPROVED, RequestState.PENDING})


def state_on(stored: RequestState, ends_on: date, today: date) -> RequestState:
    """The state as it is today: EXPIRED where nobody can read any more and nobody did."""
    return RequestState.EXPIRED if stored in _MAY_EXPIRE and ends_on < today else stored


@dataclass(frozen=True, slots=True)
class Step:
    """Who decides: somebody of this role, of this department where it matters."""

    role: Role
    department: str | None


# Whose approval is above whose.
_RANK: Final = MappingProxyType({Role.HEAD: 1, Role.OPERATIONS: 2, Role.MANAGEMENT: 3})
_BY_RANK: Final = MappingProxyType({rank: role for role, rank in _RANK.items()})


def chain(role: Role, department: str, level: Level) -> tuple[Step, ...]:
    """Who must approve what somebody of this role and department asks for, in order (P14.1).

    A requester who is an approver moves every step up until it stands above them: a head's steps begin with
    the head of operations, and management decides for the head of operations. Nothing stands above
    management: there another member decides. Steps that come to the same role are one step, since one person
    decides once.

    Raises MunimentError(SCHEME_INVALID) when the scheme names a role that approves nothing.
    """
    own = _RANK.get(role, 0)
    steps: list[Step] = []
    floor = own + 1
    for name in level.approvers:
        try:
            wanted = _RANK[Role(name)]
        except (ValueError, KeyError):
            raise MunimentError(
                Code.SCHEME_INVALID, problem=Cause(f"角色“{name}”不能审批", f"{name!r} approves nothing")
            ) from None
        rank = min(max(wanted, floor), _RANK[Role.MANAGEMENT])
        if rank != wanted:
            floor = rank + 1
        step = Step(_BY_RANK[rank], department if _BY_RANK[rank] is Role.HEAD else None)
        if step not in steps:
            steps.append(step)
    return tuple(steps)
