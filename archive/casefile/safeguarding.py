"""Safeguarding: what an older archive lacks so that vault, master key and key journal alone bring its catalogue back.

The journal is made whole from the catalogue, and every case file that has no sealed record, or a stale one, gets one
as a new version of its object.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.amending import Amending, Amendment
from archive.casefile.reading import CaseFile
from archive.casefile.record import unseal
from archive.casefile.recording import unrecorded
from archive.casefile.reference import Reference
from archive.errors import DOCUMENT_DAMAGED, Code, Exit, MunimentError, refusal_of
from archive.journalling import Journalling
from archive.keys.sealing import BoxError
from archive.ledger.acts import Act
from archive.ledger.entries import Actor


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the case file was given a record now; why not, where it needs one."""

    reference: str
    recorded: bool
    refusal: MunimentError | None = None


@dataclass(frozen=True, slots=True)
class Safeguarding:
    amending: Amending
    journalling: Journalling

    def journal(self) -> int:
        """How many keys the journal had missed."""
        return self.journalling.renew()

    def unrecorded(self) -> int:
        """How many case files were filed before there were records, and have none."""
        with self.amending.catalogue.reading() as connection:
            query = sa.select(sa.func.count()).select_from(unrecorded().subquery())
            return int(connection.execute(query).scalar_one())

    def record_all(self, actor: Actor) -> Iterator[Outcome]:
        """Case file after case file, oldest series first."""
        order = (tables.case_file.c.year, tables.case_file.c.level, tables.case_file.c.category)
        query = sa.select(tables.case_file.c.reference).order_by(*order, tables.case_file.c.number)
        with self.amending.catalogue.reading() as connection:
            references = connection.execute(query).scalars().all()
        yield from self.record(actor, references)

    def record(self, actor: Actor, references: Iterable[str]) -> Iterator[Outcome]:
        """Those case files; one that is damaged stops no other."""
        for each in references:
            try:
                yield Outcome(each, self._record(actor, Reference.parse(each)))
            except (MunimentError, OSError) as error:
                refusal = refusal_of(error) or MunimentError(
                    Code.DOCUMENT_UNREADABLE, document=each, problem="?"
                )
                if refusal.meaning.exit is Exit.UNAVAILABLE:
                    raise refusal from None
                yield Outcome(each, recorded=False, refusal=refusal)

    def _record(self, actor: Actor, reference: Reference) -> bool:
        case_files = self.amending.case_files
        if self._is_good(case_files.get(reference)):
            return False
        with self.amending.vault.locked(str(reference.series)):
            case_file = case_files.get(reference)
            if self._is_good(case_file):  # somebody amended it meanwhile
                return False
            self.amending.amend(actor, case_file, lambda _: Amendment("recorded", Act.RECORDED))
        return True

    def _is_good(self, case_file: CaseFile) -> bool:
        """Whether the newest version has a record that says what the catalogue says."""
        reference, recording = Reference.parse(case_file.reference), self.amending.recording
        key = self.amending.case_files.key_of(case_file)
        try:
            with self.amending.vault.open(reference.folder, case_file.version, reference.record) as stream:
                record = unseal(stream.read(), key, case_file.version, recording.others)
        except (BoxError, ValueError):
            return False
        except MunimentError as error:
            if error.code not in DOCUMENT_DAMAGED:
                raise
            return False
        now = recording.of(case_file.id)
        return now is not None and record.agrees_with(now)
