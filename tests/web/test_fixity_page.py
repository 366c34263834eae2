"""Fixity in the browser: run it, see what was found, keep the report."""

import time
from pathlib import Path

import pytest

from access.person import Role
from archive.casefile.reference import Reference
from web.wiring import House


def finished(browser) -> str:
    for _ in range(300):
        answer = browser.get("/fixity/run")
        if "hx-get" not in answer.text:
            assert answer.headers["HX-Refresh"] == "true"  # else the page still says that there is no report
            return answer.text
        assert "HX-Refresh" not in answer.headers
        time.sleep(0.05)
    raise AssertionError("the check does not end")


def damage(house: House, reference: str) -> None:
    folder = house.founded.vault.now.root / Reference.parse(reference).folder
    Path(folder / "v1" / "content" / f"{reference}.pdf").unlink()


def test_a_check_runs_in_the_background_and_its_report_stays(house: House, visitor, filed):
    auditor = visitor(Role.AUDITOR, "内审部")
    assert "还没有检测过" in auditor.get("/fixity").text
    assert auditor.post("/fixity/run", "/fixity", data={"scope": "all"}).status_code == 303
    assert "四性检测合格" in finished(auditor)
    page = auditor.get("/fixity").text
    assert "第 1 号检测报告" in page
    assert "全库检测" in page
    assert "真实性" in page


def test_damage_is_named_on_the_page_and_in_the_pdf(house: House, visitor, filed):
    damage(house, filed[0])
    administrator = visitor(Role.ADMINISTRATOR, "客服部")
    started = administrator.post(
        "/fixity/run", "/fixity", data={"scope": "sample"}, headers={"HX-Request": "true"}
    )
    assert started.status_code == 200
    assert "发现 1 项问题" in finished(administrator)
    page = administrator.get("/fixity/1").text
    assert f"{filed[0]}.pdf" in page
    assert "文件缺失" in page
    printed = administrator.get("/fixity/1.pdf")
    assert printed.mimetype == "application/pdf"
    assert printed.data.startswith(b"%PDF")
    assert administrator.get("/fixity/2").status_code == 404


@pytest.mark.parametrize("role", [Role.EMPLOYEE, Role.REGISTRAR, Role.HEAD, Role.SYSTEM])
def test_others_see_nothing_of_it(visitor, role):
    browser = visitor(role)
    for address in ("/fixity", "/fixity/1", "/fixity/1.pdf", "/fixity/run"):
        assert browser.get(address).status_code == 403
    assert browser.post("/fixity/run").status_code == 403
