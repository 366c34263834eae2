"""Receipts of a thermal printer: the slip as an image, and the slip lying on a desk as a photograph."""

import random
from collections.abc import Sequence

from PIL import Image, ImageDraw

from web.sample.drawing.canvas import SCENE, encoded, font, glow, gradient, lay, photograph
from web.sample.setting import Setting

_WIDE = 560  # pixels for 58 mm of paper
_INK = (58, 54, 60)

Item = tuple[str, str, str]  # what, how many times how much, the amount


def items(setting: Setting) -> tuple[Item, ...]:
    """What was charged; it agrees with the story's figures."""
    words, script = setting.words, setting.script
    heads = setting.heads if setting.heads > 1 else script.players
    lines = [(f"{words['script']}", f"{script.price}.00×{heads}", f"{setting.total:,}.00")]
    if setting.incident and setting.incident.key in {"costume-fee", "deposit", "party-ruined", "cancelled"}:
        name = {
            "costume-fee": "其他服务",
            "deposit": "道具押金",
            "party-ruined": "场景布置",
            "cancelled": "预约定金",
        }
        lines.append((name[setting.incident.key], f"{setting.fee}.00×1", f"{setting.fee}.00"))
    elif setting.english and setting.plan.category == "收费相关":
        lines.append(("service", f"{setting.fee}.00×1", f"{setting.fee}.00"))
    return tuple(lines)


def grand_total(setting: Setting) -> str:
    extra = setting.fee if len(items(setting)) > 1 else 0
    return f"{setting.total + extra:,}.00"


def slip(setting: Setting, rng: random.Random) -> Image.Image:
    """The slip of paper, as long as it needs to be."""
    words, left, right = setting.words, 34, _WIDE - 34
    paper = gradient((_WIDE, 1100), (250, 249, 244), (243, 241, 236))
    draw = ImageDraw.Draw(paper)
    draw.text((_WIDE / 2, 66), "幕间剧本推理社", font=font(46), fill=_INK, anchor="mm")
    draw.text((_WIDE / 2, 118), f"{words['store']}　消费小票", font=font(30), fill=_INK, anchor="mm")
    y = 166
    number = f"{setting.visited:%Y%m%d}{1000 + int(rng.random() * 9000)}"
    head = (
        f"单号：{number}",
        f"时间：{setting.visited:%Y-%m-%d} {words['+240']}",
        f"房间：{words['room']}　主持：{words['dm']}",
    )
    for line in head:
        draw.text((left, y), line, font=font(25), fill=_INK)
        y += 40
    y = _dashes(draw, y)
    for name, times, amount in items(setting):
        draw.text((left, y), name, font=font(28), fill=_INK)
        draw.text((left + 20, y + 40), times, font=font(26), fill=_INK)
        draw.text((right, y + 40), amount, font=font(28), fill=_INK, anchor="ra")
        y += 90
    y = _dashes(draw, y)
    total = grand_total(setting)
    for name, amount, size in (
        ("合计", f"￥{total}", 38),
        ("实收（扫码支付）", f"￥{total}", 26),
        ("找零", "￥0.00", 26),
    ):
        draw.text((left, y), name, font=font(size), fill=_INK)
        draw.text((right, y), amount, font=font(size), fill=_INK, anchor="ra")
        y += size + 18
    y = _dashes(draw, y + 6)
    y = _bars(draw, number, y)
    for line in (f"电话 {setting.store.phone}", "开票请于三十日内凭本小票办理", "谢谢惠顾，下一幕再见"):
        draw.text((_WIDE / 2, y + 18), line, font=font(24), fill=_INK, anchor="mm")
        y += 40
    return _faded(paper.crop((0, 0, _WIDE, y + 40)), rng)


def scan(setting: Setting, rng: random.Random) -> bytes:
    return encoded(slip(setting, rng), "PNG", compress_level=5)


def snapshot(setting: Setting, rng: random.Random) -> bytes:
    """The slip on a desk, a little turned, as most customers send it."""
    desk = gradient(SCENE, (104, 92, 84), (70, 62, 58))
    draw = ImageDraw.Draw(desk)
    for _ in range(60):
        x, y = rng.uniform(-200, 1200), rng.uniform(0, 900)
        draw.line(((x, y), (x + rng.uniform(80, 400), y + rng.uniform(-6, 6))), fill=(92, 80, 74), width=3)
    paper = slip(setting, rng)
    scale = min(1.0, 840 / paper.height)
    paper = paper.resize((int(paper.width * scale), int(paper.height * scale)), Image.Resampling.BICUBIC)
    lay(desk, paper, (600, 450), rng.uniform(-6, 6))
    glow(desk, (380 + rng.random() * 300, 260), 600, (255, 236, 206), 0.25)
    return photograph(desk, rng, setting.visited, upright=rng.random() < 0.5)


def _dashes(draw: ImageDraw.ImageDraw, y: int) -> int:
    for x in range(30, _WIDE - 30, 16):
        draw.line(((x, y + 12), (x + 9, y + 12)), fill=_INK, width=2)
    return y + 32


def _bars(draw: ImageDraw.ImageDraw, number: str, y: int) -> int:
    """A row of bars as scanners like them; the digits below say the same."""
    widths: Sequence[int] = [2 + int(digit) % 4 for digit in number * 3]
    x = (_WIDE - sum(widths) - 3 * len(widths)) // 2
    for wide in widths:
        draw.rectangle((x, y, x + wide - 1, y + 60), fill=_INK)
        x += wide + 3
    draw.text((_WIDE / 2, y + 82), number, font=font(22), fill=_INK, anchor="mm")
    return y + 106


def _faded(paper: Image.Image, rng: random.Random) -> Image.Image:
    """Thermal paper fades in stripes along its length."""
    mask = Image.new("L", (16, 1))
    mask.putdata([int(rng.random() * 70) for _ in range(16)])
    paper.paste((247, 245, 240), (0, 0), mask.resize(paper.size, Image.Resampling.BICUBIC))
    return paper
