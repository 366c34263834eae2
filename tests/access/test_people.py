"""Accounts: numbers, names, signing in, lock-out, passwords."""

import pytest
import sqlalchemy as sa

from access import tables
from access.passwords import Passwords
from access.people import FAILURES, People
from access.person import Role, role_of
from archive.errors import Code
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, NOBODY, Actor

PASSWORD = "correct-horse-battery"


@pytest.fixture
def li(house):
    return house.people.add(CONSOLE, "李莉", Role.EMPLOYEE, "客服部", PASSWORD)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("员工", Role.EMPLOYEE), ("登记员", Role.REGISTRAR), ("部门负责人", Role.HEAD),
        ("运营负责人", Role.OPERATIONS), ("管理层", Role.MANAGEMENT), ("档案管理员", Role.ADMINISTRATOR),
        ("内部审计", Role.AUDITOR), ("系统管理员", Role.SYSTEM), (" Head ", Role.HEAD),
    ],
)  # fmt: skip
def test_roles_are_known_by_both_names(text, role):
    assert role_of(text) is role


def test_an_unknown_role_is_refused(refusal):
    assert refusal(lambda: role_of("老板")) is Code.ROLE_UNKNOWN


def test_people_are_numbered_without_gap_and_recorded(house, li):
    other = house.people.add(CONSOLE, "王强", Role.HEAD, "客服部", PASSWORD)
    assert [li.number, other.number] == ["P0001", "P0002"]
    assert house.people.list() == (li, other)
    assert house.acts() == [Act.PERSON_ADDED, Act.PERSON_ADDED]
    assert "李莉" not in house.leaves()


def test_people_added_at_once_get_numbers_without_gap(house, at_once):
    names = [f"员工{n}" for n in range(6)]
    at_once(
        *(lambda name=name: house.people.add(CONSOLE, name, Role.EMPLOYEE, "店", PASSWORD) for name in names)
    )
    assert [each.number for each in house.people.list()] == [f"P000{n}" for n in range(1, 7)]


def test_a_name_is_taken_however_it_is_typed(house, refusal):
    house.people.add(CONSOLE, "Li  Lei", Role.EMPLOYEE, "店", PASSWORD)
    assert (
        refusal(lambda: house.people.add(CONSOLE, "Ｌｉ Lei ", Role.EMPLOYEE, "店", PASSWORD))
        is Code.NAME_TAKEN
    )
    assert house.people.by_name(" Li Lei").number == "P0001"


@pytest.mark.parametrize(
    ("name", "department"), [("", "店"), ("  ", "店"), ("李", ""), ("李\u202e莉", "店"), ("李" * 81, "店")]
)
def test_a_name_that_cannot_be_printed_is_refused(house, refusal, name, department):
    assert (
        refusal(lambda: house.people.add(CONSOLE, name, Role.EMPLOYEE, department, PASSWORD))
        is Code.NAME_INVALID
    )


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_only_the_system_administrator_keeps_accounts(house, refusal, role):
    person = house.person(role)
    calls = (
        lambda: house.people.add(person.actor, "新人", Role.EMPLOYEE, "店", PASSWORD),
        lambda: house.people.disable(person.actor, person.number),
        lambda: house.people.reset_password(person.actor, person.number, "another-long-one"),
    )
    assert {refusal(call) for call in calls} == {Code.ACCESS_DENIED}
    assert house.people.by_name("新人") is None


def test_nobody_keeps_no_accounts(house, refusal):
    for actor in (NOBODY, Actor("P9999")):
        assert (
            refusal(lambda actor=actor: house.people.add(actor, "新人", Role.EMPLOYEE, "店", PASSWORD))
            is Code.ACCESS_DENIED
        )


def test_the_right_password_signs_in(house, li):
    assert house.people.authenticate(" 李莉", PASSWORD) == li
    assert house.entries()[-1].act is Act.SIGNED_IN
    assert house.entries()[-1].actor == li.number


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(house, li, refusal):
    assert refusal(lambda: house.people.authenticate("李莉", "wrong-password")) is Code.CREDENTIALS_WRONG
    assert refusal(lambda: house.people.authenticate("無人", "wrong-password")) is Code.CREDENTIALS_WRONG
    assert [each.subject for each in house.entries(Act.SIGN_IN_REFUSED)] == ["P0001", "nobody"]


@pytest.mark.parametrize("name", ["李莉", "無人"])
def test_five_failures_lock_for_fifteen_minutes_known_or_not(house, li, refusal, name):
    codes = [refusal(lambda: house.people.authenticate(name, "wrong-password")) for _ in range(FAILURES)]
    assert codes == [Code.CREDENTIALS_WRONG] * FAILURES
    assert refusal(lambda: house.people.authenticate(name, PASSWORD)) is Code.ACCOUNT_LOCKED
    assert len(house.entries(Act.SIGN_IN_REFUSED)) == FAILURES
    house.wait(minutes=14, seconds=59)
    assert refusal(lambda: house.people.authenticate(name, PASSWORD)) is Code.ACCOUNT_LOCKED
    house.wait(seconds=1)
    assert refusal(lambda: house.people.authenticate(name, "wrong-password")) is Code.CREDENTIALS_WRONG


def test_the_lock_ends_and_the_right_password_works_again(house, li, refusal):
    for _ in range(FAILURES):
        refusal(lambda: house.people.authenticate("李莉", "wrong-password"))
    house.wait(minutes=15)
    assert house.people.authenticate("李莉", PASSWORD) == li


def test_a_success_forgets_the_failures(house, li, refusal):
    for _ in range(3):
        for _ in range(FAILURES - 1):
            refusal(lambda: house.people.authenticate("李莉", "wrong-password"))
        house.people.authenticate("李莉", PASSWORD)


def test_a_hundred_guesses_at_once_are_five_guesses(house, li, at_once):
    found = at_once(*(lambda: house.people.authenticate("李莉", "wrong-password") for _ in range(12)))
    codes = [each.code for each in found]
    assert codes.count(Code.CREDENTIALS_WRONG) == FAILURES
    assert codes.count(Code.ACCOUNT_LOCKED) == 12 - FAILURES


def test_strangers_are_forgotten_before_they_fill_the_memory(house, refusal, monkeypatch):
    monkeypatch.setattr("access.people._STRANGERS", 3)
    for number in range(8):
        refusal(lambda number=number: house.people.authenticate(f"無人{number}", "wrong-password"))
    assert len(house.people._strangers) == 3


def test_the_password_is_looked_at_for_unknown_names_too(house, monkeypatch, refusal):
    looked = []
    matches = Passwords.matches
    monkeypatch.setattr(
        Passwords, "matches", lambda self, kept, given: looked.append(kept) or matches(self, kept, given)
    )
    refusal(lambda: house.people.authenticate("無人", PASSWORD))
    assert looked == [None]


def test_a_disabled_person_does_not_sign_in(house, li, refusal):
    assert house.people.disable(CONSOLE, li.number).disabled
    assert refusal(lambda: house.people.authenticate("李莉", PASSWORD)) is Code.CREDENTIALS_WRONG
    assert house.people.disable(CONSOLE, li.number).disabled
    assert house.acts().count(Act.PERSON_DISABLED) == 1


def test_a_changed_password_ends_every_session(house, li, refusal):
    token = house.sessions.open(li)
    house.people.change_password(li, PASSWORD, "another-long-one")
    assert house.sessions.resume(token) is None
    assert refusal(lambda: house.people.authenticate("李莉", PASSWORD)) is Code.CREDENTIALS_WRONG
    assert house.people.authenticate("李莉", "another-long-one") == li
    assert Act.PASSWORD_CHANGED in house.acts()


def test_the_old_password_is_not_guessed_by_changing_it(house, li, refusal):
    codes = [
        refusal(lambda: house.people.change_password(li, "wrong-password", "another-long-one"))
        for _ in range(FAILURES + 1)
    ]
    assert codes == [Code.CREDENTIALS_WRONG] * FAILURES + [Code.ACCOUNT_LOCKED]


def test_the_new_password_must_be_another_one(house, li, refusal):
    assert refusal(lambda: house.people.change_password(li, PASSWORD, PASSWORD)) is Code.PASSWORD_WEAK


def test_a_reset_password_lifts_the_lock(house, li, refusal):
    for _ in range(FAILURES):
        refusal(lambda: house.people.authenticate("李莉", "wrong-password"))
    house.people.reset_password(CONSOLE, li.number, "another-long-one")
    assert house.people.authenticate("李莉", "another-long-one") == li


def test_a_person_who_is_not_there_is_not_found(house, refusal):
    assert refusal(lambda: house.people.get("P0009")) is Code.PERSON_NOT_FOUND


def test_new_figures_hash_again_at_the_next_sign_in(house, li):
    def kept():
        with house.catalogue.reading() as connection:
            return connection.execute(sa.select(tables.person.c.password)).scalar_one()

    stronger = People(house.catalogue, Passwords(time_cost=2, memory_kib=16))
    assert "m=8,t=1" in kept()
    stronger.authenticate("李莉", PASSWORD)
    assert "m=16,t=2" in kept()
    stronger.authenticate("李莉", PASSWORD)


def test_nobody_disables_themselves(house, refusal):
    system = house.people.add(CONSOLE, "赵铁", Role.SYSTEM, "信息部", PASSWORD)
    assert refusal(lambda: house.people.disable(system.actor, system.number)) is Code.ACCESS_DENIED
    assert not house.people.get(system.number).disabled
