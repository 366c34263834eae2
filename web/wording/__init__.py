"""Every word the pages show, by key, in Chinese and English; and which of the two a reader wants.

``zh.toml`` and ``en.toml`` hold the same keys with the same ``{placeholders}``: a test holds them together.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import Formatter
from types import MappingProxyType
from typing import Any


class Language(StrEnum):
    """The languages of the pages; the first is the default."""

    ZH = "zh"
    EN = "en"

    @property
    def tag(self) -> str:
        """For ``<html lang>`` (BCP 47)."""
        return "zh-CN" if self is Language.ZH else "en"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one language: ``words("find.title")``, ``words("find.many", count=3)``."""

    language: Language
    words: Mapping[str, str]

    def __call__(self, key: str, **facts: object) -> str:
        """The words at ``key`` with the facts filled in. An unknown key is a defect: KeyError."""
        text = self.words[key]
        return text.format(**facts) if facts else text

    def of(self, family: str, value: str) -> str:
        """The word for a value of the domain (a role, a state); the value itself where it has none here."""
        return self.words.get(f"{family}.{value}", value)


@cache
def wording(language: Language) -> Wording:
    text = (files(__package__) / f"{language}.toml").read_text("utf-8")
    return Wording(language, MappingProxyType(dict(_flat(tomllib.loads(text)))))


def placeholders(text: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def _flat(table: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{above}{key}.")
        else:
            found.append((f"{above}{key}", str(value)))
    return found
