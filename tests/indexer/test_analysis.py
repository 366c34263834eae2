"""Terms and queries: the pure part."""

import re

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from archive.errors import Code, MunimentError
from indexer.analysis import atoms, fold, parse_query, spans, terms_for_index


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
        ("re\u00adfund", "refund"),
        ("葛\U000e0100", "葛"),
        ("①㎡", "1m2"),
        ("金", "金"),
    ],
)
def test_forms_that_read_the_same_fold_to_the_same(written, folded):
    assert fold(written) == folded


@given(st.text())
def test_folding_twice_changes_nothing_that_is_searched(text):
    once = fold(text)
    assert [each.text for each in atoms(fold(once))] == [each.text for each in atoms(once)]


def test_runs_are_held_as_pairs_and_their_last_character_alone():
    assert dict(terms_for_index(["退款单500"])) == {"退款": [0], "款单": [2], "单": [4], "500": [6]}


def test_terms_of_two_parts_are_apart():
    positions = terms_for_index(["退", "款"])
    assert positions["款"][0] - positions["退"][0] > 3


@pytest.mark.parametrize("query", ["", " \t\n", "。，！", "“”", "😡", "___"])
def test_a_query_without_anything_to_find_is_refused_kindly(query):
    with pytest.raises(MunimentError) as refused:
        parse_query(query)
    assert refused.value.code is Code.QUERY_INVALID
    assert refused.value.say("zh") == "检索词无效：请输入文字、数字或档号。"
    assert "reference code" in refused.value.say("en")


@pytest.mark.parametrize("query", ["退款\x00", "\x1b[31m退款", "\ud842退款", "退款\x7f", "退款\u0002"])
def test_control_characters_and_lone_surrogates_are_refused(query):
    with pytest.raises(MunimentError) as refused:
        parse_query(query)
    assert refused.value.code is Code.QUERY_INVALID
    assert refused.value.say("zh").isprintable()


def test_a_query_of_a_hundred_kilobytes_is_refused_at_once():
    with pytest.raises(MunimentError) as refused:
        parse_query("退" * 100_000)
    assert "256" in refused.value.say("zh")


@given(st.text(max_size=300))
@example("\"'%_*?[](){}^~:/\\退")
def test_any_text_is_a_query_or_is_refused_with_a_reason(text):
    try:
        query = parse_query(text)
    except MunimentError as error:
        refused = error.say("zh")
        event(refused)
        return
    assert query.phrases
    assert all(phrase.leaves for phrase in query.phrases)


@given(st.text())
def test_no_text_breaks_the_terms_and_each_can_be_written(text):
    for term, positions in terms_for_index([text]).items():
        assert term.encode()
        assert list(positions) == sorted(set(positions))


@given(st.text(alphabet="退款歉𠮷葛 \n，aB9ﬁ\u0301\U000e0100\u00ad", max_size=60), st.data())
def test_spans_point_at_what_was_found_as_it_was_written(text, data):
    start = data.draw(st.integers(0, len(text)))
    part = text[start : start + data.draw(st.integers(1, 8))]
    try:
        query = parse_query(f'"{part}"')
    except MunimentError:
        return
    for found in spans(text, query).values():
        for left, right in found:
            assert 0 <= left < right <= len(text)
            assert [each.text for each in atoms(fold(text[left:right]))] == [
                each.text for each in query.phrases[0].atoms
            ]


def test_every_han_character_of_unicode_is_one_atom():
    for code in (0x3400, 0x4E00, 0x9FFF, 0x20000, 0x2A6DF, 0x30000, 0x323AF, 0xE000):
        assert [each.dense for each in atoms(chr(code) * 2)] == [True, True]


def test_no_letter_or_digit_of_any_script_is_lost():
    lost = [
        code
        for code in range(0x20, 0x110000)
        if any(each.isalnum() for each in fold(chr(code))) and not atoms(fold(chr(code)))
    ]
    assert lost == []


def test_a_very_long_word_is_cut_into_terms_and_still_found():
    word = "x1" * 200
    terms = terms_for_index([word])
    assert max(len(term) for term in terms) <= 64
    assert len(parse_query(word[:250]).phrases) == 1
    assert re.fullmatch("[x1]+", "".join(terms))
