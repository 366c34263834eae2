"""The search engine inside the encrypted catalogue: SQLite's FTS5, for large archives.

A case file is a row of terms in a contentless table, in the order they stand in, with a sign that no term is between
two of its parts; its number is its order of filing, so that FTS5 itself gives the newest first. What is written is
written in the catalogue's transactions and sealed by SQLCipher page by page.

FTS5 holds a row in memory until it is complete, many times over, so a long text is cut into rows of a table of their
own (``indexer.long_texts``).
"""

import heapq
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archive.database.catalogue import Catalogue
from archive.keys.filekey import CaseFileId
from indexer import long_texts
from indexer.analysis import form, in_order
from indexer.engine import SEARCH_SECONDS, START, Batch, Hits, IndexDamagedError, Keep, Mark, Text
from indexer.keeping import Deadline, kept
from indexer.locking import Lock
from indexer.matching import WORDS, Matching, matching
from indexer.query.expression import Expression
from indexer.tables import fts5_file, fts5_mark

# ``ascii`` takes everything beyond ASCII for a letter: terms pass it as they are, whatever Unicode it was built with.
_CREATE = """CREATE VIRTUAL TABLE IF NOT EXISTS fts5_words
    USING fts5(terms, content='', contentless_delete=1, tokenize='ascii')"""
_RANKED = 5000  # of the newest hits are put in order of relevance
_STEP_PAGES = 500  # of a merge, in one transaction: others write between two
_INSTRUCTIONS = 20_000  # of SQLite between two looks at the clock

_Short = tuple[int, str]  # order, terms
_Long = tuple[int, tuple[int, int]]  # order, rows


class Fts5Engine:
    """The index inside ``catalogue``. ``lock`` is a file's path: it keeps two writers from the same work."""

    def __init__(self, catalogue: Catalogue, lock: Path) -> None:
        self._catalogue = catalogue
        self.folder = lock.parent
        self._lock = Lock(lock)

    @contextmanager
    def exclusive(self, patience: float) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock.held(patience):
            yield

    def commit(self, batch: Batch) -> None:
        self._lock.must_be_held()
        with _damage():
            short, long = self._apart(batch.add)
        with _damage(), self._catalogue.housekeeping() as connection:
            connection.exec_driver_sql(_CREATE)
            state = connection.execute(fts5_mark.select()).one_or_none()
            removed = _delete(connection, batch)
            _insert(connection, short, long)
            removed |= long_texts.sweep(connection)
            connection.execute(fts5_mark.delete())
            connection.execute(
                fts5_mark.insert().values(
                    generation=1 + (state.generation if state else 0),
                    position=batch.mark.position,
                    leaf=batch.mark.leaf,
                    form=form(),
                    purging=removed or bool(state and state.purging),
                )
            )
        with _damage():
            self._purge()

    def clear(self, beyond: int = 0) -> None:
        self._lock.must_be_held()
        with self._catalogue.housekeeping() as connection:
            state = connection.execute(fts5_mark.select()).one_or_none()
            connection.exec_driver_sql("DROP TABLE IF EXISTS fts5_words")
            long_texts.drop(connection)
            connection.exec_driver_sql(_CREATE)
            connection.execute(fts5_file.delete())
            connection.execute(fts5_mark.delete())
            generation = 1 + max(beyond, state.generation if state else 0)
            connection.execute(
                fts5_mark.insert().values(
                    generation=generation, position=0, leaf=b"", form=form(), purging=False
                )
            )

    def search(
        self, tree: Expression, keep: Keep | None, limit: int, seconds: float = SEARCH_SECONDS
    ) -> Hits:
        deadline = Deadline.within(seconds)
        with _damage(), self._catalogue.reading() as connection, _until(connection, deadline):
            position = _position(connection)
            if position is None:
                return Hits((), more=False, position=0)
            with closing(_newest(connection, tree, deadline)) as found:
                hits = kept(found, keep, limit, position)
        return replace(hits, more=hits.more or deadline.missed)

    def rank(self, tree: Expression, keep: Keep | None, limit: int, seconds: float) -> Hits:
        wanted = matching(tree)
        if wanted.match is None:
            return self.search(tree, keep, limit, seconds)
        deadline = Deadline.within(seconds)
        with _damage(), self._catalogue.reading() as connection, _until(connection, deadline):
            position = _position(connection)
            if position is None:
                return Hits((), more=False, position=0)
            best = [row.id for row in _taken(connection, _ranked(wanted), deadline)]
            if long_texts.any_there(connection):  # they say much of everything: after the others
                best += [row.id for row in _taken(connection, _long(tree), deadline)]
        if deadline.missed:  # SQLite gives the best when it has looked at all
            return replace(self.search(tree, keep, limit), more=True, partly=True)
        hits = kept(iter(best), keep, limit, position)
        cut = len(best) == _RANKED
        return replace(hits, more=hits.more or cut, partly=cut)

    def mark(self) -> Mark:
        with _damage(), self._catalogue.reading() as connection:
            state = connection.execute(fts5_mark.select()).one_or_none()
        if state is None or not state.position:
            return START
        if state.form != form():
            raise IndexDamagedError("written by other rules than those in force")
        return Mark(state.position, state.leaf)

    def generation(self) -> int:
        with self._catalogue.reading() as connection:
            return int(connection.execute(sa.select(sa.func.max(fts5_mark.c.generation))).scalar() or 0)

    def size(self) -> int:
        with self._catalogue.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(fts5_file)).scalar_one())

    def weight(self) -> int:
        with _damage(), self._catalogue.reading() as connection:
            if _position(connection) is None:
                return 0
            tables = ["fts5_words", *(["fts5_long_words"] if long_texts.made(connection) else [])]
            blocks = "SELECT coalesce(sum(length(block)), 0) FROM {}_data"
            return sum(connection.exec_driver_sql(blocks.format(each)).scalar_one() for each in tables)

    def holds(self, case_file: CaseFileId) -> bool:
        with self._catalogue.reading() as connection:
            purging = connection.execute(sa.select(fts5_mark.c.purging)).scalar()
            there = sa.select(fts5_file.c.order).where(fts5_file.c.id == case_file)
            known = connection.execute(there).one_or_none() is not None
            return bool(purging) or known or long_texts.left_over(connection)

    def verify(self) -> None:
        """SQLCipher authenticates each page as it is read; FTS5 looks whether its words hang together.

        FTS5's own command for that is an INSERT, and would keep all others from writing meanwhile (SQLite 3.44 and
        later: PRAGMA integrity_check asks virtual tables too).
        """
        self.mark()
        with _damage(), self._catalogue.reading() as connection:
            if _position(connection) is None:
                return
            words = connection.exec_driver_sql("SELECT count(*) FROM fts5_words_docsize").scalar_one()
            files = connection.execute(sa.select(sa.func.count()).select_from(fts5_file)).scalar_one()
            if long_texts.made(connection):
                words += connection.execute(
                    sa.select(sa.func.count()).select_from(long_texts.orders().subquery())
                ).scalar_one()
            found = connection.exec_driver_sql("PRAGMA integrity_check(fts5_words)").scalars().all()
            wrong = [*(each for each in found if each != "ok"), *long_texts.check(connection)]
        if words != files:
            raise IndexDamagedError("files and words do not agree")
        if wrong:
            raise IndexDamagedError("; ".join(wrong))

    def _apart(self, texts: Iterable[Text]) -> tuple[dict[CaseFileId, _Short], dict[CaseFileId, _Long]]:
        """Short texts as they will be written; long ones are written, in transactions of their own, so that others need
        not wait for the whole of one. They count when they are registered.
        """
        short: dict[CaseFileId, _Short] = {}
        long: dict[CaseFileId, _Long] = {}
        for text in texts:
            rows = in_order(text.pieces)
            first, second = next(rows, []), next(rows, None)
            if second is None:
                short[text.id] = text.order, " ".join(first)
            else:
                long[text.id] = text.order, long_texts.write(self._catalogue, chain([first, second], rows))
        return short, long

    def _purge(self) -> None:
        """What is deleted from FTS5 is only hidden until its segments are merged; here they are, into one."""
        with self._catalogue.reading() as connection:
            if not connection.execute(sa.select(fts5_mark.c.purging)).scalar():
                return
            tables = ["fts5_words", *(["fts5_long_words"] if long_texts.made(connection) else [])]
        for table in tables:
            self._merge(table)
        with self._catalogue.housekeeping() as connection:
            connection.execute(fts5_mark.update().values(purging=False))

    def _merge(self, table: str) -> None:
        pages = -_STEP_PAGES  # negative: all segments, whatever their size
        while True:
            with self._catalogue.housekeeping() as connection:
                if not _merged(connection, table, pages):
                    return
            pages = _STEP_PAGES


def _position(connection: sa.Connection) -> int | None:
    """None before the first commit. Raises IndexDamagedError when there is a mark and no words."""
    position = connection.execute(sa.select(fts5_mark.c.position)).scalar()
    if position is None:
        return None
    there = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema WHERE name = 'fts5_words'")
    if not there.scalar_one():
        raise IndexDamagedError("the table of words is missing")
    return int(position)


def _delete(connection: sa.Connection, batch: Batch) -> bool:
    """Whether anything of what was to be removed was there."""
    ids = json.dumps([*batch.remove, *(each.id for each in batch.add)])
    found = connection.execute(
        sa.text('SELECT id, "order" FROM fts5_file WHERE id IN (SELECT value FROM json_each(:ids))'),
        {"ids": ids},
    ).all()
    for row in found:
        connection.exec_driver_sql("DELETE FROM fts5_words WHERE rowid = ?", (row.order,))
        connection.execute(fts5_file.delete().where(fts5_file.c.order == row.order))
    long_texts.remove(connection, [row.order for row in found])
    return any(row.id in batch.remove for row in found)


def _insert(
    connection: sa.Connection, short: Mapping[CaseFileId, _Short], long: Mapping[CaseFileId, _Long]
) -> None:
    files = [{"order": order, "id": each} for each, (order, _) in (*short.items(), *long.items())]
    if files:
        connection.execute(fts5_file.insert(), files)
    if short:
        insert = "INSERT INTO fts5_words(rowid, terms) VALUES (?, ?)"
        connection.exec_driver_sql(insert, list(short.values()))
    for order, rows in long.values():
        long_texts.register(connection, order, rows)


def _merged(connection: sa.Connection, table: str, pages: int) -> bool:
    """Whether there was anything to merge (FTS5 documentation, section 6.8: fewer than two changes)."""
    changes = "SELECT total_changes()"
    before = connection.exec_driver_sql(changes).scalar_one()
    merge = f"INSERT INTO {table}({table}, rank) VALUES ('merge', ?)"  # noqa: S608 - a name of ours
    connection.exec_driver_sql(merge, (pages,))
    return bool(connection.exec_driver_sql(changes).scalar_one() - before >= 2)


def _taken(
    connection: sa.Connection, query: sa.Select[Any], deadline: Deadline
) -> Generator[sa.Row[Any], None, None]:
    """Read from the database as it is taken; to the end, or to the deadline."""
    try:
        yield from connection.execution_options(stream_results=True).execute(query)
    except sa.exc.OperationalError as error:
        if "interrupted" not in str(error.orig):
            raise
        deadline.missed = True


def _newest(
    connection: sa.Connection, tree: Expression, deadline: Deadline
) -> Generator[CaseFileId, None, None]:
    short = matching(tree)
    if not long_texts.any_there(connection):
        yield from (CaseFileId(row.id) for row in _taken(connection, _in_order(short), deadline))
        return
    if short.match is None:  # all files that are not excluded, in whatever table their words are
        short = replace(short, where=sa.and_(short.where, short.place.not_in(long_texts.orders())))
    streams = [_taken(connection, _in_order(short), deadline), _taken(connection, _long(tree), deadline)]
    for row in heapq.merge(*streams, key=lambda row: -row.order):
        yield CaseFileId(row.id)


def _in_order(wanted: Matching) -> sa.Select[Any]:
    place = wanted.place.label("order")
    if wanted.match is None:
        return sa.select(fts5_file.c.id, place).where(wanted.where).order_by(wanted.place.desc())
    # A join might begin with the files; this begins with the words.
    name = sa.select(fts5_file.c.id).where(fts5_file.c.order == wanted.place).scalar_subquery().label("id")
    return (
        sa.select(name, place)
        .select_from(WORDS)
        .where(wanted.match, wanted.where)
        .order_by(wanted.place.desc())
    )


def _long(tree: Expression) -> sa.Select[Any]:
    found = long_texts.found(tree).subquery()
    order = fts5_file.c.order
    return sa.select(fts5_file.c.id, order).join(found, order == found.c.order).order_by(order.desc())


def _ranked(wanted: Matching) -> sa.Select[Any]:
    score = sa.func.bm25(sa.literal_column("fts5_words")).label("score")
    newest = (
        sa.select(wanted.place.label("place"), score)
        .select_from(WORDS)
        .where(sa.true() if wanted.match is None else wanted.match, wanted.where)
        .order_by(wanted.place.desc())
        .limit(_RANKED)
        .subquery()
    )
    files = sa.select(fts5_file.c.id).join(newest, fts5_file.c.order == newest.c.place)
    return files.order_by(newest.c.score, newest.c.place.desc())


@contextmanager
def _until(connection: sa.Connection, deadline: Deadline) -> Iterator[None]:
    """SQLite is interrupted when the time is up."""
    raw: Any = connection.connection.dbapi_connection
    raw.set_progress_handler(deadline.is_over, _INSTRUCTIONS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)


@contextmanager
def _damage() -> Iterator[None]:
    """What SQLite says of tables that are altered or gone."""
    try:
        yield
    except sa.exc.DatabaseError as error:
        said = str(error.orig)
        if any(each in said for each in ("no such table", "vtable", "malformed", "corrupt")):
            raise IndexDamagedError(said) from error
        raise
