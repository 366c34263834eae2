"""Converting later: what was filed behind a cover becomes pages once its converter is installed.

The readable document is a new version beside the cover, as voiding does it; nothing is replaced, and the original rides
in both.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.amending import Amending, Amendment, Draft
from archive.casefile.documents import Document, place_of
from archive.casefile.filing import document_row
from archive.casefile.reading import CaseFile, CaseFiles, FileState
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.evidence.excerpts import Excerpt, windows
from archive.evidence.kinds import EvidenceKind
from archive.evidence.sandbox import Converted, Sandbox
from archive.ledger.acts import Act
from archive.ledger.entries import Actor


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document: pages, or it still waits, for the reason given if there is one."""

    document: str
    converted: bool
    refusal: MunimentError | None = None


@dataclass(frozen=True, slots=True)
class Converting:
    amending: Amending
    sandbox: Sandbox

    @property
    def case_files(self) -> CaseFiles:
        return self.amending.case_files

    def waiting(self) -> list[tuple[CaseFile, Document]]:
        """The documents that stand behind a cover, of files that are not void, newest filed first."""
        marked = sa.select(tables.document.c.case_file).where(tables.document.c.pending)
        return [
            (case_file, document)
            for case_file in self.case_files.select(marked)
            if case_file.state is FileState.FILED
            for document in self.case_files.documents(case_file)
            if document.pending
        ]

    def convert_all(self, actor: Actor) -> Iterator[Outcome]:
        """Document after document; one that is refused stops no other."""
        for case_file, document in self.waiting():
            try:
                yield Outcome(document.name, self._convert(actor, case_file.reference, document.ordinal))
            except MunimentError as error:
                yield Outcome(document.name, converted=False, refusal=error)

    def _convert(self, actor: Actor, reference: str, ordinal: int) -> bool:
        """Whether there are pages now. The conversion itself holds no lock: filing goes on beside it."""
        case_file = self.case_files.get(reference)
        document = self._waiting(case_file, ordinal)
        if document is None:
            return False
        with ExitStack() as opened:
            made = self._pages(case_file, document, opened)
            if made.pending:
                return False
            if made.original_sha256 != document.original_sha256:
                raise MunimentError(Code.DOCUMENT_ALTERED, document=document.name)
            with self.amending.vault.locked(str(Reference.parse(reference).series)):
                now = self.case_files.get(reference)
                if now.version != case_file.version or now.state is not FileState.FILED:
                    return False  # somebody else was quicker; the next run looks again
                self._add(actor, case_file, document, made)
        return True

    def _waiting(self, case_file: CaseFile, ordinal: int) -> Document | None:
        documents = self.case_files.documents(case_file)
        return next((each for each in documents if each.ordinal == ordinal and each.pending), None)

    def _pages(self, case_file: CaseFile, document: Document, opened: ExitStack) -> Converted:
        place = place_of(document.ordinal, case_file.version + 1)
        fresh = self.case_files.key_of(case_file).pdf_password(place)
        if document.stream is not None:
            return opened.enter_context(self._cover(case_file, document, document.stream.plain_size, fresh))
        stream, password = self.case_files.open_document(case_file, document.ordinal)
        opened.enter_context(stream)
        original = opened.enter_context(self.sandbox.original(stream, password))
        return opened.enter_context(self.sandbox.convert(original, document.name, fresh, patient=True))

    def _cover(self, case_file: CaseFile, document: Document, size: int, password: str) -> Converted:
        """The recording stays where it is; only what tells of it is looked at."""
        kind, sha256 = EvidenceKind(document.kind), document.original_sha256
        with (
            self.case_files.open_recording(case_file, document) as recording,
            Excerpt(size, windows(recording, size)) as excerpt,
        ):
            excerpt.pick(recording)
            return self.sandbox.cover(excerpt.descriptor, document.name, password, kind, size, sha256)

    def _add(self, actor: Actor, case_file: CaseFile, document: Document, made: Converted) -> None:
        key = self.case_files.key_of(case_file)
        title = self.case_files.titles(case_file)[document.ordinal]
        ordinal, name, version = document.ordinal, document.name, case_file.version + 1

        def converted(draft: Draft) -> Amendment:
            stored = draft.staging.put(name, made.pdf)
            return Amendment(
                "converted",
                Act.CONVERTED,
                detail={"documents": [name], "sha512": [stored.sha512.hex()]},
                documents=[
                    document_row(key, ordinal, version, name, title, made, draft.staging, document.stream)
                ],
            )

        self.amending.amend(actor, case_file, converted)
