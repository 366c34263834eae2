"""A query for SQLite: the part that FTS5 answers by itself, and what else must hold, as SQL. Pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from indexer.analysis import Phrase
from indexer.query.expression import AllOf, Among, AnyOf, Expression, Not
from indexer.tables import fts5_file

Condition = sa.ColumnElement[bool]
Place = sa.ColumnElement[int]  # the order of a file

# FTS5 has a hidden column of the table's own name, which is what MATCH is said of.
WORDS = sa.table("fts5_words", sa.column("rowid", sa.Integer), sa.column("fts5_words", sa.String))


@dataclass(frozen=True, slots=True)
class Matching:
    """``match`` drives the search, if there is one. ``place`` is the order of a file there, ``where`` the rest."""

    match: Condition | None
    place: Place
    where: Condition


def matching(tree: Expression) -> Matching:
    """The tree holds no facts."""
    parts = tree.parts if isinstance(tree, AllOf) else (tree,)
    inside = tuple(each for each in parts if words(each) or (isinstance(each, Not) and words(each.part)))
    driving = words(AllOf(inside)) if inside else None
    if driving is None:
        return Matching(None, fts5_file.c.order, holds(tree, fts5_file.c.order, _in_words))
    rest = tuple(each for each in parts if each not in inside)
    # With a bare rowid SQLite would ask FTS5 anew for each file of a list.
    return Matching(_says(driving), WORDS.c.rowid, holds(AllOf(rest), WORDS.c.rowid + 0, _in_words))


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


def phrase_match(tree: Expression) -> str | None:
    """A phrase in FTS5's own language, or phrases of which any may be there."""
    match tree:
        case Phrase():
            return words(tree)
        case AnyOf(parts) if all(isinstance(each, Phrase) for each in parts):
            return words(tree)
    return None


def holds(tree: Expression, place: Place, told: Callable[[Expression, Place], Condition | None]) -> Condition:
    """That the tree holds for the file of that order; ``told``: by FTS5, where it has words for it."""
    known = told(tree, place)
    if known is not None:
        return known
    match tree:
        case Among(ids):
            given = sa.func.json_each(json.dumps(list(ids))).table_valued("value")
            return place.in_(sa.select(fts5_file.c.order).where(fts5_file.c.id.in_(sa.select(given.c.value))))
        case AllOf(parts):
            return sa.and_(sa.true(), *(holds(each, place, told) for each in parts))
        case AnyOf(parts):
            return sa.or_(sa.false(), *(holds(each, place, told) for each in parts))
        case Not(part):
            return sa.not_(holds(part, place, told))
    raise TypeError(type(tree).__name__)


def _in_words(tree: Expression, place: Place) -> Condition | None:
    match = words(tree)
    return None if match is None else place.in_(sa.select(WORDS.c.rowid).where(_says(match)))


def _says(match: str) -> Condition:
    return WORDS.c.fts5_words.op("MATCH", is_comparison=True)(match)
