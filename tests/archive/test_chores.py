"""What the archive does of itself is due once a day, once a quarter, and done by one server."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from archive.chores import Chore, Hours, Last, daily_sample, due, last
from archive.database.leasing import give_back, take
from archive.ledger.entries import CONSOLE
from web.backup_places import place
from web.wiring import House

ZONE = ZoneInfo("Asia/Shanghai")
HOURS = Hours(backup=2, fixity=3)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


DONE = Last(at("2026-05-09T02:00"), at("2026-04-01T03:00"), at("2026-05-09T03:00"))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-05-09T23:59", ()),
        ("2026-05-10T01:59", ()),
        ("2026-05-10T02:00", (Chore.BACKUP,)),
        ("2026-05-10T03:00", (Chore.BACKUP, Chore.FIXITY_SAMPLE)),
        ("2026-07-01T02:59", (Chore.BACKUP,)),
        ("2026-07-01T03:00", (Chore.BACKUP, Chore.FIXITY_ALL)),
        ("2027-05-09T04:00", (Chore.BACKUP, Chore.FIXITY_ALL)),
    ],
)
def test_what_is_due_is_due_by_the_clocks_of_the_house(now, expected):
    assert due(DONE, at(now), ZONE, HOURS) == expected
    assert due(DONE, at(now).astimezone(UTC), ZONE, HOURS) == expected


def test_nothing_was_ever_done():
    nothing = Last(None, None, None)
    assert due(nothing, at("2026-05-10T12:00"), ZONE, HOURS) == (Chore.BACKUP, Chore.FIXITY_ALL)
    assert due(nothing, at("2026-05-10T12:00"), ZONE, Hours(None, 3)) == (Chore.FIXITY_ALL,)
    assert due(nothing, at("2026-05-10T01:00"), ZONE, HOURS) == ()


@pytest.mark.parametrize("files", [0, 1, 89, 90, 91, 100_000])
def test_the_daily_samples_get_through_everything_within_a_quarter(files: int):
    assert daily_sample(files) * 90 >= files


def test_what_was_done_by_hand_counts(house: House, filed, clock, tmp_path):
    assert last(house.catalogue) == Last(None, None, None)
    house.fixity.check(CONSOLE, 1)
    assert last(house.catalogue) == Last(None, None, clock.now)
    house.fixity.check(CONSOLE)
    house.backups.take(CONSOLE, place(house.settings, str(tmp_path / "backup")))
    assert last(house.catalogue) == Last(clock.now, clock.now, clock.now)


def test_a_lease_has_one_holder_until_it_runs_out_or_is_given_back(house: House, clock):
    catalogue, short = house.catalogue, timedelta(minutes=10)
    assert take(catalogue, "x", "a", short)
    assert not take(catalogue, "x", "b", short)
    assert take(catalogue, "y", "b", short)
    clock.wait(minutes=9)
    assert take(catalogue, "x", "a", short)  # renewed
    clock.wait(minutes=9)
    assert not take(catalogue, "x", "b", short)
    clock.wait(minutes=2)
    assert take(catalogue, "x", "b", short)  # its holder is gone
    assert not take(catalogue, "x", "a", short)
    give_back(catalogue, "x", "a")
    assert not take(catalogue, "x", "a", short)
    give_back(catalogue, "x", "b")
    assert take(catalogue, "x", "a", short)
