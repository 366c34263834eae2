"""Names found by their initials in pinyin, whichever reading of a character somebody has in mind."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import Style, pinyin

from indexer.analysis import fold
from indexer.query.initials import has_initials


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("北京朝阳店", "bjcy"),
        ("北京朝阳店", "bjzyd"),
        ("北京朝阳店", "cyd"),
        ("重庆店", "cq"),
        ("重庆店", "zq"),
        ("長樂店", "cld"),
        ("长乐店", "zyd"),
        ("ＡＢ·二号店", "abehd"),
        ("2号店", "2hd"),
        ("儿童（海港）店", "ethg"),
    ],
)
def test_a_row_of_initials_finds_the_name(name, typed):
    assert has_initials(fold(name), fold(typed))


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("北京朝阳店", "b"),
        ("北京朝阳店", "bcy"),
        ("北京朝阳店", "bjcydd"),
        ("2024号店", "2024"),
        ("北京朝阳店", "北j"),
        ("北京朝阳店", "b j"),
        ("", "bj"),
        ("𠮷か㐀", "jk"),
    ],
)
def test_single_letters_gaps_figures_and_mixtures_find_nothing(name, typed):
    assert not has_initials(fold(name), fold(typed))


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=8), st.data())
def test_any_reading_of_any_characters_is_right(name, data):
    name = fold(name)
    start = data.draw(st.integers(0, len(name) - 2))
    readings = [pinyin(each, style=Style.FIRST_LETTER, heteronym=True)[0] for each in name[start:]]
    typed = "".join(data.draw(st.sampled_from(each)) for each in readings)
    if typed.isascii():  # a few characters have no reading
        assert has_initials(name, typed)


@given(st.text(max_size=20), st.text(max_size=10))
def test_whatever_is_typed_is_answered(name, typed):
    assert has_initials(fold(name), fold(typed)) in {True, False}


def test_nothing_is_loaded_before_somebody_asks():
    script = "import sys, web.wiring; sys.exit('pypinyin' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
