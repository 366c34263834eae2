"""Long texts in FTS5: many rows that stand for one case file.

FTS5 holds a row in memory until it is complete, some hundred bytes a term. So a long text is cut into rows, and each
begins with the end of the one before: whatever phrase may be asked stands in one of them whole. What a query says of a
case file is said of all its rows together, phrase by phrase. They are numbered without a gap, and count from when the
registry says so: what a writer left that was cut off is nobody's, and swept away.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from archive.database.catalogue import Catalogue
from indexer.analysis import LONGEST_PHRASE
from indexer.engine import IndexDamagedError
from indexer.matching import Condition, Place, holds, phrase_match
from indexer.query.expression import Expression

_CREATE = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS fts5_long_words
    USING fts5(terms, content='', contentless_delete=1, tokenize='ascii')""",
    """CREATE TABLE IF NOT EXISTS fts5_long
    (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, "order" INTEGER NOT NULL UNIQUE)""",
)
_WORDS = sa.table("fts5_long_words", sa.column("rowid", sa.Integer), sa.column("fts5_long_words", sa.String))
_LONG = sa.table(
    "fts5_long", sa.column("first", sa.Integer), sa.column("last", sa.Integer), sa.column("order", sa.Integer)
)
_NOBODYS = """SELECT id FROM fts5_long_words_docsize
    WHERE NOT EXISTS (SELECT 1 FROM fts5_long WHERE id BETWEEN first AND last)"""


def create(connection: sa.Connection) -> None:
    for statement in _CREATE:
        connection.exec_driver_sql(statement)


def drop(connection: sa.Connection) -> None:
    for table in ("fts5_long_words", "fts5_long"):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")


def made(connection: sa.Connection) -> bool:
    """Raises IndexDamagedError when one table is there without the other."""
    query = "SELECT count(*) FROM sqlite_schema WHERE name IN ('fts5_long', 'fts5_long_words')"
    there = connection.exec_driver_sql(query).scalar_one()
    if there not in (0, len(_CREATE)):
        raise IndexDamagedError("a table of long texts is missing")
    return bool(there)


def any_there(connection: sa.Connection) -> bool:
    return (
        made(connection) and connection.exec_driver_sql("SELECT 1 FROM fts5_long LIMIT 1").first() is not None
    )


def write(catalogue: Catalogue, rows: Iterable[list[str]]) -> tuple[int, int]:
    """Each row in a transaction of its own: others write in between. The numbers of the first and the last."""
    first = number = None
    before: list[str] = []
    for row in rows:
        stretch = before + row
        with catalogue.housekeeping() as connection:
            if number is None:
                create(connection)
                newest = "SELECT coalesce(max(id), 0) FROM fts5_long_words_docsize"
                first = number = 1 + connection.exec_driver_sql(newest).scalar_one()
            else:
                number += 1
            connection.exec_driver_sql(
                "INSERT INTO fts5_long_words(rowid, terms) VALUES (?, ?)", (number, " ".join(stretch))
            )
        before = stretch[-LONGEST_PHRASE:]
    if first is None or number is None:
        raise ValueError("a long text has rows")
    return first, number


def register(connection: sa.Connection, order: int, rows: tuple[int, int]) -> None:
    connection.execute(sa.insert(_LONG).values(first=rows[0], last=rows[1], order=order))


def remove(connection: sa.Connection, orders: Iterable[int]) -> None:
    if made(connection):
        for order in orders:
            connection.execute(sa.delete(_LONG).where(_LONG.c.order == order))


def sweep(connection: sa.Connection) -> bool:
    """Deletes the rows that are nobody's; whether there were any."""
    if not made(connection):
        return False
    ids = connection.exec_driver_sql(_NOBODYS).scalars().all()
    for each in ids:
        connection.exec_driver_sql("DELETE FROM fts5_long_words WHERE rowid = ?", (each,))
    return bool(ids)


def left_over(connection: sa.Connection) -> bool:
    """Whether rows lie there that are nobody's."""
    return made(connection) and connection.exec_driver_sql(f"{_NOBODYS} LIMIT 1").first() is not None


def orders() -> sa.Select[tuple[int]]:
    return sa.select(_LONG.c.order)


def found(tree: Expression) -> sa.Select[tuple[int]]:
    """The orders of the case files that the tree holds for, newest filed first."""
    return orders().where(holds(tree, _LONG.c.order, _with)).order_by(_LONG.c.order.desc())


def check(connection: sa.Connection) -> list[str]:
    """What is wrong with them."""
    if not made(connection):
        return []
    rows = "SELECT count(*) FROM fts5_long_words_docsize WHERE id BETWEEN first AND last"
    short = f"SELECT count(*) FROM fts5_long WHERE last - first + 1 <> ({rows})"  # noqa: S608 - constants
    wrong = connection.exec_driver_sql(short).scalar_one()
    said = connection.exec_driver_sql("PRAGMA integrity_check(fts5_long_words)").scalars().all()
    return [*(["rows of a long text are missing"] if wrong else []), *(each for each in said if each != "ok")]


def _with(tree: Expression, place: Place) -> Condition | None:
    """Of the orders: those with a row in which the phrase stands."""
    match = phrase_match(tree)
    if match is None:
        return None
    begins = sa.select(sa.func.max(_LONG.c.first)).where(_LONG.c.first <= _WORDS.c.rowid).scalar_subquery()
    numbers = sa.select(begins.label("first"), _WORDS.c.rowid.label("row")).where(
        _WORDS.c.fts5_long_words.op("MATCH", is_comparison=True)(match)
    )
    there = numbers.subquery()
    owner = _LONG.alias("owner")
    found = sa.select(owner.c.order).join(
        there, sa.and_(owner.c.first == there.c.first, there.c.row <= owner.c.last)
    )
    return place.in_(found)
