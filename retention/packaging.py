"""Holds that go along with a case file: out with a preservation package, and in again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from archive.database.schema import text_of
from archive.keys.filekey import CaseFileId
from archive.ledger.entries import Actor, Detail
from archive.packages.describing import Standing
from archive.packages.importing import Hold, Holding
from retention.holds import HoldId, Holds, standing
from retention.tables import hold as hold_table


def exported(holds: Holds) -> Callable[[str], Sequence[Standing]]:
    """The holds that the case file of a reference is under, as an export tells of them."""
    return lambda reference: [
        Standing(each.id, each.reason, each.placed_by, each.placed_at) for each in holds.active(reference)
    ]


def imported(holds: Holds) -> Hold:
    """What a case file was held for, it is held for again: since then, by them, and under its number. Where another
    hold has that, it gets one after the highest of archive and package.
    """

    @contextmanager
    def hold(case_file: CaseFileId, held: Sequence[Standing], highest: int) -> Iterator[Holding]:
        with holds.numbering() as first:
            fresh = count(max(first, highest + 1))
            taken = set(holds.taken([each.number for each in held if each.number is not None]))
            numbers = []
            for each in held:
                free = each.number is not None and each.number not in taken
                number = each.number if free and each.number is not None else next(fresh)
                taken.add(number)
                numbers.append(HoldId(number))
            told = list(zip(numbers, held, strict=True))
            rows = [
                standing(number, case_file, each.reason, Actor(each.placed_by), each.placed_at)
                for number, each in told
            ]
            yield Holding(
                {hold_table: rows} if rows else {},
                [_detail(number, each) for number, each in told],
                {each.number: number for number, each in told if each.number not in (None, number)},
            )

    return hold


def _detail(number: HoldId, was: Standing) -> Detail:
    return {
        "hold": number,
        "reason": was.reason,
        "placed_by": was.placed_by,
        "placed_at": text_of(was.placed_at),
        "former_number": None if was.number == number else was.number,
    }
