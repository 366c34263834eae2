"""Filing through the page, with and without a script."""

import io

import pytest

from access.person import Role
from archive.ledger.log import follow
from web.wiring import House

REFERENCE = "2026-一级-剧本相关-001"


def evidence(*names_and_bytes: tuple[str, bytes]) -> list[tuple[io.BytesIO, str]]:
    return [(io.BytesIO(content), name) for name, content in names_and_bytes]


def acts(house: House) -> list[str]:
    with house.catalogue.reading() as connection:
        return [entry.act.value for entry in follow(connection, 0)]


def test_a_filled_form_with_evidence_is_filed(house: House, visitor, forms):
    browser = visitor(Role.REGISTRAR)
    sent = {
        **forms.fields(),
        "evidence": evidence(("现场.jpg", forms.photo()), ("小票.jpg", forms.photo("red"))),
    }
    answer = browser.post("/file", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303
    shown = browser.get(answer.location)
    assert f'id="reference">{REFERENCE}<' in shown.text
    assert f"{REFERENCE}-02.pdf" in shown.text
    kept = house.case_files.get(REFERENCE)
    assert len(house.case_files.documents(kept)) == 3
    assert house.case_files.titles(kept)[1] == "现场.jpg"


def test_a_voucher_file_is_kept_byte_for_byte(house: House, visitor, forms):
    given = b"\xef\xbb\xbf" + forms.voucher()
    sent = {
        "level": "一级",
        "category": "剧本相关",
        "with_json": "1",
        "voucher": (io.BytesIO(given), "voucher.json"),
    }
    answer = visitor(Role.REGISTRAR).post("/file", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert house.case_files.voucher(house.case_files.get(REFERENCE)) == given


def test_each_refused_file_is_named_and_nothing_is_filed(house: House, visitor, forms):
    browser = visitor(Role.REGISTRAR)
    files = evidence(("好.jpg", forms.photo()), ("坏.jpg", forms.photo()[:200]), ("空.pdf", b""))
    answer = browser.post(
        "/file",
        data={**forms.fields(), "evidence": files},
        content_type="multipart/form-data",
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 422
    assert {each["name"] for each in answer.json["refused"]} == {"坏.jpg", "空.pdf"}
    assert "filed" not in acts(house)


def test_what_is_wrong_with_the_voucher_stands_beside_its_field_and_nothing_is_lost(visitor, forms):
    sent = forms.fields(details="", store="太古里店")
    answer = visitor(Role.REGISTRAR).post("/file", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert 'id="details-problem"' in answer.text
    assert 'value="太古里店"' in answer.text


def test_a_script_gets_the_place_or_the_problems_by_field(visitor, forms):
    browser = visitor(Role.REGISTRAR)
    headers = {"Accept": "application/json"}
    refused = browser.post(
        "/file", data=forms.fields(store=""), content_type="multipart/form-data", headers=headers
    )
    assert list(refused.json["problems"]) == ["store"]
    filed = browser.post("/file", data=forms.fields(), content_type="multipart/form-data", headers=headers)
    assert filed.status_code == 201
    assert filed.json["location"].startswith("/filed/")


def test_a_file_is_checked_as_it_is_dropped_and_not_kept(house: House, visitor, forms):
    browser = visitor(Role.REGISTRAR)
    good = browser.post(
        "/file/check", data={"file": (io.BytesIO(forms.photo()), "a.jpg")}, content_type="multipart/form-data"
    )
    assert good.status_code == 200
    assert "JPEG" in good.json["message"]
    bad = browser.post(
        "/file/check",
        data={"file": (io.BytesIO(b"MZ\x90\x00"), "a.exe")},
        content_type="multipart/form-data",
        headers={"Accept": "application/json"},
    )
    assert bad.status_code == 415
    assert "a.exe" in bad.json["message"]
    assert "filed" not in acts(house)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x00b.jpg"])
def test_a_name_that_is_a_path_is_refused(visitor, name: str, forms):
    answer = visitor(Role.REGISTRAR).post(
        "/file/check",
        data={"file": (io.BytesIO(forms.photo()), name)},
        content_type="multipart/form-data",
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json["code"] == "evidence-name"


def test_vague_words_are_flagged_while_typing_and_refuse_nothing(visitor):
    browser = visitor(Role.REGISTRAR)
    flagged = browser.post(
        "/file/words", data={"field": "details", "text": "大概等了四十分钟左右，主持人没有解释。"}
    )
    assert "大概" in flagged.text
    assert "左右" in flagged.text
    exact = browser.post(
        "/file/words", data={"field": "details", "text": "等了四十分钟，主持人没有解释，随后离场。"}
    )
    assert exact.text.strip() == ""
    assert browser.post("/file/words", data={"field": "password", "text": "大概"}).text == ""


def test_a_permanent_ground_is_only_for_the_level_that_allows_it(visitor, forms):
    sent = forms.fields(permanent="legal-dispute")
    answer = visitor(Role.REGISTRAR).post("/file", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 422


def test_a_registrar_sees_the_receipt_of_their_own_filing_only(visitor, forms):
    mine = visitor(Role.REGISTRAR)
    answer = mine.post("/file", data=forms.fields(), content_type="multipart/form-data")
    assert mine.get(answer.location).status_code == 200
    assert visitor(Role.REGISTRAR, "太古里店").get(answer.location).status_code == 404


def test_what_is_vague_or_missing_is_said_once_the_file_is_there(visitor, forms):
    browser = visitor(Role.REGISTRAR)
    answer = browser.post("/file", "/file", data=forms.fields(details="大概八点，道具缺失，剧情无法继续。"))
    assert answer.status_code == 303
    shown = browser.get(answer.location).text
    assert "“大概”表述模糊" in shown
    assert "未填写“涉及员工”" in shown
    assert "notice warn" in shown


def test_a_registrar_opens_what_they_filed_whichever_department_received_it(visitor, forms):
    browser = visitor(Role.REGISTRAR)
    given = forms.fields(**{"receiver.department": "客服部"})
    answer = browser.post("/file", "/file", data=given)
    opened = browser.get(answer.location.replace("/filed/", "/files/"))
    assert opened.status_code == 200
