"""Writing the voucher of a sample: the complainant, the receiver and the form's fields around the told details."""

import random
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from web.sample.grammar import pick
from web.sample.people import PEOPLE
from web.sample.setting import Setting
from web.sample.stories import stories
from web.sample.telling import tell

KINDS: Final = {
    "photo": "照片",
    "chat": "聊天记录截图",
    "receipt": "消费小票",
    "review": "评价截图",
    "cctv": "监控截图",
    "statement": "书面陈述",
    "letter": "书面函件",
}
_CUSTOMER_SERVICE: Final = tuple(
    one.name for one in PEOPLE if one.department == "客服部" and one.role != "head"
)


def write(setting: Setting, evidence: Sequence[tuple[str, int]], rng: random.Random) -> dict[str, object]:
    """The ``voucher.json`` document; ``evidence`` are keys of ``KINDS`` (a scene after a colon) with counts."""
    incident, english, words = setting.incident, setting.english, setting.words
    details = tell(setting, rng)
    visitor = incident is None or incident.opening != "resident"
    voucher: dict[str, object] = {
        "complainant": _complainant(setting, rng),
        "received_at": _minute(setting.received),
        "channel": setting.plan.channel,
        "store": setting.store.name,
    }
    if visitor and (incident is None or incident.opening in {"visit", "none"} or rng.random() < 0.5):
        voucher["visited_at"] = _minute(setting.visited)
    if visitor:
        voucher["script"] = setting.script.title
    if words["dm"] in details:
        voucher["staff"] = words["dm"]
    asked = english.demands if english else pick(rng, incident.demands) if incident else ()
    return voucher | {
        "details": details,
        "demands": [one.tell(words, rng) for one in asked],
        "evidence": [{"kind": KINDS[kind.partition(":")[0]], "count": count} for kind, count in evidence],
        "receiver": _receiver(setting, rng),
        **_extras(setting, rng),
    }


def _complainant(setting: Setting, rng: random.Random) -> dict[str, object]:
    names, plan = stories().names, setting.plan
    if plan.who == "refused":
        other = pick(
            rng, (f"{plan.channel}站内私信", f"由{setting.store.name}前台转告", "预约小程序内回复订单留言")
        )
        return {"refused": True, "other_contact": other}
    if plan.who == "foreign":
        name = pick(rng, names["foreign"])
        complainant: dict[str, object] = {"name": name, "contact": f"{_local_part(name)}@example.com"}
    else:
        name = pick(rng, names["rare"]) if plan.who == "rare" else _name(rng)
        complainant = {"name": name, "contact": setting.words["phone"]}
    if rng.random() < 0.45:
        complainant["membership"] = pick(rng, stories().words["memberships"])
    if setting.heads > 1:
        complainant["headcount"] = setting.heads
    return complainant


def _local_part(name: str) -> str:
    latin = unicodedata.normalize("NFKD", name.split("（", maxsplit=1)[0]).encode("ascii", "ignore").decode()
    return ".".join(latin.replace("'", "").lower().split())


def _name(rng: random.Random) -> str:
    names = stories().names
    surname = pick(rng, names["double"]) if rng.random() < 0.006 else pick(rng, names["surnames"])
    if rng.random() < 0.22:
        return surname + pick(rng, names["single"])
    return surname + pick(rng, names["first"]) + pick(rng, names["second"])


def _receiver(setting: Setting, rng: random.Random) -> dict[str, object]:
    if setting.plan.channel == "门店现场":
        store = setting.store
        return {"name": pick(rng, store.receivers), "department": store.name, "contact": store.phone}
    return {"name": pick(rng, _CUSTOMER_SERVICE), "department": "客服部", "contact": "028-8555 0100"}


def _extras(setting: Setting, rng: random.Random) -> dict[str, object]:
    phrases, extras = stories().phrases, dict[str, object]()
    if rng.random() < 0.55:
        extras["notes"] = pick(rng, phrases["mood"]).tell(setting.words, rng)
    if rng.random() < 0.3:
        extras["history"] = pick(rng, phrases["history"]).tell(setting.words, rng)
    return extras


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
