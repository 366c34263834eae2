"""Rehearsing: a backup is worth what its restore is worth. The newest snapshot is restored into a scratch place and
tried there: its ledger verified and compared with the living one, its vault checked, a sample of its documents read.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import sqlalchemy as sa

from archive.backup.places import Place, open_place
from archive.backup.restoring import Progress, Restored, restore
from archive.backup.sealing import OBJECTS, Sealer
from archive.casefile.quarantining import FOLDER as QUARANTINE
from archive.casefile.quarantining import Quarantine
from archive.casefile.reading import CaseFiles
from archive.casefile.recording import Recording
from archive.causes import MISSING_OR_DAMAGED, Cause
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError, Spoken
from archive.evidence.sandbox import Sandbox
from archive.fixity.checking import Fixity
from archive.fixity.report import Report
from archive.founding import Founded, open_archive
from archive.keys.keyring import Keyring
from archive.keys.sealing import Randomness
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM, Actor
from archive.ledger.log import size
from archive.vault.port import Vault

_WIDTH = 200  # pixels of the pages that are drawn to try
_LISTED_APART = ("catalogue", "snapshots", "keys")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """``problems`` names, one a line, what is wrong; empty when a restore would be whole."""

    snapshot: str | None
    files: int
    documents: int
    size: int  # bytes
    entries: int  # of the ledger
    reads: int
    problems: tuple[Cause, ...]

    @property
    def whole(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Rehearsing:
    """``scratch`` is a folder beside the archive that is made and removed again."""

    catalogue: Catalogue
    vault: Vault
    keyring: Keyring
    sandbox: Sandbox
    recording: Recording
    scratch: Path
    randomness: Randomness

    def rehearse(
        self, actor: Actor, place: Place, *, reads: int = 20, progress: Progress = lambda _done, _total: None
    ) -> Rehearsal:
        """Recorded in the living ledger, whatever comes of it. A damaged object is set aside in the backup, so that
        the next run copies it anew from the vault.

        Raises MunimentError: BACKUP_MISSING, BACKUP_KEY_VERSION, KEY_WRONG, DISK_FULL; OSError.
        """
        _, sealer = open_place(place, self.keyring, self.randomness)
        with self.vault.held("backup"):  # a snapshot that is tried is not to be removed meanwhile
            problems = list(_damaged_parts(place, sealer))
            shutil.rmtree(self.scratch, ignore_errors=True)
            try:
                result = self._tried(place, reads, progress, problems)
            finally:
                shutil.rmtree(self.scratch, ignore_errors=True)
        with self.catalogue.unit(actor) as unit:
            unit.record(
                Act.REHEARSED,
                f"backup:{result.snapshot or '-'}",
                detail={
                    "files": result.files,
                    "documents_checked": result.documents,
                    "entries": result.entries,
                    "reads": result.reads,
                    "findings": len(result.problems),
                    "problem": "、".join(each.zh for each in result.problems[:20]),
                    "result": "whole" if result.whole else "damaged",
                },
            )
        return result

    def _tried(self, place: Place, reads: int, progress: Progress, problems: list[Cause]) -> Rehearsal:
        try:
            restored = restore(place, self.keyring, self.scratch, self.randomness, progress=progress)
        except MunimentError as error:
            if error.code not in (Code.BACKUP_DAMAGED, Code.ARCHIVE_DAMAGED):
                raise
            problems.append(_said(error))
            return Rehearsal(None, 0, 0, 0, 0, 0, tuple(dict.fromkeys(problems)))
        problems += [Cause(each, each) for each in restored.damaged]
        _set_aside(place, restored)
        founded = open_archive(self.scratch, self.keyring, self.catalogue.clock, self.randomness)
        try:
            return self._compared(founded, restored, reads, problems)
        finally:
            founded.catalogue.database.close()

    def _compared(self, founded: Founded, restored: Restored, reads: int, problems: list[Cause]) -> Rehearsal:
        case_files = CaseFiles(founded.catalogue, self.keyring, founded.vault)
        with founded.catalogue.reading() as connection:
            entries = size(connection)
        if not self._is_of_this_history(restored.checkpoint, entries):
            problems.append(
                Cause(
                    f"台账：第 {entries} 条处的检查点不属于这一历史",
                    f"ledger: the checkpoint over {entries} entries is not of this history",
                )
            )
        folder = self.scratch / QUARANTINE
        quarantine = Quarantine(folder, founded.quarantine_key, founded.catalogue, self.randomness)
        lost = [number for number, path in quarantine.kept() if path is None]
        problems += [_at(f"{QUARANTINE}/{number}", MISSING_OR_DAMAGED) for number in lost]
        recording = replace(self.recording, catalogue=founded.catalogue)
        fixity = Fixity(founded.catalogue, case_files, founded.vault, self.sandbox, recording)
        report = fixity.check(SYSTEM)
        problems += _findings(report)
        tried, failed = self._read(case_files, reads)
        problems += failed
        return Rehearsal(
            restored.snapshot,
            restored.files,
            restored.documents,
            restored.size,
            entries,
            tried,
            tuple(dict.fromkeys(problems)),
        )

    def _is_of_this_history(self, checkpoint: str | None, entries: int) -> bool:
        """The living archive made the same checkpoint when its ledger was as long."""
        query = sa.select(tables.checkpoint.c.note).where(tables.checkpoint.c.size == entries)
        with self.catalogue.reading() as connection:
            return connection.execute(query).scalar() == checkpoint

    def _read(self, case_files: CaseFiles, reads: int) -> tuple[int, list[Cause]]:
        """The first pages of documents of so many case files, one of each, drawn as a reader would see them."""
        files, chance = case_files.select(), Random(self.randomness(8))  # noqa: S311 - a sample
        chosen = chance.sample(files, min(reads, len(files)))
        failed = []
        for case_file in chosen:
            document = chance.choice(case_files.documents(case_file))
            try:
                stream, password = case_files.open_document(case_file, document.ordinal)
                with stream:
                    self.sandbox.page(stream, password, 1, _WIDTH, "")
            except MunimentError as error:
                failed.append(_sentence(error))
        return len(chosen), failed


def _damaged_parts(place: Place, sealer: Sealer) -> list[Cause]:
    """Every list, catalogue and key part, those of earlier snapshots too, read to its end."""
    found = []
    for below in _LISTED_APART:
        store = place.keys if below == "keys" else place.store
        for name in store.names(below):
            try:
                with store.open(name) as stream:
                    for _ in sealer.open(name, stream):
                        pass
            except MunimentError as error:
                if error.code is not Code.BACKUP_DAMAGED:
                    raise
                found.append(_said(error))
    return found


def _set_aside(place: Place, restored: Restored) -> None:
    for each in restored.damaged:
        name = each.partition(" ")[0]
        if name.startswith(f"{OBJECTS}/"):
            place.store.set_aside(name)


def _findings(report: Report) -> Sequence[Cause]:
    return [_at(each.name or each.reference, each.fault) for each in report.findings]


def _said(error: MunimentError) -> Cause:
    problem = error.facts.get("problem")
    return _at(str(error.facts.get("path", "")), problem) if isinstance(problem, Cause) else _sentence(error)


def _sentence(error: MunimentError) -> Cause:
    return Cause(error.say("zh"), error.say("en"))


def _at(name: str, what: Spoken) -> Cause:
    return Cause(f"{name}：{what.say('zh')}", f"{name}: {what.say('en')}")
