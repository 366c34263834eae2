"""Words laid over a page: who looks, when, and under which request."""

from functools import lru_cache

import pylopdf_fonts_zh_cn
from PIL import Image, ImageDraw, ImageFont

_ANGLE = 24.0  # degrees, rising to the right
# Dark letters with a light rim: the letters show on paper, the rim on dark photographs, both on grey ones.
_LETTER, _RIM = (60, 60, 60), (255, 255, 255)
_LETTER_STRENGTH, _RIM_STRENGTH = 48, 90  # of 255; text below stays easy to read
_LONGEST = 120  # characters
_EDGE = 3  # pixels around the words


@lru_cache(maxsize=32)
def tile(text: str, size: int, strength: int, rim: int = 0) -> Image.Image:
    """One slanted line of words as a mask (mode L).

    ``size`` is the letter height in pixels, ``strength`` 0 to 255. With ``rim`` the letters are that many
    pixels fatter on each side, and hollow.
    """
    flat = line(text, size, strength, rim)
    return flat.rotate(_ANGLE, resample=Image.Resampling.BILINEAR, expand=True)


@lru_cache(maxsize=32)
def line(text: str, size: int, strength: int, rim: int = 0) -> Image.Image:
    """One level line of words as a mask (mode L), cropped to the words."""
    words = " ".join(text.split())[:_LONGEST] or " "
    font = _font(size)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(words))
    edge = _EDGE
    mask = Image.new("L", (max(right - left, 1) + 2 * edge, max(bottom - top, 1) + 2 * edge), 0)
    pen = ImageDraw.Draw(mask)
    pen.text(
        (edge - left, edge - top), words, font=font, fill=strength, stroke_width=rim, stroke_fill=strength
    )
    if rim:
        pen.text((edge - left, edge - top), words, font=font, fill=0)
    return mask


def places(width: float, height: float, across: float, down: float) -> list[tuple[float, float]]:
    """Where the tiles go, from the top left: rows, every second one shifted by half a tile."""
    step, rise = across * 1.15, down * 1.1
    rows = int(height / rise) + 2
    columns = int(width / step) + 2
    return [
        ((column - (0.5 if row % 2 else 0.0)) * step, (row - 0.25) * rise)
        for row in range(rows)
        for column in range(columns)
    ]


def cover(picture: Image.Image, text: str) -> None:
    """Lay the words over the whole of an RGB picture, in place."""
    if not text.strip():
        return
    size = max(12, picture.width // 55)
    letters = tile(text, size, _LETTER_STRENGTH)
    rim = tile(text, size, _RIM_STRENGTH, max(1, size // 16))
    for x, y in places(picture.width, picture.height, letters.width, letters.height):
        for colour, mark in ((_RIM, rim), (_LETTER, letters)):
            picture.paste(colour, (round(x), round(y), round(x) + mark.width, round(y) + mark.height), mark)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(pylopdf_fonts_zh_cn.sans_path()), size)
