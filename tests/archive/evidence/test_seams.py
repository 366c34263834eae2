"""Numbers that run over the foot of a page: no reader of both pages sees, or is told, more than of any other."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.evidence.lettering import of_recognised
from archive.evidence.masking import mask_text
from archive.evidence.recognised import SCALE, Line, RecognisedPage
from archive.evidence.seams import Seams, between, mask_page, spans_on

MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
IDENTITY = st.from_regex(
    r"[1-6][1-5][0-9]{4}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}[0-9X]", fullmatch=True
)
LANDLINE = st.from_regex(r"0[1-9][0-9]-[1-9][0-9]{7}", fullmatch=True)
LETTERS = st.text(st.characters(categories=("Lo",)), min_size=1, max_size=12)
FURNITURE = st.lists(LETTERS, max_size=4)  # running titles at the head or foot of a page
JOINT = st.sampled_from(["", " ", "-", " \n", "\r\n", "\n\n"])


def masked(first: str, second: str) -> tuple[str, str]:
    return mask_page(first, between("", second)), mask_page(second, between(first, ""))


@given(st.one_of(MOBILE, IDENTITY, LANDLINE), st.data(), LETTERS, LETTERS, FURNITURE, FURNITURE, JOINT)
def test_no_number_survives_a_break_between_two_pages(
    number: str, data: st.DataObject, before: str, after: str, foot: list[str], head: list[str], joint: str
):
    at = data.draw(st.integers(1, len(number) - 1))
    first = "\n".join([f"{before}{number[:at]}{joint}", *foot])
    second = "\n".join([*head, f"{number[at:]}{after}"])
    shown = masked(first, second)
    assert [len(each) for each in shown] == [len(first), len(second)]
    kept = re.sub(r"[^0-9X*]", "", "".join(shown))
    whole = re.sub(r"[^0-9X*]", "", mask_text(f"{before}{number}{after}"))
    assert kept == whole
    assert "*" in kept


@given(st.from_regex(r"[a-z0-9._+\-]{2,40}", fullmatch=True), st.data())
def test_no_address_survives_a_break_between_two_pages(local: str, data: st.DataObject):
    at = data.draw(st.integers(1, len(local)))
    if at < len(local):
        assert masked(f"信箱 {local[:at]}", f"{local[at:]}@example.com 完")[1].startswith(
            "*" * (len(local) - at)
        )
    else:
        assert masked(f"信箱 {local}", "@example.com 完")[0] == f"信箱 {'*' * len(local)}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("合计 1,280.00\n第 1 页", "2026-03-01 到店\n第 2 页"),
        ("金额 35\n1", "12 人\n2"),
        ("2026-一级-剧本相关-001", "2026-一级-剧本相关-002"),
        ("第 3 页 共 12 页", "第 4 页 共 12 页"),
        ("", "2026 年"),
    ],
)
def test_pages_that_only_end_and_begin_with_figures_stay(first: str, second: str):
    assert masked(first, second) == (first, second)


@given(
    st.text(st.sampled_from("0123456789 -\r\nXx@.a+电１"), max_size=80),
    st.text(max_size=80),
    st.text(max_size=80),
)
def test_a_page_keeps_its_length_and_hides_no_less_than_alone(page: str, before: str, after: str):
    alone, shown = mask_text(page), mask_page(page, between(before, after))
    assert len(shown) == len(page)
    assert all(new == "*" for old, new in zip(alone, shown, strict=True) if old == "*")
    assert all(0 <= each.start < each.end <= len(page) for each in spans_on(page, between(before, after)))


def test_the_picture_of_a_page_hides_what_its_text_hides():
    text = "8000 是尾号"
    places = tuple((each * 400, 1000, each * 400 + 400, 1500) for each in range(len(text)))
    page = RecognisedPage((Line("0013" + text, 0.95, places[:4] + places),))
    around = between("电话 138", "")
    assert page.masked(around) == "****" + text
    assert list(of_recognised(page, (SCALE, SCALE), around).masks())
    assert not list(of_recognised(page, (SCALE, SCALE), Seams()).masks())


def test_long_pages_of_figures_take_no_time_out_of_proportion():
    assert mask_page("1 " * 100_000, between("1 " * 100_000, "1 " * 100_000))
