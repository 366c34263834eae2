"""Errors are said in words of the table: never a trace, never data."""

import logging
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from access.person import Role
from archive.casefile.filing import Submission
from archive.errors import Code, MunimentError
from archive.ledger.entries import CONSOLE
from web.admitting import public

SECRET = "王小明 13800138000"


@pytest.fixture
def defect(app: Flask) -> None:
    @public
    def fail() -> str:
        raise ValueError(SECRET)

    app.add_url_rule("/defect", "defect", fail)


@pytest.mark.usefixtures("defect")
def test_a_defect_gives_a_number_and_hides_everything_else(visitor, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR, "muniment.web"):
        answer = visitor(Role.ADMINISTRATOR).get("/defect")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert SECRET not in answer.text
    assert SECRET not in caplog.text
    said = caplog.messages[0]
    assert "ValueError" in said
    assert "fail" in said
    incident = said.split()[1].rstrip(":")
    assert incident in answer.text


def test_a_page_that_is_not_there_is_said_in_both_languages(visitor):
    browser = visitor(Role.EMPLOYEE)
    assert "没有这个页面" in browser.get("/nowhere").text
    english = browser.get("/nowhere", **{"Accept-Language": "en"})
    assert english.status_code == 404
    assert "There is no such page" in english.text


def test_a_script_is_answered_in_json(visitor):
    answer = visitor(Role.ADMINISTRATOR).get("/files/nonsense", Accept="application/json")
    assert answer.status_code == 422
    assert answer.json["code"] == "reference-invalid"


def test_a_fragment_is_answered_by_a_fragment(visitor):
    answer = visitor(Role.ADMINISTRATOR).get("/files/nonsense", **{"HX-Request": "true"})
    assert 'role="alert"' in answer.text
    assert "<html" not in answer.text


def test_a_stranger_behind_a_fragment_is_led_to_sign_in(stranger):
    answer = stranger.get("/find?q=x", **{"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/sign-in"


def test_an_upload_beyond_the_limit_is_refused_with_the_limit(app: Flask, visitor):
    browser = visitor(Role.ADMINISTRATOR)
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = browser.client.post("/file", data={"details": "x" * 2000}, headers={"X-CSRFToken": "x"})
    assert answer.status_code == 413
    assert "upload-too-large" in answer.text


def test_what_is_shown_of_an_error_is_escaped(visitor):
    answer = visitor(Role.ADMINISTRATOR).get("/files/<script>alert(1)<%2Fscript>")
    assert "<script>alert" not in answer.text


def test_a_refusal_that_cannot_be_said_is_a_defect_and_no_missing_page(
    app: Flask, visitor, caplog: pytest.LogCaptureFixture
):
    @public
    def fail() -> str:
        raise MunimentError(Code.LEVEL_UNKNOWN, given=SECRET)  # without the fact ``known``

    app.add_url_rule("/unsayable", "unsayable", fail)
    answer = visitor(Role.ADMINISTRATOR).get("/unsayable")
    assert answer.status_code == 500
    assert SECRET not in answer.text
    assert any("incident" in each for each in caplog.messages)


def test_whoever_was_away_too_long_is_told_so_and_led_back_to_where_they_wrote(visitor, filed, clock):
    browser = visitor(Role.ADMINISTRATOR, "客服部")
    token = browser.token()
    clock.wait(minutes=31)
    answer = browser.client.post(f"/files/{filed[0]}/hold", data={"csrf_token": token, "reason": "法院来函"})
    assert answer.status_code == 303
    wanted = parse_qs(urlsplit(answer.location).query)
    assert wanted == {"next": [f"/files/{filed[0]}"], "ended": ["2"]}
    entrance = browser.get(answer.location).text
    assert "登录已失效" in entrance
    assert "没有保存" in entrance
    page = browser.get("/find")
    assert "没有保存" not in browser.get(page.location).text
    fragment = browser.client.get(
        "/fixity/run", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/fixity?x=1"}
    )
    assert parse_qs(urlsplit(fragment.headers["HX-Redirect"]).query)["next"] == ["/fixity?x=1"]


def test_whoever_was_never_here_is_told_of_no_end(stranger):
    assert "ended" not in stranger.get("/find").location


def test_whoever_may_ask_for_what_was_refused_is_led_there(visitor, forms, house):
    submission = Submission("一级", "剧本相关", None, None, forms.voucher())
    reference = house.filing.file(CONSOLE, submission).reference
    refused = visitor(Role.EMPLOYEE, "春熙路店").get(f"/files/{reference}/read")
    assert refused.status_code == 403
    assert "/requests/new?reference=" in refused.text
    assert "/requests/new" not in visitor(Role.EMPLOYEE, "春熙路店").get("/ledger").text.split("<main")[1]
