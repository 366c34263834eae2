"""Reasons and remarks are kept as they were written, or refused: never cut, never unprintable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Code, MunimentError
from archive.reasons import LONGEST, reason_of, remark_of


def refusal(text: str) -> Code:
    with pytest.raises(MunimentError) as refused:
        reason_of(text)
    return refused.value.code


def test_a_reason_keeps_its_lines_and_loses_its_outer_blanks():
    assert reason_of("  重复登记\r\n见 002 \n") == "重复登记\n见 002"


@pytest.mark.parametrize("text", ["", " \r\n\t", "\u3000"])
def test_a_blank_reason_is_missing_and_a_blank_remark_is_none(text: str):
    assert refusal(text) is Code.REASON_MISSING
    assert remark_of(text) == ""


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\x1b[2J", "\uffff", "长" * (LONGEST + 1)])
def test_what_cannot_be_printed_or_kept_whole_is_refused(text: str):
    assert refusal(text) is Code.REASON_UNFIT


@given(st.text())
def test_whatever_is_taken_can_be_written_down_again(text: str):
    try:
        words = remark_of(text)
    except MunimentError as error:
        assert error.code is Code.REASON_UNFIT
    else:
        assert words.encode().decode() == words
        assert len(words) <= LONGEST
        assert remark_of(words) == words
