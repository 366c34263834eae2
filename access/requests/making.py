"""What a new request must be (P14.3, P14.6), and the number it gets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from access import tables
from archive.casefile.reading import CaseFile
from archive.errors import Code, MunimentError
from archive.reasons import reason_of
from archive.scheme.scheme import Level, Scheme

MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What a requester fills in, checked."""

    purpose: str
    reason: str
    starts_on: date
    ends_on: date

    @classmethod
    def check(
        cls, scheme: Scheme, purpose: str, reason: str, starts_on: date, ends_on: date, today: date
    ) -> "Asked":
        """Raises MunimentError: PURPOSE_UNKNOWN, REASON_MISSING, REASON_UNFIT, PERIOD_INVALID."""
        if purpose not in scheme.purposes:
            known = "、".join(scheme.purposes)
            raise MunimentError(Code.PURPOSE_UNKNOWN, given=purpose[:40], known=known)
        days = (ends_on - starts_on).days + 1  # both days count
        if not 1 <= days <= scheme.longest_period_days or ends_on < today:
            raise MunimentError(Code.PERIOD_INVALID, days=scheme.longest_period_days)
        return cls(purpose, reason_of(reason), starts_on, ends_on)


def highest_level(scheme: Scheme, files: Iterable[CaseFile]) -> Level:
    """One chain for the whole request: that of its gravest file."""
    return max((scheme.level(each.level) for each in files), key=lambda level: level.number)


def next_number(connection: sa.Connection, year: int) -> str:
    """``CX-2026-00001``: gapless within a year, under the write lock."""
    start = f"CX-{year}-"
    number = tables.request.c.number
    digits = sa.cast(sa.func.substr(number, len(start) + 1), sa.Integer)
    last = connection.execute(sa.select(sa.func.max(digits)).where(number.startswith(start))).scalar() or 0
    return f"{start}{last + 1:05d}"


def once(references: Sequence[str]) -> tuple[str, ...]:
    """Each code once. Raises MunimentError: REFERENCE_INVALID when there is none, REQUEST_TOO_LARGE."""
    found = tuple(dict.fromkeys(each.strip() for each in references if each.strip()))
    if len(found) > MOST_FILES:
        raise MunimentError(Code.REQUEST_TOO_LARGE, most=MOST_FILES)
    if not found:
        raise MunimentError(Code.REFERENCE_INVALID, given="")
    return found
