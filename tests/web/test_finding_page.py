"""Finding: what is answered is recorded first, and nobody sees more than they may."""

import pytest
import sqlalchemy as sa

from access.person import Role
from archive.casefile.filing import Submission
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import Entry, entries
from web.wiring import House


@pytest.fixture
def filed(house: House, forms) -> list[str]:
    details = "第三幕道具缺失，请致电 13900139000 说明情况。"
    submissions = (
        Submission("一级", "剧本相关", None, None, forms.voucher(details=details)),
        Submission(
            "二级",
            "服务相关",
            None,
            None,
            forms.voucher(store="太古里店", script="雾港", details="空调故障四十分钟无人处理。"),
        ),
    )
    return [house.filing.file(CONSOLE, each).reference for each in submissions]


def searches(house: House) -> list[Entry]:
    query = sa.select(tables.entry.c.position).where(tables.entry.c.act == Act.SEARCHED.value)
    with house.catalogue.reading() as connection:
        return list(entries(connection, house.catalogue.ledger, query, house.case_files.file_key))


def test_words_inside_a_file_find_it_with_the_hit_marked_and_the_number_masked(house: House, visitor, filed):
    shown = visitor(Role.ADMINISTRATOR, "客服部").get("/find?q=道具").text
    assert filed[0] in shown
    assert filed[1] not in shown
    assert "<mark>道具</mark>" in shown
    assert "13900139000" not in shown


def test_every_answered_query_is_recorded_with_its_hits(house: House, visitor, filed):
    browser = visitor(Role.ADMINISTRATOR, "客服部")
    browser.get("/find?q=道具", **{"HX-Request": "true"})
    browser.get("/find?q=没有的词&level=一级")
    browser.get("/find")
    said = [(entry.detail["query"], entry.detail["hits"]) for entry in searches(house)]
    assert said == [("道具", 1), ("没有的词", 0)]
    assert searches(house)[1].detail["level"] == "一级"


def test_a_refused_query_is_said_and_shows_nothing(visitor, filed):
    answer = visitor(Role.ADMINISTRATOR, "客服部").get("/find?q=%00%01")
    assert answer.status_code == 200
    assert filed[0] not in answer.text


def test_filters_narrow_what_is_listed(visitor, filed):
    browser = visitor(Role.ADMINISTRATOR, "客服部")
    assert filed[1] not in browser.get("/find?level=一级").text
    assert filed[0] not in browser.get("/find?store=太古里").text
    assert filed[0] not in browser.get("/find?state=void").text
    assert filed[0] in browser.get("/find?year=2026&category=剧本相关").text
    assert filed[0] in browser.get("/find?year=twenty").text


def test_an_employee_finds_by_facts_and_sees_no_words_of_a_file(house: House, visitor, filed):
    browser = visitor(Role.EMPLOYEE, "春熙路店")
    by_script = browser.get("/find?q=长安").text
    assert filed[0] in by_script
    assert "道具" not in by_script.replace('value="道具"', "")
    inside = browser.get("/find?q=道具").text
    assert filed[0] not in inside


def test_an_employee_of_another_department_finds_nothing(visitor, filed):
    browser = visitor(Role.EMPLOYEE, "财务部")
    assert 'class="result"' not in browser.get(f"/find?q={filed[0]}").text
    assert browser.get(f"/files/{filed[0]}").status_code == 404


def test_a_fragment_is_only_the_results(visitor, filed):
    answer = visitor(Role.ADMINISTRATOR, "客服部").get("/find?q=雾港", **{"HX-Request": "true"})
    assert filed[1] in answer.text
    assert "<html" not in answer.text
