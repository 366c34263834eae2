"""Completing: the complaint is settled 办结, and from that day the retention period counts (P13.3)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, tzinfo

from archive.casefile.amending import Amending, Amendment
from archive.casefile.reading import CaseFile, FileState
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import Actor

Protect = Callable[[CaseFile], None]  # told, before the commit, what the file is about to be


@dataclass(frozen=True, slots=True)
class Completing:
    """``zone`` is where the organisation's days begin and end."""

    amending: Amending
    zone: tzinfo
    protect: Protect = lambda _: None

    def complete(self, actor: Actor, reference: str, on: date) -> CaseFile:
        """As ``complete`` below, with today's date by the clock of the catalogue."""
        today = self.amending.catalogue.clock().astimezone(self.zone).date()
        return complete(
            self.amending, actor, reference, on, today=today, zone=self.zone, protect=self.protect
        )


def complete(
    amending: Amending,
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
    wanted = Reference.parse(reference)
    with amending.vault.locked(str(wanted.series)):
        case_file = amending.case_files.get(wanted)
        _check(case_file, on, today, zone)
        protect(replace(case_file, completed_on=on))
        completed = Amendment(
            "completed",
            Act.COMPLETED,
            detail={"completed_on": on.isoformat()},
            case_file={"completed_on": on},
        )
        amending.amend(actor, case_file, lambda _: completed)
    after = amending.case_files.get(wanted)
    with suppress(MunimentError):  # the version that this brought: what fails now is set right once a day
        protect(after)
    return after


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
