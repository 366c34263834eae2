"""Holds: placed and lifted with a reason, each one recorded, none of them by accident."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from archive.casefile import tables
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from retention.holds import HoldId

ADMINISTRATOR = Actor("P0001")
AUDITOR = Actor("P0002")
LAWSUIT = "法务部：诉讼未结"


def refusal(call, *arguments) -> MunimentError:
    with pytest.raises(MunimentError) as caught:
        call(*arguments)
    assert caught.value.say("zh")
    assert caught.value.say("en")
    return caught.value


def test_a_placed_hold_is_active_and_tells_who_when_and_why(house) -> None:
    reference = house.add()
    placed = house.holds.place(ADMINISTRATOR, reference, f"  {LAWSUIT} ")
    assert house.holds.active(reference) == (placed,)
    assert (placed.reference, placed.reason) == (reference, LAWSUIT)
    assert (placed.placed_by, placed.placed_at) == (ADMINISTRATOR, datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    assert (placed.lifted_by, placed.lifted_at, placed.lift_reason) == (None, None, None)


def test_a_lifted_hold_is_active_no_more_and_tells_who_lifted_it(house) -> None:
    reference = house.add()
    placed = house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    house.now[0] += timedelta(days=3)
    lifted = house.holds.lift(AUDITOR, reference, "结案")
    assert house.holds.active(reference) == ()
    assert house.holds.all_active() == {}
    assert lifted.id == placed.id
    assert (lifted.lifted_by, lifted.lift_reason) == (AUDITOR, "结案")
    assert lifted.lifted_at == placed.placed_at + timedelta(days=3)


def test_both_acts_are_in_the_ledger_with_their_reasons(house) -> None:
    reference = house.add()
    hold = house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    house.holds.lift(AUDITOR, hold.id, "结案")
    told = [(each.act, each.actor, each.subject, each.detail) for each in house.entries()]
    assert told == [
        (Act.HELD, ADMINISTRATOR, reference, {"hold": hold.id, "reason": LAWSUIT}),
        (Act.HOLD_LIFTED, AUDITOR, reference, {"hold": hold.id, "reason": "结案"}),
    ]
    assert house.verify().entries == 2


def test_no_reason_stands_in_a_leaf_and_all_go_with_the_key_of_the_file(house) -> None:
    reference = house.add()
    house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    house.holds.lift(ADMINISTRATOR, reference, "结案了")
    assert "诉讼" not in house.leaves()
    assert "结案" not in house.leaves()
    with house.catalogue.housekeeping() as connection:
        connection.execute(sa.delete(tables.file_key))
    assert [each.detail for each in house.entries()] == [None, None]
    assert house.verify().shredded == 2


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"completed_on": date(2020, 2, 1)},
        {"level": "三级", "permanent": "legal-dispute"},
        {"state": "void", "voided_at": datetime(2020, 2, 1, tzinfo=UTC)},
    ],
)
def test_any_file_can_be_held(house, given) -> None:
    reference = house.add(**given)
    house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    assert len(house.holds.active(reference)) == 1


def test_the_same_reason_twice_is_refused_and_not_recorded(house) -> None:
    reference = house.add()
    first = house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    error = refusal(house.holds.place, AUDITOR, reference, f"{LAWSUIT}\n")
    assert (error.code, error.facts) == (Code.ALREADY_HELD, {"reference": reference, "hold": first.id})
    assert house.holds.active(reference) == (first,)
    assert len(house.entries()) == 1


def test_a_file_may_be_held_again_for_a_reason_that_was_lifted(house) -> None:
    reference = house.add()
    first = house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    house.holds.lift(ADMINISTRATOR, reference, "结案")
    again = house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    assert again.id != first.id
    assert house.holds.active(reference) == (again,)


def test_two_files_may_be_held_for_one_reason(house) -> None:
    references = [house.add(), house.add()]
    holds = [house.holds.place(ADMINISTRATOR, each, LAWSUIT) for each in references]
    assert house.holds.all_active() == {each.case_file: (each,) for each in holds}


def test_several_holds_are_told_oldest_first_and_lifted_one_by_one(house) -> None:
    reference = house.add()
    lawsuit = house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    inquiry = house.holds.place(ADMINISTRATOR, reference, "市场监管局调查")
    assert house.holds.active(reference) == (lawsuit, inquiry)
    assert house.holds.all_active() == {lawsuit.case_file: (lawsuit, inquiry)}
    house.holds.lift(ADMINISTRATOR, lawsuit.id, "结案")
    assert house.holds.active(reference) == (inquiry,)


def test_lifting_by_reference_asks_which_one_when_there_are_several(house) -> None:
    reference = house.add()
    numbers = [house.holds.place(ADMINISTRATOR, reference, each).id for each in (LAWSUIT, "调查")]
    error = refusal(house.holds.lift, ADMINISTRATOR, reference, "结案")
    assert error.code is Code.HOLDS_SEVERAL
    assert error.facts == {"reference": reference, "holds": f"{numbers[0]}, {numbers[1]}"}
    assert len(house.holds.active(reference)) == 2
    assert "诉讼" not in error.say("zh")


def test_lifting_where_there_is_no_hold_is_refused(house) -> None:
    reference = house.add()
    assert refusal(house.holds.lift, ADMINISTRATOR, reference, "结案").code is Code.HOLD_NOT_FOUND
    for number in (1, 0, -1, 2**63, 10**30):
        error = refusal(house.holds.lift, ADMINISTRATOR, HoldId(number), "结案")
        assert error.code is Code.HOLD_NOT_FOUND
    assert house.entries() == []


def test_lifting_twice_is_refused_and_keeps_the_first_reason(house) -> None:
    hold = house.holds.place(ADMINISTRATOR, house.add(), LAWSUIT)
    house.holds.lift(ADMINISTRATOR, hold.id, "结案")
    assert refusal(house.holds.lift, AUDITOR, hold.id, "另一理由").code is Code.ALREADY_LIFTED
    assert [each.actor for each in house.entries()] == [ADMINISTRATOR, ADMINISTRATOR]


@pytest.mark.parametrize("reason", ["", "  ", "\n\t", "\u3000"])
def test_placing_and_lifting_need_a_reason(house, reason) -> None:
    reference = house.add()
    assert refusal(house.holds.place, ADMINISTRATOR, reference, reason).code is Code.REASON_MISSING
    house.holds.place(ADMINISTRATOR, reference, LAWSUIT)
    assert refusal(house.holds.lift, ADMINISTRATOR, reference, reason).code is Code.REASON_MISSING
    assert len(house.holds.active(reference)) == 1


@pytest.mark.parametrize(
    ("reference", "code"),
    [("2020-一级-剧本相关-999", Code.FILE_NOT_FOUND), ("nonsense", Code.REFERENCE_INVALID)],
)
def test_a_file_that_is_not_there_cannot_be_held(house, reference, code) -> None:
    house.add()
    assert refusal(house.holds.place, ADMINISTRATOR, reference, LAWSUIT).code is code
    assert refusal(house.holds.lift, ADMINISTRATOR, reference, LAWSUIT).code is code
    assert refusal(house.holds.active, reference).code is code


def test_of_two_who_place_the_same_hold_at_once_one_is_refused(house, at_once) -> None:
    reference = house.add()
    results = at_once(*[lambda: house.holds.place(ADMINISTRATOR, reference, LAWSUIT)] * 4)
    refused = [each for each in results if isinstance(each, MunimentError)]
    assert [each.code for each in refused] == [Code.ALREADY_HELD] * 3
    assert len(house.holds.active(reference)) == 1
    assert house.verify().entries == 1


def test_of_two_who_lift_one_hold_at_once_one_is_refused(house, at_once) -> None:
    hold = house.holds.place(ADMINISTRATOR, house.add(), LAWSUIT)
    results = at_once(*[lambda: house.holds.lift(ADMINISTRATOR, hold.id, "结案")] * 4)
    refused = [each for each in results if isinstance(each, MunimentError)]
    assert [each.code for each in refused] == [Code.ALREADY_LIFTED] * 3
    assert house.verify().entries == 2
