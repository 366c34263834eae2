"""Filing a case file: bytes in, encrypted PDFs under the naming rule out, all of it or nothing (P9, P12, P13.2).

Evidence is converted and sealed before a number is taken. Then, under the lock of the series, the next number is
read, the voucher printed with it, the object placed in the vault, and one transaction writes catalogue and ledger.
A number therefore exists if and only if that transaction committed: a crash before it leaves at most an object at
the next number, and a staging folder that names it, for the next filing of the series to clear away.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from archive.casefile import tables, texts
from archive.casefile.documents import Stream, place_of, stream_columns, stream_name, stream_place
from archive.casefile.numbering import last_number
from archive.casefile.passing import Beside
from archive.casefile.reading import CaseFiles, FileState
from archive.casefile.receiving import Receiving
from archive.casefile.record import Record
from archive.casefile.recording import Recording
from archive.casefile.recovering import make_way, undo
from archive.casefile.reference import Reference, Series
from archive.casefile.sources import Source, refuse_all
from archive.database.catalogue import Catalogue, Unit
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Converted
from archive.journalling import Journalling
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.sealing import Randomness
from archive.keys.versions import wrapping_version
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.scheme.scheme import Category, Level, Scheme
from archive.vault.inventory import Change
from archive.vault.port import Vault
from archive.vault.staging import Staging
from archive.voucher.fields import Voucher, parse
from archive.voucher.problems import Fault, Problem, Problems
from archive.voucher.sheet import Kept, sheet

DueDate = Callable[[date | None, int], date | None]


@dataclass(frozen=True, slots=True)
class Submission:
    """What is handed in to be filed."""

    level: str
    category: str
    completed_on: date | None
    permanent: str | None  # the ground on which it is kept for ever
    voucher: bytes  # voucher.json
    evidence: tuple[Source, ...] = ()
    fingerprint: str | None = None  # set by an import, so that the same folder is never filed twice


@dataclass(frozen=True, slots=True)
class Filed:
    reference: str
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A submission whose parts are known to be good; its number is still open."""

    id: CaseFileId
    key: FileKey
    level: Level
    category: Category
    series: Series
    voucher: Voucher
    submission: Submission
    evidence: tuple[Converted, ...]


class Filing:
    """Files submissions. Safe to call from several threads and processes at once."""

    def __init__(
        self,
        catalogue: Catalogue,
        keyring: Keyring,
        vault: Vault,
        receiving: Receiving,
        scheme: Scheme,
        case_files: CaseFiles,
        journalling: Journalling,
        recording: Recording,
        *,
        due_date: DueDate,
        zone: tzinfo,
        randomness: Randomness,
    ) -> None:
        self._catalogue = catalogue
        self._keyring = keyring
        self._vault = vault
        self._receiving = receiving
        self._scheme = scheme
        self._case_files = case_files
        self._journalling = journalling
        self._recording = recording
        self._due_date = due_date
        self.zone = zone
        self._randomness = randomness

    def file(self, actor: Actor, submission: Submission) -> Filed:
        """Raises MunimentError; when several pieces of evidence are refused, one error names each of them."""
        with self._vault.staging() as staging, ExitStack() as opened:
            prepared = self._prepare(actor, submission, staging, opened)
            self._journalling.keep(prepared.key)
            for ordinal, converted in enumerate(prepared.evidence, start=1):
                staging.put(_provisional(ordinal), converted.pdf)
            with self._vault.locked(str(prepared.series)):
                return self._file_next(actor, prepared, staging, opened)

    def check_size(self, source: Source) -> None:
        """Raises EVIDENCE_TOO_LARGE for what is not worth reading."""
        self._receiving.check_size(source.name, source.size())

    def check_evidence(self, actor: Actor, source: Source) -> Converted:
        """Converts one piece of evidence and files nothing; the caller closes the result."""
        return self._receiving.receive(actor, source, "0" * 32)

    def sheet(
        self,
        reference: Reference,
        voucher: Voucher,
        completed_on: date | None,
        permanent: str | None,
        filed_at: datetime,
        kept: Sequence[Kept],
    ) -> dict[str, object]:
        """What the printed voucher of this file shows."""
        level = self._scheme.level(reference.series.level)
        due = None if permanent else self._due_date(completed_on, level.retention_years)
        return sheet(
            voucher,
            reference=str(reference),
            level=f"{level.name} · {level.title.zh}",
            category=reference.series.category,
            completed_on=completed_on,
            period="永久" if permanent else f"{level.retention_years} 年",
            due=due,
            filed_at=filed_at.astimezone(self.zone),
            evidence=kept,
        )

    def _prepare(
        self, actor: Actor, submission: Submission, staging: Staging, opened: ExitStack
    ) -> _Prepared:
        level = self._scheme.level(submission.level)
        category = self._scheme.category(submission.category)
        self._scheme.check_permanent(level, submission.permanent)
        voucher = parse(submission.voucher)
        received = voucher.received_at.astimezone(self.zone)
        self._check_receipt(received.date())
        self._check_completion(submission.completed_on, received.date())
        identifier = CaseFileId(str(UUID(bytes=self._randomness(16), version=4)))
        key = FileKey.make(identifier, self._randomness)
        evidence = self._convert(actor, submission.evidence, key, staging, opened)
        series = Series(received.year, level.name, category.name)
        return _Prepared(identifier, key, level, category, series, voucher, submission, evidence)

    def _check_receipt(self, received_on: date) -> None:
        """A complaint of a day to come would open a series of a year to come."""
        if received_on > self._catalogue.clock().astimezone(self.zone).date():
            problem = Problem(
                Fault.DATE,
                "received_at",
                "“受理时间”晚于今天，请核对",
                "“time received” lies after today: check it",
            )
            raise MunimentError(Code.VOUCHER_INVALID, problems=Problems((problem,)))

    def _check_completion(self, completed_on: date | None, received_on: date) -> None:
        today = self._catalogue.clock().astimezone(self.zone).date()
        if completed_on is not None and not received_on <= completed_on <= today:
            raise MunimentError(
                Code.DATE_NOT_POSSIBLE, given=completed_on, earliest=received_on, latest=today
            )

    def _convert(
        self, actor: Actor, sources: Sequence[Source], key: FileKey, staging: Staging, opened: ExitStack
    ) -> tuple[Converted, ...]:
        def convert(numbered: tuple[int, Source]) -> Converted | MunimentError:
            ordinal, source = numbered
            try:
                password = key.pdf_password(place_of(ordinal, 1))
                return self._receiving.receive(actor, source, password, self._beside(staging, key, ordinal))
            except MunimentError as error:
                return error

        with ThreadPoolExecutor(max_workers=2) as pool:
            results = list(pool.map(convert, enumerate(sources, start=1)))
        converted = [each for each in results if isinstance(each, Converted)]
        for each in converted:
            opened.callback(each.close)
        refuse_all(
            [(s.name, e) for s, e in zip(sources, results, strict=True) if isinstance(e, MunimentError)]
        )
        return tuple(converted)

    def _beside(self, staging: Staging, key: FileKey, ordinal: int) -> Beside:
        name, place = stream_name(_provisional(ordinal)), stream_place(ordinal, 1)
        return Beside(staging, name, key.stream_key(place), place, self._randomness)

    def _file_next(self, actor: Actor, prepared: _Prepared, staging: Staging, opened: ExitStack) -> Filed:
        reference = Reference(prepared.series, self._last_number(prepared.series) + 1)
        names = [reference.document(ordinal) for ordinal in range(len(prepared.evidence) + 1)]
        streams = _renamed(staging, names, prepared.key)
        filed_at = self._catalogue.clock()
        printed = opened.enter_context(self._print(prepared, reference, filed_at))
        staging.put(names[0], printed.pdf)
        documents = [
            document_row(
                prepared.key,
                ordinal,
                1,
                name,
                self._title(prepared, ordinal),
                made,
                staging,
                streams.get(ordinal),
            )
            for ordinal, (name, made) in enumerate(zip(names, (printed, *prepared.evidence), strict=True))
        ]
        kept = [*names, *(stream_name(names[ordinal]) for ordinal in streams)]
        record = self._recording.begun(self._row(prepared, reference, actor, filed_at), documents, {})
        recorded = self._recording.put(staging, record, prepared.key)
        change = Change(filed_at, "filed", actor, {n: s.sha512.hex() for n, s in staging.stored.items()})
        make_way(self._catalogue, self._vault, reference, 0)
        staging.mark(str(reference))
        try:
            self._vault.place(staging, reference.folder, f"urn:uuid:{prepared.id}", change)
            with self._catalogue.unit(actor) as unit:
                self._insert(unit, prepared.key, reference, record)
                unit.connection.execute(tables.record.insert().values(recorded))
                unit.record(
                    Act.FILED,
                    str(reference),
                    detail={
                        "documents": kept,
                        "sha512": [staging.stored[each].sha512.hex() for each in kept],
                    },
                    key=prepared.key,
                )
            staging.settled = True
        except BaseException as error:
            undo(self._catalogue, self._vault, reference, staging, error)
            raise
        return Filed(str(reference), tuple(names))

    def _print(self, prepared: _Prepared, reference: Reference, filed_at: datetime) -> Converted:
        submission = prepared.submission
        kept = [
            Kept(reference.document(ordinal), each.kind.value, each.pages, each.original_sha256)
            for ordinal, each in enumerate(prepared.evidence, start=1)
        ]
        shown = self.sheet(
            reference, prepared.voucher, submission.completed_on, submission.permanent, filed_at, kept
        )
        return self._receiving.sandbox.voucher(
            shown, prepared.key.pdf_password(place_of(0, 1)), submission.voucher, None
        )

    @staticmethod
    def _title(prepared: _Prepared, ordinal: int) -> str:
        return "voucher.json" if ordinal == 0 else prepared.submission.evidence[ordinal - 1].name

    def _last_number(self, series: Series) -> int:
        with self._catalogue.reading() as connection:
            return last_number(connection, series)

    def _insert(self, unit: Unit, key: FileKey, reference: Reference, record: Record) -> None:
        if last_number(unit.connection, reference.series) != reference.number - 1:
            raise MunimentError(Code.ARCHIVE_BUSY)  # the lock was not kept: another machine files here too
        wrapped = self._keyring.wrap_file_key(key, at_least=wrapping_version(unit.connection))
        insert_rows(unit.connection, record, wrapped)

    @staticmethod
    def _row(prepared: _Prepared, reference: Reference, actor: Actor, filed_at: datetime) -> dict[str, Any]:
        voucher, submission = prepared.voucher, prepared.submission
        return {
            "id": prepared.id,
            "reference": str(reference),
            "year": reference.series.year,
            "level": reference.series.level,
            "category": reference.series.category,
            "number": reference.number,
            "state": FileState.FILED.value,
            "version": 1,
            "received_at": voucher.received_at,
            "filed_at": filed_at,
            "filed_by": actor,
            "completed_on": submission.completed_on,
            "permanent": submission.permanent,
            "voided_at": None,
            "channel": voucher.channel.value,
            "store": voucher.store,
            "department": voucher.receiver.department,
            "script": voucher.script,
            "headcount": voucher.complainant.headcount,
            "voucher": prepared.key.seal(submission.voucher, "voucher"),
            "fingerprint": submission.fingerprint,
        }


def insert_rows(connection: sa.Connection, record: Record, wrapped: Wrapped) -> None:
    """A case file that the catalogue does not know yet: its row, its documents', its key's."""
    identifier = record.case_file["id"]
    connection.execute(tables.case_file.insert().values(record.case_file))
    connection.execute(
        tables.file_key.insert().values(case_file=identifier, master_version=wrapped.version, box=wrapped.box)
    )
    for row in record.documents:
        connection.execute(tables.document.insert().values(row))


def _provisional(ordinal: int) -> str:
    """What a document is called while its number is open."""
    return f"{ordinal}.pdf"


def _renamed(staging: Staging, names: Sequence[str], key: FileKey) -> dict[int, Stream]:
    """All that is staged gets its final name; the recordings that lie beside their covers, by ordinal."""
    final = {_provisional(ordinal): name for ordinal, name in enumerate(names) if ordinal}
    beside = {
        ordinal for ordinal in range(1, len(names)) if stream_name(_provisional(ordinal)) in staging.stored
    }
    final |= {stream_name(_provisional(ordinal)): stream_name(names[ordinal]) for ordinal in beside}
    staging.rename(final)
    return {
        ordinal: Stream.of(staging.stored[stream_name(names[ordinal])], key, ordinal, 1)
        for ordinal in sorted(beside)
    }


def document_row(
    key: FileKey,
    ordinal: int,
    version: int,
    name: str,
    title: str,
    converted: Converted,
    staging: Staging,
    stream: Stream | None = None,
) -> dict[str, Any]:
    """Of a document whose PDF is in the staging area; a long text is put beside it."""
    stored = staging.stored[name]
    return {
        "case_file": key.case_file,
        "ordinal": ordinal,
        "version": version,
        "name": name,
        "kind": converted.kind.value,
        "pages": converted.pages,
        "size": stored.size,
        "sha512": stored.sha512.hex(),
        "authentication": key.authentication(stored.sha512, place_of(ordinal, version)),
        "original_sha256": converted.original_sha256,
        "pending": converted.pending,
        **stream_columns(stream),
        "title": key.seal(title.encode(), f"title:{ordinal}:{version}"),
        "wordless": texts.ranges(converted.wordless),
        **texts.kept(key, ordinal, version, name, converted.words, staging),
    }
