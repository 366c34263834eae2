"""A query for SQLite: the part that FTS5 answers by itself, and what else must hold, as SQL. Pure."""

import json
from dataclasses import dataclass

import sqlalchemy as sa

from indexer.analysis import Phrase
from indexer.query.expression import AllOf, Among, AnyOf, Expression, Not
from indexer.tables import fts5_file

Condition = sa.ColumnElement[bool]

# FTS5 has a hidden column of the table's own name, which is what MATCH is said of.
WORDS = sa.table("fts5_words", sa.column("rowid", sa.Integer), sa.column("fts5_words", sa.String))


@dataclass(frozen=True, slots=True)
class Matching:
    """``match`` drives the search, if there is one. ``place`` is the order of a file there, ``where`` the rest."""

    match: Condition | None
    place: sa.ColumnElement[int]
    where: Condition


def matching(tree: Expression) -> Matching:
    """The tree holds no facts."""
    parts = tree.parts if isinstance(tree, AllOf) else (tree,)
    inside = tuple(each for each in parts if words(each) or (isinstance(each, Not) and words(each.part)))
    driving = words(AllOf(inside)) if inside else None
    if driving is None:
        return Matching(None, fts5_file.c.order, _all_of(parts, fts5_file.c.order))
    rest = tuple(each for each in parts if each not in inside)
    # With a bare rowid SQLite would ask FTS5 anew for each file of a list.
    return Matching(_says(driving), WORDS.c.rowid, _all_of(rest, WORDS.c.rowid + 0))


def words(tree: Expression) -> str | None:
    """The tree in FTS5's own language; none where that has no words for it: NOT without something before it, ids."""
    match tree:
        case Phrase():
            terms, goes_on = tree.row
            return f'"{" ".join(terms)}"' + (" *" if goes_on else "")
        case AllOf(parts):
            without = [words(each.part) for each in parts if isinstance(each, Not)]
            wanted = [words(each) for each in parts if not isinstance(each, Not)]
            if not wanted or None in (*wanted, *without):
                return None
            joined = " AND ".join(f"({each})" for each in wanted)
            return f"({joined})" + "".join(f" NOT ({each})" for each in without)
        case AnyOf(parts):
            either = list(map(words, parts))
            return None if None in either else " OR ".join(f"({each})" for each in either)
    return None


def _says(match: str) -> Condition:
    return WORDS.c.fts5_words.op("MATCH", is_comparison=True)(match)


def _all_of(parts: tuple[Expression, ...], place: sa.ColumnElement[int]) -> Condition:
    return sa.and_(sa.true(), *(_holds(each, place) for each in parts))


def _holds(tree: Expression, place: sa.ColumnElement[int]) -> Condition:
    match = words(tree)
    if match is not None:
        return place.in_(sa.select(WORDS.c.rowid).where(_says(match)))
    match tree:
        case Among(ids):
            given = sa.func.json_each(json.dumps(list(ids))).table_valued("value")
            return place.in_(sa.select(fts5_file.c.order).where(fts5_file.c.id.in_(sa.select(given.c.value))))
        case AllOf(parts):
            return _all_of(parts, place)
        case AnyOf(parts):
            return sa.or_(*(_holds(each, place) for each in parts))
        case Not(part):
            return sa.not_(_holds(part, place))
    raise TypeError(type(tree).__name__)
