"""The sheet: masked, formatted, and fit to cross into another process."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.voucher.fields import read
from archive.voucher.sheet import Kept, clock, mask_contact, sheet

EXAMPLES = json.loads(resources.files("archive.voucher").joinpath("schema.json").read_text("utf-8"))[
    "examples"
]


def a_sheet(document, **changes):
    given = {
        "reference": "2026-一级-剧本相关-001",
        "level": "一级 · 一般投诉",
        "category": "剧本相关",
        "completed_on": date(2026, 3, 1),
        "period": "2 年",
        "due": date(2028, 3, 1),
        "filed_at": datetime(2026, 2, 27, 20, 31, tzinfo=timezone(timedelta(hours=8))),
        "evidence": [Kept("2026-一级-剧本相关-001-01.pdf", "照片", 1, "9f86d081884c7d65" * 4)],
    }
    return sheet(read(document), **{**given, **changes})


def test_the_sheet_is_plain_json():
    made = a_sheet(EXAMPLES[0])
    assert json.loads(json.dumps(made)) == made


def test_the_full_contact_is_nowhere_on_the_sheet():
    made = json.dumps(a_sheet(EXAMPLES[0]), ensure_ascii=False)
    assert "13800138000" not in made
    assert "138****8000" in made


def test_a_digest_is_shortened_to_sixteen_digits():
    assert a_sheet(EXAMPLES[0])["kept"][0]["digest"] == "9f86d081884c7d65"


def test_days_and_times_are_written_as_in_china():
    made = a_sheet(EXAMPLES[0])
    assert made["received_at"] == "2026年2月27日 20:15"
    assert made["due"] == "2028年3月1日"
    assert clock(datetime(2026, 2, 7, 9, 5, tzinfo=UTC)) == "2026年2月7日 09:05（UTC+0000）"


@pytest.mark.parametrize(
    ("contact", "masked"),
    [
        ("13800138000", "138****8000"),
        ("138 0013 8000", "138****8000"),
        ("138-0013-8000", "138****8000"),
        ("1\u200b3800138000", "138****8000"),
        ("+86 13800138000", "+86 138****8000"),
        ("电话13800138000，微信同号", "电话138****8000，微信同号"),
        ("微信 wang_xm88", "微信 wa***"),
        ("wang.xm@example.com", "w***@example.com"),
        ("028-8666 0000", "028****0000"),
        ("6660000", "66****00"),
        ("QQ 12345", "QQ 1****5"),
        ("11010519491231002X", "110****002X"),
        ("大众点评站内私信", "大众点评站内私信"),
        ("东大街 99 号 3 栋 1802 室", "东大街 ** 号 ** 栋 ** 室"),
        ("天府三街 3-401", "天府三街 **"),
    ],
)
def test_contacts_are_masked(contact, masked):
    assert mask_contact(contact) == masked


@given(
    st.text(max_size=10).filter(lambda text: not any(c.isascii() and c.isalnum() for c in text)),
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", " ", "-"]),
)
def test_a_mobile_number_never_comes_through(around, number, between):
    written = around + between.join((number[:3], number[3:7], number[7:])) + around
    seen = "".join(c for c in mask_contact(written) if c.isascii() and c.isdigit())
    assert seen == number[:3] + number[7:]
