"""Holds that go along with a case file: out with a preservation package, and in again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from archive.keys.filekey import CaseFileId
from archive.ledger.entries import CONSOLE
from archive.packages.describing import Standing
from archive.packages.importing import Hold, Holding
from retention.holds import HoldId, Holds, standing
from retention.tables import hold as hold_table


def exported(holds: Holds) -> Callable[[str], Sequence[Standing]]:
    """The holds that the case file of a reference is under, as an export tells of them."""
    return lambda reference: [
        Standing(each.reason, each.placed_by, each.placed_at) for each in holds.active(reference)
    ]


def imported(holds: Holds) -> Hold:
    """What a case file was held for, it is held for again."""

    @contextmanager
    def hold(case_file: CaseFileId, reasons: Sequence[str], at: datetime) -> Iterator[Holding]:
        with holds.numbering() as first:
            rows = [
                standing(HoldId(first + number), case_file, reason, CONSOLE, at)
                for number, reason in enumerate(dict.fromkeys(reasons))
            ]
            yield Holding(
                {hold_table: rows} if rows else {},
                [{"hold": row["id"], "reason": row["reason"]} for row in rows],
            )

    return hold
