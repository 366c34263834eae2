"""Days as people write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.days import parse_day
from archive.errors import Code, MunimentError


@given(st.dates())
def test_a_day_is_read_as_it_is_written(day: date):
    assert parse_day(day.isoformat()) == day
    assert parse_day(f" {day.isoformat()}\n") == day


@pytest.mark.parametrize(
    "text",
    [
        "", "2026", "2026-3-1", "2026-02-29", "2026-02-30", "2026-13-01", "0000-01-01", "2026-W09-1", "20260301",
        "2026/03/01", "2026-03-01T00:00", "2026-03-01Z", "+2026-03-01", "２０２６-03-01", "2026-03-0１", "昨天",
        "2026-03-01\x00", "x" * 10_000,
    ],
)  # fmt: skip
def test_any_other_day_is_refused_with_a_short_sentence(text: str):
    with pytest.raises(MunimentError) as caught:
        parse_day(text)
    assert caught.value.code is Code.DATE_INVALID
    assert len(caught.value.say("zh")) < 200


@given(st.text(max_size=30))
def test_no_text_at_all_is_a_defect(text: str):
    try:
        parse_day(text)
    except MunimentError as error:
        assert error.code is Code.DATE_INVALID
