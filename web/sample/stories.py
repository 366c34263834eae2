"""The stories that samples are told from: read once from ``stories/*.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from web.sample.grammar import Template, templates

CATEGORIES = {
    "剧本相关": "script",
    "服务相关": "service",
    "环境相关": "environment",
    "收费相关": "charges",
    "其他": "other",
}
_FOLDER = Path(__file__).parent / "stories"


@dataclass(frozen=True, slots=True)
class Incident:
    """One kind of grievance, with everything that may be said, shown and asked for about it.

    ``opening`` is ``visit``, ``plain``, ``resident`` or ``none``; ``after`` the days from the visit to the complaint;
    ``flavours`` what makes it a level 三级: ``group``, ``legal``, ``brand`` or ``damages``.
    """

    key: str
    category: str
    levels: tuple[str, ...]
    weight: int
    gist: tuple[Template, ...]
    beats: tuple[tuple[Template, ...], ...]
    reply: tuple[Template, ...]
    serious: tuple[Template, ...]
    critical: tuple[Template, ...]
    chat: tuple[Template, ...]
    demands: tuple[tuple[Template, ...], ...]
    evidence: tuple[str, ...]
    flavours: tuple[str, ...]
    genres: frozenset[str]
    months: frozenset[int]
    after: tuple[int, int]
    evening: bool
    opening: str


@dataclass(frozen=True, slots=True)
class Store:
    name: str
    city: str
    place: str
    phone: str
    receivers: tuple[str, ...]
    dms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A script on the shelf; ``price`` in yuan a player, ``hours`` as advertised."""

    title: str
    genre: str
    players: int
    hours: int
    price: int
    roles: tuple[str, ...]
    props: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class English:
    category: str
    level: str
    text: Template
    chinese: Template
    demands: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Stories:
    incidents: tuple[Incident, ...]
    stores: tuple[Store, ...]
    scripts: tuple[Script, ...]
    english: tuple[English, ...]
    paragraphs: tuple[tuple[Template, ...], ...]  # the steps of a long letter, each in several tellings
    phrases: Mapping[str, tuple[Template, ...]]
    words: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]


@cache
def stories() -> Stories:
    shared, house = _read("shared"), _read("house")
    english, paragraphs = shared.pop("english")["stories"], shared.pop("paragraph")
    return Stories(
        incidents=tuple(
            _incident(category, held)
            for category, file in CATEGORIES.items()
            for held in _read(file)["incident"]
        ),
        stores=tuple(Store(**_frozen(held)) for held in house["store"]),
        scripts=tuple(Script(**_frozen(held)) for held in house["script"]),
        english=tuple(
            English(
                held["category"],
                held["level"],
                Template(held["text"]),
                Template(held["zh"]),
                templates(held["demands"]),
            )
            for held in english
        ),
        paragraphs=tuple(templates(held["tellings"]) for held in paragraphs),
        phrases={key: templates(texts) for key, texts in shared.items()},
        words={key: tuple(texts) for key, texts in house["words"].items()},
        names={key: tuple(texts) for key, texts in house["names"].items()},
    )


def _incident(category: str, held: Mapping[str, Any]) -> Incident:
    return Incident(
        key=held["key"],
        category=category,
        levels=tuple(held["levels"]),
        weight=held["weight"],
        gist=templates(held["gist"]),
        beats=tuple(map(templates, held["beats"])),
        reply=templates(held["reply"]),
        serious=templates(held.get("serious", ())),
        critical=templates(held.get("critical", ())),
        chat=templates(held["chat"]),
        demands=tuple(map(templates, held["demands"])),
        evidence=tuple(held["evidence"]),
        flavours=tuple(held.get("flavours", ())),
        genres=frozenset(held.get("genres", ())),
        months=frozenset(held.get("months", range(1, 13))),
        after=tuple(held.get("after", (0, 3))),
        evening=held.get("evening", False),
        opening=held.get("opening", "visit"),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _frozen(held: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in held.items()}
