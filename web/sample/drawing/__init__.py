"""Drawing evidence: what a customer would send, named as their telephone names it."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from web.sample.drawing import papers, receipts, screens, surveillance
from web.sample.drawing.canvas import photograph
from web.sample.drawing.scenes import SCENES
from web.sample.grammar import pick
from web.sample.setting import Setting

_UPRIGHT = frozenset({"costume", "dark"})  # scenes that still tell their story when only the middle is left
_REMARK = re.compile(
    r"^(?:（转自.{2,4}留言）|[^。]{0,30}?(?:以下按原话记录|核对无误|陈述|原文)：|来电记录.{0,24}顾客称：)\n?"
)
_GENERAL = ("room", "table")  # further photographs are of the place


@dataclass(frozen=True, slots=True)
class SampleEvidence:
    """A file as the customer sent it."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Drawing:
    """``kind`` as the story names it, with the scene after a colon; ``number`` counts from 0 within the kind."""

    kind: str
    number: int
    setting: Setting
    details: str


def draw(drawing: Drawing, rng: random.Random) -> SampleEvidence:
    """Draw one piece of evidence, within about 100 ms; the same chance gives the same bytes."""
    return _DRAWN[drawing.kind.partition(":")[0]](drawing, rng)


def _photo(drawing: Drawing, rng: random.Random) -> SampleEvidence:
    words, visited = drawing.setting.words, drawing.setting.visited
    scene = drawing.kind.partition(":")[2]
    if drawing.number == 1 and scene not in {"dark", "locker", "stamps"}:
        scene = pick(rng, tuple(one for one in _GENERAL if one != scene))
    taken = visited + timedelta(minutes=60 + int(rng.random() * 90), seconds=int(rng.random() * 60))
    stamp = f"{taken:%Y-%m-%d %H:%M}" if rng.random() < 0.4 else ""
    name = pick(
        rng,
        (
            f"IMG_{taken:%Y%m%d_%H%M%S}.jpg",
            f"微信图片_{taken:%Y%m%d%H%M%S}.jpg",
            f"IMG_{4000 + int(rng.random() * 5000)}.JPG",
        ),
    )
    picture = SCENES[scene](words, rng)
    upright = scene in _UPRIGHT and rng.random() < 0.6
    return SampleEvidence(name, photograph(picture, rng, taken, stamp=stamp, upright=upright))


def _chat(drawing: Drawing, rng: random.Random) -> SampleEvidence:
    setting = drawing.setting
    if setting.incident is None:
        raise ValueError("an English story has no chat")
    lines = [line.tell(setting.words, rng) for line in setting.incident.chat]
    if rng.random() < 0.5 and setting.plan.who != "refused":
        lines.append(
            f"客：我的电话{setting.words['phone']}，请{pick(rng, ('今天', '明天中午前', '尽快'))}回电"
        )
        lines.append(pick(rng, ("店：好的收到", "店：已登记，会有专人联系您")))
    sent = setting.received - timedelta(hours=2)
    name = pick(
        rng,
        (
            f"微信图片_{sent:%Y%m%d%H%M%S}.png",
            f"聊天记录{drawing.number + 1}.png",
            f"Screenshot_{sent:%Y%m%d_%H%M%S}.png",
        ),
    )
    return SampleEvidence(name, screens.chat(lines, setting.words, sent - timedelta(hours=3), rng))


def _review(drawing: Drawing, rng: random.Random) -> SampleEvidence:
    setting = drawing.setting
    text = _own_words(drawing.details).replace("\n", "")
    return SampleEvidence(
        f"{setting.words['platform']}评价截图.png", screens.review(text, setting.words, setting.received, rng)
    )


def _still(drawing: Drawing, rng: random.Random) -> SampleEvidence:
    setting = drawing.setting
    name = f"监控截图_{setting.visited:%m%d}_{setting.words['+100'].replace(':', '')}.jpg"
    return SampleEvidence(name, surveillance.still(setting.words, setting.visited, rng))


def _receipt(drawing: Drawing, rng: random.Random) -> SampleEvidence:
    chance = rng.random()
    if chance < 0.5:
        return SampleEvidence(
            pick(rng, ("小票.jpg", f"IMG_{5000 + int(rng.random() * 900)}.jpg")),
            receipts.snapshot(drawing.setting, rng),
        )
    if chance < 0.75:
        return SampleEvidence("收据.pdf", papers.receipt(drawing.setting))
    return SampleEvidence("电子小票.png", receipts.scan(drawing.setting, rng))


def _statement(drawing: Drawing, rng: random.Random) -> SampleEvidence:
    text = _own_words(drawing.details)
    return SampleEvidence("情况说明_扫描件.tif", papers.statement(drawing.setting, text, rng))


def _letter(drawing: Drawing, rng: random.Random) -> SampleEvidence:
    name = "律师函.pdf" if drawing.setting.plan.flavour == "legal" else "书面函件.pdf"
    text = _own_words(drawing.details)
    return SampleEvidence(name, papers.letter(drawing.setting, text, rng))


def _own_words(details: str) -> str:
    """The details without the receiver's remark in front, and without emoji, which the fonts of print lack."""
    return "".join(letter for letter in _REMARK.sub("", details, count=1) if ord(letter) < 0x1F000)


_DRAWN: Mapping[str, Callable[[Drawing, random.Random], SampleEvidence]] = {
    "photo": _photo,
    "chat": _chat,
    "review": _review,
    "cctv": _still,
    "receipt": _receipt,
    "statement": _statement,
    "letter": _letter,
}
