"""Protecting: the vault is asked to keep what the catalogue says must be kept (S3 Object Lock, where it is used).

A file is locked until it is due, a permanent one until the end of next year, which is renewed each January, one under a
hold besides and without an end. Locks are set before the commit and taken off after it: too long a lock is harmless.
What a crash, a void, a later version or a move leaves otherwise, ``settle`` sets right, once a day.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

import sqlalchemy as sa

from archive.casefile.reading import CaseFile, CaseFiles
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue
from archive.errors import MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Detail
from archive.vault.port import Vault
from archive.vault.protection import Protection
from retention.schedule import Schedule
from retention.tables import hold

Progress = Callable[[int, int], None]  # case files looked at, of how many
_LOCK = "protection"  # a change of holds and what follows from it are one thing


@dataclass(frozen=True, slots=True)
class Settled:
    """Case files: how many there are, how many were not locked as they must be, how many of these still are not."""

    files: int
    wrong: int
    left: tuple[str, ...]  # references


@dataclass(frozen=True, slots=True)
class Protecting:
    catalogue: Catalogue
    case_files: CaseFiles
    vault: Vault
    schedule: Schedule

    def protect(self, case_file: CaseFile) -> None:
        """As ``case_file`` says, which may not be committed yet. Raises VAULT_UNREACHABLE, VAULT_REFUSED."""
        if self.vault.protecting:
            with self.vault.held(_LOCK):
                self._protect(case_file)

    @contextmanager
    def changing(self, case_file: CaseFile, *, held: bool = False) -> Iterator[None]:
        """Around a change of its holds: ``held`` when one is placed. What cannot be taken off now is so later."""
        if not self.vault.protecting:
            yield
            return
        with self.vault.held(_LOCK):
            settled = False
            try:
                if held:
                    self._protect(case_file, held=True)
                yield
                settled = held
            finally:
                if not settled:
                    self._follow(case_file)

    def _follow(self, case_file: CaseFile) -> None:
        try:
            self._protect(case_file)
        except MunimentError as error:
            logging.getLogger("muniment").warning("protection waits for the vault: %s", error.code)

    def settle(self, actor: Actor, progress: Progress = lambda _done, _total: None) -> Settled:
        """Everything as it must be; recorded. Raises VAULT_UNREACHABLE, VAULT_REFUSED."""
        wrong, left = 0, []
        files = self.case_files.select() if self.vault.protecting else []
        for done, case_file in enumerate(files, start=1):
            if not self.is_protected(case_file):
                wrong += 1
                self._settle(case_file)
                if not self.is_protected(case_file):
                    left.append(case_file.reference)
            progress(done, len(files))
        settled = Settled(len(files), wrong, tuple(left))
        with self.catalogue.unit(actor) as unit:
            detail: Detail = {
                "files": settled.files,
                "findings": wrong,
                "documents": list(settled.left[:100]),
            }
            unit.record(Act.VAULT_PROTECTED, "vault", detail=detail)
        return settled

    def is_protected(self, case_file: CaseFile) -> bool:
        return self.vault.protects(_folder(case_file), self._wanted(case_file))

    def _settle(self, case_file: CaseFile) -> None:
        with self.vault.held(_LOCK):
            self._protect(self.case_files.get(case_file.reference))

    def _protect(self, case_file: CaseFile, *, held: bool = False) -> None:
        wanted = self._wanted(case_file)
        self.vault.protect(_folder(case_file), replace(wanted, held=wanted.held or held))

    def _wanted(self, case_file: CaseFile) -> Protection:
        query = sa.select(hold.c.id).where(hold.c.case_file == case_file.id, hold.c.lifted_at.is_(None))
        with self.catalogue.reading() as connection:
            held = connection.execute(query).first() is not None
        return Protection(self._until(case_file), held)

    def _until(self, case_file: CaseFile) -> datetime | None:
        if case_file.permanent is not None:
            return datetime(self.catalogue.clock().year + 2, 1, 1, tzinfo=UTC)
        due_on = self.schedule.due_on(case_file)
        return None if due_on is None else datetime.combine(due_on, time(), self.schedule.zone)


def _folder(case_file: CaseFile) -> str:
    return Reference.parse(case_file.reference).folder
