"""What the archive does of itself, and when it is due: a pure plan over what was done last (P13.2)."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from math import ceil

import sqlalchemy as sa

from archive.database.catalogue import Catalogue
from archive.fixity import tables
from archive.fixity.report import Scope
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act

_DAYS = 90  # in which the rolling sample gets through everything, beside the quarterly check of all


class Chore(StrEnum):
    BACKUP = "backup"
    FIXITY_ALL = "fixity-all"  # each quarter
    FIXITY_SAMPLE = "fixity-sample"  # each day
    PROTECTION = "protection"  # each day


@dataclass(frozen=True, slots=True)
class Hours:
    """From which hour of the day on a chore is due, in the house's time zone; none: never."""

    backup: int | None
    fixity: int
    protection: int | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """When each was last done, by whomever."""

    backup: datetime | None
    fixity_all: datetime | None
    fixity: datetime | None  # of a sample or of all
    protection: datetime | None = None


def due(last: Last, now: datetime, zone: tzinfo, hours: Hours) -> tuple[Chore, ...]:
    """What is to be done now, most urgent first. A check of all does for that day's sample."""
    local = now.astimezone(zone)
    found = []
    if hours.backup is not None and local.hour >= hours.backup and _day(last.backup, zone) != _day(now, zone):
        found.append(Chore.BACKUP)
    wanted = hours.protection is not None and local.hour >= hours.protection
    if wanted and _day(last.protection, zone) != _day(now, zone):
        found.append(Chore.PROTECTION)
    if local.hour >= hours.fixity:
        if _quarter(last.fixity_all, zone) != _quarter(now, zone):
            found.append(Chore.FIXITY_ALL)
        elif _day(last.fixity, zone) != _day(now, zone):
            found.append(Chore.FIXITY_SAMPLE)
    return tuple(found)


def daily_sample(files: int) -> int:
    """So many case files a day; one at least."""
    return max(1, ceil(files / _DAYS))


def last(catalogue: Catalogue) -> Last:
    """From the reports and the ledger, so that what was done by hand counts too."""
    report, entry = tables.report.c, ledger_tables.entry.c
    started = sa.func.max(report.started_at)
    with catalogue.reading() as connection:

        def recorded(act: Act) -> datetime | None:
            return connection.execute(sa.select(sa.func.max(entry.at)).where(entry.act == act.value)).scalar()

        return Last(
            backup=recorded(Act.BACKED_UP),
            protection=recorded(Act.VAULT_PROTECTED),
            fixity_all=connection.execute(sa.select(started).where(report.scope == Scope.ALL.value)).scalar(),
            fixity=connection.execute(sa.select(started)).scalar(),
        )


def _day(moment: datetime | None, zone: tzinfo) -> object:
    return None if moment is None else moment.astimezone(zone).date()


def _quarter(moment: datetime | None, zone: tzinfo) -> object:
    if moment is None:
        return None
    local = moment.astimezone(zone)
    return local.year, (local.month - 1) // 3
