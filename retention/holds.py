"""Holds: an order not to dispose of a file, whatever its due date says, until it is lifted.

A file may be under several holds at once (two proceedings, say), and each is lifted for itself. What is
lifted stays in the catalogue. The ledger seals the reasons under the case file's key.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NewType

import sqlalchemy as sa

from archive.casefile import tables as casefile_tables
from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.reasons import reason_of
from retention.protecting import Protecting
from retention.tables import hold

HoldId = NewType("HoldId", int)


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

    def __init__(
        self, catalogue: Catalogue, case_files: CaseFiles, protecting: Protecting | None = None
    ) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._protecting = protecting

    def place(self, actor: Actor, reference: str, reason: str) -> Hold:
        """Any file may be held: due or not, void, permanent. The same reason twice is refused.

        Raises MunimentError: REASON_MISSING, REASON_UNFIT, REFERENCE_INVALID, FILE_NOT_FOUND, ALREADY_HELD.
        """
        words = reason_of(reason)
        case_file = self._case_files.get(reference)
        key = self._case_files.key_of(case_file)
        with self._changing(case_file, held=True), self._catalogue.unit(actor) as unit:
            for each in _active(unit.connection, case_file.id):
                if each.reason == words:
                    raise MunimentError(Code.ALREADY_HELD, reference=case_file.reference, hold=each.id)
            row = hold.insert().values(
                case_file=case_file.id, reason=words, placed_by=actor, placed_at=unit.at
            )
            number = HoldId(unit.connection.execute(row.returning(hold.c.id)).scalar_one())
            unit.record(Act.HELD, case_file.reference, detail={"hold": number, "reason": words}, key=key)
            return _get(unit.connection, number)

    def lift(self, actor: Actor, which: str | HoldId, reason: str) -> Hold:
        """``which`` is the hold's id, or a reference code when the file has one active hold.

        Raises MunimentError: REASON_MISSING, REASON_UNFIT, REFERENCE_INVALID, FILE_NOT_FOUND, HOLD_NOT_FOUND,
        HOLDS_SEVERAL, ALREADY_LIFTED.
        """
        words = reason_of(reason)
        case_file = self._file_of(which)
        key = self._case_files.key_of(case_file)
        with self._changing(case_file), self._catalogue.unit(actor) as unit:
            number = _only(unit.connection, case_file) if isinstance(which, str) else which
            lifted = unit.connection.execute(
                sa.update(hold)
                .where(hold.c.id == number, hold.c.lifted_at.is_(None))
                .values(lifted_by=actor, lifted_at=unit.at, lift_reason=words)
            )
            if lifted.rowcount != 1:
                raise MunimentError(Code.ALREADY_LIFTED, hold=number)
            unit.record(
                Act.HOLD_LIFTED, case_file.reference, detail={"hold": number, "reason": words}, key=key
            )
            return _get(unit.connection, number)

    def _changing(self, case_file: CaseFile, *, held: bool = False) -> AbstractContextManager[None]:
        """The vault follows: what is held is so there before the commit, and no longer after it."""
        return self._protecting.changing(case_file, held=held) if self._protecting else nullcontext()

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

    def _file_of(self, which: str | HoldId) -> CaseFile:
        if isinstance(which, str):
            return self._case_files.get(which)
        with self._catalogue.reading() as connection:
            return self._case_files.get(_get(connection, which).reference)


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
