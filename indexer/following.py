"""Following the ledger: the index is brought up to what was filed, voided and completed, and then asked.

Nothing of the archive waits for the index or knows of it. It reads the ledger from its own mark on, writes in
batches, each with its new mark, and can be thrown away: damaged, or of another history, it is built anew.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId
from archive.keys.sealing import BoxError
from archive.ledger import log
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM, Actor
from archive.ledger.tables import entry
from indexer.analysis import Query, parse_query, terms_for_index
from indexer.engine import (
    MOST_HITS,
    Batch,
    Hits,
    IndexBusyError,
    IndexDamagedError,
    Mark,
    SearchEngine,
    Text,
)
from indexer.gathering import facts, gather
from indexer.naming import named
from indexer.snippets import Snippet, snippet

INDEXED = (Act.FILED, Act.VOIDED, Act.COMPLETED, Act.CONVERTED)
BATCH_FILES = 100
_PAGE = 1000  # entries read at once, and passed over before the mark is written for their sake alone
_PATIENCE = 120.0  # seconds to wait for another writer: one batch of theirs, many times over
_PATIENCE_OF_A_SEARCH = 2.0
_POLL = 1.0  # seconds between two looks for what other processes filed
_AFTER_A_FAULT = 10.0

_logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]  # case files done, of how many


@dataclass(frozen=True, slots=True)
class Found:
    """``more``: there are more than were asked for. ``behind``: case files that wait to be indexed."""

    files: list[CaseFile]
    more: bool
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    lag: int  # case files that wait to be indexed
    files: int  # in the index
    position: int  # of the ledger, up to which the index followed


@dataclass(frozen=True, slots=True)
class _Due:
    """The case files of the next batch, where it ends, and whether the ledger ends there too."""

    references: tuple[str, ...]
    end: Mark
    last: bool


class Indexer:
    """One for each process; safe to use from several threads."""

    def __init__(self, catalogue: Catalogue, case_files: CaseFiles, engine: SearchEngine) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._engine = engine
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        # Entries from the first mark to the second concern no case file: they need no commit of their own.
        self._passed: tuple[Mark, Mark] | None = None

    # Answers

    def search(self, query: str, allowed: sa.Select[Any] | None = None, limit: int = 50) -> Found:
        """Case files with every word and "phrase", newest filed first; those named by code before them.

        ``allowed`` selects the ids the asker may know of (none: all). Raises MunimentError: QUERY_INVALID,
        INDEX_UNAVAILABLE.
        """
        wanted = parse_query(query)
        limit = min(max(limit, 1), MOST_HITS)
        by_name = named(self._case_files, query, allowed, limit + 1)
        try:
            self._freshen()
            hits = self._hits(wanted, self._ids(allowed), limit)
        except (IndexDamagedError, IndexBusyError, OSError) as error:
            _logger.exception("the index cannot answer")
            if not by_name:
                raise MunimentError(Code.INDEX_UNAVAILABLE) from error
            hits = Hits((), more=False)
        known = {each.id for each in by_name}
        by_words = [each for each in self._case_files.by_ids(hits.ids) if each.id not in known]
        files = [*by_name, *by_words]
        return Found(files[:limit], hits.more or len(files) > limit, self._behind())

    def snippet(self, case_file: CaseFile, query: str) -> Snippet:
        """The words around what was found, masked. Permission was asked for before. Raises MunimentError."""
        return snippet(self._case_files, case_file, parse_query(query))

    def status(self) -> Status:
        """Raises MunimentError(INDEX_UNAVAILABLE)."""
        try:
            return Status(self._behind(), self._engine.size(), self._followed(self._engine.mark()).position)
        except (IndexDamagedError, OSError) as error:
            raise MunimentError(Code.INDEX_UNAVAILABLE) from error

    # Following

    def catch_up(self, progress: Progress | None = None) -> int:
        """Indexes what the ledger has and the index has not; how many case files that were.

        Raises MunimentError: INDEX_UNAVAILABLE when the index cannot be written, ARCHIVE_BUSY when another
        process is at it for long.
        """
        try:
            return self._follow(None, _PATIENCE, progress)
        except IndexBusyError as error:
            raise MunimentError(Code.ARCHIVE_BUSY) from error
        except (IndexDamagedError, OSError) as error:
            raise MunimentError(Code.INDEX_UNAVAILABLE) from error

    def rebuild(self, progress: Progress | None = None, actor: Actor = SYSTEM) -> int:
        """Throws the index away and builds it anew; recorded. Returns and raises as ``catch_up``."""
        try:
            with self._engine.exclusive(_PATIENCE):
                self._start_over(actor, "asked")
        except IndexBusyError as error:
            raise MunimentError(Code.ARCHIVE_BUSY) from error
        except OSError as error:
            raise MunimentError(Code.INDEX_UNAVAILABLE) from error
        return self.catch_up(progress)

    def start(self) -> None:
        """Follows the ledger in a thread of its own until ``stop``."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Returns when the batch at hand is written."""
        self._stopping.set()
        self._wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        pause = self._guarded(self._repair)
        while not self._stopping.is_set():
            pause = self._guarded(lambda: self._follow(None, _PATIENCE)) or pause
            with self._catalogue.committed:
                if not self._stopping.is_set():
                    self._catalogue.committed.wait(pause or _POLL)
            pause = 0.0

    def _guarded(self, work: Callable[[], object]) -> float:
        """A failing index never fails anything else: it is logged, and tried again in so many seconds."""
        try:
            work()
        except IndexBusyError:
            return _POLL
        except Exception:
            _logger.exception("the index could not follow the ledger")
            return _AFTER_A_FAULT
        return 0.0

    def _wake(self) -> None:
        with self._catalogue.committed:
            self._catalogue.committed.notify_all()

    def _freshen(self) -> None:
        """So that what was just filed is found. A long way to go is left to the thread, if there is one."""
        followed_by_thread = self._thread is not None
        try:
            self._follow(BATCH_FILES if followed_by_thread else None, _PATIENCE_OF_A_SEARCH)
        except IndexBusyError:
            return  # ``behind`` tells what is missing

    def _hits(self, query: Query, allowed: frozenset[CaseFileId] | None, limit: int) -> Hits:
        try:
            return self._engine.search(query, allowed, limit)
        except IndexDamagedError:
            self._repair()
            self._freshen()
            return self._engine.search(query, allowed, limit)

    def _repair(self) -> None:
        """Starts over if the index is damaged: another thread or process may have done so since."""
        with self._engine.exclusive(_PATIENCE_OF_A_SEARCH):
            try:
                self._engine.verify()
            except IndexDamagedError:
                self._start_over(SYSTEM, "damaged")
        self._wake()

    def _start_over(self, actor: Actor, because: str) -> None:
        _logger.warning("the index is built anew: %s", because)
        self._engine.clear()
        self._passed = None
        with self._catalogue.unit(actor) as unit:
            unit.record(Act.INDEX_REBUILT, "index", detail={"because": because})

    def _follow(self, most: int | None, patience: float, progress: Progress | None = None) -> int:
        indexed, repaired, last = 0, False, False
        while not last and (most is None or indexed < most) and not self._halted():
            with self._engine.exclusive(patience):
                try:
                    files, last = self._step()
                except IndexDamagedError:
                    if repaired:
                        raise
                    repaired = True
                    self._start_over(SYSTEM, "damaged")
                    continue
            indexed += files
            if progress is not None and files:
                progress(indexed, indexed + self._behind())
        return indexed

    def _halted(self) -> bool:
        return self._stopping.is_set() and threading.current_thread() is self._thread

    def _step(self) -> tuple[int, bool]:
        """One batch: how many case files, and whether the end of the ledger was reached."""
        mark = self._engine.mark()
        with self._catalogue.reading() as connection:
            foreign = not _same_history(connection, mark)
            due = None if foreign else _due(connection, self._followed(mark))
        if due is None:
            self._start_over(SYSTEM, "another history")
            return 0, False
        if due.references:
            self._engine.commit(self._batch(due))
        elif due.end.position - mark.position >= _PAGE:
            self._engine.commit(Batch((), frozenset(), due.end))
        else:
            self._passed = (mark, due.end)
        return len(due.references), due.last

    def _followed(self, mark: Mark) -> Mark:
        passed = self._passed
        return passed[1] if passed is not None and passed[0] == mark else mark

    def _batch(self, due: _Due) -> Batch:
        file = tables.case_file
        files = self._case_files.select(sa.select(file.c.id).where(file.c.reference.in_(due.references)))
        with self._catalogue.reading() as connection:
            orders = _filing_order(connection, due.references)
        texts, gone = [], set()
        for case_file in files:
            parts = self._parts(case_file)
            if parts is None:
                gone.add(case_file.id)
            else:
                order = orders.get(case_file.reference, 0)
                texts.append(Text(case_file.id, order, terms_for_index(parts)))
        return Batch(tuple(texts), frozenset(gone), due.end)

    def _parts(self, case_file: CaseFile) -> tuple[str, ...] | None:
        """None when the key was shredded: nothing of the file may be found any more."""
        try:
            if self._case_files.file_key(case_file.id) is None:
                return None
            return gather(self._case_files, case_file)
        except (BoxError, MunimentError, ValueError) as error:
            # One damaged file must not keep all later ones out of the index. Fixity checks name it to people.
            kind = type(error).__name__
            _logger.error("%s is indexed without its texts: %s", case_file.reference, kind)  # noqa: TRY400 - a trace may show the text
            return facts(case_file)

    def _ids(self, allowed: sa.Select[Any] | None) -> frozenset[CaseFileId] | None:
        if allowed is None:
            return None
        with self._catalogue.reading() as connection:
            return frozenset(CaseFileId(row[0]) for row in connection.execute(allowed))

    def _behind(self) -> int:
        try:
            position = self._followed(self._engine.mark()).position
        except (IndexDamagedError, OSError):
            position = 0
        waiting = sa.select(sa.func.count(sa.distinct(entry.c.subject))).where(
            entry.c.position >= position, entry.c.act.in_(INDEXED)
        )
        with self._catalogue.reading() as connection:
            return int(connection.execute(waiting).scalar_one())


def _same_history(connection: sa.Connection, mark: Mark) -> bool:
    if mark.position == 0:
        return True
    return mark.position <= log.size(connection) and _mark(connection, mark.position) == mark


def _mark(connection: sa.Connection, position: int) -> Mark:
    return Mark(position, log.read_node(connection)(0, position - 1))


def _due(connection: sa.Connection, followed: Mark) -> _Due:
    references: dict[str, None] = {}
    position, last = followed.position, False
    while len(references) < BATCH_FILES and not last:
        entries = log.follow(connection, position, _PAGE)
        last = len(entries) < _PAGE
        for each in entries:
            if each.act in INDEXED:
                if len(references) == BATCH_FILES and each.subject not in references:
                    last = False
                    break
                references[each.subject] = None
            position = each.position + 1
    end = followed if position == followed.position else _mark(connection, position)
    return _Due(tuple(references), end, last)


def _filing_order(connection: sa.Connection, references: tuple[str, ...]) -> dict[str, int]:
    """The ledger's position of each filing: later filed, higher."""
    query = (
        sa.select(entry.c.subject, sa.func.min(entry.c.position).label("position"))
        .where(entry.c.subject.in_(references), entry.c.act == Act.FILED)
        .group_by(entry.c.subject)
    )
    return {row.subject: row.position for row in connection.execute(query)}
