"""Reading a case file: a page at a time, masked and watermarked, each recorded before it is shown (P14, P16).

The order is: may they, is the document as it was filed, draw, then one transaction that asks again whether
they may and writes the ledger; only when that is durable do bytes leave. What is refused is recorded too.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any, BinaryIO, Final, NoReturn, Protocol

import sqlalchemy as sa

from access import visibility
from access.granting import Grant, grant_of, granted
from access.person import Person
from access.visibility import KEEPERS
from archive.casefile import tables as casefile_tables
from archive.casefile.documents import Document
from archive.casefile.reading import CaseFile, CaseFiles
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.evidence import seams
from archive.evidence.masking import mask_text
from archive.evidence.recognised import RecognisedPage
from archive.evidence.seams import Seams
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, Detail
from archive.voucher.masking import masked

WIDEST: Final = 4000  # pixels
DESCRIPTION: Final = 0  # the "page" that stands for a file's masked voucher and the titles of its documents
RECORDING: Final = 0  # of any other document: that which stands for its recording
_ABSENT: Final = "absent"  # the subject of an attempt on a file that is not there


class Drawing(Protocol):
    """What viewing needs of the sandbox."""

    def page(
        self,
        pdf: BinaryIO,
        password: str,
        number: int,
        width: int,
        watermark: str,
        recognised: RecognisedPage | None = None,
        marks: Sequence[str] = (),
        around: Seams = seams.NONE,
    ) -> bytes:
        """A JPEG of page ``number`` (from 1), masked and watermarked; ``marks`` are words to be marked on it.
        ``around`` is what numbers may run over from.
        """
        ...


@dataclass(frozen=True, slots=True)
class DocumentDetails:
    ordinal: int
    name: str
    title: str  # the name it came with, masked
    kind: str
    pages: int
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class CaseFileDetails:
    """What somebody sees who opens a file. Phone numbers and the like are masked everywhere."""

    case_file: CaseFile
    voucher: Mapping[str, Any]  # the fields of voucher.json
    documents: tuple[DocumentDetails, ...]
    grant: Grant


class Viewing:
    """``keepers`` are the departments that know of every file."""

    def __init__(
        self,
        catalogue: Catalogue,
        case_files: CaseFiles,
        sandbox: Drawing,
        zone: tzinfo,
        keepers: frozenset[str] = KEEPERS,
    ) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._sandbox = sandbox
        self._zone = zone
        self._keepers = keepers

    def known(self, person: Person) -> sa.Select[Any]:
        """A SELECT of the ids of the case files this person may know of."""
        return visibility.known(person, self._keepers)

    def may_know(self, person: Person, case_file: CaseFile) -> bool:
        column = casefile_tables.case_file.c.id
        query = self.known(person).where(column == case_file.id)
        with self._catalogue.reading() as connection:
            return connection.execute(query).first() is not None

    def find(self, person: Person, reference: str) -> CaseFile:
        """The facts of a file, for those who may know of it; no look-up, so not recorded.

        Raises MunimentError: REFERENCE_INVALID, FILE_NOT_FOUND – the same for an absent file and an unknown
        one.
        """
        wanted = Reference.parse(reference)
        found = self._case_files.get(wanted)
        if not self.may_know(person, found):
            raise MunimentError(Code.FILE_NOT_FOUND, reference=str(wanted))
        return found

    def grant(self, person: Person, case_file: CaseFile) -> Grant | None:
        """Why this person may read the file now; none when they may not."""
        with self._catalogue.reading() as connection:
            return grant_of(connection, person, case_file.id, self._today(self._catalogue.clock()))

    def granted(self, person: Person) -> frozenset[CaseFileId]:
        """The case files that a request lets this person read now; not those that their role does."""
        with self._catalogue.reading() as connection:
            return granted(connection, person, self._today(self._catalogue.clock()))

    def page(
        self,
        person: Person,
        reference: str,
        ordinal: int,
        page: int,
        width: int,
        marks: Callable[[str], Sequence[str]] | None = None,
    ) -> bytes:
        """Page ``page`` (from 1) of a document as a JPEG ``width`` pixels wide (1 to 4000).

        ``marks`` chooses the words to be marked from the masked text of the page.

        Raises MunimentError: REFERENCE_INVALID, FILE_NOT_FOUND, ACCESS_DENIED, PAGE_NOT_FOUND,
        DOCUMENT_ALTERED, DOCUMENT_MISSING, and what drawing raises.
        """
        case_file, grant = self.admit(person, reference, ordinal, page)
        document = next((d for d in self._case_files.documents(case_file) if d.ordinal == ordinal), None)
        if document is None or not 1 <= page <= document.pages or not 1 <= width <= WIDEST:
            raise MunimentError(Code.PAGE_NOT_FOUND)
        read = self._case_files.recognised(case_file, ordinal, page).get((ordinal, page))
        words = marks(self._case_files.masked_page(case_file, ordinal, page)) if marks else ()
        around = self._case_files.around(case_file, ordinal, page)
        stream, password = self._case_files.open_document(case_file, ordinal)
        with stream:
            drawn = self._sandbox.page(
                stream, password, page, width, self._watermark(person, grant), read, words, around
            )
        self.record(person, case_file, ordinal, page)
        return drawn

    def details(self, person: Person, reference: str) -> CaseFileDetails:
        """Opening a file's description is a look-up like any page, recorded as page 0 of the voucher.

        Raises MunimentError: REFERENCE_INVALID, FILE_NOT_FOUND, ACCESS_DENIED.
        """
        case_file, grant = self.admit(person, reference, 0, DESCRIPTION)
        details = self._describe(case_file, grant)
        return replace(details, grant=self.record(person, case_file, 0, DESCRIPTION))

    def details_at_console(self, reference: str) -> CaseFileDetails:
        """For whoever holds the master key itself, and so could open the file unseen: recorded all the same.

        Raises MunimentError: REFERENCE_INVALID, FILE_NOT_FOUND.
        """
        case_file = self._case_files.get(reference)
        details = self._describe(case_file, Grant(None, None))
        with self._catalogue.unit(CONSOLE) as unit:
            detail: Detail = {"document": 0, "page": DESCRIPTION, "request": None}
            unit.record(Act.VIEWED, case_file.reference, detail=detail)
        return details

    def _describe(self, case_file: CaseFile, grant: Grant) -> CaseFileDetails:
        titles = self._case_files.titles(case_file)
        documents = tuple(
            _details(each, titles[each.ordinal]) for each in self._case_files.documents(case_file)
        )
        voucher = json.loads(self._case_files.voucher(case_file).decode("utf-8-sig"))
        return CaseFileDetails(case_file, masked(voucher), documents, grant)

    def admit(self, person: Person, reference: str, ordinal: int, page: int) -> tuple[CaseFile, Grant]:
        """Whether they may read it now, a refusal recorded. Raises as ``page``."""
        wanted = Reference.parse(reference)
        try:
            case_file = self._case_files.get(wanted)
        except MunimentError as error:
            if error.code is not Code.FILE_NOT_FOUND:
                raise
            # Recorded like an attempt on a file that is there: neither the answer nor its time tells them
            # apart.
            self.refuse(person, _ABSENT, ordinal, page, error, reference=str(wanted))
        grant = self.grant(person, case_file)
        if grant is None:
            self.refuse(person, case_file.reference, ordinal, page, self._refusal(person, case_file))
        return case_file, grant

    def _refusal(self, person: Person, case_file: CaseFile) -> MunimentError:
        if self.may_know(person, case_file):
            return MunimentError(Code.ACCESS_DENIED)
        return MunimentError(Code.FILE_NOT_FOUND, reference=case_file.reference)

    def refuse(
        self, person: Person, subject: str, ordinal: int, page: int, error: MunimentError, **more: str
    ) -> NoReturn:
        """Records that it was refused, and raises ``error``."""
        with self._catalogue.unit(person.actor) as unit:
            unit.record(
                Act.VIEW_REFUSED,
                subject,
                detail={"document": ordinal, "page": page, "refusal": error.code.value, **more},
            )
        raise error

    def record(self, person: Person, case_file: CaseFile, ordinal: int, page: int) -> Grant:
        """Asks again, under the write lock: a sign-off or a recall may have come while the page was drawn."""
        with self._catalogue.unit(person.actor) as unit:
            grant = grant_of(unit.connection, person, case_file.id, self._today(unit.at))
            act = Act.VIEW_REFUSED if grant is None else Act.VIEWED
            request = None if grant is None else grant.request
            unit.record(
                act, case_file.reference, detail={"document": ordinal, "page": page, "request": request}
            )
        if grant is None:
            raise MunimentError(Code.ACCESS_DENIED)
        return grant

    def _watermark(self, person: Person, grant: Grant) -> str:
        """Name, department, local time to the second, request number or role."""
        moment = self._catalogue.clock().astimezone(self._zone)
        by = grant.request or person.role.say("zh")
        return f"{person.name} {person.department} {moment:%Y-%m-%d %H:%M:%S} {by}"

    def _today(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()


def _details(document: Document, title: str) -> DocumentDetails:
    return DocumentDetails(
        document.ordinal, document.name, mask_text(title), document.kind, document.pages, document.whole_size
    )
