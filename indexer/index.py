"""The index of an archive: kept level with the ledger in the background, rebuilt, and moved to another engine."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM, Actor
from indexer.analysis import Query
from indexer.choosing import EngineName, Engines
from indexer.engine import IndexBusyError, IndexDamagedError, SearchEngine
from indexer.following import Follower, Progress
from indexer.query.conditions import Conditions
from indexer.query.parsing import Asked, hint, parse
from indexer.query.problems import QueryProblem
from indexer.searching import Found, Searching, Sort
from indexer.sifting import Sifted, Sifting
from indexer.snippets import Snippet, snippet

_PATIENCE = 120.0  # seconds to wait for another writer: one batch of theirs, many times over
_PATIENCE_FOR_WORDS = 0.5  # seconds in which one file is looked through for words to show
_PATIENCE_OF_A_SEARCH = 2.0
_POLL = 1.0  # seconds between two looks for what other processes filed
_AFTER_A_FAULT = 10.0
_OF_THE_INDEX = (Code.ARCHIVE_BUSY, Code.INDEX_FULL, Code.INDEX_UNAVAILABLE, Code.INDEX_UNUSABLE)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    engine: EngineName
    coming: EngineName | None  # being built, to be moved to
    lag: int  # entries of the ledger that wait
    behind: int  # case files that wait
    files: int  # in the index
    size: int  # bytes
    generation: int
    position: int  # of the ledger, up to which the index followed
    fault: MunimentError | None  # what keeps it from following further


class Indexer:
    """One for each process; safe to use from several threads."""

    def __init__(
        self,
        catalogue: Catalogue,
        case_files: CaseFiles,
        engines: Mapping[EngineName, SearchEngine],
        conditions: Conditions,
    ) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._conditions = conditions
        self._engines = Engines(catalogue, engines)
        self._followers = {each: Follower(catalogue, case_files, self._engines, each) for each in engines}
        self._searching = Searching(catalogue, case_files, conditions)
        self._sifting = Sifting(catalogue, case_files, conditions)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._told = ""  # of the fault that lasts

    # Answers

    def search(
        self, query: str, allowed: sa.Select[Any] | None = None, limit: int = 50, sort: Sort = Sort.DATE
    ) -> Found:
        """Case files that are what the query asks for; those named by their code first, when sorted by date.

        ``allowed`` selects the ids the asker may know of (none: all). What is not indexed yet is looked through in
        the time there is, and all is that no index can be asked of; ``behind`` counts what was not. Raises
        MunimentError(QUERY_INVALID).
        """
        asked = self._parsed(query)
        follower = self._chosen
        try:
            with follower.said():
                return self._answer(follower, asked, allowed, limit, sort)
        except MunimentError as error:
            if error.code not in _OF_THE_INDEX:
                raise
            self._tell(error)
        return self._searching.without_index(follower, asked, allowed, limit, sort)

    def _answer(
        self, follower: Follower, asked: Asked, allowed: sa.Select[Any] | None, limit: int, sort: Sort
    ) -> Found:
        self._freshen(follower)
        try:
            return self._searching.search(follower, asked, allowed, limit, sort)
        except IndexDamagedError:
            _logger.exception("the index cannot answer")
        follower.repair(_PATIENCE_OF_A_SEARCH)
        self._wake()
        self._freshen(follower)
        return self._searching.search(follower, asked, allowed, limit, sort)

    def snippet(self, case_file: CaseFile, query: str) -> Snippet | None:
        """The words around what was found, masked; none where nothing of it can be shown. Permission was asked for
        before. Raises MunimentError.
        """
        return snippet(self._case_files, case_file, self.words(query), time.monotonic() + _PATIENCE_FOR_WORDS)

    def words(self, query: str) -> Query:
        """What of a query is shown where it was found. Raises MunimentError(QUERY_INVALID)."""
        return self._parsed(query).words

    def sift(self, query: str, allowed: sa.Select[Any], readable: Collection[CaseFileId]) -> Sifted:
        """For those who read pages masked, and so search what they read: the facts of the files that ``allowed``
        selects, and the masked texts of ``readable``. All of it, index or none. Raises MunimentError(QUERY_INVALID).
        """
        return self._sifting.sift(self._parsed(query).tree, allowed, readable)

    def hint(self, query: str) -> QueryProblem | None:
        """What to tell whose query found nothing: it may have meant something that it cannot say so."""
        return hint(query)

    def _parsed(self, query: str) -> Asked:
        return parse(query, self._conditions.today(self._catalogue.clock()))

    def behind(self) -> int:
        """Case files that wait to be indexed."""
        return self._chosen.behind()

    def fault(self) -> MunimentError | None:
        """What kept the index from following last; of an index that follows again nothing is told."""
        return self._chosen.fault()

    def status(self) -> Status:
        """Of an index that was looked through: a damaged one is thrown away.

        Raises MunimentError: INDEX_UNAVAILABLE, INDEX_FULL, INDEX_UNUSABLE.
        """
        follower = self._chosen
        with follower.said():
            with suppress(IndexBusyError):  # whoever writes to it sees for himself
                follower.repair(_PATIENCE_OF_A_SEARCH)
            lag = follower.lag()
            return Status(
                engine=self._engines.chosen(),
                coming=self._engines.coming(),
                lag=lag,
                behind=follower.behind(),
                files=follower.engine.size(),
                size=follower.engine.weight(),
                generation=follower.engine.generation(),
                position=follower.position(),
                fault=follower.fault() if lag else None,
            )

    def holds(self, case_file: CaseFileId) -> bool:
        """Whether a word of the case file may still be in any index: its destruction waits until there is none."""
        return any(each.engine.holds(case_file) for each in self._followers.values())

    # Following

    def catch_up(self, progress: Progress | None = None) -> int:
        """Indexes what the ledger has and the index has not; how many case files that were.

        Raises MunimentError: INDEX_UNAVAILABLE, INDEX_FULL or INDEX_UNUSABLE when the index cannot be written,
        ARCHIVE_BUSY when another process is at it for long.
        """
        follower = self._chosen
        with follower.said():
            return follower.follow(_PATIENCE, progress)

    def rebuild(self, progress: Progress | None = None, actor: Actor = SYSTEM) -> int:
        """Throws the index away and builds it anew; recorded. How many case files are in it, whoever put them there.

        Raises as ``catch_up``.
        """
        follower = self._chosen
        with follower.said():
            with follower.engine.exclusive(_PATIENCE):
                follower.start_over(actor, "asked")
            follower.follow(_PATIENCE, progress)
            return follower.engine.size()

    def move(self, to: EngineName, progress: Progress | None = None, actor: Actor = SYSTEM) -> int:
        """Builds the other engine's index beside the one in use, asks it from then on, and drops the old one.

        Interrupted, it goes on where it stopped when it is called again. Returns and raises as ``rebuild``.
        """
        before, coming = self._engines.chosen(), self._followers[to]
        with coming.said():
            if to is not before:
                if self._engines.coming() is not to:
                    self._engines.announce(to)
                coming.follow(_PATIENCE, progress)
                with coming.engine.exclusive(_PATIENCE):
                    coming.follow(_PATIENCE, progress)  # what came meanwhile; soon done
                    with self._catalogue.unit(actor) as unit:
                        self._engines.choose(unit.connection, to)
                        unit.record(Act.INDEX_MOVED, "index", detail={"from": before.value, "to": to.value})
            self._tidy()
            return coming.engine.size()

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

    @property
    def _chosen(self) -> Follower:
        return self._followers[self._engines.chosen()]

    def _run(self) -> None:
        pause = self._guarded(lambda: self._chosen.repair(_PATIENCE)) or self._guarded(self._tidy)
        while not self._stopping.is_set():
            follow = lambda: self._chosen.follow(_PATIENCE, halted=self._stopping.is_set)  # noqa: E731
            pause = self._guarded(follow) or pause
            with self._catalogue.committed:
                if not self._stopping.is_set():
                    self._catalogue.committed.wait(pause or _POLL)
            pause = 0.0

    def _tidy(self) -> None:
        """Drops what a move left behind."""
        for name in self._engines.resting():
            engine = self._followers[name].engine
            if engine.generation() and (engine.size() or engine.mark().position):
                with engine.exclusive(_PATIENCE):
                    engine.clear(beyond=self._engines.seen(name))
                    self._engines.note(name, engine.generation())

    def _guarded(self, work: Callable[[], object]) -> float:
        """A failing index never fails anything else: it is logged, and tried again in so many seconds."""
        try:
            with self._chosen.said():
                work()
        except MunimentError as error:
            if error.code is Code.ARCHIVE_BUSY:
                return _POLL
            self._tell(error)
            return _AFTER_A_FAULT
        except Exception:
            _logger.exception("the index could not follow the ledger")
            return _AFTER_A_FAULT
        self._told = ""
        return 0.0

    def _wake(self) -> None:
        with self._catalogue.committed:
            self._catalogue.committed.notify_all()

    def _freshen(self, follower: Follower) -> None:
        """Where no thread follows the ledger, a search does. What it cannot write is looked through all the same."""
        if self._thread is not None:
            return
        try:
            with follower.said():
                follower.follow(_PATIENCE_OF_A_SEARCH)
        except MunimentError as error:
            if error.code is not Code.ARCHIVE_BUSY:
                self._tell(error)

    def _tell(self, error: MunimentError) -> None:
        """Once, however often it is tried again."""
        said = error.say("en")
        if said != self._told:
            _logger.error("the index could not follow the ledger: %s", said, exc_info=_damage_of(error))
        self._told = said


def _damage_of(error: MunimentError) -> BaseException | None:
    """Where it was come upon; a disk that is full needs no such words."""
    return error.__cause__ if error.code is Code.INDEX_UNAVAILABLE else None
