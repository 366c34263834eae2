import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archive.evidence.masking import Secret, mask_text, spans

MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
IDENTITY = st.from_regex(
    r"[1-6][1-5][0-9]{4}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}[0-9X]", fullmatch=True
)
WORDS = st.text(
    st.characters(blacklist_categories=("Nd", "Cs", "No"), blacklist_characters="@＠-+"), max_size=20
)


@pytest.mark.parametrize(
    ("given_text", "masked"),
    [
        ("13800138000", "138****8000"),
        ("电话：138 0013 8000。", "电话：138 **** 8000。"),
        ("138-0013-8000", "138-****-8000"),
        ("+86 13800138000", "+86 138****8000"),
        ("8613800138000", "86138****8000"),
        ("１３８００１３８０００", "１３８****８０００"),
        ("1 3 8 0 0 1 3 8 0 0 0", "1 3 8 * * * * 8 0 0 0"),
        ("028-85551234", "028-****1234"),
        ("(010) 6555 1234", "(010) **** 1234"),
        ("0813-1234567", "081*-***4567"),
        ("510104199001011234", "510***********1234"),
        ("51010419900101123X", "510***********123X"),
        ("510104 19900101 1234", "510*** ******** 1234"),
        ("zhang.san@qq.com", "*********@qq.com"),
        ("邮箱li＠163.com", "邮箱**＠163.com"),
    ],
)
def test_a_number_keeps_its_first_three_and_last_four_digits(given_text: str, masked: str):
    assert mask_text(given_text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-一级-剧本相关-001",
        "2026-02-27 2026-03-01",
        "2026年2月27日 20:15",
        "2026-02-27T20:15+08:00",
        "15 30 45 60 75 9",
        "400-820-8820",
        "¥ 1,280.00",
        "12345678901",
        "138001380001234567890123",
        "@ 门店",
        "第 12 页 共 138 页",
    ],
)
def test_dates_codes_and_amounts_stay(text: str):
    assert mask_text(text) == text


@given(MOBILE, WORDS, WORDS)
def test_no_mobile_number_survives_whatever_surrounds_it(number: str, before: str, after: str):
    masked = mask_text(before + number + after)
    assert number not in masked
    assert masked[len(before) : len(before) + 11] == number[:3] + "****" + number[-4:]


@given(MOBILE, st.sampled_from(["-", " ", "\u00a0", "–", "·", "\r\n", "  ", "\u3000", "\u200b"]), st.data())
def test_no_mobile_number_survives_a_break_anywhere(number: str, gap: str, data: st.DataObject):
    at = data.draw(st.integers(1, 10))
    masked = mask_text(f"电话 {number[:at]}{gap}{number[at:]} 完")
    assert re.sub(r"[^0-9*]", "", masked) == number[:3] + "****" + number[-4:]


@given(IDENTITY, WORDS, WORDS)
def test_no_identity_number_survives(number: str, before: str, after: str):
    assume(not after[:1].isalnum())
    masked = mask_text(before + number + after)
    assert number[3:-4] not in masked
    assert number[6:14] not in masked  # the date of birth


@given(st.from_regex(r"[a-z0-9._+\-]{1,64}", fullmatch=True), WORDS)
def test_no_local_part_of_an_address_survives(local: str, before: str):
    masked = mask_text(f"{before} {local}@example.com")
    assert masked.endswith(f" {'*' * len(local)}@example.com")


@given(st.text(st.sampled_from("0123456789 -\r\nXx@.a+电１"), max_size=120))
def test_spans_are_in_order_apart_and_inside_and_length_stays(text: str):
    found = spans(text)
    edges = [edge for span in found for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) for span in found)
    assert len(mask_text(text)) == len(text)


@given(st.text(st.characters(blacklist_categories=("Nd", "Cs"), blacklist_characters="@＠")))
def test_text_without_digits_or_addresses_is_unchanged(text: str):
    assert mask_text(text) == text


def test_the_longer_kind_wins_where_two_begin_together():
    assert [span.secret for span in spans("130104199001011234")] == [Secret.IDENTITY]


def test_neighbouring_numbers_are_both_masked():
    assert mask_text("13800138000/13900139000、18612345678") == "138****8000/139****9000、186****5678"


def test_a_page_of_digits_and_letters_takes_no_quadratic_time():
    assert mask_text("a" * 200_000) == "a" * 200_000
    assert mask_text("1 " * 100_000)


@pytest.mark.parametrize("number", ["13800138000", "138 0013 8000", "wang.xiaoming@example.com"])
def test_a_number_is_masked_wherever_it_stands_in_a_long_text(number: str):
    (alone,) = {mask_text(f"语{number}语")}
    for length in range(49_970, 50_004):
        text = "语" * length + number + "语" * 60_000
        assert mask_text(text) == "语" * length + alone[1:-1] + "语" * 60_000
