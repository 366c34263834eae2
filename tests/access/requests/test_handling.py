"""Making, approving, providing, signing off, taking back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from access import tables
from access.people import Role
from access.requests import RequestState
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE


@pytest.fixture
def asker(house):
    return house.person(Role.EMPLOYEE)


@pytest.fixture
def keeper(house):
    return house.person(Role.ADMINISTRATOR, "客服部")


def test_a_request_goes_all_its_way_and_each_act_is_recorded(house, asker, keeper):
    one, two = house.file("一级"), house.file("二级")
    request = house.ask(asker, two, one, two)
    assert request.number == "CX-2026-00001"
    assert request.references == (one, two)
    assert request.level == "二级"
    assert request.state is RequestState.PENDING
    head, operations = house.approvers(request)
    assert house.requests.approve(head, request.number).state is RequestState.PENDING
    assert house.requests.approve(operations, request.number).state is RequestState.APPROVED
    assert house.requests.provide(keeper, request.number).state is RequestState.PROVIDED
    signed = house.requests.sign_off(asker, request.number, " 已阅 ")
    assert (signed.state, signed.remark) == (RequestState.SIGNED_OFF, "已阅")
    closed = house.requests.close(keeper, request.number)
    assert (closed.state, closed.closed_by, closed.recalled) == (RequestState.CLOSED, keeper, False)
    assert [each.approver for each in closed.approvals] == [head, operations]
    assert [act for act in house.acts() if act.value.startswith("request-")] == [
        Act.REQUEST_MADE, Act.REQUEST_APPROVED, Act.REQUEST_APPROVED, Act.REQUEST_PROVIDED,
        Act.REQUEST_SIGNED_OFF, Act.REQUEST_CLOSED,
    ]  # fmt: skip
    assert "处理顾客回访" not in house.leaves()


def test_numbers_run_without_gap_and_anew_each_year(house, asker):
    reference = house.file()
    numbers = [house.ask(asker, reference).number for _ in range(2)]
    house.now = house.now.replace(month=12, day=31, hour=16)  # midnight has passed in Shanghai
    numbers.append(house.ask(asker, reference).number)
    assert numbers == ["CX-2026-00001", "CX-2026-00002", "CX-2027-00001"]


def test_requests_made_at_once_get_numbers_without_gap(house, asker, at_once):
    reference = house.file()
    made = at_once(*(lambda: house.ask(asker, reference) for _ in range(6)))
    assert sorted(each.number for each in made) == [f"CX-2026-0000{n}" for n in range(1, 7)]


def test_a_file_of_another_department_may_be_asked_for_by_its_code(house, asker):
    assert house.ask(asker, house.file(department="财务部")).references


@pytest.mark.parametrize(
    ("references", "code"),
    [
        (["2026-一级-剧本相关-999"], Code.FILE_NOT_FOUND),
        (["x"], Code.REFERENCE_INVALID),
        ([" "], Code.REFERENCE_INVALID),
    ],
)
def test_a_request_names_files_that_are_there(house, asker, refusal, references, code):
    house.file()
    assert refusal(lambda: house.ask(asker, *references)) is code
    assert not house.entries(Act.REQUEST_MADE)


@pytest.mark.parametrize(
    ("purpose", "reason", "starts", "ends", "code"),
    [
        ("curiosity", "因为", 0, 1, Code.PURPOSE_UNKNOWN),
        ("training", " \n", 0, 1, Code.REASON_MISSING),
        ("training", "因为", 1, 0, Code.PERIOD_INVALID),
        ("training", "因为", -3, -1, Code.PERIOD_INVALID),
        ("training", "因为", 0, 30, Code.PERIOD_INVALID),
    ],
)
def test_a_request_that_is_not_whole_is_refused(house, asker, refusal, purpose, reason, starts, ends, code):
    days = [house.today + timedelta(each) for each in (starts, ends)]
    reference = house.file()
    assert refusal(lambda: house.requests.make(asker, [reference], purpose, reason, *days)) is code


def test_thirty_days_are_the_longest_period(house, asker):
    assert house.ask(asker, house.file(), days=30)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.SYSTEM])
def test_those_who_look_directly_or_never_ask_for_nothing(house, refusal, role):
    assert refusal(lambda: house.ask(house.person(role), house.file())) is Code.ACCESS_DENIED


@pytest.mark.parametrize("role", [Role.HEAD, Role.OPERATIONS, Role.MANAGEMENT])
def test_nobody_approves_their_own_request(house, refusal, role):
    person = house.person(role)
    request = house.ask(person, house.file())
    assert refusal(lambda: house.requests.approve(person, request.number)) is Code.OWN_REQUEST


def test_nobody_approves_their_own_request_after_a_change_of_role(house, asker, refusal):
    request = house.ask(asker, house.file())
    become(house, asker, Role.HEAD)
    asker = house.people.get(asker.number)
    assert refusal(lambda: house.requests.approve(asker, request.number)) is Code.OWN_REQUEST
    become(house, asker, Role.ADMINISTRATOR)
    house.requests.approve(house.person(Role.HEAD, name="另一位负责人"), request.number)
    assert refusal(lambda: house.requests.provide(asker, request.number)) is Code.OWN_REQUEST
    assert refusal(lambda: house.requests.refuse(asker, request.number, "不")) is Code.OWN_REQUEST


def test_one_person_decides_one_step_even_in_two_roles(house, asker, refusal):
    request = house.ask(asker, house.file("二级"))
    head = house.person(Role.HEAD)
    house.requests.approve(head, request.number)
    become(house, head, Role.OPERATIONS)
    assert refusal(lambda: house.requests.approve(head, request.number)) is Code.REQUEST_STATE
    assert house.requests.inbox(house.people.get(head.number)) == []


def test_another_manager_decides_for_a_manager(house, refusal):
    one, other = house.person(Role.MANAGEMENT, name="甲"), house.person(Role.MANAGEMENT, name="乙")
    request = house.ask(one, house.file("三级"))
    assert refusal(lambda: house.requests.approve(one, request.number)) is Code.OWN_REQUEST
    assert house.requests.approve(other, request.number).state is RequestState.APPROVED


def test_steps_are_decided_in_order(house, asker, refusal):
    request = house.ask(asker, house.file("二级"))
    operations = house.person(Role.OPERATIONS, "总部")
    assert refusal(lambda: house.requests.approve(operations, request.number)) is Code.ACCESS_DENIED
    assert house.requests.inbox(operations) == []


def test_the_head_of_another_department_does_not_even_see_it(house, asker, refusal):
    request = house.ask(asker, house.file())
    other = house.person(Role.HEAD, "财务部")
    assert refusal(lambda: house.requests.approve(other, request.number)) is Code.REQUEST_NOT_FOUND
    assert refusal(lambda: house.requests.get(other, "CX-2026-09999")) is Code.REQUEST_NOT_FOUND


def test_rights_are_those_of_now_not_of_the_session(house, asker, refusal):
    request = house.ask(asker, house.file())
    head = house.person(Role.HEAD)
    become(house, head, Role.EMPLOYEE)
    assert refusal(lambda: house.requests.approve(head, request.number)) is Code.REQUEST_NOT_FOUND
    house.people.disable(CONSOLE, head.number)
    assert refusal(lambda: house.requests.approve(head, request.number)) is Code.ACCESS_DENIED


def test_a_double_click_approves_once(house, asker, at_once):
    request = house.ask(asker, house.file("二级"))
    head = house.person(Role.HEAD)
    found = at_once(*(lambda: house.requests.approve(head, request.number) for _ in range(4)))
    assert [each.code for each in found if isinstance(each, MunimentError)] == [Code.REQUEST_STATE] * 3
    assert len(house.entries(Act.REQUEST_APPROVED)) == 1


def test_of_two_heads_who_approve_at_once_one_is_told(house, asker, at_once):
    request = house.ask(asker, house.file())
    heads = [house.person(Role.HEAD, name=name) for name in "甲乙"]
    found = at_once(*(lambda head=head: house.requests.approve(head, request.number) for head in heads))
    assert [each.code for each in found if isinstance(each, MunimentError)] == [Code.REQUEST_STATE]
    assert len(house.entries(Act.REQUEST_APPROVED)) == 1


def test_approving_and_withdrawing_at_once_leaves_one_outcome(house, asker, at_once):
    request = house.ask(asker, house.file())
    head = house.person(Role.HEAD)
    at_once(
        lambda: house.requests.approve(head, request.number),
        lambda: house.requests.withdraw(asker, request.number),
    )
    # either order is a way of the table: approved, then withdrawn; or withdrawn, and the approval refused
    assert house.requests.get(asker, request.number).state is RequestState.WITHDRAWN


def test_a_refusal_ends_it_and_says_why(house, asker, refusal):
    request = house.ask(asker, house.file())
    head = house.person(Role.HEAD)
    assert refusal(lambda: house.requests.refuse(head, request.number, " ")) is Code.REASON_MISSING
    refused = house.requests.refuse(head, request.number, "与职责无关")
    assert (refused.state, refused.refusal, refused.refused_by) == (RequestState.REFUSED, "与职责无关", head)
    assert refusal(lambda: house.requests.approve(head, request.number)) is Code.REQUEST_STATE


def test_the_administrator_may_decline_to_provide(house, asker, keeper):
    request = house.approved(asker, house.file())
    assert house.requests.refuse(keeper, request.number, "档案正在修复").state is RequestState.REFUSED


def test_the_administrator_does_not_refuse_in_place_of_the_approver(house, asker, keeper, refusal):
    request = house.ask(asker, house.file())
    assert refusal(lambda: house.requests.refuse(keeper, request.number, "不")) is Code.ACCESS_DENIED


def test_nothing_is_provided_before_the_last_approval(house, asker, keeper, refusal):
    request = house.ask(asker, house.file("二级"))
    assert refusal(lambda: house.requests.provide(keeper, request.number)) is Code.REQUEST_STATE
    house.requests.approve(house.person(Role.HEAD), request.number)
    assert refusal(lambda: house.requests.provide(keeper, request.number)) is Code.REQUEST_STATE


def test_a_row_that_says_approved_is_not_an_approval(house, asker, keeper, refusal):
    request = house.ask(asker, house.file())
    head = house.person(Role.HEAD)
    with house.catalogue.housekeeping() as connection:
        connection.execute(tables.request.update().values(state="approved"))
    assert refusal(lambda: house.requests.provide(keeper, request.number)) is Code.REQUEST_STATE
    with house.catalogue.housekeeping() as connection:
        connection.execute(tables.approval.update().values(approver=head.number, decided_at=house.now))
    assert refusal(lambda: house.requests.provide(keeper, request.number)) is Code.REQUEST_STATE


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_provide_close_and_recall(house, asker, refusal, role):
    person = house.person(role, "客服部")
    request = house.approved(asker, house.file())
    codes = {
        refusal(lambda: house.requests.provide(person, request.number)),
        refusal(lambda: house.requests.close(person, request.number)),
        refusal(lambda: house.requests.recall(person, request.number, "逾期")),
    }
    assert codes <= {Code.ACCESS_DENIED, Code.REQUEST_NOT_FOUND}


def test_only_the_reader_signs_off_and_withdraws(house, asker, keeper, refusal):
    request = house.provided(asker, house.file())
    assert refusal(lambda: house.requests.sign_off(keeper, request.number)) is Code.ACCESS_DENIED
    assert refusal(lambda: house.requests.withdraw(keeper, request.number)) is Code.ACCESS_DENIED


def test_a_provided_request_is_signed_off_not_withdrawn(house, asker, refusal):
    request = house.provided(asker, house.file())
    assert refusal(lambda: house.requests.withdraw(asker, request.number)) is Code.REQUEST_STATE


def test_nothing_is_taken_back_before_the_sign_off(house, asker, keeper, refusal):
    request = house.provided(asker, house.file())
    assert refusal(lambda: house.requests.close(keeper, request.number)) is Code.REQUEST_STATE


@pytest.mark.parametrize("missing", [False, True])
def test_a_damaged_file_is_not_taken_back_as_whole(house, asker, keeper, refusal, missing):
    reference = house.file()
    request = house.provided(asker, reference)
    house.requests.sign_off(asker, request.number)
    if missing:
        del house.shelf.kept[f"{reference}-01.pdf"]
    else:
        house.shelf.kept[f"{reference}-01.pdf"] += b"x"
    expected = Code.DOCUMENT_MISSING if missing else Code.DOCUMENT_ALTERED
    assert refusal(lambda: house.requests.close(keeper, request.number)) is expected
    (found,) = house.entries(Act.DAMAGE_FOUND)
    assert (found.subject, found.detail) == (reference, {"document": 1, "problem": expected.value})
    assert house.requests.get(keeper, request.number).state is RequestState.SIGNED_OFF


def test_a_request_expires_with_its_period(house, asker, keeper, refusal):
    pending, approved = house.ask(asker, house.file(), days=1), house.approved(asker, house.file(), days=1)
    house.wait(days=1)
    head = house.person(Role.HEAD)
    assert [each.state for each in house.requests.mine(asker)] == [RequestState.EXPIRED] * 2
    assert refusal(lambda: house.requests.approve(head, pending.number)) is Code.REQUEST_STATE
    assert refusal(lambda: house.requests.provide(keeper, approved.number)) is Code.REQUEST_STATE
    assert house.requests.inbox(head) == house.requests.inbox(keeper) == []
    assert house.requests.in_use() == {}


def test_what_is_never_signed_off_is_recalled_after_the_period(house, asker, keeper, refusal):
    request = house.provided(asker, house.file(), days=1)
    assert refusal(lambda: house.requests.recall(keeper, request.number, "逾期")) is Code.REQUEST_STATE
    house.wait(days=1)
    assert [each.number for each in house.requests.inbox(keeper)] == [request.number]
    recalled = house.requests.recall(keeper, request.number, "逾期未签字")
    assert (recalled.state, recalled.recalled, recalled.remark) == (RequestState.CLOSED, True, "逾期未签字")
    assert Act.REQUEST_RECALLED in house.acts()


def test_the_inbox_holds_what_awaits_this_person(house, asker, keeper):
    request = house.ask(asker, house.file("二级"))
    head, operations = house.approvers(request)

    def waiting():
        return [len(house.requests.inbox(each)) for each in (head, operations, keeper, asker)]

    assert waiting() == [1, 0, 0, 0]
    house.requests.approve(head, request.number)
    assert waiting() == [0, 1, 0, 0]
    house.requests.approve(operations, request.number)
    assert waiting() == [0, 0, 1, 0]
    house.requests.provide(keeper, request.number)
    assert waiting() == [0, 0, 0, 0]
    house.requests.sign_off(asker, request.number)
    assert waiting() == [0, 0, 1, 0]
    house.requests.close(keeper, request.number)
    assert waiting() == [0, 0, 0, 0]


def test_who_sees_a_request(house, asker, keeper, refusal):
    request = house.ask(asker, house.file())
    auditor, head = house.person(Role.AUDITOR), house.person(Role.HEAD)
    for person in (asker, keeper, auditor, head):
        assert house.requests.get(person, request.number) == request
    for person in (
        house.person(Role.EMPLOYEE, name="同事"),
        house.person(Role.SYSTEM),
        house.person(Role.MANAGEMENT),
    ):
        assert (
            refusal(lambda person=person: house.requests.get(person, request.number))
            is Code.REQUEST_NOT_FOUND
        )
    assert house.requests.all(auditor) == house.requests.all(keeper) == [request]
    assert refusal(lambda: house.requests.all(head)) is Code.ACCESS_DENIED


def test_an_open_request_keeps_its_files_in_use(house, asker, keeper):
    reference = house.file()
    identifier = house.case_file(reference).id
    request = house.provided(asker, reference, days=1)
    house.wait(days=3)
    assert house.requests.in_use() == {identifier: [request.number]}
    house.requests.recall(keeper, request.number, "逾期")
    assert house.requests.in_use() == {}


def become(house, person, role):
    with house.catalogue.housekeeping() as connection:
        connection.execute(
            sa.update(tables.person).where(tables.person.c.number == person.number).values(role=role.value)
        )
