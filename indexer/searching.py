"""Answering a query: facts from the catalogue, words from the index, and what the index has not yet from the texts.

Whoever asks is told of nothing but what ``allowed`` selects: it is a condition inside each step, and what it leaves
out changes neither order nor count of the answer.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Catalogue
from archive.keys.filekey import CaseFileId
from archive.ledger.tables import entry
from indexer.analysis import PIECE, Part
from indexer.engine import MOST_HITS, START, Hits, IndexDamagedError, Keep, Mark
from indexer.following import Follower, waits
from indexer.query.conditions import Condition, Conditions, permitted
from indexer.query.expression import AllOf, Among, AnyOf, Expression, Not, excludes, speaks_of_texts
from indexer.query.parsing import Asked
from indexer.query.scanning import holds

SCAN_SECONDS = 1.0  # for what no index holds yet
RANK_SECONDS = 1.0
_SHARES = 4  # of it, one for each file at most
MOST_SCANNED = 2000  # case files, the newest
MOST_SORTED = 10_000  # hits by reference code, the newest: 0.2 s. All of 100,000 would take two
_ATTEMPTS = 5  # an index that is started over in between knows less than its tail was told from
_FEW = 5000  # so many ids are handed to the engine; more are asked for as hits come
_FILE = tables.case_file.c


class Sort(StrEnum):
    DATE = "date"  # of filing, newest first
    REFERENCE = "reference"
    RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True)
class Found:
    """``more``: there are more than are shown. ``behind``: case files that nobody has looked through yet. ``partly``:
    the order is that of the newest hits; there are too many for all.
    """

    files: list[CaseFile]
    more: bool
    behind: int = 0
    partly: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """What is left for engines: a tree without facts, and a condition on the catalogue beside it."""

    tree: Expression
    condition: Condition | None


@dataclass(frozen=True, slots=True)
class _Tail:
    """What an index with this mark has not followed, from ``position`` on: files found there, all that were read, and
    how many were not.
    """

    mark: Mark
    position: int
    found: list[CaseFile]
    scanned: frozenset[CaseFileId]
    unread: int


class _NoIndex:
    """In the place of a follower whose index cannot be read: every case file waits, and is looked through itself."""

    def __init__(self, follower: Follower) -> None:
        self.engine = self
        self.parts = follower.parts
        self.behind = lambda: follower.waiting(0)

    def mark(self) -> Mark:
        return START

    def followed(self, mark: Mark) -> Mark:
        return mark

    def search(self, _tree: Expression, _keep: Keep | None, _limit: int) -> Hits:
        return Hits((), more=False, position=0)

    def rank(self, tree: Expression, keep: Keep | None, limit: int, _seconds: float) -> Hits:
        return self.search(tree, keep, limit)


class Searching:
    def __init__(self, catalogue: Catalogue, case_files: CaseFiles, conditions: Conditions) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._conditions = conditions

    def search(
        self, follower: Follower, asked: Asked, allowed: sa.Select[Any] | None, limit: int, sort: Sort
    ) -> Found:
        """Raises IndexDamagedError, OSError."""
        return self._search(follower, asked, allowed, limit, sort)

    def without_index(
        self, follower: Follower, asked: Asked, allowed: sa.Select[Any] | None, limit: int, sort: Sort
    ) -> Found:
        """As ``search``, of as many of the newest files as can be looked through in the time there is."""
        return self._search(_NoIndex(follower), asked, allowed, limit, sort)

    def _search(
        self,
        follower: Follower | _NoIndex,
        asked: Asked,
        allowed: sa.Select[Any] | None,
        limit: int,
        sort: Sort,
    ) -> Found:
        limit = min(max(limit, 1), MOST_HITS)
        if not speaks_of_texts(asked.tree):
            return self._facts(asked.tree, allowed, limit, sort)
        if asked.code is not None and sort is Sort.DATE:
            return self._coded(follower, asked, allowed, limit)
        return self._texts(follower, asked.tree, allowed, limit, sort)

    def _facts(self, tree: Expression, allowed: sa.Select[Any] | None, limit: int, sort: Sort) -> Found:
        with self._catalogue.reading() as connection:
            condition = self._conditions.of(tree, connection, allowed)
            ids = sa.select(_FILE.id).where(condition, *permitted(allowed)).order_by(*self._by(sort))
            some = connection.execute(ids.limit(limit + 1)).scalars().all()
        return Found(self._case_files.by_ids(some[:limit]), len(some) > limit)

    def _coded(
        self, follower: Follower | _NoIndex, asked: Asked, allowed: sa.Select[Any] | None, limit: int
    ) -> Found:
        """Nothing but the beginning of a reference code: the file of that very code, others that begin so, and then
        those that speak of it.
        """
        named = self._named(asked, allowed, limit)
        if not isinstance(asked.tree, AnyOf):
            raise TypeError(type(asked.tree).__name__)
        said = self._texts(follower, asked.tree.parts[-1], allowed, limit, Sort.DATE)
        known = {each.id for each in named}
        files = [*named, *(each for each in said.files if each.id not in known)]
        return Found(files[:limit], said.more or len(files) > limit, said.behind)

    def _named(self, asked: Asked, allowed: sa.Select[Any] | None, limit: int) -> list[CaseFile]:
        code = asked.code
        if code is None:
            return []
        exact = _FILE.reference != code
        ids = sa.select(_FILE.id).where(
            _FILE.reference.startswith(code, autoescape=True), *permitted(allowed)
        )
        newest = ids.order_by(exact, *self._by(Sort.DATE)).limit(limit + 1)
        with self._catalogue.reading() as connection:
            return self._case_files.by_ids(connection.execute(newest).scalars().all())

    def _texts(
        self,
        follower: Follower | _NoIndex,
        tree: Expression,
        allowed: sa.Select[Any] | None,
        limit: int,
        sort: Sort,
    ) -> Found:
        question = self._question(tree, allowed)
        most = MOST_SORTED if sort is Sort.REFERENCE else limit
        for _ in range(_ATTEMPTS):
            tail = self._tail(follower, question)
            hits = self._hits(follower, question, tail, most, sort)
            if hits.position >= tail.mark.position:
                break
        else:
            raise IndexDamagedError("the index is started over again and again")
        ids = [*(each.id for each in tail.found), *hits.ids]
        if sort is Sort.REFERENCE or (tail.found and sort is Sort.DATE):
            ordered = sa.select(_FILE.id).where(_FILE.id.in_(ids)).order_by(*self._by(sort))
            with self._catalogue.reading() as connection:
                ids = list(connection.execute(ordered).scalars())
        files = self._case_files.by_ids(ids[:limit])
        partly = hits.partly or (sort is Sort.REFERENCE and hits.more)
        return Found(files, hits.more or len(ids) > limit, tail.unread, partly)

    def _by(self, sort: Sort) -> tuple[sa.ColumnElement[Any], ...]:
        if sort is Sort.REFERENCE:
            return self._conditions.by_code()
        return (_FILE.filed_at.desc(), _FILE.reference.desc())

    def _question(self, tree: Expression, allowed: sa.Select[Any] | None) -> _Question:
        """Facts that must hold in any case go into the condition; others become the ids they hold for."""
        parts = tree.parts if isinstance(tree, AllOf) else (tree,)
        facts = tuple(each for each in parts if not speaks_of_texts(each))
        with self._catalogue.reading() as connection:
            known = [self._conditions.of(each, connection, allowed) for each in facts]
            condition = sa.and_(*known, *permitted(allowed)) if known or allowed is not None else None
            # Beneath AND, OR and NOT: the ids among those that the rest leaves.
            left = sa.select(_FILE.id) if condition is None else sa.select(_FILE.id).where(condition)

            def ids(fact: Expression) -> frozenset[CaseFileId]:
                those = left.where(self._conditions.of(fact, connection, allowed))
                return frozenset(connection.execute(those).scalars())

            texts = tuple(_resolved(each, ids) for each in parts if speaks_of_texts(each))
        return _Question(AllOf(texts) if len(texts) > 1 else texts[0], condition)

    def _hits(
        self, follower: Follower | _NoIndex, question: _Question, tail: _Tail, limit: int, sort: Sort
    ) -> Hits:
        tree, keep = question.tree, None
        if question.condition is not None:
            few = self._few(question.condition)
            if few is not None:
                tree = AllOf((Among(few), tree))
            else:
                keep = self._those(question.condition)
        if tail.scanned or tail.unread:
            keep = self._without_tail(keep, tail, all_of_it=excludes(question.tree))
        if sort is Sort.RELEVANCE:
            return follower.engine.rank(tree, keep, limit, RANK_SECONDS)
        return follower.engine.search(tree, keep, limit)

    def _few(self, condition: Condition) -> frozenset[CaseFileId] | None:
        """The ids the condition holds for, when they are few."""
        with self._catalogue.reading() as connection:
            ids = connection.execute(sa.select(_FILE.id).where(condition).limit(_FEW + 1)).scalars().all()
        return frozenset(map(CaseFileId, ids)) if len(ids) <= _FEW else None

    def _those(self, condition: Condition) -> Keep:
        def keep(ids: Sequence[CaseFileId]) -> AbstractSet[CaseFileId]:
            with self._catalogue.reading() as connection:
                return frozenset(
                    connection.execute(sa.select(_FILE.id).where(_FILE.id.in_(ids), condition)).scalars()
                )

        return keep

    def _without_tail(self, keep: Keep | None, tail: _Tail, *, all_of_it: bool) -> Keep:
        """What the index says of files that changed since is old: what was read anew counts instead.

        Those that could not be read in time are told of as the index knows them; but not where something is excluded,
        since what they were given since may be just that.
        """
        changed = self._those(_FILE.reference.in_(sa.select(entry.c.subject).where(*waits(tail.position))))

        def without(ids: Sequence[CaseFileId]) -> AbstractSet[CaseFileId]:
            left = frozenset(ids) if keep is None else keep(ids)
            return left - (changed(ids) if all_of_it else tail.scanned)

        return without

    def _tail(self, follower: Follower | _NoIndex, question: _Question) -> _Tail:
        mark = follower.engine.mark()
        position = follower.followed(mark).position
        newest = (
            sa.select(entry.c.subject)
            .where(*waits(position))
            .group_by(entry.c.subject)
            .order_by(sa.func.max(entry.c.position).desc())
            .limit(MOST_SCANNED)
        )
        with self._catalogue.reading() as connection:
            waiting = connection.execute(newest).scalars().all()
        if not waiting:
            return _Tail(mark, position, [], frozenset(), 0)
        # All of them, allowed or not: how long it takes must not tell what else there is.
        files = self._case_files.select(sa.select(_FILE.id).where(_FILE.reference.in_(waiting)))
        asked_for = frozenset(each.id for each in files)
        if question.condition is not None:
            asked_for = frozenset(self._those(question.condition)([each.id for each in files]))
        found, scanned = self._scan(follower, files, question.tree, lambda each: each in asked_for)
        unread = len(files) - len(scanned)
        if len(waiting) == MOST_SCANNED:
            unread = follower.behind() - len(scanned)
        return _Tail(mark, position, found, scanned, unread)

    def _scan(
        self,
        follower: Follower | _NoIndex,
        files: list[CaseFile],
        tree: Expression,
        asked_for: Callable[[CaseFileId], bool],
    ) -> tuple[list[CaseFile], frozenset[CaseFileId]]:
        """Newest first, as many as the time allows; none may take all of it."""
        until = time.monotonic() + SCAN_SECONDS
        found: list[CaseFile] = []
        scanned: set[CaseFileId] = set()
        for each in files:
            now = time.monotonic()
            if now > until:
                break
            parts = follower.parts(each)
            try:
                if parts is None or not holds(tree, each.id, _in_time(parts, now + SCAN_SECONDS / _SHARES)):
                    scanned.add(each.id)
                    continue
            except TimeoutError:
                continue
            scanned.add(each.id)
            if asked_for(each.id):
                found.append(each)
        return found, frozenset(scanned)


def _in_time(parts: Iterator[Part], until: float) -> Iterator[Part]:
    """Raises TimeoutError."""
    return (_pieces_in_time(part, until) for part in parts)


def _pieces_in_time(part: Part, until: float) -> Iterator[str]:
    for text in part:
        for start in range(0, len(text), PIECE):
            if time.monotonic() > until:
                raise TimeoutError
            yield text[start : start + PIECE]


def _resolved(tree: Expression, ids: Callable[[Expression], frozenset[CaseFileId]]) -> Expression:
    """With the ids that a fact holds for, in its place."""
    if not speaks_of_texts(tree):
        return Among(ids(tree))
    match tree:
        case AllOf(parts):
            return AllOf(tuple(_resolved(each, ids) for each in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_resolved(each, ids) for each in parts))
        case Not(part):
            return Not(_resolved(part, ids))
    return tree
