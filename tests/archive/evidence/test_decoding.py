"""Texts of unknown encoding: read as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.evidence.decoding import decode

SIMPLIFIED = "您好，我于三月一日在春熙路店消费，店员态度恶劣，要求退款并道歉。"
TRADITIONAL = "您好，我於三月一日在春熙路店消費，店員態度惡劣，要求退款並道歉。"


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        (SIMPLIFIED, "utf-8", "UTF-8"),
        (SIMPLIFIED, "utf-8-sig", "UTF-8"),
        (SIMPLIFIED, "utf-16", "UTF-16"),
        (SIMPLIFIED, "utf-32", "UTF-32"),
        (SIMPLIFIED, "gbk", "GB18030"),
        (SIMPLIFIED + "𠮷", "gb18030", "GB18030"),
        (TRADITIONAL, "big5", "Big5"),
        (TRADITIONAL, "gbk", "GB18030"),
        (TRADITIONAL, "utf-8", "UTF-8"),
        ("plain words", "ascii", "UTF-8"),
        ("Café à la carte, bien sûr", "cp1252", "Windows-1252"),
    ],
)
def test_a_text_is_read_as_it_was_written(text: str, codec: str, name: str):
    found = decode(text.encode(codec))
    assert found is not None
    assert (found.content, found.encoding, found.doubtful) == (text, name, 0)


WORDS = (
    "您好",
    "退款",
    "店员",
    "态度",
    "剧本",
    "我们",
    "三月",
    "投诉",
    "环境",
    "吵闹",
    "道歉",
    "不满意",
    "服务",
    "收费",
)
OLD = (
    "您好",
    "退款",
    "店員",
    "態度",
    "劇本",
    "我們",
    "三月",
    "投訴",
    "環境",
    "吵鬧",
    "道歉",
    "不滿意",
    "服務",
    "收費",
)


@given(st.lists(st.sampled_from(range(len(WORDS))), min_size=2, max_size=60))
def test_the_two_encodings_of_chinese_are_told_apart(chosen: list[int]):
    new, old = ("，".join(words[each] for each in chosen) for words in (WORDS, OLD))
    assert decode(new.encode("gbk")).content == new
    assert decode(old.encode("big5")).content == old


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), min_size=1))
def test_valid_utf_8_is_never_taken_for_anything_else(text: str):
    found = decode(text.encode())
    assert found is not None
    assert found.content == text.removeprefix("\ufeff")


@pytest.mark.parametrize("codec", ["utf-8", "gbk"])
def test_a_character_cut_in_two_at_the_end_does_not_spoil_the_rest(codec: str):
    found = decode((SIMPLIFIED[:-1] + "款").encode(codec)[:-1])
    assert found is not None
    assert found.content == SIMPLIFIED[:-1]


def test_a_few_damaged_bytes_are_counted_and_the_rest_is_read():
    data = bytearray((SIMPLIFIED * 20).encode())
    data[100] = 0xFF
    found = decode(bytes(data))
    assert found is not None
    assert found.encoding == "UTF-8"
    assert 0 < found.doubtful < 4


@pytest.mark.parametrize("data", [b"\x00\x01\x02", bytes(range(256)) * 4, b"\x01\x02\x03" * 9])
def test_bytes_that_are_no_text_are_none(data: bytes):
    assert decode(data) is None


@given(st.binary(max_size=400))
def test_any_bytes_have_an_answer(data: bytes):
    decode(data)


def test_line_ends_of_all_systems_are_one():
    assert decode("一\r\n二\r三\n".encode()).content == "一\n二\n三\n"
