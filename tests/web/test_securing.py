"""What the browser is told on every answer, and what its cookies are."""

from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from flask import Flask

from access.person import Role
from archive.ledger.entries import CONSOLE
from web.app import create_app
from web.wiring import House

PAGES = ("/", "/find", "/file", "/inbox", "/requests", "/lookups", "/retention", "/numbers", "/no-such-page")


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_locked_down_and_never_stored(visitor, address: str):
    answer = visitor(Role.ADMINISTRATOR).get(address)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] == "no-store, private"


def test_our_own_files_may_be_kept_for_ever_by_their_content(stranger):
    page = stranger.get("/sign-in").text
    address = page.split('rel="stylesheet" href="')[2].split('"')[0]
    with stranger.get(address) as answer:
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    with stranger.get(address.partition("?")[0]) as answer:
        assert answer.headers["Cache-Control"] == "no-cache"


def test_pages_load_nothing_from_elsewhere(visitor):
    page = visitor(Role.ADMINISTRATOR).get("/").text
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_the_session_cookie_is_opaque_and_strict(house: House, stranger):
    house.people.add(CONSOLE, "周敏", Role.ADMINISTRATOR, "客服部", "correct-horse-battery")
    answer = stranger.post("/sign-in", "/sign-in", data={"name": "周敏", "password": "correct-horse-battery"})
    given = [each for each in answer.headers.getlist("Set-Cookie") if each.startswith("session=")]
    assert len(given) == 1
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in given[0]
    assert "Domain" not in given[0]
    assert "P0001" not in given[0]


def test_over_https_both_cookies_are_bound_to_the_host(house: House):
    safe = create_app(replace(house, settings=replace(house.settings, secure_cookies=True)))
    house.people.add(CONSOLE, "周敏", Role.ADMINISTRATOR, "客服部", "correct-horse-battery")
    client = safe.test_client()
    client.get("/sign-in", base_url="https://localhost")
    token = _token(client.get("/sign-in", base_url="https://localhost").text)
    answer = client.post(
        "/sign-in",
        data={"name": "周敏", "password": "correct-horse-battery", "csrf_token": token},
        base_url="https://localhost",
    )
    assert answer.status_code == 303
    names = {name for each in answer.headers.getlist("Set-Cookie") for name in SimpleCookie(each)}
    assert "__Host-session" in names
    assert all("Secure" in each for each in answer.headers.getlist("Set-Cookie"))
    assert client.get("/", base_url="https://localhost").status_code == 200


def test_a_form_without_its_token_is_refused(app: Flask, visitor):
    browser = visitor(Role.ADMINISTRATOR)
    answer = browser.client.post("/retention", data={"as_of": "2026-11-24"})
    assert answer.status_code == 400
    assert "form-expired" in answer.text


def test_a_form_token_of_another_visitor_is_refused(visitor):
    one, other = visitor(Role.ADMINISTRATOR), visitor(Role.AUDITOR)
    answer = one.client.post("/retention", data={"csrf_token": other.token()})
    assert answer.status_code == 400


def _token(page: str) -> str:
    return page.split('name="csrf_token" value="')[1].split('"', maxsplit=1)[0]
