"""Who may enter where: every address of the application by every role. An address without a row fails.

Everybody here is of the finance department; the file, and the request for it, are of a store. So each row also says
what somebody gets who names a thing of others: 404 where it must not even be known, 403 where only the act is not
theirs.
"""

from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote

import pytest
from flask import Flask

from access.person import Role
from archive.ledger.entries import CONSOLE
from web.pages.requests import _ACTS
from web.wiring import House

PASSWORD = "correct-horse-battery"
ROLES = ("stranger", *(role.value for role in Role))
#                                                stranger admin. auditor employee head manag. operat. registrar system
TABLE = {
    "GET /":                                       "303    200    200    200    200    200    200    200    200",
    "GET /account":                                "303    200    200    200    200    200    200    200    200",
    "POST /account":                               "303    401    401    401    401    401    401    401    401",
    "GET /file":                                   "303    200    403    403    403    403    403    200    403",
    "POST /file":                                  "303    422    403    403    403    403    403    422    403",
    "POST /file/check":                            "303    400    403    403    403    403    403    400    403",
    "POST /file/words":                            "303    200    403    403    403    403    403    200    403",
    "GET /filed/<reference>":                      "303    200    403    403    403    403    403    404    403",
    "GET /files/<reference>":                      "303    200    200    404    404    200    200    404    403",
    "GET /files/<reference>/pages/<int:ordinal>/<int:number>.jpg":
                                                   "303    200    200    404    404    403    403    404    403",
    "GET /files/<reference>/recordings/<int:ordinal>":
                                                   "303    404    404    404    404    403    403    404    403",
    "GET /files/<reference>/read":                 "303    200    200    404    404    403    403    404    403",
    "POST /files/<reference>/hold":                "303    303    403    403    403    403    403    403    403",
    "POST /files/<reference>/lift/<int:number>":   "303    303    403    403    403    403    403    403    403",
    "POST /files/<reference>/complete":            "303    422    403    403    403    403    403    403    403",
    "POST /files/<reference>/release":             "303    200    403    403    403    403    403    403    403",
    "GET /files/<reference>/released.zip":         "303    200    403    403    403    403    403    403    403",
    "POST /files/<reference>/void":                "303    303    403    403    403    403    403    403    403",
    "GET /find":                                   "303    200    200    200    200    200    200    200    403",
    "POST /find":                                  "303    303    303    303    303    303    303    303    403",
    "POST /find/saved":                            "303    422    422    422    422    422    422    422    403",
    "GET /find/saved/<int:number>":                "303    404    404    404    404    404    404    404    403",
    "POST /find/saved/<int:number>/delete":        "303    303    303    303    303    303    303    303    403",
    "GET /fixity":                                 "303    200    200    403    403    403    403    403    403",
    "GET /fixity/<int:number>":                    "303    404    404    403    403    403    403    403    403",
    "GET /fixity/<int:number>.pdf":                "303    404    404    403    403    403    403    403    403",
    "GET /fixity/repair":                          "303    200    403    403    403    403    403    403    403",
    "POST /fixity/<int:number>/repair":            "303    404    403    403    403    403    403    403    403",
    "GET /fixity/run":                             "303    200    200    403    403    403    403    403    403",
    "POST /fixity/run":                            "303    303    303    403    403    403    403    403    403",
    "GET /inbox":                                  "303    200    403    403    200    200    200    403    403",
    "GET /language/<chosen>":                      "303    303    303    303    303    303    303    303    303",
    "GET /ledger":                                 "303    403    200    403    403    403    403    403    403",
    "GET /ledger/checkpoint.txt":                  "303    403    200    403    403    403    403    403    403",
    "GET /ledger/verification":                    "303    403    200    403    403    403    403    403    403",
    "POST /ledger/verification":                   "303    403    303    403    403    403    403    403    403",
    "GET /lookups":                                "303    200    200    200    200    200    200    200    403",
    "GET /numbers":                                "303    200    200    403    403    403    403    403    403",
    "GET /people":                                 "303    403    403    403    403    403    403    403    200",
    "POST /people":                                "303    403    403    403    403    403    403    403    422",
    "POST /people/<number>/password":              "303    403    403    403    403    403    403    403    200",
    "POST /people/<number>/disable":               "303    403    403    403    403    403    403    403    303",
    "GET /pictures":                               "303    200    403    403    403    403    403    403    403",
    "GET /pictures/progress":                      "303    200    403    403    403    403    403    403    403",
    "POST /pictures/retry":                        "303    303    403    403    403    403    403    403    403",
    "GET /requests":                               "303    200    200    200    200    200    200    200    403",
    "GET /requests/new":                           "303    403    403    200    200    200    200    200    403",
    "POST /requests/new":                          "303    403    403    422    422    422    422    422    403",
    "GET /requests/<number>":                      "303    200    200    404    404    404    404    404    403",
    "POST /requests/<number>/approve":             "303    403    403    404    404    404    404    404    403",
    "POST /requests/<number>/refuse":              "303    403    403    404    404    404    404    404    403",
    "POST /requests/<number>/withdraw":            "303    403    403    404    404    404    404    404    403",
    "POST /requests/<number>/provide":             "303    409    403    404    404    404    404    404    403",
    "POST /requests/<number>/sign-off":            "303    403    403    404    404    404    404    404    403",
    "POST /requests/<number>/recall":              "303    409    403    404    404    404    404    404    403",
    "POST /requests/<number>/close":               "303    409    403    404    404    404    404    404    403",
    "GET /retention":                              "303    200    403    403    403    403    403    403    403",
    "GET /state":                                  "303    200    200    403    403    403    403    403    200",
    "POST /retention":                             "303    303    403    403    403    403    403    403    403",
    "GET /sign-in":                                "200    302    302    302    302    302    302    302    302",
    "POST /sign-in":                               "401    401    401    401    401    401    401    401    401",
    "POST /sign-out":                              "303    303    303    303    303    303    303    303    303",
}  # fmt: skip
GIVEN = {"reason": "x", "to": "x", "field": "notes", "text": "x"}


@dataclass(frozen=True)
class World:
    """A file of a store, held once, and an employee's request for it."""

    reference: str
    number: str
    employee: str

    def place(self, rule: str) -> str:
        for name, value in {
            "<reference>": self.reference,
            "<int:ordinal>": "0",
            "<int:number>": "1",
            "<chosen>": "en",
        }.items():
            rule = rule.replace(name, value)
        return rule.replace("<number>", self.employee if rule.startswith("/people") else self.number)


@pytest.fixture
def world(house: House, visitor, forms) -> World:
    answer = visitor(Role.REGISTRAR).post("/file", "/file", data=forms.fields())
    reference = unquote(answer.location.rsplit("/", 1)[1])
    employee = house.people.add(CONSOLE, "李莉", Role.EMPLOYEE, "春熙路店", PASSWORD)
    today = date(2026, 11, 24)
    made = house.requests.make(employee, [reference], "training", "x", today, today)
    house.holds.place(CONSOLE, reference, "诉讼")
    return World(reference, made.number, employee.number)


def addresses(app: Flask) -> set[str]:
    found = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            if rule.endpoint == "requests.act":
                found |= {f"{method} {rule.rule.replace('<act>', act)}" for act in _ACTS}
            else:
                found.add(f"{method} {rule.rule}")
    return found


def test_every_address_has_its_row(app: Flask):
    assert addresses(app) == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_enters_where_they_may_and_nowhere_else(role: str, world: World, visitor, stranger):
    browser = stranger if role == "stranger" else visitor(Role(role), "财务部")
    seen = {}
    for row in TABLE:
        method, rule = row.split(" ", 1)
        place = world.place(rule)
        if method == "GET":
            seen[row] = browser.get(place).status_code
        else:
            answer = browser.post(place, data=GIVEN)
            seen[row] = answer.status_code
            if role == "stranger" and answer.status_code == 303 and rule != "/sign-out":
                assert answer.location.startswith("/sign-in")
    wanted = {row: int(statuses.split()[ROLES.index(role)]) for row, statuses in TABLE.items()}
    assert seen == wanted


def test_a_form_without_its_token_changes_nothing(world: World, house: House, visitor):
    browser = visitor(Role.ADMINISTRATOR)
    for row in TABLE:
        method, rule = row.split(" ", 1)
        if method == "POST":
            for token in ({}, {"csrf_token": "x"}):
                answer = browser.client.post(world.place(rule), data={**GIVEN, **token})
                assert answer.status_code == 400, row
    assert house.case_files.get(world.reference).voided_at is None
    assert len(house.holds.active(world.reference)) == 1


def test_a_copy_is_handed_out_once_and_only_to_whoever_made_it(world: World, visitor):
    maker = visitor(Role.ADMINISTRATOR, "客服部", "周敏")
    other = visitor(Role.ADMINISTRATOR, "客服部", "吴敏")
    place = f"/files/{world.reference}/released.zip"
    assert maker.post(f"/files/{world.reference}/release", data={"to": "法院"}).status_code == 200
    assert other.get(place).status_code == 404
    assert maker.get(place).status_code == 200
    assert maker.get(place).status_code == 404
