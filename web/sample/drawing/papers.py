"""Papers: a signed statement from a scanner (TIFF, two pages), and PDF letters and receipts with text in them."""

import io
import json
import random
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock

import pylopdf_fonts_zh_cn
import typst
from PIL import Image, ImageDraw

from web.sample.drawing.canvas import font
from web.sample.drawing.receipts import grand_total, items
from web.sample.setting import Setting

_A4 = (1240, 1754)  # pixels at 150 dpi
_MARGIN, _SIZE, _LEADING = 150, 30, 54
_SECOND_PAGE = 20  # rows; the signature needs the rest
_one_at_a_time = Lock()  # a compiler serves one thread


def statement(setting: Setting, details: str, rng: random.Random) -> bytes:
    """Two pages in black and white, CCITT group 4 (ITU-T T.6): the customer's account and signature."""
    first, second = (Image.new("L", _A4, 255) for _ in range(2))
    draw = ImageDraw.Draw(first)
    draw.text((_A4[0] / 2, 190), "情 况 说 明", font=font(52, serif=True), fill=0, anchor="mm")
    rows = _rows(f"致{setting.store.name}及客户服务部：\n{details}", _A4[0] - 2 * _MARGIN)
    fitting = (_A4[1] - 280 - 200) // _LEADING
    fitting = min(fitting, max(len(rows) * 2 // 3, 4))  # something is left for the page with the signature
    _set(draw, rows[:fitting], 280)
    draw = ImageDraw.Draw(second)
    rest = rows[fitting:]
    if len(rest) > _SECOND_PAGE:
        rest = [*rest[: _SECOND_PAGE - 1], "　　（其余见登记凭证。）"]
    y = _set(draw, rest, 160) + 40
    closing = (
        "以上情况由本人陈述，内容属实，愿意承担相应责任。",
        f"附件：照片及聊天记录（共 {2 + int(rng.random() * 5)} 份）",
    )
    y = _set(draw, [*closing, "", "陈述人（签名）："], y)
    _sign(draw, (_MARGIN + 260, y - 70), rng)
    day = setting.received - timedelta(days=1)
    _set(draw, [f"{day.year} 年 {day.month} 月 {day.day} 日"], y + 20)
    for number, page in enumerate((first, second)):
        ImageDraw.Draw(page).text(
            (_A4[0] / 2, _A4[1] - 90), f"第 {number + 1} 页 共 2 页", font=font(24), fill=0, anchor="mm"
        )
    pages = [_scanned(page, rng) for page in (first, second)]
    buffer = io.BytesIO()
    pages[0].save(
        buffer, "TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=(150, 150)
    )
    return buffer.getvalue()


def letter(setting: Setting, substance: str, rng: random.Random) -> bytes:
    """A letter as PDF with a text layer; ``substance`` is the matter, one paragraph a line."""
    legal = setting.plan.flavour == "legal"
    matter = f"{setting.store.name}{setting.words['script']}一事"
    preface = [f"本所受委托人委托，就{matter}致函贵公司。委托人陈述如下（按原文照录）："] if legal else []
    return _compiled(
        {
            "kind": "letter",
            "house": f"{setting.words['firm']}律师事务所" if legal else "",
            "title": "律 师 函" if legal else "关于要求书面答复的函",
            "number": f"（{setting.received.year}）{setting.words['firm'][2:]}函字第 {100 + int(rng.random() * 800)} 号"
            if legal
            else "",
            "to": f"致：幕间剧本推理社（{setting.store.name}）",
            "paragraphs": [*preface, *substance.split("\n")],
            "until": f"请于收到本函之日起七日内书面答复。逾期未复，{'委托人' if legal else '本人'}将依法主张权利，"
            "由此产生的费用由贵方承担。",
            "sender": f"{setting.words['firm']}律师事务所　经办律师" if legal else "来函人",
            "day": _day(setting.received - timedelta(days=1)),
        },
        setting.received,
    )


def receipt(setting: Setting) -> bytes:
    """The receipt as the till's software exports it: PDF on 80 mm paper, with a text layer."""
    return _compiled(
        {
            "kind": "receipt",
            "store": setting.store.name,
            "phone": setting.store.phone,
            "day": f"{setting.visited:%Y-%m-%d} {setting.words['+240']}",
            "room": setting.words["room"],
            "items": items(setting),
            "total": grand_total(setting),
        },
        setting.visited,
    )


def _compiled(data: dict[str, object], dated: datetime) -> bytes:
    with _one_at_a_time:
        made = _compiler().compile(
            format="pdf",
            sys_inputs={"paper": json.dumps(data, ensure_ascii=False)},
            timestamp=int(dated.timestamp()),
        )
    if not isinstance(made, bytes):
        raise TypeError("typst gave pages where one PDF was asked for")
    return made


@cache
def _compiler() -> typst.Compiler:
    fonts = pylopdf_fonts_zh_cn.sans_path().parent
    return typst.Compiler(
        input=str(Path(__file__).with_name("papers.typ")),
        root=str(Path(__file__).parent),
        font_paths=[str(fonts)],
        ignore_system_fonts=True,
    )


def _day(moment: datetime) -> str:
    return f"{moment.year}年{moment.month}月{moment.day}日"


def _rows(text: str, width: int) -> list[str]:
    rows: list[str] = []
    for paragraph in text.split("\n"):
        row = "　　" if rows else ""
        for letter_ in paragraph:
            if (
                font(_SIZE, serif=True).getlength(row + letter_) > width
                and letter_ not in "，。！？、；：”）》"
            ):
                rows.append(row)
                row = ""
            row += letter_
        rows.append(row)
    return rows


def _set(draw: ImageDraw.ImageDraw, rows: list[str], y: int) -> int:
    for row in rows:
        draw.text((_MARGIN, y), row, font=font(_SIZE, serif=True), fill=0)
        y += _LEADING
    return y


def _sign(draw: ImageDraw.ImageDraw, at: tuple[int, int], rng: random.Random) -> None:
    """A signature nobody can read, as most are."""
    x, y = float(at[0]), at[1] + 40.0
    for _ in range(3):
        stroke = [(x, y)]
        drift = rng.uniform(-0.5, 0.5)
        for step in range(26):
            drift = drift * 0.8 + rng.uniform(-0.9, 0.9)
            x += rng.uniform(1.0, 5.5)
            stroke.append((x, y + drift * 17 + (step % 7 - 3) * 4.0))
        draw.line(stroke, fill=0, width=5, joint="curve")
        x += 14


def _scanned(page: Image.Image, rng: random.Random) -> Image.Image:
    """A sheet laid on the glass a little askew, with dust, in black and white."""
    askew = page.rotate(rng.uniform(-0.8, 0.8), Image.Resampling.BICUBIC, fillcolor=255)
    draw = ImageDraw.Draw(askew)
    for _ in range(70):
        x, y = rng.random() * _A4[0], rng.random() * _A4[1]
        draw.ellipse((x, y, x + rng.random() * 2, y + rng.random() * 2), fill=0)
    draw.line(((_A4[0] - 6, 0), (_A4[0] - 2, _A4[1])), fill=0, width=5)
    return askew.convert("1", dither=Image.Dither.NONE)
