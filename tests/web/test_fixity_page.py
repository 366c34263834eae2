"""Fixity in the browser: run it, see what was found, keep the report."""

import shutil
import time
from pathlib import Path

import pytest

from access.person import Role
from archive.casefile.reference import Reference
from web.settings import Settings
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


def repaired(browser) -> str:
    for _ in range(300):
        answer = browser.get("/fixity/repair")
        if "hx-get" not in answer.text:
            return answer.text
        time.sleep(0.05)
    raise AssertionError("the repair does not end")


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


def test_without_another_copy_the_page_says_what_to_set(house: House, visitor, filed):
    damage(house, filed[0])
    administrator = visitor(Role.ADMINISTRATOR, "客服部")
    administrator.post("/fixity/run", "/fixity", data={"scope": "all"})
    finished(administrator)
    assert "没有配置可用于修复的副本" in administrator.get("/fixity").text
    assert administrator.post("/fixity/1/repair", "/fixity").status_code == 404  # from what?


class TestWithAnotherCopy:
    @pytest.fixture
    def settings(self, tmp_path) -> Settings:
        return Settings(home=tmp_path / "var", mirror=str(tmp_path / "mirror"))

    def test_what_was_found_is_repaired_on_the_page_and_an_auditor_changes_nothing(
        self, house: House, visitor, filed
    ):
        shutil.copytree(house.founded.vault.now.root, str(house.settings.mirror))
        damage(house, filed[0])
        administrator, auditor = visitor(Role.ADMINISTRATOR, "客服部"), visitor(Role.AUDITOR, "内审部")
        administrator.post("/fixity/run", "/fixity", data={"scope": "all"})
        finished(administrator)
        assert "四性检测发现 1 项问题" in administrator.get("/").text
        assert "请档案管理员" in auditor.get("/fixity").text
        assert auditor.post("/fixity/1/repair", "/fixity").status_code == 403
        assert administrator.post("/fixity/1/repair", "/fixity").status_code == 303
        assert "已用另一副本修复 1 个文件" in repaired(administrator)
        administrator.post("/fixity/run", "/fixity", data={"scope": "all"})
        assert "四性检测合格" in finished(administrator)
        newest = administrator.get("/fixity").text
        assert "已用另一副本修复" not in newest
        assert "没有处理" not in newest

    def test_of_foreign_files_nothing_is_offered_to_be_repaired(self, house: House, visitor, filed):
        (house.founded.vault.now.root / "foreign.exe").write_bytes(b"?")
        administrator = visitor(Role.ADMINISTRATOR, "客服部")
        administrator.post("/fixity/run", "/fixity", data={"scope": "all"})
        finished(administrator)
        page = administrator.get("/fixity").text
        assert "外来文件不会自动删除" in page
        assert "/repair" not in page
