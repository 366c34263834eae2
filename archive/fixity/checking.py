"""Checking the catalogue and the vault: all of it, or the case files whose last check is longest ago. The report is
kept and recorded.

People go on working meanwhile. What looks wrong is therefore looked at again under the lock of its series, where no
filing is half done, before it is called a finding.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby

import sqlalchemy as sa

from archive.casefile import tables as casefile_tables
from archive.casefile.numbering import runs
from archive.casefile.reading import CaseFiles
from archive.casefile.recording import Recording
from archive.casefile.recovering import clear
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue
from archive.database.checking import damage
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Sandbox
from archive.fixity import tables
from archive.fixity.examining import Examiner
from archive.fixity.held import held, held_at
from archive.fixity.pace import Pace
from archive.fixity.recording import record
from archive.fixity.report import Fault, Finding, Report, Scope
from archive.keys.filekey import CaseFileId
from archive.ledger.entries import Actor
from archive.ledger.verifying import verify
from archive.vault.inventory import ROOT_DECLARATION, object_of
from archive.vault.port import Vault

Progress = Callable[[int, int], None]  # case files checked, of how many
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Fixity:
    """Safe to call from several threads and processes at once."""

    catalogue: Catalogue
    case_files: CaseFiles
    vault: Vault
    sandbox: Sandbox
    recording: Recording
    parallel: int = 2
    beside: Callable[[Scope], Iterable[Finding]] = lambda _: ()
    unjournalled: Callable[[], Collection[CaseFileId]] = frozenset  # whose key the key journal has not

    def check(
        self,
        actor: Actor,
        sample: int | None = None,
        *,
        pace: Pace | None = None,
        parallel: int | None = None,
        progress: Progress = lambda _done, _total: None,
    ) -> Report:
        """All of the vault, its numbers and its ledger; or ``sample`` case files and the numbers. Either way every
        page of the catalogue. ``parallel`` says how many workers of the sandbox it may keep from those who read.

        Raises MunimentError: SANDBOX_UNAVAILABLE, ARCHIVE_BUSY; ARCHIVE_DAMAGED where so much of the catalogue is
        damaged that nothing can be looked up, or written, there. Other damage raises nothing: it is what is reported.
        """
        started_at, pace = self.catalogue.clock(), pace or Pace(None)
        scope, ids = Scope.ALL if sample is None else Scope.SAMPLE, self._ids(sample)
        examiner = Examiner(self.vault, self.sandbox, self.case_files.file_key, pace, self.recording)
        findings = set(self._catalogue(pace, thorough=sample is None))
        damaged, checked, documents = bool(findings), 0, 0
        try:
            for count, found in self._examined(examiner, ids, parallel or self.parallel):
                checked, documents = checked + 1, documents + count
                findings |= set(found)
                progress(checked, len(ids))
            findings |= {*self._numbers(), *self.beside(scope)}
            if sample is None:
                findings |= {*self._outside(), *self._ledger(), *self._journal()}
        except MunimentError as error:
            if error.code is not Code.ARCHIVE_DAMAGED or not damaged:
                raise  # else it ends here: what was found is worth a report
        return record(
            self.catalogue,
            actor,
            ids[:checked],
            Report(
                number=0,
                scope=scope,
                actor=actor,
                started_at=started_at,
                ended_at=self.catalogue.clock(),
                files=checked,
                documents=documents,
                size=pace.size,
                findings=tuple(sorted(findings)),
            ),
        )

    def count(self, sample: int | None = None) -> int:
        """How many case files a check would read."""
        kept = self.case_files.count()
        return kept if sample is None else min(kept, sample)

    def _ids(self, sample: int | None) -> list[CaseFileId]:
        """In the order of the archive, or those whose last check is longest ago, never checked ones first."""
        columns, mark = casefile_tables.case_file.c, tables.mark.c
        query = sa.select(columns.id)
        if sample is None:
            query = query.order_by(columns.year, columns.level, columns.category, columns.number)
        else:
            query = (
                query.outerjoin(tables.mark, mark.case_file == columns.id)
                .order_by(mark.checked_at, columns.filed_at, columns.id)  # SQLite puts the unknown first
                .limit(sample)
            )
        with self.catalogue.reading() as connection:
            return [CaseFileId(each) for each in connection.execute(query).scalars()]

    def _examined(
        self, examiner: Examiner, ids: Sequence[CaseFileId], parallel: int
    ) -> Iterator[tuple[int, tuple[Finding, ...]]]:
        """How many documents each case file has, and what is wrong with it."""
        with ThreadPoolExecutor(parallel, thread_name_prefix="fixity") as pool:
            for start in range(0, len(ids), _BATCH):
                yield from pool.map(lambda each: self._one(examiner, each), ids[start : start + _BATCH])

    def _one(self, examiner: Examiner, case_file: CaseFileId) -> tuple[int, tuple[Finding, ...]]:
        with self.catalogue.reading() as connection:
            known = held(connection, case_file)
        if known is None:  # destroyed since
            return 0, ()
        findings = examiner.examine(known)
        if findings:
            examiner = replace(examiner, pace=Pace(None))  # a filing may wait for the lock
            reference = Reference.parse(known.reference)
            with self.vault.locked(str(reference.series)):
                self._clear(reference)
                with self.catalogue.reading() as connection:
                    known = held(connection, case_file)
                findings = () if known is None else examiner.examine(known)
        return 0 if known is None else len(known.documents), findings

    def _catalogue(self, pace: Pace, *, thorough: bool) -> Iterator[Finding]:
        """At one go: the pace is kept afterwards."""
        database = self.catalogue.database
        for said in damage(database, thorough=thorough):
            yield Finding(Fault.CATALOGUE_DAMAGED, "", f"{database.path.name}: {said}")
        pace.spend(database.path.stat().st_size)

    def _numbers(self) -> Iterator[Finding]:
        with self.catalogue.reading() as connection:
            found = runs(connection)
        for run in found:
            for number in run.missing:
                yield Finding(Fault.NUMBER_MISSING, str(Reference(run.series, number)), "")

    def _outside(self) -> Iterator[Finding]:
        """What lies in no folder of a case file that the catalogue knows, and the root's own declaration."""
        name, declaration = ROOT_DECLARATION
        try:
            with self.vault.open_path(name) as stream:
                if stream.read(len(declaration) + 1) != declaration:
                    yield Finding(Fault.INVENTORY_ALTERED, "", name)
        except (MunimentError, OSError):
            yield Finding(Fault.INVENTORY_MISSING, "", name)
        for folder, paths in groupby(self.vault.paths(), key=object_of):
            if folder is None:
                yield from (Finding.foreign("", path) for path in paths if path != name)
            elif not self._is_known(folder):
                yield from (Finding.foreign("", path) for path in paths)

    def _is_known(self, folder: str) -> bool:
        """Asked again under the lock: the object may be of a filing whose row is about to be written."""
        with self.catalogue.reading() as connection:
            if held_at(connection, folder) is not None:
                return True
        try:
            reference = Reference.parse(folder.rpartition("/")[2])
        except MunimentError:
            return False
        with self.vault.locked(str(reference.series)):
            if reference.folder == folder:
                self._clear(reference)
            with self.catalogue.reading() as connection:
                return held_at(connection, folder) is not None or not any(self.vault.paths(folder))

    def _clear(self, reference: Reference) -> None:
        """What another process left there that was killed since this one started is no damage. Where it is not sure
        that it was left so, it stays and is a finding.
        """
        with suppress(MunimentError):
            clear(self.catalogue, self.vault, reference)

    def _journal(self) -> Iterator[Finding]:
        for each in self.case_files.by_ids(tuple(self.unjournalled())):
            yield Finding(Fault.KEY_UNJOURNALLED, each.reference, "")

    def _ledger(self) -> Iterator[Finding]:
        try:
            with self.catalogue.reading() as connection:
                verify(connection, self.catalogue.ledger, self.case_files.file_key)
        except MunimentError as error:
            if error.code is Code.LEDGER_DAMAGED:
                yield Finding(Fault.LEDGER_DAMAGED, "", str(error.facts["index"]))
            elif error.code is not Code.ARCHIVE_DAMAGED:  # its pages were looked at one by one
                raise
