"""What all drawings share: type, light, shadow, and the faults of a telephone's camera."""

import io
import random
from collections.abc import Sequence
from datetime import datetime
from functools import cache

import pylopdf_fonts_zh_cn
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

Color = tuple[int, int, int]
Point = tuple[float, float]
SCENE = (1200, 900)  # pixels; scenes are drawn at this size, photographs are a third larger
_ORIENTATION, _GPS, _MAKE, _MODEL, _TAKEN = 0x0112, 0x8825, 0x010F, 0x0110, 0x0132  # EXIF 2.3, 4.6.4


@cache
def font(size: int, *, serif: bool = False) -> ImageFont.FreeTypeFont:
    path = pylopdf_fonts_zh_cn.serif_path() if serif else pylopdf_fonts_zh_cn.sans_path()
    return ImageFont.truetype(path, size)


def gradient(size: tuple[int, int], top: Color, bottom: Color) -> Image.Image:
    return ImageOps.colorize(Image.linear_gradient("L").resize((1, size[1])), top, bottom).resize(size)


def glow(image: Image.Image, center: Point, radius: float, color: Color, strength: float) -> None:
    """Light (or with a dark colour, shade) falling off from ``center``; ``strength`` from 0 to 1."""
    side = int(radius * 2)
    mask = _halo().resize((side, side)).point(lambda value: int(value * strength))
    image.paste(color, (int(center[0] - radius), int(center[1] - radius)), mask)


@cache
def _halo() -> Image.Image:
    # Squared, because light that falls off in a straight line looks like a cone.
    return ImageOps.invert(Image.radial_gradient("L")).point(lambda value: value * value // 255)


def shadow(image: Image.Image, outline: Sequence[Point], blur: float = 14, strength: float = 0.55) -> None:
    """A soft shadow under ``outline``, drawn at a quarter of the size, since it is blurred anyhow."""
    small = Image.new("L", (image.width // 4, image.height // 4))
    ImageDraw.Draw(small).polygon([(x / 4, y / 4) for x, y in outline], fill=int(255 * strength))
    image.paste((0, 0, 0), (0, 0), small.filter(ImageFilter.GaussianBlur(blur / 4)).resize(image.size))


def lay(image: Image.Image, sheet: Image.Image, center: Point, angle: float) -> None:
    """Lay an opaque sheet on the picture, turned by ``angle`` degrees, with its shadow."""
    turned = sheet.convert("RGBA").rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    at = int(center[0] - turned.width / 2), int(center[1] - turned.height / 2)
    under = Image.new("L", (image.width // 4, image.height // 4))
    alpha = turned.getchannel("A")
    small = alpha.resize((max(1, turned.width // 4), max(1, turned.height // 4)))
    under.paste(small.point(lambda value: value // 2), (at[0] // 4 + 2, at[1] // 4 + 3))
    image.paste((0, 0, 0), (0, 0), under.filter(ImageFilter.GaussianBlur(3)).resize(image.size))
    image.paste(turned, at, alpha)


def photograph(
    scene: Image.Image, rng: random.Random, taken: datetime, *, stamp: str = "", upright: bool = False
) -> bytes:
    """A JPEG of about 1600 by 1200 pixels as a telephone takes it: vignette, grain, EXIF, now and then turned.

    ``upright`` cuts the middle out of the scene and holds the telephone upright. EXIF carries a place made of whole
    tenths of a degree in the Gobi, never where a store is said to be.
    """
    if upright:
        width = scene.height * 3 // 4
        left = (scene.width - width) // 2
        scene = scene.crop((left, 0, left + width, scene.height))
    size = (1200, 1600) if upright else (1600, 1200)
    image = scene.filter(ImageFilter.BoxBlur(1)).resize(size, Image.Resampling.BICUBIC)
    image = ImageChops.multiply(image, _vignette(size))
    image = _grain(image, rng)
    if stamp:
        _print_stamp(image, stamp)
    exif = Image.Exif()
    exif[_MAKE], exif[_MODEL] = "Lantern", f"Lantern {7 + int(rng.random() * 6)}"
    exif[_TAKEN] = f"{taken:%Y:%m:%d %H:%M:%S}"
    if upright:  # the sensor still writes rows along its long side
        image, exif[_ORIENTATION] = image.transpose(Image.Transpose.ROTATE_90), 6
    elif rng.random() < 0.15:  # held upside down
        image, exif[_ORIENTATION] = image.transpose(Image.Transpose.ROTATE_180), 3
    if rng.random() < 0.5:
        exif[_GPS] = {1: "N", 2: (42.0, 30.0, 0.0), 3: "E", 4: (103.0, 30.0, 0.0)}
    return encoded(image, "JPEG", quality=82, exif=exif)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@cache
def _vignette(size: tuple[int, int]) -> Image.Image:
    shade = Image.radial_gradient("L").point(lambda value: 255 - value * value * 115 // (255 * 255))
    return shade.resize(size).convert("RGB")


def _grain(image: Image.Image, rng: random.Random) -> Image.Image:
    # Own random bytes: Pillow's effect_noise draws from the process and would differ from run to run.
    side = 512
    even = [Image.frombytes("L", (side, side), rng.randbytes(side * side)) for _ in range(2)]
    bell = Image.blend(even[0], even[1], 0.5).point(lambda value: 128 + (value - 128) // 9)
    tile = Image.merge("RGB", (bell, ImageChops.offset(bell, 61, 17), ImageChops.offset(bell, 23, 140)))
    noise = Image.new("RGB", image.size)
    for x in range(0, image.width, side):
        for y in range(0, image.height, side):
            noise.paste(tile, (x, y))
    return ImageChops.add(image, noise, 1.0, -128)


def _print_stamp(image: Image.Image, stamp: str) -> None:
    draw, face = ImageDraw.Draw(image), font(40)
    at = image.width - 40 - face.getlength(stamp), image.height - 84
    draw.text((at[0] + 2, at[1] + 2), stamp, font=face, fill=(40, 20, 0))
    draw.text(at, stamp, font=face, fill=(255, 176, 64))
