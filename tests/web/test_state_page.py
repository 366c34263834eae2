"""The state of the archive: judged from what was done last, and shown without anything of a file's content."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from access.person import Role
from archive.casefile.quarantining import Isolated
from archive.errors import Code, MunimentError
from archive.fixity.report import Fault, Finding, Report, Scope
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, SYSTEM, Actor
from archive.ledger.log import Entry
from web.backup_places import backup_place
from web.surveying import Damage, Survey, Tone, judge, unmended
from web.wiring import House

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def done(act: Act, ago: timedelta, result: str = "whole") -> Entry:
    return Entry(1, NOW - ago, SYSTEM, act, "backup:x", {"result": result})


def report(*findings: Finding, ago: timedelta = DAY, scope: Scope = Scope.ALL) -> Report:
    return Report(1, scope, SYSTEM, NOW - ago, NOW - ago, 3, 5, 1000, findings)


LOST, FOREIGN = Finding(Fault.MISSING, "2026-一级-其他-001", "x.pdf"), Finding(Fault.FOREIGN, "", "x.exe")


def repaired(ago: timedelta, result: str = "whole") -> Entry:
    return replace(done(Act.REPAIRED, ago, result), subject=LOST.reference)


def isolated(ago: timedelta) -> Isolated:
    return Isolated("f0", NOW - ago, Actor("P0001"), "a.doc", "Eicar", "00", 68)


GOOD = Survey(
    checked=report(),
    damage=None,
    backups=(done(Act.BACKED_UP, DAY),),
    rehearsals=(done(Act.REHEARSED, 30 * DAY),),
    files=3,
    behind=0,
    index_fault=None,
    unread=0,
    reads_pictures=True,
    covers=0,
    isolated=(),
    free=10**12,
)


def test_an_archive_in_order_wants_nobody():
    assert not [each for each in judge(GOOD, NOW) if each.wants_somebody]
    assert {each.tone for each in judge(GOOD, NOW)} == {Tone.GOOD}


@pytest.mark.parametrize(
    ("changed", "key", "tone"),
    [
        ({"checked": None}, "fixity_none", Tone.WARN),
        ({"damage": Damage(report(LOST), 1)}, "fixity_damaged", Tone.BAD),
        ({"backups": ()}, "backup_none", Tone.WARN),
        ({"backups": (done(Act.BACKED_UP, 3 * DAY),)}, "backup_old", Tone.WARN),
        ({"backups": (done(Act.BACKED_UP, DAY, "damaged"),)}, "backup_damaged", Tone.BAD),
        ({"rehearsals": ()}, "rehearsal_none", Tone.WARN),
        ({"rehearsals": (done(Act.REHEARSED, 101 * DAY),)}, "rehearsal_old", Tone.WARN),
        ({"rehearsals": (done(Act.REHEARSED, DAY, "damaged"),)}, "rehearsal_damaged", Tone.BAD),
        ({"behind": 2}, "index_behind", Tone.PLAIN),
        ({"behind": 2, "index_fault": MunimentError(Code.DISK_FULL)}, "index_fault", Tone.BAD),
        ({"unread": 4}, "pictures_waiting", Tone.PLAIN),
        ({"unread": 4, "reads_pictures": False}, "pictures_missing", Tone.WARN),
        ({"covers": 1}, "covers_some", Tone.WARN),
        ({"isolated": (isolated(DAY),)}, "isolated_some", Tone.WARN),
        ({"isolated": (isolated(8 * DAY),)}, "isolated_some", Tone.PLAIN),
        ({"free": 10**9}, "disk_low", Tone.BAD),
    ],
)
def test_what_is_out_of_order_is_said_and_nothing_else(changed: dict[str, object], key: str, tone: Tone):
    lines = judge(replace(GOOD, **changed), NOW)
    assert [(each.key, each.tone) for each in lines if each.tone is not Tone.GOOD] == [(key, tone)]


def test_a_sample_that_found_nothing_hides_no_damage_that_was_found_before():
    found, sample = report(LOST, ago=3 * DAY), report(ago=DAY, scope=Scope.SAMPLE)
    assert unmended((sample, found), ()) == Damage(found, 1)
    assert unmended((report(ago=DAY), found), ()) is None  # all was checked again


@pytest.mark.parametrize(
    ("repairs", "left"),
    [
        ((repaired(2 * DAY),), 1),
        ((repaired(4 * DAY),), 2),  # before it was damaged
        ((repaired(DAY, "damaged"), repaired(2 * DAY)), 2),  # the last word counts
        ((), 2),
    ],
)
def test_what_was_repaired_since_is_no_damage_any_more(repairs: tuple[Entry, ...], left: int):
    found = report(LOST, FOREIGN, ago=3 * DAY)
    assert unmended((found,), repairs) == Damage(found, left)


def test_backups_are_seen_by_those_who_keep_the_archive_going_and_nothing_of_its_content(
    house: House, visitor, filed, tmp_path
):
    people = [
        visitor(Role.ADMINISTRATOR, "客服部"),
        visitor(Role.AUDITOR, "内审部"),
        visitor(Role.SYSTEM, "信息部"),
    ]
    for each in people:
        assert "还没有备份" in each.get("/").text
    place = backup_place(house.settings, house.founded.vault, str(tmp_path / "copy"), "")
    house.backups.take(CONSOLE, place, keep=3)
    house.rehearsing.rehearse(CONSOLE, place)
    for each in people:
        page = each.get("/state").text
        assert "最近一次备份：2026年11月24日 09:00" in page
        assert "最近一次恢复演练通过" in page
        assert not [reference for reference in filed if reference in page]
        assert "还没有备份" not in each.get("/").text
