"""Surveying 运行状况: how the archive stands, for those who keep it going. Nothing here tells what is in a file."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from archive.casefile.quarantining import Isolated
from archive.errors import MunimentError
from archive.fixity.recording import reports
from archive.fixity.report import Report, Scope
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.log import Entry, entries
from web.wiring import House

_SHOWN = 10  # backups, and rehearsals
_MOST_REPAIRS = 1000
_BACKUP_HOLDS = timedelta(days=2)  # one is taken each day (P13.2)
_REHEARSAL_HOLDS = timedelta(days=100)  # one each quarter
_NEWS = timedelta(days=7)
_LEAST_FREE = 5_000_000_000  # bytes, below which somebody has to make room
_MOST_UNREAD = 1000  # beyond which they are not counted


class Tone(StrEnum):
    """As the pages are coloured."""

    GOOD = "good"
    PLAIN = "plain"  # under way; nobody has to do anything
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """One matter and how it stands. ``key`` is of its words, state.<key>; ``way`` the endpoint where more is said."""

    key: str
    tone: Tone
    way: str
    at: datetime | None = None
    count: int = 0
    fault: MunimentError | None = None
    number: int | None = None  # of the report that ``way`` shows

    @property
    def wants_somebody(self) -> bool:
        return self.tone in (Tone.WARN, Tone.BAD)


@dataclass(frozen=True, slots=True)
class Damage:
    """What a check found and nobody has put right: the newest report of such, and its findings that are left."""

    report: Report
    left: int


@dataclass(frozen=True, slots=True)
class Survey:
    """``backups`` and ``rehearsals`` are entries of the ledger, newest first."""

    checked: Report | None  # the newest
    damage: Damage | None
    backups: Sequence[Entry]
    rehearsals: Sequence[Entry]
    files: int
    behind: int  # of them, not indexed yet
    index_fault: MunimentError | None
    unread: int  # documents with pictures that were not read, ``_MOST_UNREAD`` at most
    reads_pictures: bool
    covers: int  # documents that stand behind one until they are converted
    isolated: Sequence[Isolated]  # by the virus scanner, newest first
    free: int  # bytes, where the archive lies


def survey(house: House) -> Survey:
    kept = reports(house.catalogue, limit=1)
    behind = house.index.behind()
    return Survey(
        checked=kept[0] if kept else None,
        damage=damage(house),
        backups=_newest(house, Act.BACKED_UP),
        rehearsals=_newest(house, Act.REHEARSED),
        files=house.case_files.count(),
        behind=behind,
        index_fault=house.index.fault() if behind else None,
        unread=house.recognition.unsearchable(most=_MOST_UNREAD).documents,
        reads_pictures=house.recognition.available,
        covers=len(house.converting.waiting()),
        isolated=tuple(house.quarantine.isolated())[::-1],
        free=shutil.disk_usage(house.settings.home).free,
    )


def damage(house: House) -> Damage | None:
    return unmended(reports(house.catalogue), _newest(house, Act.REPAIRED, _MOST_REPAIRS))


def unmended(kept: Sequence[Report], repairs: Sequence[Entry]) -> Damage | None:
    """Of reports and repairs, the newest first. A sample that found nothing says nothing of the files that it did not
    read, so what was found since the newest check of all stands until it is repaired, or until all is checked again.
    """
    whole: dict[str, datetime | None] = {}
    for each in repairs:
        whole.setdefault(each.subject, each.at if (each.detail or {}).get("result") == "whole" else None)
    for report in kept:
        mended = {subject for subject, at in whole.items() if at is not None and at > report.ended_at}
        left = sum(each.reference not in mended for each in report.findings)
        if left:
            return Damage(report, left)
        if report.scope is Scope.ALL:
            return None
    return None


def judge(found: Survey, now: datetime) -> tuple[Line, ...]:
    """Every matter in the order in which it would be seen to."""
    lines = [
        _fixity(found),
        _copy("backup", found.backups, now - _BACKUP_HOLDS),
        _copy("rehearsal", found.rehearsals, now - _REHEARSAL_HOLDS),
        _index(found),
        _pictures(found),
        Line("covers_some", Tone.WARN, "state.overview", count=found.covers) if found.covers else None,
        _isolated(found.isolated, now - _NEWS),
        Line("disk_good", Tone.GOOD, "state.overview", count=found.free)
        if found.free >= _LEAST_FREE
        else Line("disk_low", Tone.BAD, "state.overview", count=found.free),
    ]
    return tuple(each for each in lines if each is not None)


def _fixity(found: Survey) -> Line:
    if found.damage is not None:
        report = found.damage.report
        return Line(
            "fixity_damaged",
            Tone.BAD,
            "fixity.show",
            report.started_at,
            found.damage.left,
            number=report.number,
        )
    if found.checked is None:
        return Line("fixity_none", Tone.WARN, "fixity.overview")
    return Line("fixity_good", Tone.GOOD, "fixity.overview", found.checked.started_at)


def _copy(name: str, made: Sequence[Entry], since: datetime) -> Line:
    """Of the backups or the rehearsals: the newest counts."""
    if not made:
        return Line(f"{name}_none", Tone.WARN, "state.overview")
    newest = made[0]
    if (newest.detail or {}).get("result") != "whole":
        return Line(f"{name}_damaged", Tone.BAD, "state.overview", newest.at)
    if newest.at < since:
        return Line(f"{name}_old", Tone.WARN, "state.overview", newest.at)
    return Line(f"{name}_good", Tone.GOOD, "state.overview", newest.at)


def _isolated(found: Sequence[Isolated], since: datetime) -> Line | None:
    """What was set apart lately wants somebody: whoever handed it in hands in another."""
    if not found:
        return None
    tone = Tone.WARN if found[0].at >= since else Tone.PLAIN
    return Line("isolated_some", tone, "state.overview", count=len(found))


def _index(found: Survey) -> Line:
    if found.index_fault is not None:
        return Line("index_fault", Tone.BAD, "state.overview", fault=found.index_fault)
    if found.behind:
        return Line("index_behind", Tone.PLAIN, "state.overview", count=found.behind)
    return Line("index_good", Tone.GOOD, "finding.find", count=found.files)


def _pictures(found: Survey) -> Line:
    if not found.unread:
        return Line("pictures_good", Tone.GOOD, "pictures.overview")
    if found.reads_pictures:
        return Line("pictures_waiting", Tone.PLAIN, "pictures.overview", count=found.unread)
    return Line("pictures_missing", Tone.WARN, "pictures.overview", count=found.unread)


def _newest(house: House, act: Act, most: int = _SHOWN) -> tuple[Entry, ...]:
    columns = tables.entry.c
    query = (
        sa.select(columns.position)
        .where(columns.act == act.value)
        .order_by(columns.position.desc())
        .limit(most)
    )
    with house.catalogue.reading() as connection:
        return tuple(entries(connection, house.catalogue.ledger, query, lambda _: None))
