"""The page's fields become a voucher that its reader accepts, or names what is missing."""

import json
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from archive.errors import Code, MunimentError
from archive.voucher.fields import Evidence, parse
from web.drafting import document, draft, label, longest

ZONE = ZoneInfo("Asia/Shanghai")
FILLED = {
    "complainant.name": ["王小明"],
    "complainant.contact": ["13800138000"],
    "complainant.headcount": ["3"],
    "received_at": ["2026-02-27T20:15"],
    "visited_at": ["2026-02-27T18:00"],
    "channel": ["门店现场"],
    "store": [" 春熙路店 "],
    "details": ["第一行\r\n第二行"],
    "demands": ["退费", "道歉"],
    "other_demands": ["公开致歉；退费；更换主持人"],
    "evidence.kind": ["照片", "", "聊天记录"],
    "evidence.count": ["2", "", ""],
    "receiver.name": ["李莉"],
    "receiver.department": ["春熙路店"],
    "receiver.contact": ["028-88886666"],
}


def form(**changed: list[str]) -> MultiDict[str, str]:
    return MultiDict({**FILLED, **changed})


def test_a_filled_form_is_a_voucher():
    read = parse(draft(form(), ZONE))
    assert read.complainant.name == "王小明"
    assert read.complainant.headcount == 3
    assert read.received_at.isoformat() == "2026-02-27T20:15:00+08:00"
    assert read.details == "第一行\n第二行"
    assert read.demands == ("退费", "道歉", "公开致歉", "更换主持人")
    assert read.evidence == (Evidence("照片", 2), Evidence("聊天记录", 1))
    assert read.script is None


def test_a_customer_who_declines_leaves_another_way_and_no_name():
    given_ = form(**{"complainant.refused": ["1"], "complainant.other_contact": ["请在店内留言"]})
    read = parse(draft(given_, ZONE))
    assert read.complainant.refused
    assert read.complainant.name is None
    assert read.complainant.other_contact == "请在店内留言"


def test_what_is_left_blank_is_named_by_the_reader():
    with pytest.raises(MunimentError) as refused:
        parse(draft(form(store=[""], details=["  "]), ZONE))
    assert refused.value.code is Code.VOUCHER_INVALID
    assert {problem.path for problem in refused.value.facts["problems"].items} == {"store", "details"}


def test_a_count_that_is_no_number_is_refused_not_guessed():
    with pytest.raises(MunimentError) as refused:
        parse(draft(form(**{"evidence.count": ["二", "", ""]}), ZONE))
    assert "evidence[0].count" in {problem.path for problem in refused.value.facts["problems"].items}


@given(st.dictionaries(st.sampled_from(sorted(FILLED)), st.lists(st.text(max_size=20), max_size=3)))
def test_any_form_is_drafted_and_read_or_refused(fields: dict[str, list[str]]):
    written = draft(MultiDict({**FILLED, **fields}), ZONE)
    with suppress(MunimentError):  # anything else that is raised fails the test
        assert parse(written).demands


@given(st.text(min_size=1, max_size=50))
def test_a_text_is_drafted_as_it_was_typed(text: str):
    drafted = document(form(details=[text]), ZONE)
    assert drafted.get("details", "") == text.replace("\r\n", "\n").strip()
    json.dumps(drafted)


def test_fields_are_called_as_the_form_calls_them():
    assert label("complainant.name") == ("姓名", "Name")
    assert label("evidence.kind")[0] == "佐证种类"
    assert longest("details") == 20_000
