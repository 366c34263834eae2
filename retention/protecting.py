"""Protecting: the vault is asked to keep what the catalogue says must be kept (S3 Object Lock, where it is used).

A file is locked until it is due, a permanent one until the end of next year, which is renewed each January, one under a
hold besides and without an end. Each change of a file locks what it brings before its commit, and takes a hold off
after it: too long a lock is harmless. What a crash or a move leaves otherwise, ``settle`` sets right, once a day.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

import sqlalchemy as sa

from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
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
    """Case files: how many there are, how many were not locked as they must be, which of these still are not. Beside
    these, how many are locked for as long as they must be, but in a weaker mode that the service lets no stronger one
    replace: nothing is to be done about them but to wait.
    """

    files: int
    wrong: int
    left: tuple[str, ...]  # references
    weaker: int = 0


@dataclass(frozen=True, slots=True)
class Protecting:
    catalogue: Catalogue
    case_files: CaseFiles
    vault: Vault
    schedule: Schedule

    @contextmanager
    def around(self, case_file: CaseFile, act: Act) -> Iterator[None]:
        """Around the commit of ``act``, after which the file is as ``case_file`` says. What cannot be taken off after
        it is taken off later.

        Raises VAULT_UNREACHABLE, VAULT_REFUSED.
        """
        if not self.vault.protecting:
            yield
            return
        with self.vault.held(_LOCK):
            settled = False
            try:
                self._protect(case_file, held=act is Act.HELD)
                yield
                settled = act is not Act.HOLD_LIFTED
            finally:
                if not settled:
                    self._follow(case_file.reference)

    def _follow(self, reference: str) -> None:
        try:
            self._protect(self.case_files.get(reference))
        except MunimentError as error:
            logging.getLogger("muniment").warning("protection waits for the vault: %s", error.code)

    def settle(self, actor: Actor, progress: Progress = lambda _done, _total: None) -> Settled:
        """Everything as it must be; recorded. One file whose locks are refused is left, and keeps no other from its
        own. Raises VAULT_UNREACHABLE, VAULT_REFUSED.
        """
        wrong, left, weaker = 0, [], 0
        files = self.case_files.select() if self.vault.protecting else []
        for done, case_file in enumerate(files, start=1):
            if not self.is_protected(case_file):
                # Once one of them stayed as it was, the others would too.
                if not (weaker and self.is_protected(case_file, weakly=True)):
                    self._settle(case_file)
                if self.is_protected(case_file):
                    wrong += 1
                elif self.is_protected(case_file, weakly=True):
                    weaker += 1
                else:
                    wrong += 1
                    left.append(case_file.reference)
            progress(done, len(files))
        settled = Settled(len(files), wrong, tuple(left), weaker)
        with self.catalogue.unit(actor) as unit:
            detail: Detail = {
                "files": settled.files,
                "findings": wrong,
                "documents": list(settled.left[:100]),
                **({"weaker": weaker} if weaker else {}),
            }
            unit.record(Act.VAULT_PROTECTED, "vault", detail=detail)
        return settled

    def is_protected(self, case_file: CaseFile, *, weakly: bool = False) -> bool:
        """``weakly``: in a weaker mode than is wanted by now, too."""
        return self.vault.protects(case_file.folder, self._wanted(case_file), weakly=weakly)

    def _settle(self, case_file: CaseFile) -> None:
        try:
            with self.vault.held(_LOCK):
                self._protect(self.case_files.get(case_file.reference))
        except MunimentError as error:
            if error.code is not Code.VAULT_REFUSED:
                raise

    def _protect(self, case_file: CaseFile, *, held: bool = False) -> None:
        wanted = self._wanted(case_file)
        self.vault.protect(case_file.folder, replace(wanted, held=wanted.held or held))

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
