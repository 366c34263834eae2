"""The port to a search engine: what following the ledger needs, whatever does the work behind it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from archive.keys.filekey import CaseFileId
from indexer.query.expression import Expression

MOST_HITS = 200
SEARCH_SECONDS = 5.0  # for the most laborious query; others take milliseconds


class IndexDamagedError(Exception):
    """The index on disk was altered, cut short or lost; it can be built anew from the archive."""


class IndexBusyError(Exception):
    """Another process or thread is writing to the index."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the index followed the ledger: the next position, and the hash of the leaf before it.

    The hash tells an index of this history from one of another (a catalogue restored from an older backup).
    """

    position: int
    leaf: bytes  # 32 bytes; empty at position 0


START = Mark(0, b"")


@dataclass(frozen=True, slots=True)
class Text:
    """One case file. ``order`` is its own, and higher for what was filed later.

    Its terms come with their positions, piece by piece (``analysis.terms_for_index``), and are taken once: a long text
    is read and worked on while it is written, and never in memory as a whole.
    """

    id: CaseFileId
    order: int
    pieces: Iterable[Mapping[str, Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written at once. A case file in ``add`` replaces what was there of it."""

    add: tuple[Text, ...]
    remove: frozenset[CaseFileId]
    mark: Mark


# Which of these case files may be told of: the permission of who asks, and what only the catalogue knows.
Keep = Callable[[Sequence[CaseFileId]], AbstractSet[CaseFileId]]


@dataclass(frozen=True, slots=True)
class Hits:
    """``more`` when there were more than asked for, or the time was up before all had been looked at. ``partly``: the
    order is not of all hits, since there are too many for that.

    ``position``: of the ledger, up to which the index had followed that was asked.
    """

    ids: tuple[CaseFileId, ...]
    more: bool
    position: int
    partly: bool = False


class SearchEngine(Protocol):
    """For several threads and processes at once. All but ``exclusive`` may raise IndexDamagedError."""

    @property
    def folder(self) -> Path:
        """Where it lies, for the administrator who has to make room there."""

    def exclusive(self, patience: float) -> AbstractContextManager[None]:
        """The right to write, for one thread of one process; reentrant.

        Raises IndexBusyError when it is not to be had within ``patience`` seconds.
        """

    def commit(self, batch: Batch) -> None:
        """All of it or nothing, durably, together with the mark. Only within ``exclusive``.

        When it returns, no word of what was removed is left on the disk.
        """

    def clear(self, beyond: int = 0) -> None:
        """Back to nothing, whatever state the index is in, and to a generation above ``beyond`` and any it had.

        Only within ``exclusive``.
        """

    def search(
        self, tree: Expression, keep: Keep | None, limit: int, seconds: float = SEARCH_SECONDS
    ) -> Hits:
        """Newest filed first, of those that ``keep`` keeps (none: all); the others leave no trace in the answer.

        The tree holds no facts: they became ``Among`` or part of ``keep``. When the time is up, what was found by
        then.
        """

    def rank(self, tree: Expression, keep: Keep | None, limit: int, seconds: float) -> Hits:
        """Best first: what says the phrases more often, and rare ones more than common ones.

        Of as many of the newest as can be looked at in the time.
        """

    def mark(self) -> Mark:
        """The mark of the newest commit; ``START`` when there is none."""

    def generation(self) -> int:
        """Higher after each commit; an index that goes back is an older copy. 0 when there is none."""

    def size(self) -> int:
        """Case files in the index."""

    def weight(self) -> int:
        """Bytes on the disk."""

    def holds(self, case_file: CaseFileId) -> bool:
        """Whether any word of it may still be on the disk."""

    def verify(self) -> None:
        """Reads and authenticates the whole index."""
