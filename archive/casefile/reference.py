"""Reference codes 档号 (P13.2): ``2026-一级-剧本相关-001`` = year-level-category-number; what is named after them."""

import re
from dataclasses import dataclass

from archive.errors import Code, MunimentError

_PATTERN = re.compile(r"(?P<year>[1-9]\d{3})-(?P<level>\w{1,20})-(?P<category>\w{1,20})-(?P<number>\d{3,9})")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """Numbers run without gap within one year, level and category (P9)."""

    year: int
    level: str
    category: str

    def __str__(self) -> str:
        return f"{self.year}-{self.level}-{self.category}"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    series: Series
    number: int  # from 1

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Raises MunimentError(REFERENCE_INVALID)."""
        match = _PATTERN.fullmatch(text.strip())
        if match is None or int(match["number"]) == 0:
            raise MunimentError(Code.REFERENCE_INVALID, given=text[:60])
        reference = cls(Series(int(match["year"]), match["level"], match["category"]), int(match["number"]))
        if str(reference) != text.strip():  # 0001 is not 001
            raise MunimentError(Code.REFERENCE_INVALID, given=text[:60])
        return reference

    def __str__(self) -> str:
        """Three digits at least: ``…-001``, ``…-1000``."""
        return f"{self.series}-{self.number:03d}"

    @property
    def folder(self) -> str:
        """The case file's place in the vault: ``2026/一级/剧本相关/2026-一级-剧本相关-001``."""
        return f"{self.series.year}/{self.series.level}/{self.series.category}/{self}"

    @property
    def record(self) -> str:
        """The name of the sealed record in the object."""
        return f"{self}.record"

    def document(self, ordinal: int) -> str:
        """The name of a document: ordinal 0 is the voucher, 1… the rest in order."""
        return f"{self}.pdf" if ordinal == 0 else f"{self}-{ordinal:02d}.pdf"
