"""Telling the details of a complaint: one line, a page, or the long letter of somebody who has had enough."""

import random
from collections.abc import Sequence
from typing import Final

from web.sample.grammar import Template, pick
from web.sample.setting import Setting
from web.sample.stories import Incident, stories

LONG: Final = 2_000  # characters: at this length the form runs to a third page
# An incident's own gravity may say already what the flavour would add.
_SAYS: Final = {
    "legal": ("律师", "起诉", "法院"),
    "brand": ("万，", "媒体", "热榜"),
    "damages": ("合计", "赔偿"),
}
_RECORDS: Final = {"电话": "record", "门店现场": "record_store"}


def tell(setting: Setting, rng: random.Random) -> str:
    """The details as they stand on the voucher; paragraphs end in a line break."""
    if setting.english:
        return "\n".join(
            (setting.english.text.tell(setting.words, rng), setting.english.chinese.tell(setting.words, rng))
        )
    assert setting.incident is not None  # noqa: S101 - one of the two is always there
    teller = _Teller(setting, setting.incident, rng)
    match setting.plan.length:
        case "short":
            return teller.short()
        case "medium":
            return teller.medium()
        case "long":
            return teller.long()


class _Teller:
    __slots__ = ("_incident", "_phrases", "_rng", "_setting")

    def __init__(self, setting: Setting, incident: Incident, rng: random.Random) -> None:
        self._setting, self._incident, self._rng = setting, incident, rng
        self._phrases = stories().phrases

    def short(self) -> str:
        opening = self._phrase("opening_short") if self._incident.opening == "visit" else ""
        return opening + self._one(self._incident.gist) + self._gravity()

    def medium(self) -> str:
        chance = self._rng.random
        first, *rest = [self._one(beat) for beat in self._incident.beats]
        told = [self._record() + self._opening() + first, *rest]
        if len(rest) > 1 and chance() < 0.3:  # the last beat is the one a story can do without
            told.pop()
        if chance() < 0.8:
            told.append(self._one(self._incident.reply))
        if chance() < 0.2 and self._incident.opening == "visit":
            told.append(self._phrase("quote"))
        end = self._gravity() + self._closing()
        if chance() < 0.35:
            return "".join((*told, end))
        turn = 1 + int(chance() * (len(told) - 1))
        return "\n".join(filter(None, ("".join(told[:turn]), "".join(told[turn:]), end)))

    def long(self) -> str:
        story = [self._one(beat) for beat in self._incident.beats]
        body = [
            self._opening() + story[0],
            "".join((*story[1:], self._one(self._incident.reply))),
        ]
        end = [self._gravity() + self._closing()]
        paragraphs = stories().paragraphs
        order = list(range(len(paragraphs)))
        self._rng.shuffle(order)
        chosen: dict[int, str] = {}
        length = sum(map(len, (*body, *end)))
        wanted = LONG + 50 + int(self._rng.random() * 500)
        for number in order:
            if length >= wanted:
                break
            chosen[number] = self._one(paragraphs[number])
            length += len(chosen[number])
        # The paragraphs stand in the order of the days they tell of; the story itself comes when the game begins.
        before = [chosen[number] for number in sorted(chosen) if number < 6]
        after = [chosen[number] for number in sorted(chosen) if number >= 6]
        return "\n".join(filter(None, (self._record(), *before, *body, *after, *end)))

    def _record(self) -> str:
        return self._phrase(_RECORDS.get(self._setting.plan.channel, "record_online"))

    def _opening(self) -> str:
        kind = self._incident.opening
        if self._setting.heads > 1 and kind in {"visit", "none"}:
            return self._phrase("opening_group")
        if kind == "none":
            return ""
        return self._phrase("opening" if kind == "visit" else f"opening_{kind}")

    def _gravity(self) -> str:
        """Why it is not an everyday complaint (P10)."""
        plan, incident = self._setting.plan, self._incident
        if plan.level == "一级":
            return ""
        if plan.level == "二级":
            return self._one(incident.serious or self._phrases["serious"])
        own = self._one(incident.critical) if incident.critical else ""
        if any(word in own for word in _SAYS.get(plan.flavour, ())):
            return own
        return own + self._phrase(f"critical_{plan.flavour}")

    def _closing(self) -> str:
        return self._phrase("closing" if self._incident.opening == "visit" else "closing_plain")

    def _phrase(self, key: str) -> str:
        return self._one(self._phrases[key])

    def _one(self, choices: Sequence[Template]) -> str:
        return pick(self._rng, choices).tell(self._setting.words, self._rng)
