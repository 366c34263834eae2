"""The page of one case file: what may be done with it, and by whom."""

import io
import re
import threading
import zipfile
from datetime import timedelta
from urllib.parse import quote

import pikepdf
import pytest

from access.person import Role
from archive.casefile.filing import Submission
from archive.casefile.reading import FileState
from archive.casefile.releasing import Release
from archive.casefile.sources import Source
from archive.ledger.entries import CONSOLE, Actor
from web.pages.casefiles import Handover
from web.wiring import House


@pytest.fixture
def reference(house: House, forms) -> str:
    return house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, forms.voucher())).reference


@pytest.fixture
def administrator(visitor):
    return visitor(Role.ADMINISTRATOR, "客服部")


def test_an_administrator_voids_with_a_reason(house: House, administrator, reference):
    assert administrator.post(f"/files/{reference}/void", data={"reason": ""}).status_code == 422
    assert administrator.post(f"/files/{reference}/void", data={"reason": "重复登记"}).status_code == 303
    assert house.case_files.get(reference).state is FileState.VOID
    page = administrator.get(f"/files/{reference}").text
    assert "作废" in page
    assert "重复登记" in page


def test_who_filed_elsewhere_is_named_as_an_imported_package_named_them(house: House, visitor, forms):
    house.people.name(CONSOLE, {"P0001": "前登记员", "P0002": None})
    given = [Submission("一级", "剧本相关", None, None, forms.voucher()) for _ in range(2)]
    first, second = (
        house.filing.file(Actor(f"P000{number}"), each).reference
        for number, each in enumerate(given, start=1)
    )
    administrator = visitor(Role.ADMINISTRATOR, "客服部", "新管理")
    assert house.people.by_name("新管理").number == "P0003"
    shown = [administrator.get(f"/files/{each}").text for each in (first, second)]
    assert ["前登记员" in each for each in shown] == [True, False]
    assert [">P0002<" in each for each in shown] == [False, True]
    assert "前登记员" in visitor(Role.AUDITOR, "内审部").get("/ledger").text


def test_completion_starts_the_period(house: House, administrator, reference):
    page = f"/files/{reference}"
    assert administrator.post(f"{page}/complete", data={"on": "2026-02-30"}).status_code == 422
    assert administrator.post(f"{page}/complete", data={"on": "2026-03-01"}).status_code == 303
    assert house.case_files.get(reference).completed_on.isoformat() == "2026-03-01"
    assert "2028年3月2日" in administrator.get(page).text
    assert administrator.post(f"{page}/complete", data={"on": "2026-03-02"}).status_code == 409


def test_a_hold_is_placed_shown_and_lifted(house: House, administrator, reference):
    page = f"/files/{reference}"
    administrator.post(f"{page}/hold", data={"reason": "仲裁进行中"})
    (hold,) = house.holds.active(reference)
    assert "仲裁进行中" in administrator.get(page).text
    assert administrator.post(f"{page}/lift/{hold.id + 1}", data={"reason": "x"}).status_code == 404
    assert administrator.post(f"{page}/lift/{hold.id}", data={"reason": "已结案"}).status_code == 303
    assert house.holds.active(reference) == ()


def test_a_released_copy_opens_with_its_own_password_and_is_handed_out_once(administrator, reference):
    page = f"/files/{reference}"
    shown = administrator.post(f"{page}/release", data={"to": "市场监督管理局"}).text
    password = re.search(r'data-copy="([A-Z2-7-]{29})"', shown)[1]
    packed = administrator.get(f"{page}/released.zip")
    for value in packed.headers.values():
        value.encode("ascii")  # a Chinese file name must be written as headers need it
    assert "filename*=UTF-8''2026-" in packed.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(packed.data)) as folder:
        (name,) = folder.namelist()
        with pikepdf.open(io.BytesIO(folder.read(name)), password=password) as copy:
            assert len(copy.pages) == 1
    assert name == f"{reference}.pdf"
    again = administrator.get(f"{page}/released.zip")
    assert again.status_code == 404
    assert "已下载过" in again.text


def test_originals_leave_with_a_copy_only_where_the_box_was_checked(administrator, reference):
    page = f"/files/{reference}"
    box = re.search(r'<input type="checkbox" name="originals"[^>]*>', administrator.get(page).text)
    assert box is not None
    assert "checked" not in box[0]
    for given, attached in ({}, []), ({"originals": "1"}, ["voucher.json"]):
        shown = administrator.post(f"{page}/release", data={"to": "法院", **given}).text
        assert ("不含原件" in shown) is (not given)
        password = re.search(r'data-copy="([A-Z2-7-]{29})"', shown)[1]
        packed = administrator.get(f"{page}/released.zip")
        with (
            zipfile.ZipFile(io.BytesIO(packed.data)) as folder,
            pikepdf.open(io.BytesIO(folder.read(f"{reference}.pdf")), password=password) as copy,
        ):
            assert list(copy.attachments) == attached


def test_whoever_asks_about_a_copy_without_taking_it_finds_it_there_still(administrator, reference):
    """As programs that download do, before they do."""
    administrator.post(f"/files/{reference}/release", data={"to": "法务部"})
    place = f"/files/{reference}/released.zip"
    assert administrator.client.head(place).status_code == 404
    packed = administrator.get(place)
    assert packed.status_code == 200
    assert zipfile.is_zipfile(io.BytesIO(packed.data))


def test_a_copy_is_not_handed_to_another_person(visitor, administrator, reference):
    administrator.post(f"/files/{reference}/release", data={"to": "法务部"})
    other = visitor(Role.ADMINISTRATOR, "客服部", name="另一位管理员")
    assert other.get(f"/files/{reference}/released.zip").status_code == 404
    assert administrator.get(f"/files/{reference}/released.zip").status_code == 200


class Copy(io.BytesIO):
    """Tells when it is closed."""

    def __init__(self) -> None:
        super().__init__(b"x")
        self.gone = threading.Event()

    def close(self) -> None:
        super().close()
        self.gone.set()


def test_a_copy_that_nobody_fetches_leaves_the_memory_by_itself():
    handover, first = Handover(timedelta(milliseconds=1)), Copy()
    handover.keep("P0001", Release("2026-一级-剧本相关-001", (("a.pdf", first),), "x"))
    assert first.gone.wait(60)
    assert handover.take("P0001", "2026-一级-剧本相关-001") is None


def test_a_copy_that_another_replaces_is_closed_and_the_new_one_has_its_own_time():
    handover, first, second = Handover(timedelta(hours=1)), Copy(), Copy()
    for each in (first, second):
        handover.keep("P0001", Release("2026-一级-剧本相关-001", (("a.pdf", each),), "x"))
    assert first.gone.is_set()
    assert not second.gone.is_set()
    assert handover.take("P0001", "2026-一级-剧本相关-002") is None
    assert handover.take("P0001", "2026-一级-剧本相关-001").documents == (("a.pdf", second),)


def test_an_auditor_reads_all_and_is_offered_nothing_to_change(visitor, reference):
    auditor = visitor(Role.AUDITOR, "内审部")
    page = auditor.get(f"/files/{reference}").text
    assert "/read" in page
    assert 'id="reason"' not in page
    for act in ("void", "complete", "hold", "release"):
        assert f"/files/{reference}/{act}" not in page
        assert auditor.post(f"/files/{reference}/{act}", data={"reason": "x"}).status_code == 403


@pytest.fixture
def with_evidence(house: House, forms) -> str:
    mail = b"From: wang@example.com\r\nTo: help@example.com\r\nSubject: refund\r\n\r\nPlease.\r\n"
    table = b"name,amount,store\r\n" + b"a,1,b\r\n" * 9
    files = {"王小明的小票.jpg": forms.photo(), "王小明来信.eml": mail, "账目.csv": table}
    given = tuple(Source(name, io.BytesIO(content)) for name, content in files.items())
    filed = house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, forms.voucher(), given))
    return filed.reference


def test_what_each_document_is_stands_beside_it_and_nothing_of_whom_it_is_about(visitor, with_evidence):
    for role in (Role.ADMINISTRATOR, Role.EMPLOYEE):
        page = visitor(role).get(f"/files/{with_evidence}").text
        said = re.findall(r'材料 \d</strong> <span class="kind">([^<]+)</span>', page)
        assert said == ["图片 · JPEG", "邮件", "表格 · CSV"]
        assert "王小明" not in page


def test_the_name_a_file_came_with_is_told_to_those_who_open_it_for_reading(administrator, with_evidence):
    opened = administrator.get(f"/files/{with_evidence}/read?document=1").text
    assert "入库时的文件名：王小明的小票.jpg" in opened
    assert "材料 1：图片 · JPEG" in opened


def test_who_looked_stands_in_the_register_and_does_not_drown_what_was_done(
    visitor, administrator, with_evidence
):
    administrator.get(f"/files/{with_evidence}/read")
    administrator.get(f"/files/{with_evidence}/pages/1/1.jpg?width=800")
    page = administrator.get(f"/files/{with_evidence}").text
    assert re.findall('data-label="事项" class="nowrap">([^<]+)<', page) == ["归档"]
    register = administrator.get(f"/lookups?reference={with_evidence}").text
    assert "材料 1：第 1 页" in register
    assert f"/lookups?reference={quote(with_evidence)}" in page
    entries = visitor(Role.AUDITOR, "内审部").get("/ledger").text
    assert "打开档案" in entries
    assert "登记凭证 · 打开档案" not in entries


def test_an_employee_sees_facts_and_no_content(visitor, reference):
    page = visitor(Role.EMPLOYEE).get(f"/files/{reference}").text
    assert "长安十二时" in page
    assert "道具" not in page
    assert "王小明" not in page
    assert f"/files/{reference}/read" not in page
    assert visitor(Role.EMPLOYEE).get(f"/files/{reference}/read").status_code == 403


def test_the_system_administrator_sees_no_file(visitor, reference):
    assert visitor(Role.SYSTEM, "信息部").get(f"/files/{reference}").status_code == 403
