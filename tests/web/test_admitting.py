"""Every door says who may come in, and holds to it."""

import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from access.permissions import Permission, may
from access.person import Person, Role
from web.admitting import Admission, admission_of

PUBLIC = {"entrance.sign_in", "entrance.enter", "entrance.sign_out", "entrance.language"}
VALUES = {"reference": "2026-一级-剧本相关-001", "number": "CX-2026-00001", "act": "approve", "chosen": "en"}


def views(app: Flask) -> dict[str, Admission | None]:
    return {name: admission_of(view) for name, view in app.view_functions.items() if name != "static"}


def address(rule: Rule) -> str:
    def value(match: re.Match[str]) -> str:
        return "1" if match[1] else VALUES[match[2]]

    return re.sub(r"<(int:)?(\w+)>", value, rule.rule)


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_every_view_declares_who_may_come_in(app: Flask):
    assert [name for name, admission in views(app).items() if admission is None] == []


def test_only_the_entrance_is_public(app: Flask):
    assert {name for name, admission in views(app).items() if not admission.signed_in} == PUBLIC


def test_a_view_that_declares_nothing_lets_nobody_in(app: Flask, visitor):
    app.view_functions["forgotten"] = lambda: "open"
    app.url_map.add(Rule("/forgotten", endpoint="forgotten"))
    assert visitor(Role.ADMINISTRATOR).get("/forgotten").status_code == 403


def test_a_stranger_is_sent_to_sign_in_from_every_page(app: Flask, stranger):
    for rule in rules(app):
        if rule.endpoint in PUBLIC or "GET" not in rule.methods:
            continue
        answer = stranger.get(address(rule))
        assert answer.status_code == 303, rule.rule
        assert answer.location.startswith("/sign-in"), rule.rule


@pytest.mark.parametrize("role", list(Role))
def test_a_person_without_the_permission_is_turned_away(app: Flask, visitor, role: Role):
    browser, person = visitor(role), Person("P0000", "", role, "")
    token = browser.token()
    for rule in rules(app):
        admission = admission_of(app.view_functions[rule.endpoint])
        if not admission.permissions or any(may(person, each) for each in admission.permissions):
            continue
        method = "GET" if "GET" in rule.methods else "POST"
        answer = browser.client.open(address(rule), method=method, headers={"X-CSRFToken": token})
        assert answer.status_code == 403, f"{method} {rule.rule} as {role}"


def test_every_permission_opens_some_door_or_widens_what_is_behind_one(app: Flask):
    named = {each for admission in views(app).values() for each in admission.permissions}
    widening = {Permission.HEAR, Permission.KNOW_ALL, Permission.READ_DIRECTLY, Permission.SEARCH}
    assert set(Permission) == named | widening
