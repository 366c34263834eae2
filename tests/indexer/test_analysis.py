"""Terms and phrases: the pure part."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis import Phrase, Query, atoms, fold, in_rows, spans, terms_for_index
from indexer.simplifying import simplified


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
        ("書面道歉", "书面道歉"),
        ("退費與賠償", "退费与赔偿"),
        ("頭髮乾裡臺吃著", "头发干里台吃着"),
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


@given(st.text())
def test_no_text_breaks_the_terms_and_each_can_be_written(text):
    for term, positions in terms_for_index([text]).items():
        assert term.encode()
        assert list(positions) == sorted(set(positions))


@given(st.text(alphabet="退款歉𠮷葛 \n，aB9ﬁ\u0301\U000e0100\u00ad", max_size=60), st.data())
def test_spans_point_at_what_was_found_as_it_was_written(text, data):
    start = data.draw(st.integers(0, len(text)))
    part = text[start : start + data.draw(st.integers(1, 8))]
    row = tuple(atoms(fold(part)))
    if not row:
        return
    query = Query(part, (Phrase(row, open=False),))
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
    assert re.fullmatch("[x1]+", "".join(terms))


def test_simplifying_is_settled_and_keeps_every_character_in_its_place():
    table = simplified()
    assert len(table) > 4000
    assert not table.keys() & set(table.values())
    assert all(len(fold(chr(old))) == 1 for old in table)


@given(st.lists(st.text(alphabet="退款歉 ，aB9", max_size=20), max_size=4))
def test_terms_come_back_in_their_rows(parts):
    rows = list(in_rows(terms_for_index(parts)))
    each = [row for part in parts for row in in_rows(terms_for_index([part]))]
    assert rows == each
