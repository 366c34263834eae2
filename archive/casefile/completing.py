"""Completing: the complaint is settled 办结, and from that day the retention period counts (P13.3)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, tzinfo

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles, FileState
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import Actor

Protect = Callable[[CaseFile], None]  # told, before the commit, what the file is about to be


@dataclass(frozen=True, slots=True)
class Completing:
    """``zone`` is where the organisation's days begin and end."""

    catalogue: Catalogue
    case_files: CaseFiles
    zone: tzinfo
    protect: Protect = lambda _: None

    def complete(self, actor: Actor, reference: str, on: date) -> CaseFile:
        """As ``complete`` below, with today's date by the clock of the catalogue."""
        today = self.catalogue.clock().astimezone(self.zone).date()
        return complete(
            self.catalogue,
            self.case_files,
            actor,
            reference,
            on,
            today=today,
            zone=self.zone,
            protect=self.protect,
        )


def complete(
    catalogue: Catalogue,
    case_files: CaseFiles,
    actor: Actor,
    reference: str,
    on: date,
    *,
    today: date,
    zone: tzinfo,
    protect: Protect = lambda _: None,
) -> CaseFile:
    """The file with its completion date, which is given once and never changed: the period hangs on it.

    ``on`` lies between the local date of receipt and ``today``. A permanent file may be completed too.

    Raises MunimentError: REFERENCE_INVALID, FILE_NOT_FOUND, ALREADY_VOID, ALREADY_COMPLETED,
    DATE_NOT_POSSIBLE.
    """
    case_file = case_files.get(reference)
    _check(case_file, on, today, zone)
    protect(replace(case_file, completed_on=on))
    key = case_files.key_of(case_file)
    columns = tables.case_file.c
    with catalogue.unit(actor) as unit:
        changed = unit.connection.execute(
            sa.update(tables.case_file)
            .where(
                columns.id == case_file.id,
                columns.completed_on.is_(None),
                columns.state == FileState.FILED.value,
            )
            .values(completed_on=on)
        )
        if changed.rowcount == 1:
            unit.record(Act.COMPLETED, case_file.reference, detail={"completed_on": on.isoformat()}, key=key)
        else:  # somebody completed or voided it since it was read: say which
            _check(case_files.get(reference), on, today, zone)
    return case_files.get(reference)


def _check(case_file: CaseFile, on: date, today: date, zone: tzinfo) -> None:
    if case_file.state is FileState.VOID:
        raise MunimentError(Code.ALREADY_VOID, reference=case_file.reference)
    if case_file.completed_on is not None:
        raise MunimentError(
            Code.ALREADY_COMPLETED, reference=case_file.reference, date=case_file.completed_on
        )
    received_on = case_file.received_at.astimezone(zone).date()
    if not received_on <= on <= today:
        raise MunimentError(Code.DATE_NOT_POSSIBLE, given=on, earliest=received_on, latest=today)
