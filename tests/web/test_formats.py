"""Dates, times and sizes as each language writes them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from web.formats import Formats
from web.wording import Language

ZH = Formats(Language.ZH, ZoneInfo("Asia/Shanghai"))
EN = Formats(Language.EN, ZoneInfo("Asia/Shanghai"))
LATE = datetime(2026, 2, 28, 16, 30, tzinfo=UTC)  # half past midnight on 1 March in Shanghai


def test_a_day_is_written_in_the_readers_language():
    assert ZH.day(date(2026, 3, 1)) == "2026年3月1日"
    assert EN.day(date(2026, 3, 1)) == "1 Mar 2026"


def test_a_moment_is_shown_on_the_clocks_of_the_house():
    assert ZH.moment(LATE) == "2026年3月1日 00:30"
    assert EN.moment(LATE) == "1 Mar 2026, 00:30"
    assert ZH.day(LATE) == "2026年3月1日"
    assert ZH.stamp(LATE) == "2026-03-01 00:30:00"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 KB"), (1536, "1.5 KB"), (5_000_000, "5 MB"), (3 * 10**12, "3 TB")],
)
def test_a_size_is_written_with_its_unit(count: int, text: str):
    assert ZH.size(count) == text
    assert EN.size(count) == text
