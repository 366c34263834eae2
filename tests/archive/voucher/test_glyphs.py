"""What the fonts can print, checked against a second reader of font files."""

from pathlib import Path

import pylopdf_fonts_zh_cn
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from archive.voucher.glyphs import Coverage, coverage, lacking, written_out

SANS, SERIF = pylopdf_fonts_zh_cn.sans_path(), pylopdf_fonts_zh_cn.serif_path()


@pytest.mark.parametrize("font", [SANS, SERIF])
def test_coverage_agrees_with_freetype(font):
    known = coverage(font)
    drawn = ImageFont.truetype(str(font), 24)
    tofu = drawn.getmask("\U0010fffd")
    for letter in "王䶮㛃喆翀龘é人⼈Жあ〔〕—…😡𠮷𬎆ก한":
        glyph = drawn.getmask(letter)
        is_tofu = glyph.size == tofu.size and bytes(glyph) == bytes(tofu)
        assert (letter in known) is not is_tofu, letter


@given(st.lists(st.integers(0, 500), min_size=1, unique=True))
def test_coverage_is_a_set_of_ranges(points):
    ordered = sorted(points)
    known = Coverage(ordered, ordered)
    assert {point for point in range(502) if chr(point) in known} == set(points)


def test_a_file_without_a_character_map_is_refused(tmp_path):
    broken = tmp_path / "broken.otf"
    broken.write_bytes(
        b"OTTO\x00\x01" + bytes(6) + b"cmap" + bytes(4) + (28).to_bytes(4) + bytes(4) + bytes(4)
    )
    with pytest.raises(ValueError, match="no full character map"):
        coverage(Path(broken))


def test_lacking_names_each_character_once():
    assert lacking("王𠮷𠮷😡\n", [coverage(SANS)]) == {"𠮷", "😡"}


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("太差了😡😡", "太差了〔愤怒〕〔愤怒〕"),
        ("❤️", "〔红心〕"),
        ("👍🏽", "〔赞〕"),
        ("🇨🇳", "〔CN 旗〕"),
        ("🦥", "〔sloth〕"),
        ("\U0001fae8", "〔U+1FAE8〕"),
        ("1️⃣", "1"),
        ("王\u200b小\u202e明", "王小明"),
        ("Jose\u0301", "José"),
        ("\uf900", "\uf900"),
        ("普通文字 ABC", "普通文字 ABC"),
    ],
)
def test_pictures_are_written_out_and_the_unseen_left_out(text, printed):
    assert written_out(text, lacking(text, [coverage(SANS)])) == printed
