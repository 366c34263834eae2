"""Holds: an order not to dispose of a file, whatever its due date says, until it is lifted.

A file may be under several holds at once (two proceedings, say), and each is lifted for itself. What is
lifted stays in the catalogue. The ledger seals the reasons under the case file's key.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NewType

import sqlalchemy as sa

from archive.casefile import tables as casefile_tables
from archive.casefile.amending import Amending, Amendment, Draft
from archive.casefile.reading import CaseFile
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Detail
from archive.reasons import reason_of
from retention.tables import hold

HoldId = NewType("HoldId", int)
_NUMBERS = "holds"  # a lock; no series is called so


@dataclass(frozen=True, slots=True)
class Hold:
    """``lifted_by``, ``lifted_at`` and ``lift_reason`` come together, or not at all."""

    id: HoldId
    case_file: CaseFileId
    reference: str
    reason: str
    placed_by: str  # an actor
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str | None


class Holds:
    """Places, lifts and tells holds. Safe to call from several threads and processes at once."""

    def __init__(self, amending: Amending) -> None:
        self._amending = amending
        self._catalogue = amending.catalogue
        self._case_files = amending.case_files

    def place(self, actor: Actor, reference: str, reason: str) -> Hold:
        """Any file may be held: due or not, void, permanent. The same reason twice is refused.

        Raises MunimentError: REASON_MISSING, REASON_UNFIT, REFERENCE_INVALID, FILE_NOT_FOUND, ALREADY_HELD.
        """
        words = reason_of(reason)
        wanted = Reference.parse(reference)
        with self._amending.vault.locked(str(wanted.series)):
            case_file = self._case_files.get(wanted)
            with self.numbering() as number:
                with self._catalogue.reading() as connection:
                    active = _active(connection, case_file.id)
                for each in active:
                    if each.reason == words:
                        raise MunimentError(Code.ALREADY_HELD, reference=str(wanted), hold=each.id)

                def placed(draft: Draft) -> Amendment:
                    row = standing(number, case_file.id, words, actor, draft.at)
                    detail: Detail = {"hold": number, "reason": words}
                    return Amendment("held", Act.HELD, detail=detail, rows={hold: [row]})

                self._amending.amend(actor, case_file, placed)
        return self._get(number)

    @contextmanager
    def numbering(self) -> Iterator[HoldId]:
        """The number of the next hold, which nobody else takes meanwhile. After a lock of the vault's, never before."""
        with self._amending.vault.held(_NUMBERS):
            with self._catalogue.reading() as connection:
                last = connection.execute(sa.select(sa.func.max(hold.c.id))).scalar()
            yield HoldId((last or 0) + 1)

    def taken(self, numbers: Collection[int]) -> frozenset[int]:
        """Those of the numbers that a hold has, lifted or not."""
        with self._catalogue.reading() as connection:
            return frozenset(connection.execute(sa.select(hold.c.id).where(hold.c.id.in_(numbers))).scalars())

    def lift(self, actor: Actor, which: str | HoldId, reason: str) -> Hold:
        """``which`` is the hold's id, or a reference code when the file has one active hold.

        Raises MunimentError: REASON_MISSING, REASON_UNFIT, REFERENCE_INVALID, FILE_NOT_FOUND, HOLD_NOT_FOUND,
        HOLDS_SEVERAL, ALREADY_LIFTED.
        """
        words = reason_of(reason)
        wanted = Reference.parse(self._file_of(which).reference)
        with self._amending.vault.locked(str(wanted.series)):
            case_file = self._case_files.get(wanted)
            with self._catalogue.reading() as connection:
                number = _only(connection, case_file) if isinstance(which, str) else which
                query = sa.select(hold).where(hold.c.id == number, hold.c.lifted_at.is_(None))
                row = connection.execute(query).mappings().one_or_none()
            if row is None:
                raise MunimentError(Code.ALREADY_LIFTED, hold=number)

            def lifted(draft: Draft) -> Amendment:
                after = {**row, "lifted_by": actor, "lifted_at": draft.at, "lift_reason": words}
                detail: Detail = {"hold": number, "reason": words}
                return Amendment("hold lifted", Act.HOLD_LIFTED, detail=detail, rows={hold: [after]})

            self._amending.amend(actor, case_file, lifted)
        return self._get(number)

    def active(self, reference: str) -> tuple[Hold, ...]:
        """The holds the file is under now, oldest first. Raises REFERENCE_INVALID, FILE_NOT_FOUND."""
        case_file = self._case_files.get(reference)
        with self._catalogue.reading() as connection:
            return _active(connection, case_file.id)

    def all_active(self) -> Mapping[CaseFileId, tuple[Hold, ...]]:
        """Every file that is under a hold now, with its holds, oldest first."""
        with self._catalogue.reading() as connection:
            found = _active(connection)
        by_file = sorted(found, key=lambda each: each.case_file)  # stable: stays oldest first within a file
        return {file: tuple(group) for file, group in groupby(by_file, key=lambda each: each.case_file)}

    def _get(self, number: HoldId) -> Hold:
        with self._catalogue.reading() as connection:
            return _get(connection, number)

    def _file_of(self, which: str | HoldId) -> CaseFile:
        if isinstance(which, str):
            return self._case_files.get(which)
        with self._catalogue.reading() as connection:
            return self._case_files.get(_get(connection, which).reference)


def standing(
    number: HoldId, case_file: CaseFileId, reason: str, actor: Actor, at: datetime
) -> dict[str, Any]:
    """The row of a hold that was placed and not lifted."""
    return {
        "id": number,
        "case_file": case_file,
        "reason": reason,
        "placed_by": actor,
        "placed_at": at,
        "lifted_by": None,
        "lifted_at": None,
        "lift_reason": None,
    }


def _holds() -> sa.Select[Any]:
    reference = casefile_tables.case_file.c.reference
    return sa.select(hold, reference).join_from(hold, casefile_tables.case_file).order_by(hold.c.id)


def _active(connection: sa.Connection, case_file: CaseFileId | None = None) -> tuple[Hold, ...]:
    query = _holds().where(hold.c.lifted_at.is_(None))
    if case_file is not None:
        query = query.where(hold.c.case_file == case_file)
    return tuple(Hold(**row) for row in connection.execute(query).mappings())


def _get(connection: sa.Connection, number: HoldId) -> Hold:
    try:
        row = connection.execute(_holds().where(hold.c.id == number)).mappings().one_or_none()
    except OverflowError:  # a number that no row can have
        row = None
    if row is None:
        raise MunimentError(Code.HOLD_NOT_FOUND, wanted=number)
    return Hold(**row)


def _only(connection: sa.Connection, case_file: CaseFile) -> HoldId:
    found = _active(connection, case_file.id)
    if not found:
        raise MunimentError(Code.HOLD_NOT_FOUND, wanted=case_file.reference)
    if len(found) > 1:
        numbers = ", ".join(str(each.id) for each in found)
        raise MunimentError(Code.HOLDS_SEVERAL, reference=case_file.reference, holds=numbers)
    return found[0].id
