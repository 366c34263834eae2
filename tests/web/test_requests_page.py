"""The whole way of a request through the pages (P14): asked, approved, provided, read, signed, returned."""

import re

import pytest

from access.person import Role
from archive.casefile.filing import Submission
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import follow
from web.pages.requests import references
from web.wiring import House


@pytest.fixture
def reference(house: House, forms) -> str:
    submission = Submission("二级", "剧本相关", None, None, forms.voucher())
    return house.filing.file(CONSOLE, submission).reference


@pytest.fixture
def ask(visitor, reference: str):
    def make() -> tuple[object, str]:
        browser = visitor(Role.EMPLOYEE)
        page = browser.get(f"/requests/new?reference={reference}").text
        given = {
            "references": reference,
            "purpose": "complaint-handling",
            "reason": "顾客来电追问处理结果",
            "starts_on": re.search(r'name="starts_on" required value="([^"]+)"', page)[1],
            "ends_on": re.search(r'name="ends_on"[^>]*value="([^"]+)"', page)[1],
        }
        answer = browser.post("/requests/new", data=given)
        assert answer.status_code == 303, answer.text
        return browser, answer.location.rsplit("/", 1)[1]

    return make


def test_a_request_goes_its_whole_way_and_every_page_seen_is_recorded(house, visitor, reference, ask):
    employee, number = ask()
    picture = f"/files/{reference}/pages/0/1.jpg?width=800"
    assert employee.get(picture).status_code == 403
    head, operations = visitor(Role.HEAD), visitor(Role.OPERATIONS, "运营部")
    administrator = visitor(Role.ADMINISTRATOR, "客服部")
    assert number in head.get("/inbox").text
    assert number not in operations.get("/inbox").text
    assert head.post(f"/requests/{number}/approve").status_code == 303
    assert operations.post(f"/requests/{number}/approve").status_code == 303
    assert employee.get(picture).status_code == 403
    assert administrator.post(f"/requests/{number}/provide").status_code == 303
    shown = employee.get(f"/files/{reference}/read")
    assert shown.status_code == 200
    page = employee.get(picture)
    assert page.status_code == 200
    assert page.content_type == "image/jpeg"
    assert page.data.startswith(b"\xff\xd8")
    assert page.headers["Cache-Control"] == "no-store, private"
    assert Act.VIEWED in acts(house)
    assert employee.post(f"/requests/{number}/sign-off", data={"reason": ""}).status_code == 303
    assert employee.get(picture).status_code == 403
    assert administrator.post(f"/requests/{number}/close").status_code == 303
    assert number in administrator.get("/lookups").text


def test_a_refusal_needs_a_reason_and_shows_it(visitor, ask):
    employee, number = ask()
    head = visitor(Role.HEAD)
    assert head.post(f"/requests/{number}/refuse", data={"reason": " "}).status_code == 422
    assert head.post(f"/requests/{number}/refuse", data={"reason": "理由不足"}).status_code == 303
    assert "理由不足" in employee.get(f"/requests/{number}").text


def test_nobody_else_sees_or_decides_a_request(visitor, ask):
    _, number = ask()
    other = visitor(Role.EMPLOYEE, name="别人")
    assert other.get(f"/requests/{number}").status_code == 404
    assert other.post(f"/requests/{number}/approve").status_code in (403, 404)
    assert visitor(Role.HEAD, "财务部").post(f"/requests/{number}/approve").status_code in (403, 404)


def test_an_act_that_does_not_exist_is_no_page(visitor, ask):
    employee, number = ask()
    assert employee.post(f"/requests/{number}/destroy").status_code == 404


def test_what_is_wrong_with_a_request_is_said_and_nothing_typed_is_lost(visitor, reference):
    given = {
        "references": reference,
        "purpose": "training",
        "reason": "",
        "starts_on": "2026-11-24",
        "ends_on": "x",
    }
    answer = visitor(Role.EMPLOYEE).post("/requests/new", data=given)
    assert answer.status_code == 422
    assert reference in answer.text
    assert 'value="training" required checked' in answer.text


def test_reference_codes_are_read_however_they_are_separated():
    text = "2026-一级-剧本相关-001，2026-一级-剧本相关-002\r\n2026-一级-剧本相关-001；"
    assert references(text) == ["2026-一级-剧本相关-001", "2026-一级-剧本相关-002"]
    with pytest.raises(MunimentError) as refused:
        references("2026-一级-剧本相关-001 ../etc")
    assert refused.value.code is Code.REFERENCE_INVALID


def test_a_page_beyond_the_last_is_no_page(visitor, reference):
    browser = visitor(Role.ADMINISTRATOR, "客服部")
    assert browser.get(f"/files/{reference}/pages/0/99.jpg").status_code == 404
    assert browser.get(f"/files/{reference}/pages/7/1.jpg").status_code == 404
    assert browser.get(f"/files/{reference}/read?document=7").status_code == 404


def acts(house: House) -> list[Act]:
    with house.catalogue.reading() as connection:
        return [entry.act for entry in follow(connection, 0)]
