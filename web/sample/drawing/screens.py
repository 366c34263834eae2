"""Screenshots of a telephone: a chat with the store, and a review with its comments. PNG, 1080 pixels wide."""

import random
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from PIL import Image, ImageDraw

from web.sample.drawing.canvas import Color, encoded, font, glow, gradient
from web.sample.grammar import Words, pick

WIDTH = 1080
_PAPER: Color = (237, 237, 237)
_GREEN: Color = (149, 236, 105)
_BLACK: Color = (25, 25, 25)
_GREY: Color = (150, 150, 150)
_TEXT = 44
_FACES = {"angry": (226, 88, 60), "cry": (250, 204, 72), "smile": (250, 204, 72), "ok": (250, 204, 72)}
_TOKEN = re.compile(r"\[(angry|cry|smile|ok|photo|截图)\]|[A-Za-z0-9.,:]+|.")

Token = tuple[str, str]  # what it is ("" text, a face, "photo") and its text


def chat(lines: Sequence[str], words: Words, began: datetime, rng: random.Random) -> bytes:
    """Lines begin with ``客：`` (right, green) or ``店：`` (left, white); ``[angry]`` is a face."""
    image = Image.new("RGB", (WIDTH, 4000), _PAPER)
    draw = ImageDraw.Draw(image)
    clock = began
    y = _header(draw, f"{words['store']}客服", began + timedelta(minutes=4 * len(lines)))
    mine: Color = pick(rng, ((92, 124, 160), (196, 130, 110), (116, 150, 120), (150, 120, 160)))
    for number, line in enumerate(lines):
        if number == 0 or rng.random() < 0.22 or "[隔天]" in line:
            clock += timedelta(days=1) if "[隔天]" in line else timedelta(minutes=3 + int(rng.random() * 40))
            stamp = f"{clock.month}月{clock.day}日 {clock:%H:%M}"
            draw.text((WIDTH / 2, y + 34), stamp, font=font(32), fill=_GREY, anchor="mm")
            y += 84
        speaker, said = line.replace("[隔天]", "").strip().split("：", 1)
        y = _bubble(image, said, mine if speaker == "客" else None, y, words)
    height = max(y + 190, 1500)
    _input_bar(draw, height)
    return encoded(image.crop((0, 0, WIDTH, height)), "PNG", compress_level=5)


def review(text: str, words: Words, day: datetime, rng: random.Random) -> bytes:
    """One star, the words, three small pictures and what others say below."""
    image = Image.new("RGB", (WIDTH, 2200), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    y = _header(draw, "评价详情", day) + 40
    image.paste(_avatar((200, 150, 90), "侠"), (48, y))
    draw.text((170, y + 2), f"{words['city'][0]}**玩家", font=font(42), fill=_BLACK)
    draw.text(
        (170, y + 58),
        f"{day.year}-{day:%m-%d}　{words['platform']}　Lv{2 + int(rng.random() * 6)}",
        font=font(30),
        fill=_GREY,
    )
    y += 140
    for star in range(5):
        draw.text(
            (48 + star * 56, y), "★", font=font(50), fill=(255, 120, 40) if star == 0 else (222, 222, 222)
        )
    draw.text((348, y + 8), "服务 1.0　环境 2.0　剧本 4.0", font=font(32), fill=_GREY)
    y += 92
    for row in _rows(text, WIDTH - 96)[:14]:
        _write(draw, row, 48, y)
        y += 66
    for number, tone in enumerate(((120, 70, 50), (70, 80, 90), (140, 110, 70))):
        thumb = gradient((316, 316), tone, (tone[0] // 3, tone[1] // 3, tone[2] // 3))
        glow(thumb, (90 + rng.random() * 140, 90), 170, (255, 214, 150), 0.8)
        image.paste(thumb, (48 + number * 330, y + 24))
    y += 380
    draw.text((48, y), f"{words['store']}　{words['script']}", font=font(36), fill=(90, 90, 90))
    draw.text(
        (48, y + 60),
        f"浏览 {words['count']}　有用 {80 + int(rng.random() * 300)}　回应 {8 + int(rng.random() * 60)}",
        font=font(32),
        fill=_GREY,
    )
    y += 130
    draw.rectangle((0, y, WIDTH, y + 16), fill=(243, 243, 243))
    y += 48
    replies = (
        "同一家店，同一个套路，抱抱",
        "已避雷，谢谢姐妹",
        "商家：您好，请私信留下联系方式，我们核实后处理",
        "我上个月去也是这样，客服复制粘贴",
        "蹲一个后续",
    )
    for reply in rng.sample(replies, 3):
        draw.text((48, y), reply, font=font(36), fill=(70, 70, 70))
        y += 78
    return encoded(image.crop((0, 0, WIDTH, max(y + 60, 1600))), "PNG", compress_level=5)


def _header(draw: ImageDraw.ImageDraw, title: str, at: datetime) -> int:
    """Status bar and title; gives the height they take."""
    draw.rectangle((0, 0, WIDTH, 200), fill=(247, 247, 247))
    draw.text((60, 40), f"{at:%H:%M}", font=font(36), fill=_BLACK, anchor="lm")
    for bar in range(4):
        draw.rectangle((820 + bar * 14, 52 - bar * 7, 829 + bar * 14, 54), fill=_BLACK)
    draw.text((892, 40), "5G", font=font(30), fill=_BLACK, anchor="lm")
    draw.rounded_rectangle((954, 26, 1012, 54), 7, outline=_BLACK, width=3)
    draw.rectangle((959, 31, 959 + 10 + at.minute * 36 // 60, 49), fill=_BLACK)
    draw.rectangle((1014, 35, 1018, 45), fill=_BLACK)
    draw.line(((70, 118), (48, 140), (70, 162)), fill=_BLACK, width=5, joint="curve")
    draw.text((WIDTH / 2, 140), title, font=font(46), fill=_BLACK, anchor="mm")
    for dot in range(3):
        draw.ellipse((980 + dot * 20, 135, 989 + dot * 20, 144), fill=_BLACK)
    draw.line(((0, 200), (WIDTH, 200)), fill=(216, 216, 216), width=2)
    return 210


def _bubble(image: Image.Image, said: str, mine: Color | None, y: int, words: Words) -> int:
    """One thing said, ``mine`` (the colour of the picture) or the store's; gives where the next begins."""
    y += 24
    right = mine is not None
    avatar = _avatar(mine, "我") if mine else _avatar((168, 52, 44), words["store"][0])
    image.paste(avatar, (WIDTH - 36 - 96 if right else 36, y))
    if not said.replace("[photo]", "").replace("[截图]", "").strip():
        return _picture(image, y, right=right)
    rows = _rows(said, 700)
    wide = max(int(sum(_width(token) for token in row)) for row in rows)
    tall = len(rows) * 62 + 44
    left = WIDTH - 168 - wide - 56 if right else 168
    draw = ImageDraw.Draw(image)
    fill = _GREEN if right else (255, 255, 255)
    draw.rounded_rectangle((left, y, left + wide + 56, y + tall), 14, fill=fill)
    tip = left + wide + 56 if right else left
    out = 16 if right else -16
    draw.polygon(((tip, y + 32), (tip + out, y + 48), (tip, y + 64)), fill=fill)
    for number, row in enumerate(rows):
        _write(draw, row, left + 28, y + 20 + number * 62)
    return y + max(tall, 96) + 12


def _picture(image: Image.Image, y: int, *, right: bool) -> int:
    thumb = gradient((300, 400), (124, 86, 56), (44, 30, 24))
    glow(thumb, (150, 130), 180, (255, 220, 160), 0.9)
    ImageDraw.Draw(thumb).rectangle((70, 200, 230, 330), fill=(222, 206, 170), outline=(120, 60, 40), width=4)
    image.paste(thumb, (WIDTH - 168 - 300 if right else 168, y))
    return y + 412


def _avatar(color: Color, letter: str) -> Image.Image:
    face = gradient((96, 96), color, (color[0] * 3 // 5, color[1] * 3 // 5, color[2] * 3 // 5))
    ImageDraw.Draw(face).text((48, 46), letter, font=font(50, serif=True), fill=(255, 250, 240), anchor="mm")
    return face


def _input_bar(draw: ImageDraw.ImageDraw, height: int) -> None:
    top = height - 150
    draw.rectangle((0, top, WIDTH, height), fill=(247, 247, 247))
    draw.line(((0, top), (WIDTH, top)), fill=(216, 216, 216), width=2)
    draw.ellipse((34, top + 30, 98, top + 94), outline=_BLACK, width=4)
    draw.rounded_rectangle((124, top + 22, 830, top + 102), 10, fill=(255, 255, 255))
    for x in (866, 962):
        draw.ellipse((x, top + 30, x + 64, top + 94), outline=_BLACK, width=4)
    draw.line(((980, top + 62), (1008, top + 62)), fill=_BLACK, width=4)
    draw.line(((994, top + 48), (994, top + 76)), fill=_BLACK, width=4)
    draw.rounded_rectangle((390, height - 26, 690, height - 18), 4, fill=_BLACK)


def _rows(text: str, width: int) -> list[list[Token]]:
    """The text in rows of at most ``width`` pixels; a row never begins with a closing mark."""
    rows: list[list[Token]] = [[]]
    used = 0.0
    for match in _TOKEN.finditer(text.replace("\n", "　")):
        token = ("photo" if match[1] == "截图" else match[1], "") if match[1] else ("", match[0])
        wide = _width(token)
        if used + wide > width and token[1] not in "，。！？、；：”）》…" and rows[-1]:
            rows.append([])
            used = 0.0
        rows[-1].append(token)
        used += wide
    return rows


def _width(token: Token) -> float:
    return font(_TEXT).getlength(token[1]) if not token[0] else 56


def _write(draw: ImageDraw.ImageDraw, row: Sequence[Token], x: float, y: float) -> None:
    for token in row:
        kind, text = token
        if not kind:
            draw.text((x, y), text, font=font(_TEXT), fill=_BLACK)
        elif kind == "photo":
            draw.rectangle((x + 4, y + 10, x + 48, y + 52), outline=(90, 90, 90), width=4)
            draw.polygon(((x + 10, y + 46), (x + 24, y + 26), (x + 42, y + 46)), fill=(90, 90, 90))
        else:
            _face(draw, kind, x + 4, y + 10)
        x += _width(token)


def _face(draw: ImageDraw.ImageDraw, kind: str, x: float, y: float) -> None:
    draw.ellipse((x, y, x + 46, y + 46), fill=_FACES[kind])
    dark = (90, 40, 20)
    if kind == "angry":
        draw.line(((x + 9, y + 12), (x + 19, y + 18)), fill=dark, width=4)
        draw.line(((x + 37, y + 12), (x + 27, y + 18)), fill=dark, width=4)
    for eye in (14, 30):
        draw.ellipse((x + eye - 1, y + 17, x + eye + 4, y + 23), fill=dark)
    if kind in {"angry", "cry"}:
        draw.arc((x + 13, y + 28, x + 33, y + 44), 200, 340, fill=dark, width=4)
    else:
        draw.arc((x + 11, y + 16, x + 35, y + 38), 20, 160, fill=dark, width=4)
    if kind == "cry":
        draw.ellipse((x + 6, y + 24, x + 14, y + 38), fill=(86, 170, 240))
