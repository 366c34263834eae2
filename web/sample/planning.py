"""What each sample is to be: its level, age and peculiarities. The first forty are laid down, the rest are drawn."""

import random
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from web.sample.grammar import pick

Length = Literal["short", "medium", "long"]
_T = TypeVar("_T")
Who = Literal["ordinary", "rare", "refused", "foreign"]

CHANNELS: Final = (
    "门店现场", "电话", "大众点评", "企业微信", "美团", "抖音", "官网", "小红书", "邮件", "社群",
)  # fmt: skip
_SCRIPT, _SERVICE, _PLACE, _CHARGES, _OTHER = "剧本相关", "服务相关", "环境相关", "收费相关", "其他"
_SPAN: Final = {
    "一级": 830,
    "二级": 1_900,
    "三级": 2_050,
}  # days: a little beyond two, five and five and a half years
_WEIGHTED_CHANNELS: Final = "0000001111222334455667789"
_WEIGHTED_CATEGORIES: Final = (
    (_SCRIPT,) * 27 + (_SERVICE,) * 30 + (_PLACE,) * 16 + (_CHARGES,) * 19 + (_OTHER,) * 8
)

_LEVELS: Final = (("一级", 0.78), ("二级", 0.18), ("三级", 0.04))
_WHO: Final[tuple[tuple[Who, float], ...]] = (
    ("ordinary", 0.95),
    ("rare", 0.015),
    ("refused", 0.02),
    ("foreign", 0.015),
)
_LENGTH: Final[tuple[tuple[Length, float], ...]] = (("medium", 0.66), ("short", 0.32), ("long", 0.02))


@dataclass(frozen=True, slots=True)
class Plan:
    """``age`` is the days from receipt to today; ``turn`` tells alike plans among the first forty apart."""

    level: str
    category: str
    length: Length = "medium"
    age: int = 1
    channel: str = "门店现场"
    who: Who = "ordinary"
    flavour: str = ""  # of level 三级: group, legal, brand, damages
    permanent: bool = False
    void: bool = False
    turn: int | None = None


_FIRST: Final = (
    Plan("一级", _SCRIPT, age=12),
    Plan("一级", _SERVICE, age=1, channel="电话"),
    Plan("二级", _PLACE, age=140, channel="大众点评"),
    Plan("一级", _CHARGES, "short", age=33, channel="美团"),
    Plan("三级", _PLACE, "long", age=420, channel="邮件", flavour="legal", permanent=True),
    Plan("一级", _PLACE, age=64, channel="企业微信", who="rare"),
    Plan("一级", _SERVICE, "short", age=230, channel="官网", who="refused"),
    Plan("三级", _CHARGES, age=260, channel="社群", flavour="group"),
    Plan("一级", _SCRIPT, age=900, channel="小红书"),
    Plan("二级", _SERVICE, age=1_850, channel="抖音"),
    Plan("一级", _OTHER, age=95),
    Plan("一级", _SCRIPT, "long", age=310, channel="邮件"),
    Plan("一级", _CHARGES, age=480, channel="电话", void=True),
    Plan("一级", _SERVICE, age=160, channel="邮件", who="foreign"),
    Plan("二级", _SCRIPT, age=1_000, channel="大众点评", who="rare"),
    Plan("三级", _SERVICE, age=700, channel="抖音", flavour="brand", permanent=True),
    Plan("一级", _PLACE, "short", age=2, channel="美团"),
    Plan("一级", _SCRIPT, age=205, channel="企业微信", who="rare"),
    Plan("二级", _OTHER, age=75),
    Plan("一级", _CHARGES, age=780, channel="电话"),
    Plan("一级", _PLACE, age=355),
    Plan("三级", _SCRIPT, age=1_500, channel="官网", flavour="legal"),
    Plan("一级", _SERVICE, age=520, channel="大众点评"),
    Plan("二级", _CHARGES, age=1_250, channel="邮件"),
    Plan("一级", _OTHER, "short", age=45, channel="社群"),
    Plan("一级", _SCRIPT, "short", age=7),
    Plan("一级", _PLACE, age=590, channel="小红书", void=True),
    Plan("二级", _SERVICE, age=1_880, channel="企业微信", who="rare"),
    Plan("一级", _CHARGES, age=118, channel="官网", who="foreign"),
    Plan("一级", _SERVICE, age=20),
    Plan("三级", _OTHER, age=1_950, flavour="legal"),
    Plan("二级", _PLACE, "long", age=1_640, channel="大众点评", who="rare"),
    Plan("一级", _SCRIPT, age=440, channel="抖音"),
    Plan("一级", _CHARGES, age=1_100, channel="美团"),
    Plan("一级", _OTHER, age=270, channel="电话"),
    Plan("二级", _SCRIPT, age=3, channel="小红书"),
    Plan("三级", _PLACE, age=180, channel="电话", flavour="group"),
    Plan("一级", _PLACE, age=88, channel="大众点评", who="refused"),
    Plan("一级", _CHARGES, "short", age=640),
    Plan("二级", _SERVICE, age=385, channel="社群"),
)


def plan(index: int, rng: random.Random) -> Plan:
    """The plan of the sample at ``index``; it never depends on how many are asked for."""
    if index < len(_FIRST):
        first = _FIRST[index]
        turn = sum((one.level, one.category) == (first.level, first.category) for one in _FIRST[:index])
        return replace(first, turn=turn)
    level = _drawn(rng, _LEVELS)
    flavour = pick(rng, ("group", "legal", "brand", "damages")) if level == "三级" else ""
    channel = CHANNELS[int(pick(rng, _WEIGHTED_CHANNELS))]
    who = _drawn(rng, _WHO)
    return Plan(
        level=level,
        category=pick(rng, _WEIGHTED_CATEGORIES),
        length=_drawn(rng, _LENGTH),
        age=1 + int(_SPAN[level] * rng.random() ** 1.15),  # business grew: more of them are recent
        channel=channel,
        who="ordinary" if flavour == "group" else who,
        flavour=flavour,
        permanent=flavour in {"legal", "brand"} and rng.random() < 0.4,
        void=level == "一级" and rng.random() < 0.006,
    )


def _drawn(rng: random.Random, shares: tuple[tuple[_T, float], ...]) -> _T:
    left = rng.random()
    for value, share in shares:
        left -= share
        if left < 0:
            return value
    return shares[0][0]
