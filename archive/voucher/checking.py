"""What to ask the customer again before they leave: vague wording and gaps (P8, P9); never a refusal."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from archive.voucher.fields import Voucher
from archive.voucher.form import FORM

SHORTEST_DETAILS: Final = 12

# A word counts only where it blurs: 不可能 and 可能性 do not, nor 左右手;
# 左右 and 上下 blur after a figure or its unit.
_FIGURE: Final = "[0-9０-９一二三四五六七八九十百千万两半几多个钟时分秒点天月年元块人次岁米页张]"
_VAGUE: Final = re.compile(
    "大概(?!念)|大约|大致|约莫|(?<![不尽])可能(?!性)|好像(?!素)|似乎|也许|或许|貌似|仿佛|差不多|应该是|估计|记不清|印象中|听说|据说"
    f"|(?<={_FIGURE})(?:左右(?![手脚边侧两])|上下(?![楼级身午]))"
)
_MONEY_ASKED: Final = re.compile("退[款费钱还]|赔")
_FIGURE_GIVEN: Final = re.compile("[0-9０-９]|[一二三四五六七八九十百千万两半][元块]|全[额部]|[一二三]倍")


class Doubt(StrEnum):
    AMOUNT = "amount"
    BRIEF = "brief"
    GAP = "gap"
    ORDER = "order"
    REACH = "reach"
    VAGUE = "vague"


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing to ask about at ``path``; ``position`` and ``length`` are in code points.

    Both are None where a whole field is meant. Only the vague words themselves are repeated.
    """

    doubt: Doubt
    path: str
    zh: str
    en: str
    position: int | None = None
    length: int | None = None

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def check(voucher: Voucher, evidence: int = 0) -> tuple[Flag, ...]:
    """All warnings, those on wording first, in the order of the form. So many pieces of ``evidence`` came with it."""
    return (*_vague(voucher), *_gaps(voucher, evidence), *_contents(voucher))


def _vague(voucher: Voucher) -> Iterator[Flag]:
    for path, name_zh, name_en, text in _texts(voucher):
        for found in _VAGUE.finditer(text):
            yield Flag(
                Doubt.VAGUE,
                path,
                f"“{name_zh}”第 {found.start() + 1} 字“{found[0]}”表述模糊，请核实后写明",
                f"“{found[0]}” at character {found.start() + 1} of “{name_en}” is vague: say it exactly",
                found.start(),
                len(found[0]),
            )


def _texts(voucher: Voucher) -> Iterator[tuple[str, str, str, str]]:
    for key in ("store", "script", "staff", "details", "notes", "history"):
        text: str | None = getattr(voucher, key)
        if text:
            yield key, FORM.fields[key].zh, FORM.fields[key].en, text
    demands = FORM.fields["demands"]
    for index, demand in enumerate(voucher.demands):
        number = index + 1
        yield f"demands[{index}]", f"{demands.zh}第 {number} 项", f"{demands.en} no. {number}", demand


def _gaps(voucher: Voucher, evidence: int) -> Iterator[Flag]:
    for key in ("visited_at", "script", "staff"):
        if getattr(voucher, key) is None:
            field = FORM.fields[key]
            yield Flag(Doubt.GAP, key, f"未填写“{field.zh}”，请补问", f"“{field.en}” is blank: ask for it")
    if not voucher.evidence and not evidence:
        yield Flag(
            Doubt.GAP,
            "evidence",
            "没有佐证材料，请询问顾客能否提供照片、收据或聊天记录",
            "there is no evidence: ask for photos, receipts or chat records",
        )


def _contents(voucher: Voucher) -> Iterator[Flag]:
    if voucher.visited_at and voucher.received_at < voucher.visited_at:
        yield Flag(
            Doubt.ORDER,
            "received_at",
            "受理时间早于到店时间，请核对",
            "received before the visit: check the times",
        )
    if len(voucher.details) < SHORTEST_DETAILS:
        yield Flag(
            Doubt.BRIEF,
            "details",
            "投诉内容过于简短，请写明时间、经过和结果",
            "the details are very brief: say when, what and how it ended",
        )
    if any(_MONEY_ASKED.search(demand) for demand in voucher.demands) and not any(
        _FIGURE_GIVEN.search(text) for text in voucher.demands
    ):
        yield Flag(
            Doubt.AMOUNT,
            "demands",
            "要求退费或赔偿但未写明金额，请补问",
            "money is asked for but no amount is given: ask for it",
        )
    contact = voucher.complainant.contact
    if contact and not re.search("[0-9A-Za-z]", contact):
        yield Flag(
            Doubt.REACH,
            "complainant.contact",
            "联系方式中没有号码或账号，可能联系不上顾客",
            "the contact has no number or account: the customer may be out of reach",
        )
