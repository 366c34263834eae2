"""A sample archive: believable complaints at an invented company, the same ones for the same seed.

``muniment sample`` writes some to a folder, ``make run`` files forty, the benchmark a hundred thousand. Nobody in them
exists, and neither do the scripts, the stores or the telephone numbers.
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from web.sample.drawing import Drawing, SampleEvidence, draw
from web.sample.grammar import pick
from web.sample.people import PEOPLE, SamplePerson
from web.sample.planning import plan
from web.sample.setting import Setting, set_scene
from web.sample.stories import stories
from web.sample.vouchers import write

__all__ = ["PEOPLE", "SampleCase", "SampleEvidence", "SamplePerson", "cases", "write_folder"]

_DAYS_TO_SETTLE = {"一级": (0, 2), "二级": (2, 9), "三级": (18, 75)}


@dataclass(frozen=True, slots=True)
class SampleCase:
    """One complaint: the ``voucher.json`` document, what became of it, and its evidence.

    ``permanent`` is ``legal-dispute`` or ``brand-impact``, only at level 三级 (P13.3); ``void_reason`` is there where
    the voucher is to be voided once filed (P9); ``completed_on`` is None while the complaint is open.
    """

    voucher: Mapping[str, object]
    level: str
    category: str
    completed_on: date | None
    permanent: str | None
    void_reason: str | None
    evidence: tuple[SampleEvidence, ...]


def cases(seed: int, count: int, today: date, *, pictures: bool = True) -> Iterator[SampleCase]:
    """``count`` complaints received before ``today``, in no order of time; drawn one by one as they are asked for.

    The first forty hold every level, category and channel and each peculiarity an archive must bear; the rest follow
    natural shares. Case *i* of a seed is the same whatever the count. Without ``pictures`` there is no evidence, the
    vouchers are the same.
    """
    for index in range(count):
        rng = _chance(seed, index)
        setting = set_scene(plan(index, rng), _chance(seed, "turns"), rng, today)
        wanted = _evidence(setting, rng)
        voucher = write(setting, wanted, rng)
        completed = _completed(setting, rng, today)
        void = pick(rng, stories().phrases["void_reasons"]) if setting.plan.void else None
        yield SampleCase(
            voucher=voucher,
            level=setting.plan.level,
            category=setting.plan.category,
            completed_on=None if void else completed,
            permanent=_PERMANENT[setting.plan.flavour] if setting.plan.permanent else None,
            void_reason=void.tell(setting.words, rng) if void else None,
            evidence=_drawn(setting, wanted, str(voucher["details"]), _chance(seed, index, "pictures"))
            if pictures
            else (),
        )


_PERMANENT = {"legal": "legal-dispute", "brand": "brand-impact"}


def write_folder(case: SampleCase, directory: Path) -> None:
    """Write ``voucher.json``, the evidence, and ``case.json`` with level, category, completed and permanent.

    The directory is made where it is missing; raises ``FileExistsError`` rather than write over a voucher.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "voucher.json").open("x", encoding="utf-8") as file:
        file.write(_pretty(case.voucher))
    completed = case.completed_on.isoformat() if case.completed_on else None
    outcome = {
        "level": case.level,
        "category": case.category,
        "completed": completed,
        "permanent": case.permanent,
    }
    (directory / "case.json").write_text(_pretty(outcome), encoding="utf-8")
    for evidence in case.evidence:
        (directory / evidence.name).write_bytes(evidence.data)


def _pretty(document: Mapping[str, object]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _chance(*path: int | str) -> random.Random:
    """Chance of its own for each case, so that none depends on those before it."""
    return random.Random(":".join(map(str, path)))  # noqa: S311 - invented stories, not secrets


def _evidence(setting: Setting, rng: random.Random) -> tuple[tuple[str, int], ...]:
    if setting.incident is None:
        kinds: tuple[str, ...] = (
            ("photo:locker", "receipt") if setting.plan.category == "其他" else ("receipt",)
        )
    else:
        kinds = setting.incident.evidence
    match setting.plan:
        case plan if plan.length == "long" or plan.level == "三级":
            kept = len(kinds)
        case plan if plan.length == "short":
            kept = int(rng.random() * 2)
        case _:
            kept = 1 + int(rng.random() * len(kinds))
    return tuple((kind, 1 + int(rng.random() * 2.6) if "photo" in kind else 1) for kind in kinds[:kept])


def _drawn(
    setting: Setting, wanted: tuple[tuple[str, int], ...], details: str, rng: random.Random
) -> tuple[SampleEvidence, ...]:
    drawn: dict[str, SampleEvidence] = {}
    for kind, count in wanted:
        for number in range(count):
            one = draw(Drawing(kind, number, setting, details), rng)
            while one.name in drawn:  # two photographs of one second, or the same number again
                one = replace(one, name=f"副本_{one.name}")
            drawn[one.name] = one
    return tuple(drawn.values())


def _completed(setting: Setting, rng: random.Random, today: date) -> date | None:
    least, most = _DAYS_TO_SETTLE[setting.plan.level]
    day = setting.received.date() + timedelta(days=least + int(rng.random() * (most - least + 1)))
    return day if day < today else None
