"""Registers for administrators and auditors: retention, numbers, ledger, people."""

import re
import time
from errno import ENOSPC

import pytest
import sqlalchemy as sa

from access.person import Role
from archive.casefile import tables
from archive.casefile.filing import Submission
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import follow, latest_checkpoint
from web import auditing
from web.pages.people import initial_password
from web.wiring import House


@pytest.fixture
def references(house: House, forms) -> list[str]:
    submission = Submission("一级", "剧本相关", None, None, forms.voucher())
    return [house.filing.file(CONSOLE, submission).reference for _ in range(3)]


def acts(house: House) -> list[Act]:
    with house.catalogue.reading() as connection:
        return [entry.act for entry in follow(connection, 0)]


def test_a_sweep_is_listed_at_once_and_recorded_on_demand(house: House, visitor, references):
    administrator = visitor(Role.ADMINISTRATOR, "客服部")
    administrator.post(f"/files/{references[0]}/complete", data={"on": "2026-03-01"})
    administrator.get("/account")  # the message that it was completed is said once
    assert references[0] not in administrator.get("/retention?as_of=2027-01-01").text
    assert references[0] in administrator.get("/retention?as_of=2028-03-02").text
    assert Act.SWEPT not in acts(house)
    assert administrator.post("/retention", data={"as_of": "2028-03-02"}).status_code == 303
    assert acts(house).count(Act.SWEPT) == 1
    assert administrator.get("/retention?as_of=soon").status_code == 422


def test_numbers_prove_that_there_is_no_gap_and_name_one_that_is_made(house: House, visitor, references):
    auditor = visitor(Role.AUDITOR, "内审部")
    assert "全部连续" in auditor.get("/numbers").text
    with house.catalogue.housekeeping() as connection:  # behind the archive's back
        moved = sa.update(tables.case_file).where(tables.case_file.c.reference == references[1])
        connection.execute(moved.values(number=9, reference="2026-一级-剧本相关-009"))
    page = auditor.get("/numbers").text
    assert "缺号" in page
    assert references[1] in page


def test_the_ledger_is_verified_in_the_background_and_the_run_recorded(house: House, visitor, references):
    auditor = visitor(Role.AUDITOR, "内审部")
    auditor.post("/ledger/verification", "/ledger")
    page = _finished(auditor)
    assert "核验通过" in page
    assert acts(house)[-1] is Act.LEDGER_VERIFIED


def test_a_checkpoint_that_was_kept_proves_the_history(house: House, visitor, references):
    auditor = visitor(Role.AUDITOR, "内审部")
    kept = auditor.get("/ledger/checkpoint.txt")
    with house.catalogue.reading() as connection:
        assert kept.text == latest_checkpoint(connection)
    auditor.post("/ledger/verification", "/ledger", data={"kept": kept.text.replace("\n", "\r\n")})
    assert "核验通过" in _finished(auditor)
    forged = kept.text.replace("\n", "\n1", 1)
    auditor.post("/ledger/verification", "/ledger", data={"kept": forged})
    assert "检查点" in _finished(auditor)
    assert "核验通过" not in _finished(auditor)


def test_a_defect_in_the_background_is_told_by_its_number_in_the_log(
    house: House, visitor, references, monkeypatch, caplog
):
    def broken(*_given, **_named):
        raise KeyError("王小明")

    monkeypatch.setattr(auditing, "verify", broken)
    auditor = visitor(Role.AUDITOR, "内审部")
    auditor.post("/ledger/verification", "/ledger")
    page = _finished(auditor)
    said = next(each for each in caplog.messages if each.startswith("incident"))
    assert said.split()[1].rstrip(":") in page
    assert "KeyError in verification: " in said
    assert "王小明" not in said


def test_a_disk_that_is_full_is_told_as_such_in_the_background(
    house: House, visitor, references, monkeypatch
):
    def full(*_given, **_named):
        raise OSError(ENOSPC, "no space left on device")

    monkeypatch.setattr(auditing, "verify", full)
    auditor = visitor(Role.AUDITOR, "内审部")
    auditor.post("/ledger/verification", "/ledger")
    assert "磁盘空间不足" in _finished(auditor)


def _finished(browser) -> str:
    for _ in range(200):
        page = browser.get("/ledger/verification").text
        if "<progress" not in page:
            return page
        time.sleep(0.05)
    raise AssertionError("the verification did not finish")


def test_a_person_is_added_with_a_password_that_is_told_once(house: House, visitor, stranger):
    system = visitor(Role.SYSTEM, "信息部")
    answer = system.post("/people", data={"name": "新同事", "role": "employee", "department": "客服部"})
    password = re.search(r'data-copy="([a-z2-9-]{19})"', answer.text)[1]
    assert password not in system.get("/people").text
    given = {"name": "新同事", "password": password}
    assert stranger.post("/sign-in", "/sign-in", data=given).status_code == 303
    again = system.post("/people", data={"name": "新同事", "role": "employee", "department": "客服部"})
    assert again.status_code == 409


def test_a_disabled_person_is_out_at_once(house: House, visitor):
    system, leaver = visitor(Role.SYSTEM, "信息部"), visitor(Role.EMPLOYEE)
    number = next(each.number for each in house.people.list() if each.role is Role.EMPLOYEE)
    assert leaver.get("/").status_code == 200
    assert system.post(f"/people/{number}/disable").status_code == 303
    assert leaver.get("/").status_code == 303


def test_initial_passwords_are_all_different_and_easy_to_read_out():
    made = {initial_password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}", each) for each in made)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_of_the_navigation_opens_for_every_role(visitor, references, role: Role, language: str):
    browser = visitor(role, "客服部")
    page = browser.get("/", **{"Accept-Language": language})
    assert page.status_code == 200
    ways = page.text.partition('<nav class="ways"')[2].partition("</nav>")[0]
    addresses = re.findall(r'href="([^"]+)"', ways)
    assert addresses
    for address in addresses:
        assert browser.get(address, **{"Accept-Language": language}).status_code == 200, address
