"""Signing in and out, and never being sent elsewhere."""

import pytest
from flask import Flask

from access.person import Role
from archive.ledger.entries import CONSOLE
from web.pages.entrance import local
from web.wiring import House


@pytest.fixture
def administrator(house: House) -> None:
    house.people.add(CONSOLE, "周敏", Role.ADMINISTRATOR, "客服部", "correct-horse-battery")


@pytest.mark.usefixtures("administrator")
def test_a_wrong_password_is_refused_in_the_readers_language(stranger):
    wrong = {"name": "周敏", "password": "not-the-password"}
    answer = stranger.post("/sign-in", "/sign-in", data=wrong)
    assert answer.status_code == 401
    assert "姓名或密码不正确" in answer.text
    assert "not-the-password" not in answer.text
    answer = stranger.post("/sign-in", "/sign-in", data=wrong, headers={"Accept-Language": "en"})
    assert "The name or the password is wrong" in answer.text


@pytest.mark.usefixtures("administrator")
def test_signing_in_leads_to_the_page_that_was_asked_for(stranger):
    sent = stranger.get("/retention?as_of=2026-01-01")
    assert sent.location == "/sign-in?next=%2Fretention%3Fas_of%3D2026-01-01"
    given = {"name": "周敏", "password": "correct-horse-battery", "next": "/retention?as_of=2026-01-01"}
    answer = stranger.post("/sign-in", "/sign-in", data=given)
    assert answer.location == "/retention?as_of=2026-01-01"


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/", "//example.com/", "/\\example.com", "javascript:alert(1)", "x", "", None,
        "/a\r\nSet-Cookie: x", "\\\\example.com", "///example.com",
    ],
)  # fmt: skip
def test_nobody_is_sent_to_another_site(address: str | None):
    assert local(address) == "/"


def test_signing_out_ends_the_session_for_good(house: House, visitor):
    browser = visitor(Role.ADMINISTRATOR)
    token = browser.client.get_cookie("session").value
    assert browser.get("/").status_code == 200
    assert browser.post("/sign-out").status_code == 303
    browser.client.set_cookie("session", token)
    assert browser.get("/").status_code == 303
    assert house.sessions.resume(token) is None


def test_the_language_is_chosen_by_cookie_then_by_browser(stranger):
    assert '<html lang="zh-CN">' in stranger.get("/sign-in").text
    assert '<html lang="en">' in stranger.get("/sign-in", **{"Accept-Language": "en-GB,en;q=0.9"}).text
    assert '<html lang="zh-CN">' in stranger.get("/sign-in", **{"Accept-Language": "fr"}).text
    answer = stranger.get("/language/en?next=/sign-in")
    assert answer.location == "/sign-in"
    assert '<html lang="en">' in stranger.get("/sign-in").text


def test_a_changed_password_ends_the_sessions(visitor):
    browser = visitor(Role.EMPLOYEE)
    given = {"old": "correct-horse-battery", "new": "another-long-secret"}
    assert browser.post("/account", data=given).status_code == 303
    assert browser.get("/").status_code == 303


def test_signing_in_again_ends_the_session_that_was_open(app: Flask, visitor):
    browser = visitor(Role.EMPLOYEE)
    before = browser.client.get_cookie("session").value
    browser.post("/sign-in", data={"name": "员工·春熙路店", "password": "correct-horse-battery"})
    assert browser.client.get_cookie("session").value != before
    thief = app.test_client()
    thief.set_cookie("session", before)
    assert thief.get("/").status_code == 303
