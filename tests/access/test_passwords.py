"""Which passwords are good enough, and how they are kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.passwords import Passwords
from archive.errors import Code

QUICK = Passwords(time_cost=1, memory_kib=8)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "password",
        "password123",
        "PassWord!!!",
        "1234567890",
        "李莉李莉李莉李莉李莉",
        "ａｂｃｄｅｆｇｈｉｊ",
        "Li Lei 2026!!",
        "x" * 257,
        "a" * 9,
    ],
)
def test_a_weak_password_is_refused(refusal, password):
    assert refusal(lambda: QUICK.check(password, "li lei")) is Code.PASSWORD_WEAK


@pytest.mark.parametrize("password", ["correct-horse-battery", "三只小猪盖房子真辛苦", "x7$kQ2!mnp"])
def test_a_good_password_is_taken(password):
    QUICK.check(password, "li lei")


def test_the_default_figures_are_those_of_owasp():
    kept = Passwords().hash("correct-horse-battery")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@settings(deadline=None, max_examples=50)
@given(st.text(), st.text())
def test_only_the_same_password_matches(one, other):
    kept = QUICK.hash(one)
    assert QUICK.matches(kept, one)
    assert QUICK.matches(kept, other) == (QUICK.matches(QUICK.hash(other), one))
    assert not QUICK.matches(None, one)


def test_nobody_has_the_password_of_nobody():
    assert not QUICK.matches(None, "a password that nobody has")


def test_what_is_no_hash_matches_nothing():
    assert not QUICK.matches("plain", "plain")
