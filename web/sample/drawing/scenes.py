"""Scenes of a game room, each 1200 by 900 pixels, put together from a few things under one lamp."""

import random
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw

from web.sample.drawing.canvas import SCENE, Color, font, glow, gradient, lay, shadow
from web.sample.grammar import Words, pick

_WALLS: tuple[tuple[Color, Color], ...] = (
    ((86, 44, 36), (128, 72, 52)),
    ((40, 58, 62), (72, 96, 96)),
    ((70, 58, 84), (104, 86, 104)),
    ((92, 74, 48), (150, 122, 84)),
)
_WOODS: tuple[tuple[Color, Color], ...] = (
    ((92, 56, 32), (140, 92, 56)),
    ((60, 40, 28), (104, 72, 48)),
    ((120, 84, 52), (176, 132, 88)),
)
_LAMP: Color = (255, 206, 130)
_INK: Color = (52, 44, 38)


def cards(words: Words, rng: random.Random) -> Image.Image:
    """Clue cards on the table, one of them torn, and the empty place where the prop belongs."""
    image = _tabletop(rng)
    for number in range(5):
        at = 230 + number * 190 + rng.uniform(-30, 30), rng.uniform(220, 360)
        lay(
            image,
            _card("线 索", f"{number + 1:02}", words["role"] if number % 2 else words["room"]),
            at,
            rng.uniform(-16, 16),
        )
    torn = _card("线 索", "17", words["prop"])
    edge = [(x, 150 + rng.uniform(-16, 16)) for x in range(0, 181, 12)]
    for half, turn, at in ((0, -9, (430, 640)), (1, 14, (610, 690))):
        piece = torn.copy().convert("RGBA")
        blank = Image.new("L", piece.size, 0)
        rim = 0 if half == 0 else piece.height
        ImageDraw.Draw(blank).polygon([(0, rim), *edge, (180, rim)], fill=255)
        piece.putalpha(blank)
        lay(image, piece, at, turn)
    box = Image.new("RGB", (260, 200), (58, 36, 26))
    draw = ImageDraw.Draw(box)
    draw.rectangle((14, 14, 246, 186), fill=(92, 20, 26), outline=(150, 116, 60), width=4)
    draw.text((130, 100), "（空）", font=font(34), fill=(190, 150, 110), anchor="mm")
    lay(image, box, (930, 640), rng.uniform(-8, 8))
    return _lit(image, (600, 300), 900)


def booklet(words: Words, rng: random.Random) -> Image.Image:
    """An open script with a red ring round the fault."""
    image = _tabletop(rng)
    page = Image.new("RGB", (860, 600), (238, 228, 206))
    draw = ImageDraw.Draw(page)
    draw.rectangle((424, 0, 436, 600), fill=(206, 194, 170))
    draw.text((212, 40), f"{words['script']}　{words['role']}", font=font(24), fill=_INK, anchor="mm")
    lines = (
        f"{words['act']}",
        f"你推开{words['room']}的门，灯还亮着。",
        f"{words['prop']}不在原来的地方，",
        "你记得清清楚楚，亥时三刻，",
        "你独自一人在后院。",
        f"远处传来{words['role2']}的脚步声，",
        "你没有回头。",
        "那封信上只有一行字：",
        "“不要相信第一个开口的人。”",
    )
    for number, line in enumerate(lines):
        draw.text((44, 86 + number * 52), line, font=font(25), fill=_INK)
    for number, line in enumerate(lines[3:] + lines[1:4]):
        fade = 0 if number < 4 else 110  # ink runs out in a bad copy
        draw.text((474, 86 + number * 52), line, font=font(25), fill=(52 + fade, 44 + fade, 38 + fade))
    draw.text((212, 574), "— 17 —", font=font(18), fill=_INK, anchor="mm")
    draw.text((648, 574), "— 20 —", font=font(18), fill=_INK, anchor="mm")
    for ring in range(3):
        draw.ellipse((602 - ring, 552 - ring, 694 + ring * 2, 596 + ring), outline=(196, 40, 36), width=3)
    draw.line(((40, 274), (360, 278)), fill=(196, 40, 36), width=4)
    lay(image, page, (600, 450), rng.uniform(-7, 7))
    _cup(image, (1090, 190))
    return _lit(image, (560, 320), 860)


def room(words: Words, rng: random.Random) -> Image.Image:
    """The whole room: wall, lantern, table and chairs; nobody in it."""
    image = _interior(rng)
    draw = ImageDraw.Draw(image)
    for x in (150, 860):
        draw.rectangle((x, 130, x + 190, 400), fill=(44, 30, 24), outline=(96, 66, 42), width=10)
        for bar in range(1, 4):
            draw.line(((x + bar * 47, 130), (x + bar * 47, 400)), fill=(96, 66, 42), width=5)
            draw.line(((x, 130 + bar * 67), (x + 190, 130 + bar * 67)), fill=(96, 66, 42), width=5)
    _scroll(image, words, (600, 250))
    for x in (250, 480, 720, 950):
        _chair(draw, x, 500, 0.8)
    _long_table(image, rng)
    for x in (330, 600, 870):
        _chair(draw, x, 700, 1.25)
    _lantern(image, (430, 150))
    _lantern(image, (770, 150))
    return _lit(image, (600, 200), 980)


def prop(words: Words, rng: random.Random) -> Image.Image:
    """The broken prop beside its label: a lacquered box, split, with the lock hanging."""
    image = _tabletop(rng)
    box = Image.new("RGB", (520, 330), (104, 26, 24))
    draw = ImageDraw.Draw(box)
    draw.rectangle((10, 10, 510, 320), outline=(196, 156, 82), width=6)
    draw.rectangle((0, 120, 520, 132), fill=(60, 14, 14))
    draw.ellipse((222, 86, 298, 166), fill=(186, 150, 84), outline=(96, 72, 36), width=5)
    draw.rectangle((252, 116, 268, 150), fill=(40, 26, 18))
    crack = [(60.0, 0.0)]
    while crack[-1][1] < 330:
        crack.append((crack[-1][0] + rng.uniform(-8, 34), crack[-1][1] + rng.uniform(18, 46)))
    draw.line(crack, fill=(18, 6, 6), width=9)
    draw.line([(x + 5, y) for x, y in crack], fill=(208, 150, 110), width=2)
    lay(image, box, (520, 430), rng.uniform(-10, 10))
    for _ in range(9):
        x, y, side = rng.uniform(180, 860), rng.uniform(600, 780), rng.uniform(8, 26)
        draw_on = ImageDraw.Draw(image)
        draw_on.polygon([(x, y), (x + side, y + side / 3), (x + side / 2, y + side)], fill=(120, 34, 28))
    lay(image, _card("道 具", "03", words["prop"]), (940, 360), rng.uniform(-14, 4))
    draw = ImageDraw.Draw(image)
    draw.line(((880, 720), (1080, 640)), fill=(170, 172, 176), width=14)
    draw.line(((880, 720), (790, 756)), fill=(214, 150, 40), width=34)
    return _lit(image, (560, 300), 820)


def dark(words: Words, rng: random.Random) -> Image.Image:
    """A corridor without light, boxes against a chained exit."""
    image = gradient(SCENE, (16, 18, 20), (38, 34, 32))
    draw = ImageDraw.Draw(image)
    draw.polygon(((0, 0), (390, 190), (390, 640), (0, 900)), fill=(34, 26, 26))
    draw.polygon(((1200, 0), (810, 190), (810, 640), (1200, 900)), fill=(40, 30, 28))
    draw.polygon(((0, 900), (390, 640), (810, 640), (1200, 900)), fill=(48, 42, 40))
    draw.rectangle((390, 190, 810, 640), fill=(58, 54, 52))
    draw.rectangle((470, 270, 730, 640), fill=(92, 94, 92), outline=(40, 40, 40), width=6)
    draw.line(((600, 272), (600, 640)), fill=(40, 40, 40), width=5)
    for link in range(9):
        x = 520 + link * 19
        draw.ellipse(
            (x, 440 + (link % 2) * 6, x + 26, 456 + (link % 2) * 6), outline=(190, 190, 186), width=4
        )
    draw.rectangle((584, 448, 618, 488), fill=(176, 140, 60))
    draw.rectangle((520, 208, 680, 254), fill=(20, 60, 44))
    draw.text((600, 230), "安全出口", font=font(30), fill=(90, 150, 116), anchor="mm")
    for _ in range(6):
        left, top, side = rng.uniform(250, 780), rng.uniform(560, 700), rng.uniform(90, 170)
        tone = int(rng.uniform(70, 130))
        draw.rectangle(
            (left, top, left + side, top + side * 0.8), fill=(tone, int(tone * 0.78), int(tone * 0.52))
        )
        draw.line(((left, top + side * 0.2), (left + side, top + side * 0.2)), fill=(50, 38, 26), width=3)
        draw.text(
            (left + side / 2, top + side / 2),
            words["store"][:2],
            font=font(24),
            fill=(50, 38, 26),
            anchor="mm",
        )
    glow(image, (600, 520), 620, (255, 240, 214), 0.30)  # the torch of a telephone
    return image


def wet(words: Words, rng: random.Random) -> Image.Image:
    """A tiled corridor with a puddle that mirrors the lamp."""
    image = gradient(SCENE, (92, 82, 74), (150, 138, 124))
    draw = ImageDraw.Draw(image)
    for step in range(14):
        y = 120 + step * step * 4.2
        draw.line(((0, y), (1200, y)), fill=(96, 86, 76), width=3 + step // 4)
    for column in range(-9, 20):
        draw.line(
            ((600 + (column - 5) * 60, 120), (600 + (column - 5) * 330, 900)), fill=(96, 86, 76), width=4
        )
    draw.rectangle((0, 0, 1200, 124), fill=pick(rng, _WALLS)[0])
    draw.rectangle((0, 112, 1200, 130), fill=(40, 30, 24))
    puddle = Image.new("L", SCENE)
    wet_part = ImageDraw.Draw(puddle)
    for _ in range(11):
        x, y = 560 + rng.gauss(0, 150), 560 + rng.gauss(0, 70)
        across, down = rng.uniform(90, 220), rng.uniform(34, 80)
        wet_part.ellipse((x - across, y - down, x + across, y + down), fill=150)
    mirrored = gradient(SCENE, (60, 56, 56), (196, 196, 190))
    glow(mirrored, (560, 540), 190, (255, 250, 232), 0.95)
    image.paste(mirrored, (0, 0), puddle)
    for _ in range(40):
        x, y = rng.uniform(120, 1080), rng.uniform(380, 800)
        draw.ellipse((x, y, x + rng.uniform(6, 22), y + rng.uniform(4, 11)), fill=(206, 204, 198))
    lay(image, _card("房 间", "", words["room"]).resize((120, 160)), (1040, 90), 0)
    return _lit(image, (560, 420), 900)


def table(words: Words, rng: random.Random) -> Image.Image:
    """Cups, an ashtray, and what sits on the rim."""
    image = _tabletop(rng)
    lay(image, _card("线 索", "08", words["role"]), (260, 300), 12)
    _cup(image, (560, 420), 150)
    _cup(image, (960, 250), 90)
    draw = ImageDraw.Draw(image)
    x, y = 640 + rng.uniform(-30, 30), 330 + rng.uniform(-10, 30)
    for leg in range(3):
        draw.line(((x - 34, y - 10 + leg * 14), (x + 34, y - 16 + leg * 20)), fill=(40, 20, 10), width=3)
    draw.ellipse((x - 16, y - 34, x + 16, y + 36), fill=(74, 36, 16))
    draw.ellipse((x - 10, y - 46, x + 10, y - 26), fill=(54, 24, 10))
    for feeler in (-1, 1):
        draw.arc(
            (x - 40, y - 90, x + 40, y - 30),
            240 if feeler < 0 else 270,
            270 if feeler < 0 else 300,
            fill=(40, 20, 10),
            width=3,
        )
    shadow(image, ((760, 640), (1060, 640), (1080, 800), (750, 800)))
    draw.ellipse((750, 600, 1070, 800), fill=(120, 124, 128), outline=(80, 84, 88), width=8)
    draw.ellipse((790, 630, 1030, 770), fill=(70, 70, 70))
    for _ in range(4):
        cx, cy = rng.uniform(820, 960), rng.uniform(660, 730)
        draw.line(((cx, cy), (cx + 60, cy - rng.uniform(6, 40))), fill=(232, 226, 214), width=15)
        draw.line(((cx, cy), (cx - 24, cy + 8)), fill=(206, 140, 72), width=15)
    return _lit(image, (560, 320), 860)


def costume(words: Words, rng: random.Random) -> Image.Image:
    """A robe on its hanger with a yellowed collar."""
    image = _interior(rng)
    draw = ImageDraw.Draw(image)
    draw.line(((0, 110), (1200, 96)), fill=(150, 150, 152), width=14)
    hue = pick(rng, ((176, 132, 168), (110, 40, 44), (58, 84, 110), (190, 170, 120)))
    deep = tuple(part * 2 // 3 for part in hue)
    body = (
        (520, 190),
        (680, 190),
        (990, 420),
        (900, 520),
        (760, 420),
        (800, 880),
        (400, 880),
        (440, 420),
        (300, 520),
        (210, 420),
    )
    shadow(image, body, 26)
    draw.line(((600, 100), (600, 190)), fill=(170, 170, 170), width=6)
    draw.polygon(body, fill=hue)
    for fold in range(9):
        x = 440 + fold * 40
        draw.line(
            ((x, 480 + fold % 3 * 30), (x + rng.uniform(-16, 16), 880)),
            fill=(deep[0], deep[1], deep[2]),
            width=5,
        )
    draw.polygon(
        ((540, 190), (600, 330), (660, 190), (700, 190), (610, 470), (590, 470), (500, 190)),
        fill=(236, 228, 206),
    )
    glow(image, (560, 250), 70, (190, 150, 60), 0.75)
    glow(image, (650, 240), 60, (176, 136, 52), 0.7)
    lay(image, _card("服 装", "21", words["role"]).resize((120, 160)), (760, 560), -6)
    return _lit(image, (600, 260), 900)


def chair(words: Words, rng: random.Random) -> Image.Image:
    """A chair on its side, one leg snapped off."""
    image = _interior(rng)
    draw = ImageDraw.Draw(image)
    wood, light = (96, 52, 30), (176, 118, 74)
    shadow(image, ((280, 720), (900, 700), (960, 800), (300, 820)), 30)
    draw.polygon(((340, 560), (640, 520), (680, 740), (380, 780)), fill=(120, 70, 40), outline=wood, width=8)
    for x, y in ((340, 560), (380, 780)):
        draw.line(((x, y), (x - 210, y - 30)), fill=wood, width=26)
    for part in range(4):
        draw.line(
            ((340 + part * 12, 570 + part * 62), (140 + part * 12, 545 + part * 62)), fill=light, width=9
        )
    draw.line(((640, 530), (860, 500)), fill=wood, width=28)
    draw.line(((672, 730), (730, 722)), fill=wood, width=28)
    splinter = [(730, 706), (758, 712), (742, 718), (770, 726), (738, 730), (730, 740)]
    draw.polygon(splinter, fill=(222, 178, 128))
    draw.line(((800, 800), (1010, 760)), fill=wood, width=28)
    draw.polygon([(800 - (x - 730), y + 76) for x, y in splinter], fill=(222, 178, 128))
    lay(image, _card("房 间", "", words["room"]).resize((130, 174)), (980, 240), 0)
    return _lit(image, (560, 420), 880)


def locker(words: Words, rng: random.Random) -> Image.Image:
    """A wall of lockers, one door ajar with a bent bolt."""
    image = gradient(SCENE, (124, 128, 130), (92, 94, 96))
    draw = ImageDraw.Draw(image)
    opened = pick(rng, (7, 8, 11, 12))
    for number in range(1, 19):
        column, row = (number - 1) % 6, (number - 1) // 6
        x, y = 60 + column * 182, 60 + row * 272
        face = (58, 92, 100) if number != opened else (14, 14, 16)
        draw.rectangle((x, y, x + 170, y + 258), fill=face, outline=(34, 50, 54), width=4)
        if number == opened:
            draw.polygon(
                ((x, y), (x - 74, y + 26), (x - 74, y + 280), (x, y + 258)),
                fill=(72, 108, 116),
                outline=(34, 50, 54),
            )
            draw.line(((x - 64, y + 140), (x - 84, y + 152)), fill=(210, 206, 196), width=9)
            continue
        draw.text((x + 24, y + 18), f"{number}", font=font(40), fill=(226, 220, 200))
        for slot in range(3):
            draw.line(
                ((x + 50, y + 84 + slot * 14), (x + 120, y + 84 + slot * 14)), fill=(34, 60, 66), width=5
            )
        draw.ellipse((x + 132, y + 140, x + 154, y + 162), fill=(190, 184, 168), outline=(60, 60, 60))
    draw.text(
        (600, 878), f"{words['store']}　贵重物品请自行保管", font=font(24), fill=(230, 226, 214), anchor="mm"
    )
    return _lit(image, (500, 300), 900)


def stamps(words: Words, rng: random.Random) -> Image.Image:
    """The collected stamps, all ten of them."""
    image = _tabletop(rng)
    page = Image.new("RGB", (860, 560), (240, 232, 214))
    draw = ImageDraw.Draw(page)
    draw.text((430, 50), f"十城探案 · 集章册　{words['city']}站", font=font(38), fill=_INK, anchor="mm")
    draw.text((430, 530), "活动至 12 月 31 日　集满十枚，凭本册兑换", font=font(22), fill=_INK, anchor="mm")
    for number in range(10):
        x, y = 110 + number % 5 * 160, 190 + number // 5 * 200
        draw.ellipse((x - 66, y - 66, x + 66, y + 66), outline=(190, 180, 160), width=2)
        red = (180 + int(rng.uniform(-20, 30)), 44, 40)
        dx, dy = rng.uniform(-9, 9), rng.uniform(-9, 9)
        draw.ellipse((x - 58 + dx, y - 58 + dy, x + 58 + dx, y + 58 + dy), outline=red, width=5)
        draw.text((x + dx, y + dy), "到此一探", font=font(24), fill=red, anchor="mm")
    lay(image, page, (600, 450), rng.uniform(-9, 9))
    return _lit(image, (600, 330), 880)


def _tabletop(rng: random.Random) -> Image.Image:
    low, high = pick(rng, _WOODS)
    image = gradient(SCENE, high, low)
    draw = ImageDraw.Draw(image)
    for plank in range(6):
        y = plank * 160 + rng.uniform(-8, 8)
        for _ in range(22):
            grain = y + rng.uniform(6, 150)
            tone = rng.uniform(0.82, 1.0)
            x = rng.uniform(-200, 900)
            fill = tuple(int(part * tone) for part in low)
            draw.line(
                ((x, grain), (x + rng.uniform(200, 700), grain + rng.uniform(-8, 8))),
                fill=(fill[0], fill[1], fill[2]),
                width=2,
            )
        draw.line(((0, y), (1200, y + 4)), fill=(low[0] // 2, low[1] // 2, low[2] // 2), width=4)
    return image


def _interior(rng: random.Random) -> Image.Image:
    low, high = pick(rng, _WALLS)
    image = gradient(SCENE, low, high)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 560, 1200, 900), fill=(74, 50, 36))
    draw.rectangle((0, 540, 1200, 566), fill=(48, 32, 24))
    for board in range(-8, 16):
        draw.line(
            ((600 + (board - 4) * 110, 566), (600 + (board - 4) * 330, 900)), fill=(58, 38, 28), width=4
        )
    return image


def _lit(image: Image.Image, lamp: tuple[float, float], reach: float) -> Image.Image:
    dimmed = image.point(lambda value: value * 9 // 20)
    dimmed.paste(image, (0, 0), _pool(image.size, lamp, reach))
    glow(dimmed, lamp, reach * 0.8, _LAMP, 0.22)
    return dimmed


def _pool(size: tuple[int, int], lamp: tuple[float, float], reach: float) -> Image.Image:
    small = Image.new("RGB", (size[0] // 4, size[1] // 4))
    glow(small, (lamp[0] / 4, lamp[1] / 4), reach / 4 * 1.4, (255, 255, 255), 1)
    return small.getchannel("R").resize(size)


def _card(kind: str, number: str, name: str) -> Image.Image:
    card = Image.new("RGB", (180, 240), (226, 208, 170))
    draw = ImageDraw.Draw(card)
    draw.rectangle((9, 9, 170, 230), outline=(140, 96, 52), width=3)
    draw.text((90, 44), kind, font=font(28), fill=(120, 40, 30), anchor="mm")
    draw.line(((30, 72), (150, 72)), fill=(140, 96, 52), width=2)
    draw.text((90, 120), name[:6], font=font(26 if len(name) < 6 else 22), fill=_INK, anchor="mm")
    for line in range(3):
        draw.line(((32, 156 + line * 18), (148 - line * 22, 156 + line * 18)), fill=(168, 150, 120), width=3)
    draw.text((150, 214), number, font=font(20), fill=(140, 96, 52), anchor="mm")
    return card


def _cup(image: Image.Image, at: tuple[float, float], size: float = 80) -> None:
    x, y = at
    shadow(
        image,
        ((x - size, y), (x + size * 1.3, y), (x + size * 1.3, y + size * 1.2), (x - size, y + size * 1.2)),
        20,
    )
    draw = ImageDraw.Draw(image)
    draw.ellipse(
        (x - size, y - size, x + size, y + size), fill=(232, 230, 222), outline=(188, 184, 172), width=5
    )
    inner = size * 0.82
    draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill=(150, 84, 40))
    draw.arc(
        (x - inner * 0.8, y - inner * 0.8, x + inner * 0.8, y + inner * 0.8),
        200,
        260,
        fill=(206, 150, 96),
        width=6,
    )


def _chair(draw: ImageDraw.ImageDraw, x: float, y: float, scale: float) -> None:
    wood, light = (70, 38, 24), (104, 62, 38)
    wide, high = 70 * scale, 130 * scale
    draw.rounded_rectangle((x - wide, y - high, x + wide, y + high * 0.5), 16, fill=wood)
    for slat in (-0.5, 0, 0.5):
        draw.rectangle((x + wide * slat - 8, y - high * 0.8, x + wide * slat + 8, y + high * 0.4), fill=light)
    for side in (-1, 1):
        draw.line(
            ((x + side * wide * 0.85, y + high * 0.5), (x + side * wide, y + high * 1.3)),
            fill=wood,
            width=int(16 * scale),
        )


def _long_table(image: Image.Image, rng: random.Random) -> None:
    low, high = pick(rng, _WOODS)
    top = ((250, 520), (950, 520), (1090, 660), (110, 660))
    shadow(image, ((120, 690), (1080, 690), (1120, 790), (90, 790)), 30)
    draw = ImageDraw.Draw(image)
    draw.polygon(top, fill=high)
    draw.polygon(((110, 660), (1090, 660), (1090, 694), (110, 694)), fill=low)
    for _ in range(9):
        x, y = rng.uniform(280, 900), rng.uniform(540, 630)
        draw.polygon(
            ((x, y), (x + 54, y - 4), (x + 66, y + 22), (x + 6, y + 26)),
            fill=pick(rng, ((234, 222, 196), (210, 190, 150), (160, 60, 50))),
        )


def _lantern(image: Image.Image, at: tuple[float, float]) -> None:
    x, y = at
    glow(image, at, 240, _LAMP, 0.7)
    draw = ImageDraw.Draw(image)
    draw.line(((x, 0), (x, y - 50)), fill=(30, 20, 16), width=4)
    draw.ellipse((x - 62, y - 54, x + 62, y + 54), fill=(232, 110, 60), outline=(150, 40, 30), width=4)
    for rib in (-34, 0, 34):
        draw.arc(
            (x - abs(rib) - 2, y - 54, x + abs(rib) + 2, y + 54),
            90 if rib < 0 else 270,
            270 if rib < 0 else 90,
            fill=(176, 60, 36),
            width=3,
        )
    draw.rectangle((x - 26, y - 62, x + 26, y - 50), fill=(60, 30, 20))
    draw.rectangle((x - 26, y + 50, x + 26, y + 62), fill=(60, 30, 20))


def _scroll(image: Image.Image, words: Words, at: tuple[float, float]) -> None:
    x, y = at
    draw = ImageDraw.Draw(image)
    draw.rectangle((x - 60, y - 160, x + 60, y + 170), fill=(222, 208, 178), outline=(90, 60, 40), width=6)
    for number, letter in enumerate(words["room"][:4]):
        draw.text((x, y - 96 + number * 68), letter, font=font(56, serif=True), fill=_INK, anchor="mm")


SCENES: Mapping[str, Callable[[Words, random.Random], Image.Image]] = {
    "cards": cards,
    "booklet": booklet,
    "room": room,
    "prop": prop,
    "dark": dark,
    "wet": wet,
    "table": table,
    "costume": costume,
    "chair": chair,
    "locker": locker,
    "stamps": stamps,
}
