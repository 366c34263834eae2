"""Reading what stands in pictures: photos, screenshots and scans, one job a document, in the background.

Jobs come of following the ledger, as the index does; nothing that files waits for them. What is read is kept sealed
under the key of the case file, page by page, and when a document is done the ledger says so: the index follows that.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO, Final, Protocol

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles, recognition_place
from archive.causes import Cause
from archive.database.catalogue import Catalogue
from archive.database.jobs import Job, Jobs, JobState, LeaseLostError, follow_to, followed
from archive.errors import Code, MunimentError
from archive.evidence.recognised import RecognisedPage
from archive.keys.filekey import CaseFileId
from archive.keys.sealing import BoxError, Randomness
from archive.ledger import log
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM
from indexer.following import INDEXED

_KIND: Final = "recognition"
_BRINGING: Final = frozenset(INDEXED) - {Act.TEXT_READ}  # acts that may bring new pages
_ENTRIES: Final = 500  # followed at once
_POLL: Final = 5.0  # seconds between two looks for work
_AFTER_A_FAULT: Final = 30.0
_SHORT_FIRST: Final = 100  # pages, beyond which a document's length no longer counts
_URGENT: Final = 1000
_ID_LENGTH: Final = 36  # of a case file, as a UUID is written
_MOST_NAMED: Final = 200  # of the documents that wait
# Nothing is wrong with the document: the attempt does not count.
_PASSING: Final = frozenset({Code.ARCHIVE_BUSY, Code.DISK_FULL, Code.SANDBOX_UNAVAILABLE})

_logger = logging.getLogger(__name__)

Progress = Callable[[int], None]  # documents done


class Recogniser(Protocol):
    """What is needed of the sandbox."""

    def recognise(self, pdf: BinaryIO, password: str, number: int) -> RecognisedPage:
        """What stands in the picture of page ``number`` (from 1). Raises MunimentError."""


class Outcome(StrEnum):
    READ = "read"
    GONE = "gone"  # nothing is left to read: shredded, or there is a newer version
    LATER = "later"
    FAILED = "failed"
    LOST = "lost"  # another worker went on with it


@dataclass(frozen=True, slots=True)
class Unread:
    """A document with pictures that were not read, and the code that says why they could not be."""

    reference: str
    ordinal: int
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Unsearchable:
    """Documents with pictures whose words nobody finds yet, and their pages, among which some may be text."""

    documents: int
    pages: int


@dataclass(frozen=True, slots=True)
class RecognitionStatus:
    """Documents that hold pictures. ``available``: the extra is installed."""

    available: bool
    waiting: int
    running: int
    done: int
    failures: tuple[Unread, ...]
    unread: tuple[Unread, ...]  # of those that wait, the next ones
    pages: int  # read so far
    unsearchable: Unsearchable
    lag: int  # ledger entries that were not followed yet


class Recognition:
    """One for each process; safe to use from several threads."""

    def __init__(
        self,
        catalogue: Catalogue,
        case_files: CaseFiles,
        recogniser: Recogniser,
        *,
        available: bool,
        randomness: Randomness,
    ) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._recogniser = recogniser
        self.available = available
        self._jobs = Jobs(_KIND, catalogue, randomness)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    # Answers

    def status(self) -> RecognitionStatus:
        with self._catalogue.reading() as connection:
            counts = self._jobs.counts(connection)
            failures = tuple(_named(connection, self._jobs.problems(connection)))
            waiting = [(each, None) for each in self._jobs.waiting(connection, _MOST_NAMED)]
            unread = tuple(_named(connection, waiting))
            pages = connection.execute(
                sa.select(sa.func.count()).select_from(tables.recognition)
            ).scalar_one()
            unsearchable = self._unsearchable(connection, None, None)
            lag = log.size(connection) - followed(connection, _KIND)
        return RecognitionStatus(
            self.available,
            counts[JobState.WAITING],
            counts[JobState.LEASED],
            counts[JobState.DONE],
            failures,
            unread,
            int(pages),
            unsearchable,
            max(lag, 0),
        )

    def unsearchable(self, allowed: sa.Select[Any] | None = None, most: int | None = None) -> Unsearchable:
        """In the case files whose ids ``allowed`` selects (none: all): nothing is told of others. No more than
        ``most`` documents are counted; without it all, which takes 2 s where there are 100,000.
        """
        with self._catalogue.reading() as connection:
            return self._unsearchable(connection, allowed, most)

    def unread_pages(self, case_file: CaseFile) -> int:
        """Pages of one that are pictures in which nothing was read yet; 0 where that cannot be told."""
        return sum(map(len, self._unread(case_file).values()))

    def _unread(self, case_file: CaseFile) -> dict[int, tuple[int, ...]]:
        try:
            return self._case_files.unread(case_file)
        except (BoxError, MunimentError, ValueError):
            return {}  # shredded, or damaged: fixity checks name that to people

    def _unsearchable(
        self, connection: sa.Connection, allowed: sa.Select[Any] | None, most: int | None
    ) -> Unsearchable:
        """Of shredded files and of documents that were replaced since, jobs may be left."""
        row, newer = tables.document.c, tables.document.alias().c
        undone = self._jobs.undone().subquery().c.subject
        subject = (
            row.case_file + ":" + sa.cast(row.ordinal, sa.String) + ":" + sa.cast(row.version, sa.String)
        )
        replaced = sa.exists().where(
            newer.case_file == row.case_file, newer.ordinal == row.ordinal, newer.version > row.version
        )
        # From few files to their jobs, or from all jobs to their documents: the other way round takes seconds.
        narrow = (
            row.case_file == sa.func.substr(undone, 1, _ID_LENGTH)
            if allowed is None
            else row.case_file.in_(allowed)
        )
        some = (
            sa.select(row.pages)
            .where(
                narrow,
                subject == undone,
                sa.exists().where(tables.file_key.c.case_file == row.case_file),
                ~replaced,
            )
            .limit(most)
            .subquery()
        )
        query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(some.c.pages), 0))
        documents, pages = connection.execute(query).one()
        return Unsearchable(int(documents), int(pages))

    def hasten(self, case_file: CaseFile, ordinal: int) -> None:
        """Somebody looks at this document now: it goes before the others."""
        documents = self._case_files.documents(case_file)
        self._jobs.hasten(
            [
                _subject(case_file.id, each.ordinal, each.version)
                for each in documents
                if each.ordinal == ordinal
            ],
            _URGENT,
        )
        self._wake()

    def retry(self) -> int:
        """What failed is tried anew; how many documents those are."""
        count = self._jobs.retry()
        self._wake()
        return count

    # Work

    def run(self, progress: Progress | None = None) -> int:
        """Reads all that waits; how many documents were read. Raises SANDBOX_UNAVAILABLE."""
        self.follow()
        done = read = 0
        while (outcome := self.step()) is not None:
            done += 1
            read += outcome is Outcome.READ
            if outcome is Outcome.LATER:
                raise MunimentError(Code.SANDBOX_UNAVAILABLE, problem=Cause("请稍后重试", "try again later"))
            if progress is not None:
                progress(done)
        return read

    def follow(self) -> int:
        """Makes jobs of what the ledger says was filed; how many."""
        made = 0
        while True:
            with self._catalogue.reading() as connection:
                position = followed(connection, _KIND)
                entries = log.follow(connection, position, _ENTRIES)
            if not entries:
                return made
            wanted = self._wanted({each.subject for each in entries if each.act in _BRINGING})
            with self._catalogue.housekeeping() as connection:
                if followed(connection, _KIND) == position:  # else another process was quicker
                    made += self._jobs.add(connection, wanted)
                    follow_to(connection, _KIND, entries[-1].position + 1)

    def step(self) -> Outcome | None:
        """Works on one job; none when there is none, or nothing to read with."""
        if not self.available:
            return None
        job = self._jobs.lease()
        if job is None:
            return None
        try:
            return self._work(job)
        except LeaseLostError:
            return Outcome.LOST
        except KeyboardInterrupt:  # else the document would wait for its lease to run out
            self._later(job, None)
            raise

    def start(self) -> None:
        """Works in a thread of its own until ``stop``."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="recognition", daemon=True)
            self._thread.start()

    def stop(self, interrupt: Callable[[], None]) -> None:
        """``interrupt`` cuts off the page at hand, which does not count against its document."""
        self._stopping.set()
        self._wake()
        interrupt()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = _POLL
            try:
                self.follow()
                if self.step() in (Outcome.READ, Outcome.GONE, Outcome.FAILED):
                    continue
            except Exception:
                _logger.exception("pictures could not be read")
                pause = _AFTER_A_FAULT
            with self._catalogue.committed:
                if not self._stopping.is_set():
                    self._catalogue.committed.wait(pause)

    def _wake(self) -> None:
        with self._catalogue.committed:
            self._catalogue.committed.notify_all()

    def _wanted(self, references: Iterable[str]) -> dict[str, int]:
        """A job for each document with unread pictures, the short ones first."""
        file = tables.case_file.c
        wanted: dict[str, int] = {}
        query = sa.select(file.id).where(file.reference.in_(list(references)))
        for case_file in self._case_files.select(query):
            unread = self._unread(case_file)
            versions = {each.ordinal: each.version for each in self._case_files.documents(case_file)}
            for ordinal, pages in unread.items():
                subject = _subject(case_file.id, ordinal, versions[ordinal])
                wanted[subject] = max(_SHORT_FIRST - len(pages), 0)
        return wanted

    def _work(self, job: Job) -> Outcome:
        case_file, ordinal, version = self._found(job.subject)
        if case_file is None:
            return self._end(job, Outcome.GONE)
        problem: str | None = None
        try:
            current = {each.ordinal: each.version for each in self._case_files.documents(case_file)}
            pages = self._case_files.unread(case_file).get(ordinal, ())
            if current.get(ordinal) != version:
                return self._end(job, Outcome.GONE)
            stream, password = self._case_files.open_document(case_file, ordinal)
            with stream:
                for page in pages:
                    if self._halted():
                        return self._later(job, None)
                    problem = self._read(job, case_file, version, stream, password, ordinal, page) or problem
        except MunimentError as error:
            if error.code in _PASSING:
                _logger.warning("pictures are read later: %s", error.code.value)
                return self._later(job, None)
            problem = error.code.value
        except (BoxError, ValueError):
            problem = Code.DOCUMENT_ALTERED.value
        if problem is not None and (self._halted() or not job.last):
            return self._later(job, None if self._halted() else problem)
        return self._conclude(job, case_file, ordinal, version, problem)

    def _read(
        self,
        job: Job,
        case_file: CaseFile,
        version: int,
        stream: BinaryIO,
        password: str,
        ordinal: int,
        page: int,
    ) -> str | None:
        """Keeps what stands on a page, or gives the code that says why it cannot be read."""
        try:
            read = self._recogniser.recognise(stream, password, page)
        except MunimentError as error:
            if error.code in _PASSING:
                raise
            return error.code.value
        key = self._case_files.key_of(case_file)
        box = key.seal(read.to_bytes(), recognition_place(ordinal, version, page))
        row = {"case_file": case_file.id, "ordinal": ordinal, "version": version, "page": page}
        with self._catalogue.housekeeping() as connection:
            self._jobs.renew(connection, job)
            there = sa.and_(*(tables.recognition.c[name] == value for name, value in row.items()))
            connection.execute(tables.recognition.delete().where(there))
            connection.execute(
                tables.recognition.insert().values(**row, confidence=read.confidence, recognised=box)
            )
        return None

    def _conclude(
        self, job: Job, case_file: CaseFile, ordinal: int, version: int, problem: str | None
    ) -> Outcome:
        """The ledger entry that the index follows, and the end of the job: both or neither."""
        row = tables.recognition.c
        mine = sa.and_(row.case_file == case_file.id, row.ordinal == ordinal, row.version == version)
        figures = sa.select(sa.func.count(), sa.func.min(row.confidence)).where(mine)
        key = self._case_files.file_key(case_file.id)
        if key is None:
            return self._end(job, Outcome.GONE)
        with self._catalogue.unit(SYSTEM) as unit:
            self._jobs.finish(unit.connection, job, problem)
            pages, confidence = unit.connection.execute(figures).one()
            detail = {"document": ordinal, "pages": pages, "confidence": confidence, "problem": problem}
            unit.record(Act.TEXT_READ, case_file.reference, detail=detail, key=key)
        return Outcome.READ if problem is None else Outcome.FAILED

    def _end(self, job: Job, outcome: Outcome) -> Outcome:
        with self._catalogue.housekeeping() as connection:
            self._jobs.finish(connection, job)
        return outcome

    def _later(self, job: Job, problem: str | None) -> Outcome:
        with self._catalogue.housekeeping() as connection:
            self._jobs.put_back(connection, job, problem)
        return Outcome.LATER if problem is None else Outcome.FAILED

    def _found(self, subject: str) -> tuple[CaseFile | None, int, int]:
        identifier, ordinal, version = subject.split(":")
        found = self._case_files.by_ids([CaseFileId(identifier)])
        shredded = not found or self._case_files.file_key(found[0].id) is None
        return None if shredded else found[0], int(ordinal), int(version)

    def _halted(self) -> bool:
        return self._stopping.is_set() and threading.current_thread() is self._thread


def _subject(case_file: CaseFileId, ordinal: int, version: int) -> str:
    return f"{case_file}:{ordinal}:{version}"


def _named(connection: sa.Connection, subjects: Iterable[tuple[str, str | None]]) -> Iterable[Unread]:
    file = tables.case_file.c
    for subject, problem in subjects:
        identifier, ordinal, _ = subject.split(":")
        query: sa.Select[Any] = sa.select(file.reference).where(file.id == identifier)
        reference = connection.execute(query).scalar()
        if reference is not None:
            yield Unread(reference, int(ordinal), problem)
