"""The table of who may do what."""

import pytest

from access.permissions import Permission, may, require
from access.person import Person, Role
from archive.errors import Code

CHANGES = {
    Permission.APPROVE, Permission.CLOSE, Permission.COMPLETE, Permission.FILE, Permission.HOLD,
    Permission.MANAGE_PEOPLE, Permission.PROVIDE, Permission.RELEASE, Permission.REPAIR, Permission.REQUEST,
    Permission.SWEEP, Permission.VOID,
}  # fmt: skip


def allowed(role):
    person = Person("P0001", "某人", role, "店")
    return {each for each in Permission if may(person, each)}


def test_permissions_stand_in_alphabetical_order():
    names = [each.name for each in Permission]
    assert names == sorted(names)


def test_the_system_administrator_sees_no_content():
    assert allowed(Role.SYSTEM) == {Permission.MANAGE_PEOPLE, Permission.OVERSEE}


def test_the_auditor_reads_everything_and_changes_nothing():
    reading = {each for each in Permission if each.value.startswith("read-")}
    assert allowed(Role.AUDITOR) >= reading | {Permission.SEARCH}
    assert not allowed(Role.AUDITOR) & CHANGES


def test_only_administrators_and_auditors_look_directly():
    assert {role for role in Role if Permission.READ_DIRECTLY in allowed(role)} == {
        Role.ADMINISTRATOR, Role.AUDITOR,
    }  # fmt: skip


def test_only_those_who_look_directly_hear_what_cannot_be_masked():
    assert {role for role in Role if Permission.HEAR in allowed(role)} == {Role.ADMINISTRATOR, Role.AUDITOR}


def test_nobody_both_asks_and_provides():
    assert not [role for role in Role if allowed(role) >= {Permission.REQUEST, Permission.PROVIDE}]


def test_only_the_three_approving_roles_approve():
    assert {role for role in Role if Permission.APPROVE in allowed(role)} == {
        Role.HEAD, Role.OPERATIONS, Role.MANAGEMENT,
    }  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_a_disabled_person_may_do_nothing(refusal, role):
    person = Person("P0001", "某人", role, "店", disabled=True)
    assert {refusal(lambda each=each: require(person, each)) for each in Permission} == {Code.ACCESS_DENIED}
