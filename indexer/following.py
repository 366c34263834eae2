"""Following the ledger: an index is brought up to what was filed, voided and completed since.

Nothing of the archive waits for the index or knows of it. It reads the ledger from its own mark on, writes in
batches, each with its new mark, and can be thrown away: damaged, of another history, or put back from an older copy,
it is built anew.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import EDQUOT, EEXIST, EFBIG, ENOSPC, ENOTDIR
from itertools import chain
from typing import NamedTuple

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles
from archive.causes import of_system
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.keys.sealing import BoxError
from archive.ledger import log
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM, Actor
from archive.ledger.tables import entry
from indexer.analysis import Part, terms_for_index
from indexer.choosing import EngineName, Engines
from indexer.engine import Batch, IndexBusyError, IndexDamagedError, Mark, Text
from indexer.gathering import gather

ARRIVED = (Act.FILED, Act.IMPORTED, Act.FILE_REBUILT)
INDEXED = (*ARRIVED, Act.VOIDED, Act.COMPLETED, Act.CONVERTED, Act.TEXT_READ)
BATCH_FILES = 100
BATCH_SECONDS = 2.0
BATCH_LENGTH = 150_000  # terms: whichever comes first
_FULL = (EDQUOT, EFBIG, ENOSPC)
_PAGE = 1000  # entries read at once, and passed over before the mark is written for their sake alone

_logger = logging.getLogger(__name__)

Terms = Mapping[str, Sequence[int]]
Progress = Callable[[int, int], None]  # case files done, of how many


@dataclass(frozen=True, slots=True)
class _Due:
    """The case files of the next batch with the position of each, where it ends, and whether the ledger ends there."""

    files: Mapping[str, int]
    end: Mark
    last: bool


class _Begun(NamedTuple):
    """The terms of a text. ``length``: how many, of a long one a number that ends a batch."""

    pieces: Iterable[Terms]
    length: int


class Follower:
    """One for each engine and process; safe to use from several threads."""

    def __init__(
        self, catalogue: Catalogue, case_files: CaseFiles, engines: Engines, name: EngineName
    ) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._engines = engines
        self._name = name
        self.engine = engines[name]
        # Entries from the first mark to the second concern no case file: they need no commit of their own.
        self._passed: tuple[Mark, Mark] | None = None

    def follow(
        self, patience: float, progress: Progress | None = None, halted: Callable[[], bool] = lambda: False
    ) -> int:
        """To the end of the ledger; how many case files that were. ``halted`` is asked after each batch.

        Raises IndexBusyError, IndexDamagedError, OSError, MunimentError.
        """
        indexed, repaired, last = 0, False, False
        while not last and not halted() and self._engines.wanted(self._name):
            with self.engine.exclusive(patience):
                try:
                    files, last = self._step()
                except IndexDamagedError:
                    if repaired:
                        raise
                    repaired = True
                    self.start_over(SYSTEM, "damaged")
                    continue
            indexed += files
            if progress is not None and files:
                progress(indexed, indexed + self.behind())
        return indexed

    def start_over(self, actor: Actor, because: str) -> None:
        """Throws the index away; recorded. Only within ``exclusive``."""
        if actor == SYSTEM:  # whoever asked for it knows
            _logger.warning("the index is built anew: %s", because)
        self.engine.clear(beyond=self._engines.seen(self._name))
        self._passed = None
        self._engines.note(self._name, self.engine.generation())
        with self._catalogue.unit(actor) as unit:
            unit.record(Act.INDEX_REBUILT, "index", detail={"because": because, "engine": self._name.value})

    @contextmanager
    def said(self) -> Iterator[None]:
        """What keeps the index from being read or written becomes a refusal, and is kept for those who ask how it is.

        Raises MunimentError: ARCHIVE_BUSY, INDEX_FULL, INDEX_UNAVAILABLE, INDEX_UNUSABLE.
        """
        try:
            yield
        except IndexBusyError as error:
            raise MunimentError(Code.ARCHIVE_BUSY) from error
        except IndexDamagedError as error:
            raise MunimentError(Code.INDEX_UNAVAILABLE) from error
        except OSError as error:
            number = ENOTDIR if error.errno == EEXIST else error.errno or 0  # in the folder's place, both
            with suppress(MunimentError):  # the disk of the catalogue may be full too
                self._engines.fail(self._name, number)
            raise self._refused(number) from error

    def fault(self) -> MunimentError | None:
        """What kept the index from being written last."""
        number = self._engines.fault(self._name)
        return None if number is None else self._refused(number)

    def _refused(self, number: int) -> MunimentError:
        if number in _FULL:
            return MunimentError(Code.INDEX_FULL, path=self.engine.folder)
        return MunimentError(Code.INDEX_UNUSABLE, path=self.engine.folder, problem=of_system(number))

    def repair(self, patience: float) -> None:
        """Starts over if the index is damaged.

        To look takes seconds, in which others go on writing; so only what seems damaged is looked at again with the
        right to write: it may have been changed under the first look, or built anew by others since.
        """
        if self._is_whole():
            return
        with self.engine.exclusive(patience):
            if not self._is_whole():
                self.start_over(SYSTEM, "damaged")

    def _is_whole(self) -> bool:
        try:
            self.engine.verify()
        except IndexDamagedError:
            return False
        return True

    def position(self) -> int:
        """Of the ledger, up to which the index followed. Raises IndexDamagedError, OSError."""
        return self.followed(self.engine.mark()).position

    def behind(self) -> int:
        """Case files that wait to be indexed; all of them when the index cannot tell."""
        try:
            position = self.position()
        except (IndexDamagedError, OSError):
            position = 0
        return self.waiting(position)

    def waiting(self, position: int) -> int:
        """Case files that an index at this position of the ledger has yet to follow."""
        waiting = sa.select(sa.func.count(sa.distinct(entry.c.subject))).where(*waits(position))
        with self._catalogue.reading() as connection:
            return int(connection.execute(waiting).scalar_one())

    def lag(self) -> int:
        """Entries that wait. Raises IndexDamagedError, OSError."""
        waiting = sa.select(sa.func.count()).select_from(entry).where(*waits(self.position()))
        with self._catalogue.reading() as connection:
            return int(connection.execute(waiting).scalar_one())

    def parts(self, case_file: CaseFile) -> Iterator[Part] | None:
        """The texts of the case file. None when its key was shredded: nothing of it may be found any more."""
        return gather(self._case_files, case_file) if self._is_kept(case_file) else None

    def _is_kept(self, case_file: CaseFile) -> bool:
        try:
            return self._case_files.file_key(case_file.id) is not None
        except (BoxError, MunimentError, ValueError):  # what does not open is told when it is gathered
            return True

    def _step(self) -> tuple[int, bool]:
        """One batch: how many case files, and whether the end of the ledger was reached."""
        mark = self.engine.mark()
        because = None
        if self.engine.generation() < self._engines.seen(self._name):
            because = "put back from an older copy" if self.engine.generation() else "lost"
        with self._catalogue.reading() as connection:
            if not _same_history(connection, mark):
                because = "another history"
            due = None if because else _due(connection, self.followed(mark))
        if due is None:
            self.start_over(SYSTEM, because or "")
            return 0, False
        if due.files:
            return self._commit(due)
        if due.end.position - mark.position >= _PAGE:
            self._write(Batch((), frozenset(), due.end))
        else:
            self._passed = (mark, due.end)
        return 0, due.last

    def _commit(self, due: _Due) -> tuple[int, bool]:
        """As many of the files as the time of a batch and its length allow. A long text is read on as it is written."""
        until = time.monotonic() + BATCH_SECONDS
        file = tables.case_file
        files = self._case_files.select(sa.select(file.c.id).where(file.c.reference.in_(due.files)))
        by_reference = {each.reference: each for each in files}
        with self._catalogue.reading() as connection:
            orders = _filing_order(connection, due.files)
        texts, gone = [], set()
        done, length, end, last = 0, 0, due.end, due.last
        for reference, position in due.files.items():
            if done and (time.monotonic() > until or length > BATCH_LENGTH):
                with self._catalogue.reading() as connection:
                    end, last = _mark(connection, position), False
                break
            done += 1
            case_file = by_reference.get(reference)
            if case_file is None:
                continue
            parts = self.parts(case_file)
            if parts is None:
                gone.add(case_file.id)
            else:
                begun = _begun(terms_for_index(parts))
                texts.append(Text(case_file.id, orders.get(reference, 0), begun.pieces))
                length += begun.length
        self._write(Batch(tuple(texts), frozenset(gone), end))
        return done, last

    def _write(self, batch: Batch) -> None:
        self.engine.commit(batch)
        self._engines.note(self._name, self.engine.generation())

    def followed(self, mark: Mark) -> Mark:
        """What lies between the index's own mark and this one concerns no case file."""
        passed = self._passed
        return passed[1] if passed is not None and passed[0] == mark else mark


def _begun(pieces: Iterator[Terms]) -> _Begun:
    """A short text is worked on at once, and counts for the time of a batch."""
    first, second = next(pieces, {}), next(pieces, None)
    if second is None:
        return _Begun((first,), sum(map(len, first.values())))
    return _Begun(chain((first, second), pieces), BATCH_LENGTH + 1)


def waits(position: int) -> tuple[sa.ColumnElement[bool], ...]:
    """The entries that an index at ``position`` has yet to follow."""
    return entry.c.position >= position, entry.c.act.in_(INDEXED)


def _same_history(connection: sa.Connection, mark: Mark) -> bool:
    if mark.position == 0:
        return True
    return mark.position <= log.size(connection) and _mark(connection, mark.position) == mark


def _mark(connection: sa.Connection, position: int) -> Mark:
    return Mark(position, log.read_node(connection)(0, position - 1))


def _due(connection: sa.Connection, followed: Mark) -> _Due:
    files: dict[str, int] = {}
    position, last = followed.position, False
    while len(files) < BATCH_FILES and not last:
        entries = log.follow(connection, position, _PAGE)
        last = len(entries) < _PAGE
        for each in entries:
            if each.act in INDEXED:
                if len(files) == BATCH_FILES and each.subject not in files:
                    last = False
                    break
                files.setdefault(each.subject, each.position)
            position = each.position + 1
    end = followed if position == followed.position else _mark(connection, position)
    return _Due(files, end, last)


def _filing_order(connection: sa.Connection, references: Mapping[str, int]) -> dict[str, int]:
    """The ledger's position of each filing: later filed, higher."""
    query = (
        sa.select(entry.c.subject, sa.func.min(entry.c.position).label("position"))
        .where(entry.c.subject.in_(references), entry.c.act.in_(ARRIVED))
        .group_by(entry.c.subject)
    )
    return {row.subject: row.position for row in connection.execute(query)}
