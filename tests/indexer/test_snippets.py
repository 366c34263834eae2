"""Snippets: what people read before they open a file."""

from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.evidence.masking import mask_text
from indexer.query.parsing import parse
from indexer.snippets import _stretches, hits_on, places_of, snippet

LONG = "财务回邮件说预付卡不属于退款范围，一"


def cut(page: str, words: str, title: str = "照片.jpg"):
    return snippet(held(page, title), SimpleNamespace(reference="2026-一级-其他-001"), asked(words))


def held(page: str, title: str):
    return SimpleNamespace(
        documents=lambda _: (SimpleNamespace(ordinal=0),),
        masked_pages=lambda _, ordinal: {0: (mask_text(page),)}[ordinal],
        titles=lambda _: {0: title},
    )


def asked(words: str):
    return parse(words, date(2026, 11, 24)).words


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


HASH = "eb1e772cab3946a3eb69f98895fe6a224d007902ffe0c5e92391e81b159f1ba9"
OWN = "聊天记录：顾客要求退款五百元，店长答应次日办理。"


@pytest.mark.parametrize(
    ("checksum", "own", "shown"),
    [
        (HASH, OWN, OWN),
        (f"{HASH[:40]}\n{HASH[40:]}", OWN, OWN),
        (HASH, "好。" * 60 + OWN, ("好。" * 60 + OWN)[-90:]),
        ("缺", OWN, f"文本文件 SHA-256 缺 {OWN}"),
    ],
)
def test_what_is_shown_begins_where_the_own_words_of_the_document_do(checksum: str, own: str, shown: str):
    made = cut(f"文本文件\nSHA-256 {checksum}\n{own}", "退款")
    assert made.text.removeprefix("…") == shown
    assert [text for text, hit in made.parts if hit] == ["退款"]


def test_the_own_code_of_a_file_is_no_hit_and_that_of_another_is():
    page = "档案编号 2026-一级-其他-001 关联 2026-一级-其他-002 的退款"
    for own in ("2026-一级", "2026-一级-其他-001"):
        assert cut(page, own) is None
        assert [text for text, hit in cut(page, f"{own} 退款").parts if hit] == ["退款"]
    for words, hit in (("2026-一级-其他-002", "2026-一级-其他-002"), ("001", "001"), ("一级", "一级")):
        assert hit in [text for text, hit in cut(page, words).parts if hit]


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


def test_a_page_of_any_length_is_masked_and_marked_throughout(monkeypatch):
    """Also where the stretches meet in which it is looked at."""
    monkeypatch.setattr("indexer.snippets._STRETCH", 100)
    monkeypatch.setattr("indexer.snippets._OVERLAP", 20)
    for at in range(60, 220):
        page = "无" * at + "退款电话13800138000速办" + "无" * 150
        made = cut(page, "退款")
        assert made.place == (0, 1)
        assert [text for text, hit in made.parts if hit] == ["退款"]
        assert hits_on(mask_text(page), asked("速办")) == ("速办",)
        assert places_of(held(page, ""), None, asked("退款")) == (((0, 1),), True)
        assert hits_on(mask_text(page), asked("13800138000")) == ()
        shown = "".join(_stretches(mask_text(page)))
        assert "0013800" not in shown
        assert "138****8000" in shown


def test_where_there_is_no_time_what_was_seen_counts_and_the_rest_is_said_to_be_left():
    case_file, house = SimpleNamespace(reference="2026-一级-其他-001"), held("要求退款", "退款.jpg")
    assert snippet(house, case_file, asked("退款"), until=0.0) is None
    assert places_of(house, case_file, asked("退款"), until=0.0) == ((), False)
