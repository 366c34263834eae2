"""What is wrong with a query, and where: said in both languages, without repeating what was typed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueryProblem:
    """The fact ``problem`` of ``Code.QUERY_INVALID``. ``at``: the character it begins with, from 1; 0 for the whole."""

    zh: str
    en: str
    at: int = 0

    def say(self, language: str) -> str:
        if language == "zh":
            return f"第 {self.at} 个字符处，{self.zh}" if self.at else self.zh
        return f"at character {self.at}, {self.en}" if self.at else self.en

    def __str__(self) -> str:
        return self.say("en")
