"""Snippets: what people read before they open a file."""

from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.evidence.masking import mask_text
from indexer.query.parsing import parse
from indexer.snippets import snippet

LONG = "财务回邮件说预付卡不属于退款范围，一"


def cut(page: str, words: str, title: str = "照片.jpg"):
    held = SimpleNamespace(masked_texts=lambda _: {0: (mask_text(page),)}, titles=lambda _: {0: title})
    return snippet(held, None, parse(words, date(2026, 11, 24)).words)


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (f"{LONG}\r\n共十几个字。", f"{LONG}共十几个字。"),
        (f"{LONG}\n“共”十几个字。", f"{LONG} “共”十几个字。"),
        ("诉求\r\n退款", "诉求 退款"),
        (f"{LONG}\n12315 同时投诉", f"{LONG} 12315 同时投诉"),
        ("投 诉 内 容\n退款", "投诉内容 退款"),
    ],
)
def test_a_line_of_chinese_that_a_page_wrapped_is_one_again_and_short_lines_stay_apart(page: str, shown: str):
    assert cut(page, "退款").text == shown


def test_a_word_across_a_wrapped_line_is_marked_whole():
    made = cut("顾客当天晚上在前台反复要求全额退\r\n款，没有结果。", "退款")
    assert [text for text, hit in made.parts if hit] == ["退款"]


def test_what_the_mask_hides_is_neither_shown_nor_a_hit():
    page = "联系电话13800138000，要求退款。"
    assert cut(page, "13800138000") is None
    assert "13800138000" not in cut(page, "13800138000 退款").text


@pytest.mark.parametrize("words", ["store:春熙路店", "级别:一级 冻结:否", "NOT 道歉", "没有的词"])
def test_where_no_word_is_to_be_shown_nothing_is_shown_for_it(words: str):
    assert cut("投诉登记档案 内部资料 春熙路店 一级 道歉", words) is None


@given(st.text(st.sampled_from("退款道歉ab 1，。\n\r"), max_size=300))
def test_the_parts_are_the_text_and_every_hit_is_the_word(page: str):
    made = cut(page, "退款")
    if made is None:
        assert "退款" not in "".join(page.split())
        return
    assert "".join(text for text, _ in made.parts) == made.text
    assert {"".join(text.split()) for text, hit in made.parts if hit} <= {"退款", "退款退款", "退款退款退款"}
