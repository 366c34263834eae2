"""A story full of a customer's data and of markup: neither stands where it must not."""

import logging
from datetime import date
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from access.person import Role
from archive.ledger import tables
from archive.ledger.entries import CONSOLE
from web.wiring import House

MARKUP = "\"'><img src=x onerror=alert(1)>"
CUSTOMER = ("王小明", "13800138000", "第三幕", "欧阳律师", "张家诉讼", "投诉甲乙丙", "不得外传")
PASSWORD = "correct-horse-battery"


@pytest.fixture
def story(house: House, visitor, forms) -> str:
    """One file that was filed, held, asked for, searched, released and voided."""
    answer = visitor(Role.REGISTRAR).post(
        "/file", "/file", data=forms.fields(store=f"春熙路店{MARKUP}", script=MARKUP, staff=MARKUP)
    )
    reference = unquote(answer.location.rsplit("/", 1)[1])
    administrator = visitor(Role.ADMINISTRATOR, "客服部")
    administrator.post(f"/files/{reference}/hold", data={"reason": f"张家诉讼{MARKUP}"})
    administrator.post(f"/files/{reference}/release", data={"to": f"欧阳律师{MARKUP}"})
    assert administrator.get(f"/files/{reference}/released.zip").status_code == 200
    employee = house.people.add(CONSOLE, f"李莉{MARKUP}", Role.EMPLOYEE, f"春熙路店{MARKUP}", PASSWORD)
    today = date(2026, 11, 24)
    house.requests.make(employee, [reference], "training", f"投诉甲乙丙{MARKUP}", today, today)
    administrator.get(f"/find?q=王小明{MARKUP}")
    administrator.post(f"/files/{reference}/void", data={"reason": "不得外传"})
    visitor(Role.AUDITOR).get(f"/files/{reference}/read")
    return reference


@pytest.mark.usefixtures("story")
def test_no_leaf_of_the_ledger_and_no_file_on_the_disk_names_a_customer(house: House):
    with house.catalogue.reading() as connection:
        leaves = "\n".join(connection.execute(sa.select(tables.entry.c.leaf)).scalars())
    assert leaves
    assert [word for word in CUSTOMER if word in leaves] == []
    for path in house.settings.home.rglob("*"):
        kept = path.read_bytes() if path.is_file() else b""
        assert [word for word in CUSTOMER if word in str(path) or word.encode() in kept] == [], path


def test_the_log_names_no_customer(house: House, visitor, forms, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG, "muniment"), caplog.at_level(logging.WARNING):
        browser = visitor(Role.REGISTRAR)
        for given in ({"store": ""}, {"details": "第三幕\0"}, {"received_at": "never"}, {"level": "王小明"}):
            assert browser.post("/file", "/file", data=forms.fields(**given)).status_code == 422
    assert [word for word in CUSTOMER if word in caplog.text] == []


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.HEAD, Role.SYSTEM, Role.REGISTRAR])
def test_no_word_of_anybody_becomes_markup(visitor, story: str, role: Role):
    browser = visitor(role, f"春熙路店{MARKUP}", f"某人{MARKUP}")
    shown = [
        "/", "/find", f"/find?q={MARKUP}", f"/find?q=王小明&store={MARKUP}", f"/files/{story}", f"/files/{story}/read",
        "/inbox", "/requests", "/requests/CX-2026-00001", f"/requests/new?reference={MARKUP}", "/lookups",
        f"/lookups?reference={MARKUP}&since={MARKUP}", "/retention", "/numbers", "/ledger", f"/ledger?subject={MARKUP}",
        "/people", "/account", f"/files/{MARKUP}", f"/sign-in?next=/{MARKUP}", f"/requests?state={MARKUP}",
    ]  # fmt: skip
    for place in shown:
        text = browser.get(place).text
        assert "<img src=x" not in text, place
        assert "\"'>" not in text, place
