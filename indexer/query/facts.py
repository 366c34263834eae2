"""The fields of the query language, in both languages, and what may stand after their colon. Pure."""

import calendar
import dataclasses
import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from indexer.query.problems import QueryProblem


class Field(StrEnum):
    CATEGORY = "category"
    CHANNEL = "channel"
    COMPLETED = "completed"
    DEPARTMENT = "department"
    DUE = "due"
    FILED = "filed"
    HOLD = "hold"
    LEVEL = "level"
    RECEIVED = "received"
    REFERENCE = "reference"
    SCRIPT = "script"
    STATUS = "status"
    STORE = "store"
    YEAR = "year"


NAMES = {
    **{each.value: each for each in Field},
    **dict.fromkeys(("类别", "分类"), Field.CATEGORY),
    **dict.fromkeys(("渠道", "受理渠道"), Field.CHANNEL),
    **dict.fromkeys(("办结", "办结日期"), Field.COMPLETED),
    **dict.fromkeys(("部门", "受理部门"), Field.DEPARTMENT),
    **dict.fromkeys(("到期", "到期日"), Field.DUE),
    **dict.fromkeys(("归档", "归档日期"), Field.FILED),
    **dict.fromkeys(("冻结", "暂缓"), Field.HOLD),
    **dict.fromkeys(("级别", "等级"), Field.LEVEL),
    **dict.fromkeys(("受理", "受理日期"), Field.RECEIVED),
    **dict.fromkeys(("档号", "档案编号"), Field.REFERENCE),
    **dict.fromkeys(("剧本",), Field.SCRIPT),
    **dict.fromkeys(("状态",), Field.STATUS),
    **dict.fromkeys(("门店", "店"), Field.STORE),
    **dict.fromkeys(("年", "年份", "年度"), Field.YEAR),
}


class Status(StrEnum):
    COMPLETED = "completed"
    FILED = "filed"
    OPEN = "open"
    VOID = "void"


_STATUSES = {
    **{each.value: each for each in Status},
    "已办结": Status.COMPLETED,
    "办结": Status.COMPLETED,
    "在档": Status.FILED,
    "有效": Status.FILED,
    "未办结": Status.OPEN,
    "作废": Status.VOID,
    "已作废": Status.VOID,
}
_TRUTHS = {"yes": True, "no": False, "true": True, "false": False, "是": True, "否": False}
_DATED = frozenset({Field.COMPLETED, Field.DUE, Field.FILED, Field.RECEIVED})
_AHEAD = frozenset({Field.DUE})
_DAY = re.compile(r"([1-9]\d{3})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2}))?)?[年月日]?", re.ASCII)
_AGE = re.compile(r"(<=?|>=?)(\d{1,5})(?:d|天|日)", re.ASCII)
_COMPARED = re.compile(r"(<=?|>=?)(.+)")
_YEARS = re.compile(r"[1-9]\d{3}", re.ASCII)

VALUE = QueryProblem("此处缺少字段的值", "the value of the field is missing here")
_STATUS = QueryProblem(
    "状态只能是 在档、作废、已办结、未办结", "a status is one of filed, void, completed, open"
)
_TRUTH = QueryProblem("此处只能填“是”或“否”", "only yes or no can stand here")
_DATE = QueryProblem(
    "日期写作 2026、2026-03、2026-03-15，范围写作 2026-01..2026-03，天数写作 <90d",
    "a date is 2026, 2026-03 or 2026-03-15, a range 2026-01..2026-03, a number of days <90d",
)
_YEAR = QueryProblem("年份写作 2026 或 2024..2026", "a year is 2026, or 2024..2026")
_BACKWARDS = QueryProblem("范围的起点晚于终点", "the range ends before it begins")


@dataclass(frozen=True, slots=True)
class Days:
    """Both ends count; without one the range is open there, but never holds a file without such a day."""

    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Years:
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Fact:
    """What the catalogue is asked. A text is as it was typed; how it compares is the catalogue's business.

    ``at``: the character of the query that the value begins with, from 1; 0 where it is not known.
    """

    field: Field
    value: str | bool | Status | Days | Years
    at: int = dataclasses.field(default=0, compare=False)


def read_value(field: Field, given: str, today: date) -> Fact | QueryProblem:
    """``given`` is folded and not empty."""
    value: str | bool | Status | Days | Years | QueryProblem
    if field in _DATED:
        value = _days(given, today, ahead=field in _AHEAD)
    elif field is Field.HOLD:
        value = _TRUTHS.get(given, _TRUTH)
    elif field is Field.STATUS:
        value = _STATUSES.get(given, _STATUS)
    elif field is Field.YEAR:
        value = _years(given)
    else:
        value = given
    return value if isinstance(value, QueryProblem) else Fact(field, value)


def _years(given: str) -> Years | QueryProblem:
    first, ranged, last = given.partition("..")
    if not _YEARS.fullmatch(first) or (ranged and not _YEARS.fullmatch(last)):
        return _YEAR
    years = Years(int(first), int(last or first))
    return _BACKWARDS if years.first > years.last else years


def _days(given: str, today: date, *, ahead: bool) -> Days | QueryProblem:
    try:
        days = _range(given, today, ahead=ahead)
    except (ValueError, OverflowError):
        days = None
    if days is None:
        return _DATE
    if days.first is not None and days.last is not None and days.first > days.last:
        return _BACKWARDS
    return days


def _range(given: str, today: date, *, ahead: bool) -> Days | None:
    age = _AGE.fullmatch(given)
    if age is not None:
        return _aged(age[1], timedelta(days=int(age[2])), today, ahead=ahead)
    compared = _COMPARED.fullmatch(given)
    if compared is not None:
        return _compared(compared[1], compared[2])
    first, ranged, last = given.partition("..")
    if not ranged:
        return _period(given)
    start, end = _period(first) if first else None, _period(last) if last else None
    if (first and start is None) or (last and end is None) or not (first or last):
        return None
    return Days(start.first if start else None, end.last if end else None)


def _aged(sign: str, days: timedelta, today: date, *, ahead: bool) -> Days:
    """``due:<90d`` in fewer than ninety days from now or overdue; ``filed:<90d`` fewer than ninety days ago."""
    near, one = sign.startswith("<"), timedelta(0 if sign.endswith("=") else 1)
    if ahead:
        return Days(None, today + days - one) if near else Days(today + days + one, None)
    return Days(today - days + one, None) if near else Days(None, today - days - one)


def _compared(sign: str, given: str) -> Days | None:
    period = _period(given)
    if period is None or period.first is None or period.last is None:
        return None
    day = timedelta(days=1)
    return {
        "<": Days(None, period.first - day),
        "<=": Days(None, period.last),
        ">": Days(period.last + day, None),
        ">=": Days(period.first, None),
    }[sign]


def _period(given: str) -> Days | None:
    """A year, a month or a day. Raises ValueError for one that does not exist."""
    found = _DAY.fullmatch(given)
    if found is None:
        return None
    year, month, day = (int(each) if each else None for each in found.groups())
    if year is None:
        return None
    if month is None:
        return Days(date(year, 1, 1), date(year, 12, 31))
    if day is None:
        return Days(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
    return Days(date(year, month, day), date(year, month, day))
