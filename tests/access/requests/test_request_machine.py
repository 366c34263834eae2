"""Whatever people do, in whatever order: no page without all approvals, by distinct others, while provided."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from access.people import Role
from access.requests import RequestState
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act

EXPECTED = {
    Code.ACCESS_DENIED, Code.FILE_NOT_FOUND, Code.OWN_REQUEST, Code.REQUEST_NOT_FOUND, Code.REQUEST_STATE,
}  # fmt: skip
PEOPLE = [
    (Role.EMPLOYEE, "剧本部"), (Role.HEAD, "剧本部"), (Role.HEAD, "财务部"), (Role.OPERATIONS, "总部"),
    (Role.MANAGEMENT, "总部"), (Role.MANAGEMENT, "董事会"), (Role.ADMINISTRATOR, "客服部"),
]  # fmt: skip
REQUESTERS = st.integers(0, 5)
PERSON = st.integers(0, len(PEOPLE) - 1)
ACTS = {
    "approve": Act.REQUEST_APPROVED,
    "close": Act.REQUEST_CLOSED,
    "provide": Act.REQUEST_PROVIDED,
    "recall": Act.REQUEST_RECALLED,
    "refuse": Act.REQUEST_REFUSED,
    "sign_off": Act.REQUEST_SIGNED_OFF,
    "withdraw": Act.REQUEST_WITHDRAWN,
}
NEEDED = {  # how many others approve, by the requester's place in PEOPLE and the level
    0: {"一级": 1, "二级": 2, "三级": 2}, 1: {"一级": 1, "二级": 2, "三级": 2}, 2: {"一级": 1, "二级": 2, "三级": 2},
    3: {"一级": 1, "二级": 1, "三级": 1}, 4: {"一级": 1, "二级": 1, "三级": 1}, 5: {"一级": 1, "二级": 1, "三级": 1},
}  # fmt: skip


def machine(built):
    people = [built.person(role, department, f"{role} {department}") for role, department in PEOPLE]

    class Readers(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.asked = None
            self.approved_by = []
            self.last = None
            self.before = Counter(each.act for each in built.entries())
            self.done = Counter()

        @precondition(lambda self: self.asked is None)
        @rule(requester=REQUESTERS, level=st.sampled_from(["一级", "二级", "三级"]))
        def ask(self, requester, level):
            self.reference = built.file(level)
            self.requester, self.level = requester, level
            self.asked = built.ask(people[requester], self.reference, days=2)
            self.done[Act.REQUEST_MADE] += 1

        @precondition(lambda self: self.asked is not None)
        @rule(person=PERSON, act=st.sampled_from(sorted(ACTS)))
        def handle(self, person, act):
            more = ["因故"] if act in ("refuse", "recall") else []
            try:
                getattr(built.requests, act)(people[person], self.asked.number, *more)
            except MunimentError as error:
                assert error.code in EXPECTED
                return
            self.done[ACTS[act]] += 1
            self.last = act
            if act == "approve":
                self.approved_by.append(person)

        @precondition(lambda self: self.asked is not None)
        @rule()
        def decide_and_provide(self):
            """What an honest house does, so that the machine gets far often."""
            for act in ("approve", "provide", "sign_off"):
                for person in range(len(PEOPLE)):
                    before = self.last, len(self.approved_by)
                    self.handle(person, act)
                    if (self.last, len(self.approved_by)) != before:
                        return

        @precondition(lambda self: self.asked is not None)
        @rule(person=PERSON)
        def read(self, person):
            try:
                built.viewing.page(people[person], self.reference, 0, 1, 800)
            except MunimentError as error:
                assert error.code in EXPECTED
                self.done[Act.VIEW_REFUSED] += 1
                return
            self.done[Act.VIEWED] += 1
            if people[person].role is Role.ADMINISTRATOR:
                return
            assert person == self.requester
            assert self.last == "provide"
            assert person not in self.approved_by
            assert len(set(self.approved_by)) == len(self.approved_by) == NEEDED[person][self.level]
            assert built.today <= self.asked.ends_on

        @rule()
        def a_day_passes(self):
            built.wait(days=1)

        @invariant()
        def every_act_has_its_entry(self):
            found = Counter(each.act for each in built.entries())
            found.subtract(self.before)
            assert +found == self.done

        @invariant()
        def what_was_provided_was_approved(self):
            if self.asked is None:
                return
            request = built.requests.get(people[self.requester], self.asked.number)
            if request.state in {RequestState.PROVIDED, RequestState.SIGNED_OFF, RequestState.CLOSED}:
                assert request.approved_by_distinct_others
                assert [each.approver for each in request.approvals] == [people[p] for p in self.approved_by]

    return Readers


def test_no_order_of_acts_shows_a_page_without_its_approvals(house):
    run_state_machine_as_test(
        machine(house),
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert house.entries(Act.VIEWED), "the machine never got as far as reading"


@pytest.mark.parametrize("act", sorted(ACTS))
def test_every_act_is_a_method(house, act):
    assert callable(getattr(house.requests, act))
