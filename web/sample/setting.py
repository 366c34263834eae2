"""The setting of a sample: which grievance, where and when, and the words that all its sentences share."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from typing import Final

from web.sample.grammar import Words, pick
from web.sample.planning import Plan
from web.sample.stories import English, Incident, Script, Store, stories

CHINA: Final = timezone(timedelta(hours=8))
_EVENING: Final = (time(18), time(18, 30), time(19), time(19), time(19, 30))
_WEEKEND: Final = (time(13), time(13, 30), time(14), time(14), time(18), time(19))
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """``heads`` are the complainants, ``total`` is yuan paid by all of them."""

    plan: Plan
    incident: Incident | None  # None where the story is English
    english: English | None
    store: Store
    script: Script
    visited: datetime
    received: datetime
    heads: int
    fee: int
    total: int
    words: Words


def set_scene(plan: Plan, turns: random.Random, rng: random.Random, today: date) -> Setting:
    """``turns`` is the chance that the whole seed shares, so that the first forty tell different stories."""
    english, incident = None, None
    day = today - timedelta(days=plan.age)
    if plan.who == "foreign":
        english = _english(plan, rng)
        plan = replace(plan, level=english.level, category=english.category, flavour="", permanent=False)
    else:
        incident = _incident(plan, day, turns, rng)
        if plan.flavour and plan.flavour not in incident.flavours and plan.turn is None:
            flavour = pick(rng, incident.flavours)
            plan = replace(plan, flavour=flavour, permanent=plan.permanent and flavour in {"legal", "brand"})
    store = pick(rng, stories().stores)
    script = pick(rng, _scripts(incident.genres if incident else frozenset()))
    visited, received = _times(plan, incident, day, rng)
    heads = 12 + int(rng.random() ** 2 * 25) if plan.flavour == "group" and plan.turn is None else 12
    heads = heads if plan.flavour == "group" else 1
    fee = 20 + 10 * int(rng.random() * 14)
    total = script.price * (heads if heads > 1 else script.players)
    setting = Setting(
        plan, incident, english, store, script, visited, received, heads, fee, total, Words(visited)
    )
    _fill(setting, rng)
    return setting


def _english(plan: Plan, rng: random.Random) -> English:
    fitting = [one for one in stories().english if (one.level, one.category) == (plan.level, plan.category)]
    return pick(rng, fitting or stories().english)


def _incident(plan: Plan, day: date, turns: random.Random, rng: random.Random) -> Incident:
    choices = [one for one in _incidents(plan.category, plan.level, plan.flavour) if day.month in one.months]
    if plan.turn is None:
        return rng.choices(choices, [one.weight for one in choices])[0]
    turns.shuffle(choices)
    return choices[plan.turn % len(choices)]


@cache
def _incidents(category: str, level: str, flavour: str) -> tuple[Incident, ...]:
    known = [one for one in stories().incidents if one.category == category and level in one.levels]
    return tuple(one for one in known if not flavour or flavour in one.flavours) or tuple(known)


@cache
def _scripts(genres: frozenset[str]) -> tuple[Script, ...]:
    return tuple(one for one in stories().scripts if not genres or one.genre in genres)


def _times(plan: Plan, incident: Incident | None, day: date, rng: random.Random) -> tuple[datetime, datetime]:
    least, most = incident.after if incident else (0, 3)
    at_once = plan.channel == "门店现场" and least == 0 and rng.random() < 0.7 and plan.length != "long"
    if plan.length == "long":  # a long letter tells of the days after, too
        least, most = max(least, 9), max(most, 15)
    elif least == 0 and not at_once:
        least, most = 1, max(most, 1)
    lag = 0 if at_once else _lag(day, least, most, rng)
    on = day - timedelta(days=lag)
    late = on.weekday() < 5 or (incident is not None and incident.evening)
    visited = datetime.combine(on, pick(rng, _EVENING if late else _WEEKEND), CHINA)
    if at_once:
        # Four and a half hours after 19:30 is still the same day.
        return visited, visited + timedelta(minutes=200 + int(rng.random() * 65))
    minute = int(9.5 * 60 + rng.random() * 12 * 60)
    return visited, datetime.combine(day, time(minute // 60, minute % 60), CHINA)


def _lag(day: date, least: int, most: int, rng: random.Random) -> int:
    lags = range(least, most + 1)
    weekend = [lag for lag in lags if (day.weekday() - lag) % 7 >= 5]
    return pick(rng, weekend if weekend and rng.random() < 0.6 else lags)


def _fill(setting: Setting, rng: random.Random) -> None:
    words, store, script, visited = setting.words, setting.store, setting.script, setting.visited
    held = stories().words
    gap = 20 + 10 * int(rng.random() * 3)
    words.update(
        store=store.name,
        city=store.city,
        place=store.place,
        dm=f"DM{pick(rng, store.dms)}",
        script=f"《{script.title}》",
        genre=script.genre,
        n=str(script.players),
        hours=str(script.hours),
        price=str(script.price),
        low=str(script.price - gap),
        gap=str(gap),
        total=_yuan(setting.total),
        half=_yuan(setting.total // 2),
        fee=str(setting.fee),
        balance=_yuan(300 + int(rng.random() * 3_900)),
        amount=_yuan(_amount(setting, rng)),
        prop=pick(rng, script.props),
        day=_day(visited, rng),
        date=f"{visited.day} {_MONTHS[visited.month - 1]} {visited.year}",
        t=f"{visited:%H:%M}",
        received=f"{setting.received:%H:%M}",
        channel=setting.plan.channel,
        heads=str(setting.heads if setting.heads > 1 else 12 + int(rng.random() * 30)),
        min=str(10 + int(rng.random() * 30)),
        temp=str(30 + int(rng.random() * 6)),
        count=f"{11 + int(rng.random() * 88)}00多",
        views=f"{10 + int(rng.random() * 180)}.{int(rng.random() * 10)}万",
        deadline=_plain_day(setting.received + timedelta(days=7)),
        phone=_phone(rng),
        company=pick(rng, held["companies"]),
        shout=pick(rng, stories().phrases["shout"]).tell(words, rng),
    )
    words["role"], words["role2"] = _two(script.roles, rng)
    words["room"], words["other_room"] = _two(held["rooms"], rng)
    for slot, source in _DRAWN.items():
        words[slot] = pick(rng, held[source])


_DRAWN: Final = {
    "act": "acts",
    "desk": "desks",
    "friend": "friends",
    "who": "jobs",
    "platform": "platforms",
    "lastweek": "lastweek",
    "lastyear": "lastyear",
    "hometown": "hometowns",
    "other": "others",
    "firm": "firms",
}


def _phone(rng: random.Random) -> str:
    """A number of the range that operators use for their own service lines, so that it is nobody's."""
    tail = f"{8_000 + int(rng.random() * 1_000)}"
    return f"138-0013-{tail}" if rng.random() < 0.08 else f"1380013{tail}"


def _two(choices: Sequence[str], rng: random.Random) -> tuple[str, str]:
    first = int(rng.random() * len(choices))
    second = int(rng.random() * (len(choices) - 1))
    return choices[first], choices[second + (second >= first)]


def _amount(setting: Setting, rng: random.Random) -> int:
    if setting.incident and setting.incident.key == "pirated":
        return setting.total * 4  # one back and three in damages
    if setting.heads > 1:
        return setting.heads * (900 + 10 * int(rng.random() * 150))
    if setting.plan.level == "三级":
        return 10_000 + 200 * int(rng.random() * 240)
    return 600 + 100 * int(rng.random() * 40)


def _yuan(amount: int) -> str:
    return f"{amount:,}"


def _plain_day(moment: datetime) -> str:
    return f"{moment.month}月{moment.day}日"


def _day(moment: datetime, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return _plain_day(moment)
    return f"{_plain_day(moment)}（周{'一二三四五六日'[moment.weekday()]}）"
