"""Hearing and watching recordings (P14): by those alone who may, and recorded before the first byte is given.

Nothing in a recording can be masked, so a request that was granted opens the pages of a file and not its recordings:
those are for the roles that may hear them. A browser asks for a recording bit by bit. What is recorded is each opening
of it, by the mark that the page with the player gave out: the first bit that is asked for under a mark is an entry in
the ledger, those after it are part of the same look. A mark that is old, or unknown after a restart, is a new opening,
and so is each request without one.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from access.permissions import Permission, may
from access.person import Person
from access.viewing import RECORDING, Viewing
from archive.casefile.documents import Document
from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Clock
from archive.errors import Code, MunimentError
from archive.evidence.kinds import EvidenceKind, Family
from archive.lately import Lately

_LONGEST_MARK: Final = 40

Opening = tuple[str, str, int, str]  # person, reference, ordinal, mark


class Originals(Protocol):
    """What playing needs of the sandbox."""

    def original(self, pdf: BinaryIO, password: str) -> BinaryIO:
        """The original that rides in a PDF."""
        ...


@dataclass(frozen=True, slots=True)
class Recording:
    """``stream`` can be read from anywhere; the caller closes it. ``version`` differs for what differs."""

    kind: EvidenceKind
    size: int  # bytes
    version: str
    stream: BinaryIO


class Playing:
    def __init__(self, viewing: Viewing, case_files: CaseFiles, sandbox: Originals, clock: Clock) -> None:
        self._viewing = viewing
        self._case_files = case_files
        self._sandbox = sandbox
        self._recorded: Lately[Opening] = Lately(clock)

    def open(self, person: Person, reference: str, ordinal: int, mark: str) -> Recording:
        """Raises MunimentError: REFERENCE_INVALID, FILE_NOT_FOUND, ACCESS_DENIED, RECORDING_CLOSED, PAGE_NOT_FOUND,
        DOCUMENT_ALTERED, DOCUMENT_MISSING, and what the sandbox raises.
        """
        case_file, _ = self._viewing.admit(person, reference, ordinal, RECORDING)
        if not may(person, Permission.HEAR):
            error = MunimentError(Code.RECORDING_CLOSED)
            self._viewing.refuse(person, case_file.reference, ordinal, RECORDING, error)
        document = next((d for d in self._case_files.documents(case_file) if d.ordinal == ordinal), None)
        if document is None or not is_recording(document.kind):
            raise MunimentError(Code.PAGE_NOT_FOUND)
        stream, size = self._opened(case_file, document)
        try:
            self._record(person, case_file, ordinal, mark)
        except BaseException:
            stream.close()
            raise
        return Recording(EvidenceKind(document.kind), size, document.original_sha256, stream)

    def _opened(self, case_file: CaseFile, document: Document) -> tuple[BinaryIO, int]:
        if document.stream is not None:
            return self._case_files.open_recording(case_file, document), document.stream.plain_size
        pdf, password = self._case_files.open_document(case_file, document.ordinal)
        with pdf:
            stream = self._sandbox.original(pdf, password)
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        return stream, size

    def _record(self, person: Person, case_file: CaseFile, ordinal: int, mark: str) -> None:
        opening = (person.number, case_file.reference, ordinal, mark[:_LONGEST_MARK])
        if mark and self._recorded.knows(opening):
            return
        self._viewing.record(person, case_file, ordinal, RECORDING)
        if mark:
            self._recorded.add(opening)


def is_recording(kind: str) -> bool:
    return EvidenceKind(kind).family in (Family.SOUND, Family.FILM)
