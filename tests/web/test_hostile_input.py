"""Huge, odd and impossible values at every door: each a clear refusal, never a defect, never half an act."""

from urllib.parse import unquote

import pytest

from access.person import Role
from archive.ledger.log import size
from web.wiring import House

HUGE = 10**30
NINES = "9" * 5000


@pytest.fixture
def filed(visitor, forms) -> str:
    answer = visitor(Role.REGISTRAR).post("/file", "/file", data=forms.fields())
    return unquote(answer.location.rsplit("/", 1)[1])


def acts(house: House) -> int:
    with house.catalogue.reading() as connection:
        return size(connection)


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.ADMINISTRATOR, f"/files/{{reference}}/pages/{HUGE}/1.jpg"),
        (Role.ADMINISTRATOR, f"/files/{{reference}}/pages/0/{HUGE}.jpg"),
        (Role.EMPLOYEE, f"/files/{{reference}}/pages/{HUGE}/1.jpg"),
        (Role.EMPLOYEE, f"/files/{{reference}}/pages/0/{NINES}.jpg"),
        (Role.ADMINISTRATOR, f"/files/{{reference}}/read?document={HUGE}&page={HUGE}"),
        (Role.ADMINISTRATOR, "/files/{reference}%00"),
        (Role.ADMINISTRATOR, "/files/..%2f..%2fetc%2fpasswd"),
        (Role.AUDITOR, f"/ledger?before={HUGE}"),
        (Role.AUDITOR, f"/ledger?before=-{HUGE}"),
        (Role.AUDITOR, "/ledger?subject=%00"),
        (Role.AUDITOR, "/lookups?since=0001-01-01"),
        (Role.AUDITOR, "/lookups?until=9999-12-31"),
        (Role.ADMINISTRATOR, "/retention?as_of=0001-01-01"),
        (Role.ADMINISTRATOR, "/retention?as_of=9999-12-31"),
        (Role.ADMINISTRATOR, "/numbers?x=%ff"),
        (Role.EMPLOYEE, f"/requests/{HUGE}"),
        (Role.EMPLOYEE, f"/find?level=x&page={NINES}"),
        (Role.EMPLOYEE, f"/find?year={NINES}"),
        (Role.EMPLOYEE, f"/find/saved/{HUGE}"),
        (Role.EMPLOYEE, "/find?found=%00%ff"),
        (Role.AUDITOR, f"/fixity/{HUGE}"),
        (Role.AUDITOR, f"/fixity/{HUGE}.pdf"),
    ],
)
def test_no_address_is_a_defect(visitor, filed: str, role: Role, place: str):
    assert visitor(role).get(place.format(reference=filed)).status_code < 500


@pytest.mark.parametrize("act", ["void", "hold", f"lift/{HUGE}"])
@pytest.mark.parametrize("reason", ["x" * 1001, "a\0b", "  "], ids=["long", "nul", "blank"])
def test_no_act_is_done_for_a_reason_that_cannot_be_kept(
    house: House, visitor, filed: str, act: str, reason: str
):
    browser = visitor(Role.ADMINISTRATOR)
    before = acts(house)
    answer = browser.post(f"/files/{filed}/{act}", data={"reason": reason})
    assert answer.status_code in (404, 422)
    assert acts(house) == before


def test_a_void_reason_as_long_as_the_form_takes_is_printed(house: House, visitor, filed: str):
    answer = visitor(Role.ADMINISTRATOR).post(f"/files/{filed}/void", data={"reason": "重复登记。" * 100})
    assert answer.status_code == 303
    assert house.case_files.get(filed).voided_at is not None


@pytest.mark.parametrize("recipient", ["x" * 201, "a\0b", " "])
def test_no_copy_is_released_to_somebody_unsayable(house: House, visitor, filed: str, recipient: str):
    browser = visitor(Role.ADMINISTRATOR)
    before = acts(house)
    assert browser.post(f"/files/{filed}/release", data={"to": recipient}).status_code == 422
    assert acts(house) == before


def test_a_request_names_at_most_fifty_files_and_none_is_left_out_silently(visitor):
    many = "\n".join(f"2026-一级-剧本相关-{number:03d}" for number in range(1, 52))
    given = {"references": many, "purpose": "training", "reason": "x"}
    given |= {"starts_on": "2026-11-24", "ends_on": "2026-11-25"}
    answer = visitor(Role.EMPLOYEE).post("/requests/new", "/requests/new", data=given)
    assert answer.status_code == 422
    assert "最多 50 份" in answer.text


def test_words_are_looked_at_no_further_than_the_field_is_long(visitor):
    answer = visitor(Role.REGISTRAR).post("/file/words", data={"field": "notes", "text": "大概" * 20_000})
    assert answer.text.count("<li>") <= 2000


def test_a_complaint_of_a_day_to_come_is_not_filed(visitor, forms):
    given = forms.fields(received_at="2027-01-01T10:00")
    answer = visitor(Role.REGISTRAR).post("/file", "/file", data=given)
    assert answer.status_code == 422
    assert "晚于今天" in answer.text


def test_a_refused_look_is_recorded_alike_whether_the_file_exists(house: House, visitor, filed: str):
    """Else the time of the answer and the ledger tell which codes exist (P14)."""
    stranger = visitor(Role.EMPLOYEE, "财务部")
    absent = "2026-三级-其他-999"
    for place in ("read", "read?page=1", "pages/0/1.jpg"):
        grown = []
        for reference in (filed, absent):
            before = acts(house)
            answer = stranger.get(f"/files/{reference}/{place}", Accept="application/json")
            assert answer.status_code == 404
            grown.append((acts(house) - before, answer.json["message"].replace(reference, "CODE")))
        assert grown[0] == grown[1], place
        assert grown[0][0] == 1


def test_what_is_no_checkpoint_raises_no_alarm(house: House, visitor):
    browser = visitor(Role.AUDITOR)
    browser.post("/ledger/verification", data={"kept": "garbage"})
    shown = ""
    for _ in range(200):
        shown = browser.get("/ledger/verification").text
        if "notice" in shown:
            break
    assert "不是本档案库的检查点" in shown
    assert "已被改动" not in shown
