"""Which characters the fonts can print, and what is printed in place of those they cannot.

A name must never come out as an empty box: characters no font has are refused by name. Emoji and other
symbols are no reason to refuse a complaint: they are written out in brackets 〔〕, in Chinese where a word is
common, else by their Unicode name. The attached voucher.json keeps them as they were.
"""

import re
import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

# Left out in print: zero-width and direction marks, variation selectors, skin tones, the keycap frame, tags.
_UNSEEN: Final = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\u20e3\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff\U000e0000-\U000e01ef]"
)
_ACCENTED: Final = re.compile("[^\u0300-\u036f][\u0300-\u036f]+")
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_PICTURES: Final = range(0x1F000, 0x1FB00)  # emoji newer than Python's tables fall here too

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "😀": "笑脸", "😁": "露齿笑", "😂": "笑哭", "🤣": "笑倒", "😄": "大笑", "😅": "苦笑",
        "😆": "大笑", "😊": "微笑", "🙂": "微笑", "🙃": "倒脸", "😉": "眨眼", "😍": "喜爱",
        "😘": "飞吻", "😎": "墨镜", "🤔": "思考", "😐": "无语", "😑": "无语", "😒": "不屑",
        "🙄": "白眼", "😏": "得意", "😓": "汗", "😔": "失落", "😞": "失望", "😢": "流泪",
        "😭": "大哭", "😤": "生气", "😠": "生气", "😡": "愤怒", "🤬": "骂人", "😱": "惊恐",
        "😨": "害怕", "😰": "冷汗", "😳": "脸红", "😩": "疲惫", "😫": "疲惫", "😷": "口罩",
        "🤮": "呕吐", "🤢": "恶心", "🤡": "小丑", "💩": "便便", "👻": "鬼", "💀": "骷髅",
        "👍": "赞", "👎": "踩", "👌": "好的", "🙏": "合十", "👏": "鼓掌", "💪": "加油",
        "🤝": "握手", "👋": "挥手", "🤷": "摊手", "🤦": "捂脸", "❤": "红心", "💔": "心碎",
        "🔥": "火", "💯": "满分", "🎉": "庆祝", "🌹": "玫瑰", "🐶": "狗", "❌": "叉",
        "✅": "对勾", "❗": "感叹号", "❓": "问号", "⭐": "星", "💰": "钱袋", "📷": "相机",
        "📞": "电话",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coverage:
    """The code points of one font: ``starts[i]`` to ``ends[i]``, ascending and apart."""

    starts: Sequence[int]
    ends: Sequence[int]

    def __contains__(self, letter: str) -> bool:
        place = bisect_right(self.starts, ord(letter)) - 1
        return place >= 0 and ord(letter) <= self.ends[place]


@cache
def coverage(font: Path, face: int = 0) -> Coverage:
    """Read the character map (OpenType ``cmap``, format 12) of a font file or a ``face`` of a collection."""
    with font.open("rb") as file:

        def read(at: int, shape: str) -> tuple[int, ...]:
            file.seek(at)
            return struct.unpack(shape, file.read(struct.calcsize(shape)))

        file.seek(0)
        start = read(12 + 4 * face, ">I")[0] if file.read(4) == b"ttcf" else 0
        tables = read(start + 4, ">H")[0]
        records = (read(start + 12 + 16 * i, ">4sIII") for i in range(tables))
        cmap = next(record[2] for record in records if bytes(record[0]) == b"cmap")
        for i in range(read(cmap + 2, ">H")[0]):
            subtable = cmap + read(cmap + 4 + 8 * i, ">HHI")[2]
            if read(subtable, ">H")[0] == 12:
                groups = read(subtable + 12, ">I")[0]
                flat = read(subtable + 16, f">{groups * 3}I")
                return Coverage(flat[0::3], flat[1::3])
    raise ValueError(f"{font.name} has no full character map")


def lacking(text: str, fonts: Iterable[Coverage]) -> frozenset[str]:
    """The characters of ``text`` that no font has."""
    held = tuple(fonts)
    return frozenset(
        letter for letter in set(text) if letter != "\n" and not any(letter in font for font in held)
    )


def is_picture(letter: str) -> bool:
    """Whether a character is an emoji or another symbol, which may be written out; letters may not."""
    return unicodedata.category(letter)[0] == "S" or ord(letter) in _PICTURES


def written_out(text: str, missing: frozenset[str]) -> str:
    """``text`` with missing pictures in words, accents composed, and without what is never seen in print."""
    text = _UNSEEN.sub("", text)
    # Only accents: composing all would swap compatibility ideographs, and a name stays as it is written.
    text = _ACCENTED.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)
    if not missing:
        return text
    text = _FLAG.sub(_flag, text)
    return "".join(f"〔{_word(c)}〕" if c in missing and is_picture(c) else c for c in text)


def _flag(found: re.Match[str]) -> str:
    country = "".join(chr(ord(letter) - 0x1F1E6 + ord("A")) for letter in found[0])
    return f"〔{country} 旗〕"


def _word(letter: str) -> str:
    return WORDS.get(letter) or unicodedata.name(letter, "").lower() or f"U+{ord(letter):04X}"
