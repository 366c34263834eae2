"""The way of a request, and who must approve."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.person import Role
from access.workflow import TRANSITIONS, Move, RequestState, Step, chain, state_on
from archive.errors import Code
from archive.scheme.scheme import load_scheme

SCHEME = load_scheme()
HEAD = Step(Role.HEAD, "剧本部")
OPERATIONS, MANAGEMENT = Step(Role.OPERATIONS, None), Step(Role.MANAGEMENT, None)
RANK = {Role.HEAD: 1, Role.OPERATIONS: 2, Role.MANAGEMENT: 3}


@pytest.mark.parametrize(
    ("role", "level", "steps"),
    [
        (Role.EMPLOYEE, 1, (HEAD,)),
        (Role.EMPLOYEE, 2, (HEAD, OPERATIONS)),
        (Role.REGISTRAR, 3, (HEAD, OPERATIONS)),
        (Role.HEAD, 1, (OPERATIONS,)),
        (Role.HEAD, 2, (OPERATIONS, MANAGEMENT)),
        (Role.OPERATIONS, 1, (MANAGEMENT,)),
        (Role.OPERATIONS, 3, (MANAGEMENT,)),
        (Role.MANAGEMENT, 1, (MANAGEMENT,)),
        (Role.MANAGEMENT, 3, (MANAGEMENT,)),
    ],
)
def test_the_chain_stands_above_the_requester(role, level, steps):
    assert chain(role, "剧本部", SCHEME.level(str(level))) == steps


@given(st.sampled_from(Role), st.lists(st.sampled_from(["head", "operations", "management"]), min_size=1))
def test_every_chain_has_a_step_and_none_below_the_requester(role, approvers):
    steps = chain(role, "剧本部", replace(SCHEME.levels[0], approvers=tuple(approvers)))
    assert steps
    assert len(set(steps)) == len(steps)
    own = RANK.get(role, 0)
    assert all(RANK[step.role] > own or step.role is role is Role.MANAGEMENT for step in steps)
    if own == 0:
        assert [step.role.value for step in steps] == list(dict.fromkeys(approvers))


@pytest.mark.parametrize("name", ["boss", "employee", "administrator"])
def test_a_scheme_whose_approver_approves_nothing_is_refused(refusal, name):
    level = replace(SCHEME.levels[0], approvers=(name,))
    assert refusal(lambda: chain(Role.EMPLOYEE, "店", level)) is Code.SCHEME_INVALID


def test_what_has_ended_stays_ended():
    ended = {
        RequestState.CLOSED, RequestState.EXPIRED, RequestState.REFUSED, RequestState.WITHDRAWN,
    }  # fmt: skip
    assert {state for state, _ in TRANSITIONS} == set(RequestState) - ended


def test_only_approval_and_providing_lead_to_reading():
    def before(state):
        return {(old, move) for (old, move), new in TRANSITIONS.items() if new is state and old is not state}

    assert before(RequestState.PROVIDED) == {(RequestState.APPROVED, Move.PROVIDE)}
    assert before(RequestState.APPROVED) == {(RequestState.PENDING, Move.APPROVE_LAST)}


@pytest.mark.parametrize("state", RequestState)
def test_a_request_expires_only_while_nobody_could_read(state):
    day = date(2026, 11, 24)
    assert state_on(state, day, day) is state
    late = state_on(state, day, date(2026, 11, 25))
    expires = state in {RequestState.PENDING, RequestState.APPROVED}
    assert late is (RequestState.EXPIRED if expires else state)


@pytest.mark.parametrize("state", RequestState)
def test_every_state_has_words(state):
    assert state.say("zh") != state.say("en") == state.value
