"""Due dates: never too early, in order, and true to the calendar (P13.3)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.casefile.reading import FileState
from archive.keys.filekey import CaseFileId
from archive.scheme.scheme import load_scheme
from retention.schedule import Schedule, due_date, latest_completion

YEARS = st.integers(1, 100)
DAYS = st.dates()
DAY = timedelta(days=1)


NOBODY = CaseFileId("0" * 36)


@dataclass(frozen=True, slots=True)
class File:
    level: str = "一级"
    completed_on: date | None = None
    permanent: str | None = None
    state: FileState = FileState.FILED
    voided_at: datetime | None = None
    id: CaseFileId = NOBODY
    reference: str = "2026-一级-剧本相关-001"


SCHEDULE = Schedule(load_scheme(), timezone(timedelta(hours=8)))


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@pytest.mark.parametrize(
    ("completed_on", "years", "due_on"),
    [
        (date(2024, 3, 1), 2, date(2026, 3, 2)),
        (date(2024, 2, 28), 2, date(2026, 3, 1)),
        (date(2024, 2, 29), 2, date(2026, 3, 1)),
        (date(2024, 2, 29), 10, date(2034, 3, 1)),
        (date(2024, 2, 29), 4, date(2028, 3, 1)),
        (date(2026, 2, 28), 2, date(2028, 2, 29)),
        (date(2024, 12, 31), 5, date(2030, 1, 1)),
        (date(2096, 2, 29), 4, date(2100, 3, 1)),  # 2100 is no leap year
        (date(1996, 2, 29), 4, date(2000, 3, 1)),  # 2000 is one
    ],
)
def test_a_file_is_due_on_the_day_after_the_anniversary(completed_on: date, years: int, due_on: date) -> None:
    assert due_date(completed_on, years) == due_on


@given(DAYS, YEARS)
def test_no_file_is_due_before_the_same_calendar_day_has_passed(completed_on: date, years: int) -> None:
    due_on = due_date(completed_on, years)
    if due_on is None:
        return
    same_day = (due_on.year - years, due_on.month, due_on.day)
    assert same_day > (completed_on.year, completed_on.month, completed_on.day)


@given(DAYS, YEARS)
def test_a_file_is_due_within_a_day_of_the_anniversary(completed_on: date, years: int) -> None:
    due_on = due_date(completed_on, years)
    if due_on is None:
        assert completed_on.year + years > 9999 or (completed_on + DAY).year + years > 9999
        return
    year = completed_on.year + years
    if (completed_on.month, completed_on.day) == (2, 29) and not is_leap(year):
        assert due_on == date(year, 3, 1)
    else:
        assert due_on - DAY == completed_on.replace(year=year)


@given(DAYS, DAYS, YEARS)
@example(date(2024, 2, 28), date(2024, 2, 29), 2)
def test_what_was_completed_later_is_not_due_earlier(one: date, other: date, years: int) -> None:
    earlier, later = (due_date(each, years) or date.max for each in sorted((one, other)))
    assert earlier <= later


@given(DAYS, YEARS)
def test_a_longer_period_ends_later(completed_on: date, years: int) -> None:
    shorter, longer = due_date(completed_on, years), due_date(completed_on, years + 1)
    assert longer is None or (shorter is not None and shorter < longer)


@given(DAYS, DAYS, YEARS)
@example(date(2024, 2, 29), date(2026, 3, 1), 2)
@example(date(2024, 2, 29), date(2026, 2, 28), 2)
@example(date(2024, 2, 29), date(2028, 2, 29), 4)
def test_the_latest_completion_is_the_exact_inverse(completed_on: date, by: date, years: int) -> None:
    due_on, latest = due_date(completed_on, years), latest_completion(by, years)
    assert (due_on is not None and due_on <= by) == (latest is not None and completed_on <= latest)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 12), st.integers(-4, 4))
@example(date(2024, 2, 29), 2, 0)
def test_the_latest_completion_is_exact_near_the_edge(completed_on: date, years: int, off: int) -> None:
    due_on = due_date(completed_on, years)
    assert due_on is not None
    by = due_on + timedelta(days=off)
    latest = latest_completion(by, years)
    assert latest is not None
    assert (due_on <= by) == (completed_on <= latest)


def test_a_due_date_beyond_the_calendar_does_not_come() -> None:
    assert due_date(date(9997, 12, 30), 2) == date(9999, 12, 31)
    assert due_date(date(9997, 12, 31), 2) is None
    assert due_date(date(9999, 12, 31), 1) is None


def test_nothing_is_due_by_the_first_days_of_the_calendar() -> None:
    assert latest_completion(date.min, 1) is None
    assert latest_completion(date(2, 1, 1), 1) is None
    assert latest_completion(date(2, 1, 2), 1) == date(1, 1, 1)


@pytest.mark.parametrize("years", [0, -1])
def test_a_period_of_no_year_is_a_defect(years: int) -> None:
    with pytest.raises(ValueError, match="a year at least"):
        due_date(date(2026, 1, 1), years)
    with pytest.raises(ValueError, match="a year at least"):
        latest_completion(date(2026, 1, 1), years)


def test_what_is_not_completed_has_no_due_date() -> None:
    assert due_date(None, 2) is None
    assert SCHEDULE.due_on(File()) is None


@pytest.mark.parametrize(
    ("level", "due_on"),
    [("一级", date(2028, 3, 2)), ("二级", date(2031, 3, 2)), ("三级", date(2036, 3, 2))],
)
def test_each_level_has_its_period(level: str, due_on: date) -> None:
    assert SCHEDULE.due_on(File(level, date(2026, 3, 1))) == due_on


def test_a_permanent_file_is_never_due() -> None:
    assert SCHEDULE.due_on(File("三级", date(1990, 1, 1), "legal-dispute")) is None


def test_a_level_that_the_scheme_does_not_have_is_never_due() -> None:
    assert SCHEDULE.due_on(File("四级", date(1990, 1, 1))) is None


def test_a_void_file_counts_from_the_local_day_of_its_voiding() -> None:
    late = datetime(2026, 2, 28, 16, 30, tzinfo=UTC)  # 1 March, 0:30 in China
    assert SCHEDULE.due_on(File(state=FileState.VOID, voided_at=late)) == date(2028, 3, 2)


def test_a_void_file_that_was_completed_counts_from_its_completion() -> None:
    voided = datetime(2026, 6, 1, tzinfo=UTC)
    file = File(completed_on=date(2026, 3, 1), state=FileState.VOID, voided_at=voided)
    assert SCHEDULE.due_on(file) == date(2028, 3, 2)
