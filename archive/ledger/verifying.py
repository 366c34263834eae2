"""Verifying the whole ledger: every leaf, every stored node, every checkpoint, every detail that is still there."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import rfc8785
import sqlalchemy as sa

from archive.casefile import tables as casefile_tables
from archive.causes import Cause
from archive.errors import Code, MunimentError
from archive.keys.sealing import BoxError
from archive.ledger import tables
from archive.ledger.entries import salted_hash
from archive.ledger.log import DetailKey, Ledger
from archive.ledger.merkle import Frontier, Node, leaf_hash
from archive.ledger.notes import Checkpoint, NoteError, UnsignedError, open_note

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found whole. ``shredded`` counts details whose key is gone: their salted hashes stand."""

    entries: int
    checkpoints: int
    details: int
    shredded: int
    root: str  # hex
    checkpoint: str | None  # the newest signed note, to keep


def verify(
    connection: sa.Connection,
    ledger: Ledger,
    file_key: DetailKey,
    *,
    kept: str | None = None,
    progress: Progress = lambda _: None,
) -> Verified:
    """Walks the log once. Raises MunimentError: LEDGER_DAMAGED names the first entry that fails and why,
    ARCHIVE_DAMAGED means a page of the catalogue that holds the ledger or an index of it, CHECKPOINT_INVALID that
    ``kept`` is no whole checkpoint, CHECKPOINT_MISMATCH that it is one, and not of this history.
    """
    promised = None if kept is None else _open_kept(ledger, kept)
    frontier, details, shredded = Frontier(), 0, 0
    nodes, notes = _StoredNodes(connection), _StoredNotes(connection, ledger)
    for row in _rows(connection):
        _check_leaf(row, frontier.size)
        if row.box is not None:
            opened = _check_detail(ledger, row, file_key)
            details, shredded = details + opened, shredded + (not opened)
        frontier, complete = frontier.append(leaf_hash(row.leaf.encode()))
        nodes.check(complete, row.position)
        notes.check(frontier)
        if promised is not None and promised.size == frontier.size and promised.root != frontier.root():
            raise MunimentError(Code.CHECKPOINT_MISMATCH, size=promised.size)
        progress(frontier.size)
    nodes.check_exhausted(frontier.size)
    notes.check_exhausted(frontier.size)
    _check_no_stray_detail(connection, frontier.size)
    _check_pages(connection)
    if promised is not None and promised.size > frontier.size:
        raise MunimentError(Code.CHECKPOINT_MISMATCH, size=promised.size)
    return Verified(frontier.size, notes.count, details, shredded, frontier.root().hex(), notes.last)


def _rows(connection: sa.Connection) -> Iterator[Any]:
    query = (
        sa.select(
            tables.entry.c.position, tables.entry.c.leaf, tables.detail.c.case_file, tables.detail.c.box
        )
        .outerjoin(tables.detail, tables.detail.c.position == tables.entry.c.position)
        .order_by(tables.entry.c.position)
        .execution_options(yield_per=1000)
    )
    return iter(connection.execute(query))


def _check_leaf(row: Any, position: int) -> None:
    if row.position != position:
        raise _damaged(position, Cause("缺少这一条", "the entry is missing"))
    try:
        document = json.loads(row.leaf)
        canonical = rfc8785.dumps(document).decode()
    except (ValueError, TypeError, RecursionError):
        raise _damaged(position, Cause("不是规范的 JSON", "the entry is not canonical JSON")) from None
    if canonical != row.leaf or not isinstance(document, dict) or document.get("index") != position:
        raise _damaged(
            position, Cause("不规范，或位置不对", "the entry is not canonical, or not in its place")
        )
    if (document.get("detail") is None) != (row.box is None):
        raise _damaged(
            position, Cause("其封存的详情缺失，或是后来加上的", "its sealed detail is missing or was added")
        )


def _check_detail(ledger: Ledger, row: Any, file_key: DetailKey) -> bool:
    """True when the detail is there and matches its salted hash, False when its key was shredded."""
    try:
        opened = ledger.open_detail(row.position, row.case_file, row.box, file_key)
    except (BoxError, TypeError):  # a box may be of any type, once the triggers were passed by
        raise _damaged(row.position, Cause("其封存的详情被改动", "its sealed detail was altered")) from None
    if opened is None:
        return False
    if salted_hash(opened) != json.loads(row.leaf)["detail"]:
        raise _damaged(
            row.position, Cause("其封存的详情与记录不符", "its sealed detail does not match the entry")
        )
    return True


def _check_no_stray_detail(connection: sa.Connection, size: int) -> None:
    """Every detail of an entry was compared on the way: one without an entry was added. One whose case file nobody
    knows was not shredded, it was made unreadable.
    """
    columns = tables.detail.c
    known = sa.select(casefile_tables.case_file.c.id)
    # SQL holds that nothing is not in an empty set: a detail of no case file is no stray while there are none.
    orphan = sa.and_(columns.case_file.is_not(None), columns.case_file.not_in(known))
    stray = sa.or_(columns.position < 0, columns.position >= size, orphan)
    found = connection.execute(sa.select(columns.position).where(stray).limit(1)).scalar()
    if found is not None:
        raise _damaged(
            found,
            Cause(
                "有不属于任何记录或案卷的封存详情", "its sealed detail belongs to no entry or no case file"
            ),
        )


def _check_pages(connection: sa.Connection) -> None:
    """Where the walk does not lead: the indexes, by which people find entries."""
    for table in (tables.entry, tables.detail, tables.node, tables.checkpoint):
        if connection.exec_driver_sql(f"PRAGMA quick_check({table.name})").scalars().all() != ["ok"]:
            raise MunimentError(Code.ARCHIVE_DAMAGED, path="catalogue.db")


class _StoredNodes:
    """The stored hashes, level by level, compared in the order in which the tree completes them."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._levels: dict[int, Iterator[Any]] = {}

    def check(self, complete: tuple[Node, ...], position: int) -> None:
        for node in complete:
            stored = next(self._level(node.level), None)
            if stored is None or (stored.position, stored.hash) != (node.index, node.hash):
                raise _damaged(
                    position,
                    Cause(
                        f"第 {node.level} 层存储的哈希不符", f"the stored hash at level {node.level} differs"
                    ),
                )

    def check_exhausted(self, size: int) -> None:
        query = sa.select(sa.func.count()).select_from(tables.node)
        expected = sum(size >> level for level in range(size.bit_length()))
        if self._connection.execute(query).scalar_one() != expected:
            raise _damaged(
                size, Cause("最后一条之后另有哈希", "there are stored hashes beyond the last entry")
            )

    def _level(self, level: int) -> Iterator[Any]:
        if level not in self._levels:
            query = (
                sa.select(tables.node.c.position, tables.node.c.hash)
                .where(tables.node.c.level == level)
                .order_by(tables.node.c.position)
                .execution_options(yield_per=1000)
            )
            self._levels[level] = iter(self._connection.execute(query))
        return self._levels[level]


class _StoredNotes:
    """The stored checkpoints in order of size; each must be signed by us and carry the root of that size."""

    def __init__(self, connection: sa.Connection, ledger: Ledger) -> None:
        query = sa.select(tables.checkpoint).order_by(tables.checkpoint.c.size)
        self._rows = iter(connection.execute(query.execution_options(yield_per=1000)))
        self._next = next(self._rows, None)
        self._ledger = ledger
        self._last_size = 0
        self.count = 0
        self.last: str | None = None

    def check(self, frontier: Frontier) -> None:
        if self._next is None or self._next.size != frontier.size:
            return
        position = frontier.size - 1
        try:
            checkpoint = open_note(self._next.note, [self._ledger.verifier])
        except NoteError:
            raise _damaged(
                position, Cause("其检查点不是由本档案库签署", "its checkpoint is not signed by this archive")
            ) from None
        expected = Checkpoint(self._ledger.origin, frontier.size, frontier.root())
        if checkpoint != expected:
            raise _damaged(
                position,
                Cause("其检查点与之前的记录不符", "its checkpoint does not match the entries before it"),
            )
        self.count, self.last, self._last_size = self.count + 1, self._next.note, frontier.size
        self._next = next(self._rows, None)

    def check_exhausted(self, size: int) -> None:
        if self._next is not None or size == 0:  # no archive is without its first entry
            raise _damaged(
                size, Cause("检查点所含的记录缺失", "entries that a checkpoint covers are missing")
            )
        if self._last_size != size:
            raise _damaged(size - 1, Cause("缺少包含它的检查点", "the checkpoint over it is missing"))


def _open_kept(ledger: Ledger, note: str) -> Checkpoint:
    try:
        return open_note(note, [ledger.verifier])
    except UnsignedError:  # of another archive, or this one was made anew under another key
        raise MunimentError(Code.CHECKPOINT_MISMATCH, size="?") from None
    except NoteError:
        raise MunimentError(Code.CHECKPOINT_INVALID) from None


def _damaged(position: int, problem: Cause) -> MunimentError:
    return MunimentError(Code.LEDGER_DAMAGED, index=position, problem=problem)
