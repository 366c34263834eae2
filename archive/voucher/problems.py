"""What is wrong with a voucher, said in both languages: fields are named, what was written in them is not."""

from dataclasses import dataclass
from enum import StrEnum

MOST_SAID = 20


class Fault(StrEnum):
    CHARACTERS = "characters"
    CHOICE = "choice"
    DATE = "date"
    DEPTH = "depth"
    DUPLICATE = "duplicate"
    FEW = "few"
    JSON = "json"
    LONG = "long"
    MANY = "many"
    MISSING = "missing"
    RANGE = "range"
    SIZE = "size"
    TYPE = "type"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at ``path`` (``complainant.name``, ``evidence[0].count``; empty for all of it).

    ``zh`` and ``en`` are sentences without full stop. They may be logged: no value of a field is in them.
    """

    fault: Fault
    path: str
    zh: str
    en: str

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Problems:
    """Every problem of one document; the fact ``problems`` of ``Code.VOUCHER_INVALID``."""

    items: tuple[Problem, ...]

    def say(self, language: str) -> str:
        """All of them in one line; after twenty only how many more."""
        said = [problem.say(language) for problem in self.items[:MOST_SAID]]
        more = len(self.items) - len(said)
        if language == "zh":
            return "；".join(said) + (f"；另有 {more} 处" if more else "") + "。"
        return "; ".join(said) + (f"; and {more} more" if more else "") + "."

    def __str__(self) -> str:
        return self.say("en")
