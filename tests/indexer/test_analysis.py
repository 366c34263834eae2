"""Terms and phrases: the pure part."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.analysis import (
    _APART,
    BETWEEN_PARTS,
    LONGEST_PHRASE,
    Phrase,
    Query,
    atoms,
    fold,
    in_order,
    rows_of,
    spans,
    terms_for_index,
)
from indexer.query.parsing import LONGEST
from indexer.simplifying import simplified


def all_terms(*parts, size=1000):
    """Of all pieces together."""
    terms = {}
    for piece in terms_for_index([[part] for part in parts], size):
        for term, places in piece.items():
            terms.setdefault(term, []).extend(places)
    return terms


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
    assert all_terms("退款单500") == {"退款": [0], "款单": [2], "单": [4], "500": [6]}


def test_terms_of_two_parts_are_apart():
    positions = all_terms("退", "款")
    assert positions["款"][0] - positions["退"][0] > 3


@given(st.text())
def test_no_text_breaks_the_terms_and_each_can_be_written(text):
    for term, positions in all_terms(text).items():
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
    terms = all_terms(word)
    assert max(len(term) for term in terms) <= 64
    assert re.fullmatch("[x1]+", "".join(terms))


def test_simplifying_is_settled_and_keeps_every_character_in_its_place():
    table = simplified()
    assert len(table) > 4000
    assert not table.keys() & set(table.values())
    assert all(len(fold(chr(old))) == 1 for old in table)


WRITTEN = "退款歉가각ㄱㅏ각がｶﾞ \n，-aB9ﬁ½\u0301\u0323\u00ad\u200d\U000e0100𠮷ŉß"


def cut(text, at):
    edges = [0, *sorted(each % (len(text) + 1) for each in at), len(text)]
    return [text[left:right] for left, right in pairwise(edges)]


@given(
    st.text(alphabet=WRITTEN, max_size=300), st.lists(st.integers(0, 300), max_size=5), st.integers(30, 80)
)
def test_a_text_has_the_same_atoms_in_whatever_pieces_it_comes_and_is_worked_on(text, at, size):
    rows = list(rows_of(cut(text, at), size))
    found = [(atom.text, atom.position, atom.dense) for row in rows for atom in row]
    assert found == [(atom.text, atom.position, atom.dense) for atom in atoms(fold(text))]


@given(st.text(alphabet="ab가ㄱㅏ\u0301 -", max_size=200), st.integers(1, 5))
def test_a_text_that_offers_no_place_to_cut_is_cut_all_the_same(text, size):
    assert all(len(row) <= 2 * size for row in rows_of([text.replace("a", "")], size))


def test_a_text_is_cut_only_where_nothing_joins():
    """Before letters that compose with nothing: neither as they are, nor as they fold."""
    canonical = (unicodedata.decomposition(chr(code)).split(" ") for code in range(0x110000))
    joining = {chr(int(each[1], 16)) for each in canonical if len(each) == 2 and "<" not in each[0]}
    joining |= {chr(c) for c in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    wrong = [
        hex(code)
        for code in range(0x110000)
        if _APART.match(chr(code))
        for form in (unicodedata.normalize("NFKC", chr(code)), fold(chr(code)))
        if form and (unicodedata.combining(form[0]) or form[0] in joining)
    ]
    assert wrong == []


@given(st.lists(st.text(alphabet="退款歉 ，aB9", max_size=60), max_size=4), st.integers(1, 20))
def test_terms_are_the_same_piece_by_piece_as_at_once(parts, size):
    assert all_terms(*parts, size=size) == all_terms(*parts)
    for piece in terms_for_index([[part] for part in parts], size):
        assert sum(map(len, piece.values())) <= 3 * size + 3


def test_no_query_that_may_be_asked_has_more_terms_than_rows_of_a_long_text_share():
    most = max(len(atoms(fold(chr(code)))) for code in range(0x110000))
    assert most * LONGEST <= LONGEST_PHRASE


@given(st.lists(st.text(alphabet="退款歉 ，aB9", max_size=20), max_size=4), st.integers(1, 20))
def test_terms_come_back_in_their_order_with_a_sign_between_parts(parts, size):
    rows = [term for row in in_order(terms_for_index([[part] for part in parts], size)) for term in row]
    each = [[term for row in in_order(terms_for_index([[part]])) for term in row] for part in parts]
    expected = [term for row in filter(None, each) for term in (BETWEEN_PARTS, *row)][1:]
    assert rows == expected
