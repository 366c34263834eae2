"""Stills of the camera under the ceiling: green-grey, coarse, with the time burnt in."""

import random
from datetime import datetime

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from web.sample.drawing.canvas import encoded, font, glow
from web.sample.grammar import Words

_SIZE = (1280, 720)


def still(words: Words, at: datetime, rng: random.Random) -> bytes:
    """A JPEG of 1280 by 720 pixels: a corridor from above, figures without faces."""
    image = Image.new("RGB", (640, 360), (70, 72, 70))
    draw = ImageDraw.Draw(image)
    draw.polygon(((150, 70), (430, 60), (640, 360), (0, 360)), fill=(112, 112, 108))
    draw.polygon(((0, 0), (150, 70), (0, 360)), fill=(56, 58, 56))
    draw.polygon(((430, 60), (640, 0), (640, 360)), fill=(62, 64, 62))
    draw.rectangle((150, 0, 430, 70), fill=(48, 50, 48))
    draw.rectangle((250, 10, 320, 68), fill=(84, 82, 78), outline=(30, 30, 30))
    for door in range(3):
        x, y = 470 + door * 55, 64 + door * 64
        draw.polygon(((x, y), (x + 36, y - 14), (x + 66, y + 110), (x + 34, y + 130)), fill=(92, 88, 82))
    for step in range(7):
        draw.line(((150 - step * 25, 70 + step * 48), (430 + step * 35, 60 + step * 50)), fill=(98, 98, 94))
    for _ in range(2 + int(rng.random() * 2)):
        _figure(draw, rng.uniform(200, 420), rng.uniform(120, 260), rng)
    glow(image, (300, 90), 160, (226, 230, 220), 0.5)
    grey = ImageOps.colorize(image.convert("L").filter(ImageFilter.BoxBlur(1)), (6, 12, 8), (214, 226, 214))
    noise = Image.frombytes("L", (320, 180), rng.randbytes(320 * 180)).resize(_SIZE)
    still_ = Image.blend(grey.resize(_SIZE, Image.Resampling.BILINEAR), noise.convert("RGB"), 0.06)
    lines = ImageDraw.Draw(still_)
    for y in range(0, 720, 4):
        lines.line(((0, y), (1280, y)), fill=(20, 26, 22))
    lines.text(
        (36, 24),
        f"{at:%Y-%m-%d} {words['+100']}:{int(rng.random() * 60):02}",
        font=font(40),
        fill=(240, 244, 236),
    )
    lines.text(
        (1244, 656),
        f"CH0{1 + int(rng.random() * 6)}  {words['store']} 走廊",
        font=font(36),
        fill=(240, 244, 236),
        anchor="ra",
    )
    return encoded(still_, "JPEG", quality=80)


def _figure(draw: ImageDraw.ImageDraw, x: float, y: float, rng: random.Random) -> None:
    size = 0.5 + y / 260
    tone = int(rng.uniform(24, 170))
    draw.ellipse((x - 16 * size, y + 66 * size, x + 34 * size, y + 82 * size), fill=(80, 80, 76))
    for leg in (-7, 5):
        draw.line(
            ((x + leg * size, y + 40 * size), (x + leg * 1.4 * size, y + 78 * size)),
            fill=(30, 30, 32),
            width=int(9 * size),
        )
    draw.rounded_rectangle(
        (x - 15 * size, y, x + 15 * size, y + 46 * size), 8 * size, fill=(tone, tone, tone)
    )
    draw.ellipse((x - 9 * size, y - 19 * size, x + 9 * size, y + 3 * size), fill=(36, 34, 34))
