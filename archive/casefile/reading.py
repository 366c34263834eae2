"""Reading what was filed: the catalogue's rows, sealed texts, and documents checked before they are opened."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import chain, islice, pairwise
from typing import Any, BinaryIO, Protocol

import sqlalchemy as sa

from archive.casefile import tables, texts
from archive.casefile.documents import Content, Document, document_of, text_name
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue
from archive.errors import DOCUMENT_DAMAGED, Code, MunimentError
from archive.evidence import seams
from archive.evidence.recognised import RecognisedPage
from archive.evidence.seams import Seams, mask_page
from archive.evidence.texts import pages_of
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.sealing import BoxError
from archive.keys.streaming import open_anywhere, plain_size
from archive.lately import Lately
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM, Detail

Stamp = tuple[int, ...]  # what a disk says of a file without reading it
Proof = tuple[str, str, Stamp | None]  # path, SHA-512 that was found, and the stamp from before it was read


_Page = str | RecognisedPage


class FileState(StrEnum):
    FILED = "filed"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case file as the catalogue knows it. Nothing here is a customer's personal data."""

    id: CaseFileId
    reference: str
    year: int
    level: str
    category: str
    number: int
    state: FileState
    version: int  # of the OCFL object
    received_at: datetime
    filed_at: datetime
    filed_by: str  # an actor
    completed_on: date | None
    permanent: str | None
    voided_at: datetime | None
    channel: str
    store: str
    department: str
    script: str | None
    headcount: int

    @property
    def folder(self) -> str:
        """Its place in the vault."""
        return Reference.parse(self.reference).folder


class Vault(Protocol):
    """What reading needs of the vault."""

    def open(self, folder: str, version: int, name: str) -> BinaryIO:
        """A seekable stream of a file that version ``version`` brought. Raises DOCUMENT_MISSING."""

    def read(self, folder: str, version: int, name: str, start: int, count: int) -> bytes:
        """So many bytes of it from ``start`` on, fewer only at its end. Raises as ``open``."""

    def stamp(self, folder: str, version: int, name: str) -> Stamp | None:
        """What is known of it without reading it, which differs once it was written; none where reading the whole takes
        longer than anybody waits. Raises as ``open``.
        """

    def sha512(self, stream: BinaryIO) -> bytes:
        """Of the whole stream, which is rewound."""


def recognition_place(ordinal: int, version: int, page: int) -> str:
    """The place for which what was read in a page's picture is sealed."""
    return f"recognised:{ordinal}:{version}:{page}"


_COLUMNS = [column for column in tables.case_file.c if column.name not in ("voucher", "fingerprint")]

_OTHER = tables.document.alias().c  # once: to make one takes longer than to ask

_DOCUMENT_COLUMNS = [column for column in tables.document.c if column.name not in ("title", "text")]


class CaseFiles:
    """What is kept, for those who may read it: the caller asks for permission and records the look-up first."""

    def __init__(self, catalogue: Catalogue, keyring: Keyring, vault: Vault) -> None:
        self._catalogue = catalogue
        self._keyring = keyring
        self._vault = vault
        # Large files that were read to their end: a recording that is played is read whole once, not for each piece.
        self._proven: Lately[Proof] = Lately(catalogue.clock)

    def get(self, reference: str | Reference) -> CaseFile:
        """Raises MunimentError: REFERENCE_INVALID, FILE_NOT_FOUND."""
        wanted = reference if isinstance(reference, Reference) else Reference.parse(reference)
        query = sa.select(*_COLUMNS).where(tables.case_file.c.reference == str(wanted))
        with self._catalogue.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise MunimentError(Code.FILE_NOT_FOUND, reference=str(wanted))
        return _case_file(row)

    def select(self, query: sa.Select[Any] | None = None) -> list[CaseFile]:
        """The case files whose ids ``query`` selects (all without one), newest filed first."""
        rows = sa.select(*_COLUMNS).order_by(
            tables.case_file.c.filed_at.desc(), tables.case_file.c.reference.desc()
        )
        if query is not None:
            rows = rows.where(tables.case_file.c.id.in_(query))
        with self._catalogue.reading() as connection:
            return [_case_file(row) for row in connection.execute(rows)]

    def count(self) -> int:
        query = sa.select(sa.func.count()).select_from(tables.case_file)
        with self._catalogue.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def by_ids(self, ids: Sequence[CaseFileId]) -> list[CaseFile]:
        """In the order of ``ids``; unknown ones are left out."""
        with self._catalogue.reading() as connection:
            rows = connection.execute(sa.select(*_COLUMNS).where(tables.case_file.c.id.in_(ids)))
            found = {row.id: _case_file(row) for row in rows}
        return [found[each] for each in ids if each in found]

    def documents(self, case_file: CaseFile) -> tuple[Document, ...]:
        """The newest version of each document, voucher first."""
        return self._documents(case_file.id, case_file.version)

    def all_documents(self, case_file: CaseFile) -> tuple[Document, ...]:
        """Every version of every document, oldest version first, by ordinal within one."""
        with self._catalogue.reading() as connection:
            return all_documents(connection, case_file.id)

    def file_key(self, case_file: CaseFileId) -> FileKey | None:
        """None when the key was shredded."""
        query = sa.select(tables.file_key).where(tables.file_key.c.case_file == case_file)
        with self._catalogue.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return self._keyring.file_key(case_file, Wrapped(row.master_version, row.box))

    def key_of(self, case_file: CaseFile) -> FileKey:
        key = self.file_key(case_file.id)
        if key is None:
            raise MunimentError(Code.FILE_NOT_FOUND, reference=case_file.reference)
        return key

    def voucher(self, case_file: CaseFile) -> bytes:
        """voucher.json as it was given, byte for byte."""
        query = sa.select(tables.case_file.c.voucher).where(tables.case_file.c.id == case_file.id)
        with self._catalogue.reading() as connection:
            box = connection.execute(query).scalar_one()
        return self.key_of(case_file).unseal(box, "voucher")

    def titles(self, case_file: CaseFile) -> dict[int, str]:
        """The names the documents came with, by ordinal: a customer's words, not for names or logs."""
        key = self.key_of(case_file)
        opened = self._boxes(case_file, tables.document.c.title)
        return {each: key.unseal(box, f"title:{each}:{v}").decode() for each, (v, box) in opened.items()}

    def texts(self, case_file: CaseFile) -> dict[int, tuple[str, ...]]:
        """The text of each page, by ordinal: its own, or what was recognised in its picture."""
        ordinals = [each.ordinal for each in self.documents(case_file)]
        return {each: tuple(self.pages(case_file, each)) for each in ordinals}

    def pages(self, case_file: CaseFile, ordinal: int) -> Iterator[str]:
        """As ``texts``, of one document and page by page: a long text is never there twice."""
        for page in self._readings(case_file, ordinal):
            yield page if isinstance(page, str) else page.text

    def masked_pages(self, case_file: CaseFile, ordinal: int) -> Iterator[str]:
        """The same without what a reader must not see: each page's as its picture shows it (P14.4, P16)."""
        before: _Page = ""
        for page, after in pairwise(chain(self._readings(case_file, ordinal), ("",))):
            around = seams.between(_digits(before), _digits(after))
            yield _masked(page, around)
            before = page

    def masked_page(self, case_file: CaseFile, ordinal: int, page: int) -> str:
        """One of them (from 1), without the work that the others take; empty where there is none."""
        shown, around = self._near(case_file, ordinal, page)
        return _masked(shown, around)

    def around(self, case_file: CaseFile, ordinal: int, page: int) -> Seams:
        """What a number on page ``page`` (from 1) may run over from or to."""
        return self._near(case_file, ordinal, page)[1]

    def _near(self, case_file: CaseFile, ordinal: int, page: int) -> tuple[_Page, Seams]:
        first = max(page - 1, 1)
        near = dict(enumerate(islice(self._readings(case_file, ordinal, first), 3), start=first))
        around = seams.between(_digits(near.get(page - 1, "")), _digits(near.get(page + 1, "")))
        return near.get(page, ""), around

    def _readings(self, case_file: CaseFile, ordinal: int, first: int = 1) -> Iterator[_Page]:
        """From page ``first``: its own text, or what was recognised in it where it has none."""
        read = set(self._recognised_pages(case_file, ordinal))
        layer = enumerate(self._layer(case_file, ordinal), start=1)
        for number, text in islice(layer, first - 1, None):
            if text.strip() or number not in read:
                yield text
            else:
                yield self.recognised(case_file, ordinal, number).get((ordinal, number)) or text

    def _layer(self, case_file: CaseFile, ordinal: int) -> Iterator[str]:
        """The text that each page has of its own; empty where a page is a picture."""
        row = tables.document.c
        columns = [row.version, row.name, row.text, row.text_size]
        query = _newest(columns, case_file.id, case_file.version).where(row.ordinal == ordinal)
        with self._catalogue.reading() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            return
        version, document, box, size = found

        def fetch(start: int, count: int) -> bytes:
            return self._vault.read(case_file.folder, version, text_name(document), start, count)

        key = self.key_of(case_file)
        try:
            with texts.opened(key, ordinal, version, box, size, fetch) as text:
                yield from pages_of(text)
        except BoxError:
            if size is None:
                raise
            raise MunimentError(Code.DOCUMENT_ALTERED, document=text_name(document)) from None

    def _recognised_pages(self, case_file: CaseFile, ordinal: int) -> list[int]:
        """The pages in whose pictures something was read, in this version of the document or another."""
        row = tables.recognition.c
        query = sa.select(row.page).where(row.case_file == case_file.id, row.ordinal == ordinal)
        with self._catalogue.reading() as connection:
            return list(connection.execute(query).scalars())

    def recognised(
        self, case_file: CaseFile, ordinal: int | None = None, page: int | None = None
    ) -> dict[tuple[int, int], RecognisedPage]:
        """What was read in the pictures of the newest documents, by ordinal and page (from 1): all, or one's."""
        row = tables.recognition.c
        query = sa.select(row.ordinal, row.version, row.page, row.recognised).where(
            row.case_file == case_file.id
        )
        if ordinal is not None:
            query = query.where(row.ordinal == ordinal)
        if page is not None:
            query = query.where(row.page == page)
        with self._catalogue.reading() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return {}
        key, newest = self.key_of(case_file), {d.ordinal: d.version for d in self.documents(case_file)}
        return {
            (each.ordinal, each.page): RecognisedPage.from_bytes(
                key.unseal(each.recognised, recognition_place(each.ordinal, each.version, each.page))
            )
            for each in rows
            if newest.get(each.ordinal) == each.version
        }

    def unread(self, case_file: CaseFile) -> dict[int, tuple[int, ...]]:
        """The pages (from 1) of each document, by ordinal, that are pictures in which nothing was read yet."""
        pages = {each.ordinal: self._unread(case_file, each) for each in self.documents(case_file)}
        return {ordinal: numbers for ordinal, numbers in pages.items() if numbers}

    def _unread(self, case_file: CaseFile, document: Document) -> tuple[int, ...]:
        row = tables.recognition.c
        query = sa.select(row.page).where(
            row.case_file == case_file.id, row.ordinal == document.ordinal, row.version == document.version
        )
        with self._catalogue.reading() as connection:
            read = set(connection.execute(query).scalars())
        return tuple(number for number in self._wordless(case_file, document) if number not in read)

    def _wordless(self, case_file: CaseFile, document: Document) -> Iterator[int]:
        """The pages (from 1) without a text of their own; of what was filed before that was noted, by its text."""
        if document.wordless is not None:
            return texts.numbers(document.wordless)
        layer = enumerate(self._layer(case_file, document.ordinal), start=1)
        return (number for number, text in layer if not text.strip())

    def open_document(self, case_file: CaseFile, ordinal: int) -> tuple[BinaryIO, str]:
        """The encrypted PDF and its password, after its SHA-512 and HMAC were checked. Damage is recorded, in a unit
        of its own: the act that met it does not happen.

        Raises MunimentError: PAGE_NOT_FOUND, DOCUMENT_MISSING, DOCUMENT_ALTERED, DOCUMENT_UNREADABLE.
        """
        document = next((each for each in self.documents(case_file) if each.ordinal == ordinal), None)
        if document is None:
            raise MunimentError(Code.PAGE_NOT_FOUND)
        return self.open_version(case_file, document)

    def open_version(self, case_file: CaseFile, document: Document) -> tuple[BinaryIO, str]:
        """As ``open_document``, in any version. Raises MunimentError: DOCUMENT_MISSING, DOCUMENT_ALTERED."""
        key = self.key_of(case_file)
        with self._damage_recorded(case_file, document):
            stream = self._open_checked(case_file, document.content, key)
        return stream, key.pdf_password(document.content.bound_to)

    def check(self, case_file: CaseFile) -> None:
        """That all of it is there as it was filed, every recording too. Raises as ``open_document``."""
        key = self.key_of(case_file)
        for document in self.documents(case_file):
            for content in document.contents:
                with self._damage_recorded(case_file, document):
                    self._open_checked(case_file, content, key).close()

    def open_recording(self, case_file: CaseFile, document: Document) -> BinaryIO:
        """The original that lies beside a document, to be read from anywhere. First its HMAC is checked, and on a disk,
        unless that was done lately, the SHA-512 of the whole; from a service, that it ends where it should. Then each
        piece is proved before it is given. Damage is recorded, also while it is read.

        Raises MunimentError, as its ``read`` does: DOCUMENT_MISSING, DOCUMENT_ALTERED, DOCUMENT_UNREADABLE.
        """
        key, content, folder = self.key_of(case_file), document.stream_content, case_file.folder
        if content is None or document.stream is None:
            raise MunimentError(Code.PAGE_NOT_FOUND)

        def fetch(start: int, count: int) -> bytes:
            return self._vault.read(folder, content.version, content.name, start, count)

        with self._damage_recorded(case_file, document):
            if plain_size(content.size) != document.stream.plain_size:
                raise BoxError("the catalogue contradicts itself")
            if not content.vouched(key):
                raise MunimentError(Code.DOCUMENT_ALTERED, document=content.name)
            opened = open_anywhere(key.stream_key(content.bound_to), fetch, content.size, content.bound_to)
            self._prove(case_file, content, key, opened)
        return io.BufferedReader(_Watched(opened, lambda: self._damage_recorded(case_file, document)))

    @contextmanager
    def _damage_recorded(self, case_file: CaseFile, document: Document) -> Iterator[None]:
        """Damage that shows inside the block is recorded, in a unit of its own, and said as a refusal."""
        try:
            try:
                yield
            except BoxError:
                raise MunimentError(Code.DOCUMENT_ALTERED, document=document.name) from None
        except MunimentError as error:
            if error.code in DOCUMENT_DAMAGED:
                with self._catalogue.unit(SYSTEM) as unit:
                    detail: Detail = {"document": document.ordinal, "problem": error.code.value}
                    unit.record(Act.DAMAGE_FOUND, case_file.reference, detail=detail)
            raise

    def _prove(self, case_file: CaseFile, content: Content, key: FileKey, opened: BinaryIO) -> None:
        """Raises MunimentError: DOCUMENT_ALTERED, DOCUMENT_MISSING; BoxError."""
        folder = case_file.folder
        stamp = self._vault.stamp(folder, content.version, content.name)
        proof = (f"{folder}/{content.path}", content.sha512, stamp)
        if self._proven.knows(proof):
            return
        if stamp is None:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - 1))
            opened.read(1)
            opened.seek(0)
        else:
            self._open_checked(case_file, content, key).close()
        self._proven.add(proof)

    def _open_checked(self, case_file: CaseFile, content: Content, key: FileKey) -> BinaryIO:
        stream = self._vault.open(case_file.folder, content.version, content.name)
        if not content.authentic(key, self._vault.sha512(stream)):
            stream.close()
            raise MunimentError(Code.DOCUMENT_ALTERED, document=content.name)
        return stream

    def _documents(self, case_file: CaseFileId, version: int) -> tuple[Document, ...]:
        with self._catalogue.reading() as connection:
            rows = connection.execute(_newest(_DOCUMENT_COLUMNS, case_file, version)).all()
        return tuple(document_of(row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's public name

    def _boxes(self, case_file: CaseFile, column: sa.Column[Any]) -> dict[int, tuple[int, bytes]]:
        columns = [tables.document.c.ordinal, tables.document.c.version, column]
        with self._catalogue.reading() as connection:
            rows = connection.execute(_newest(columns, case_file.id, case_file.version)).all()
        return {row[0]: (row[1], row[2]) for row in rows}


def _digits(page: _Page) -> str:
    return page if isinstance(page, str) else page.digits


def _masked(page: _Page, around: Seams) -> str:
    return mask_page(page, around) if isinstance(page, str) else page.masked(around)


def all_documents(connection: sa.Connection, case_file: CaseFileId) -> tuple[Document, ...]:
    """Every version of every document, oldest version first, by ordinal within one."""
    query = (
        sa.select(*_DOCUMENT_COLUMNS)
        .where(tables.document.c.case_file == case_file)
        .order_by(tables.document.c.version, tables.document.c.ordinal)
    )
    return tuple(document_of(row) for row in connection.execute(query).mappings())


def _newest(columns: Iterable[sa.Column[Any]], case_file: CaseFileId, version: int) -> sa.Select[Any]:
    newest = (
        sa.select(sa.func.max(_OTHER.version))
        .where(
            _OTHER.case_file == tables.document.c.case_file,
            _OTHER.ordinal == tables.document.c.ordinal,
            _OTHER.version <= version,
        )
        .scalar_subquery()
    )
    return (
        sa.select(*columns)
        .where(tables.document.c.case_file == case_file, tables.document.c.version == newest)
        .order_by(tables.document.c.ordinal)
    )


class _Watched(io.RawIOBase):
    """A recording as it is read; ``watch`` is around every read."""

    def __init__(self, opened: io.BufferedReader, watch: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._opened = opened
        self._watch = watch

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._opened.seek(offset, whence)

    def tell(self) -> int:
        return self._opened.tell()

    def readinto(self, into: "bytearray | memoryview") -> int:  # type: ignore[override]
        with self._watch():
            return self._opened.readinto(into)


def _case_file(row: Any) -> CaseFile:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return CaseFile(**{**values, "state": FileState(values["state"])})
