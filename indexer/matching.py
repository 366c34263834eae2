"""A query for SQLite: the part that FTS5 answers by itself, and what else must hold, as SQL. Pure."""

import json
from dataclasses import dataclass, field

from indexer.analysis import Phrase
from indexer.query.expression import AllOf, Among, AnyOf, Expression, Not

_MATCH = "match"


@dataclass(frozen=True, slots=True)
class Matching:
    """``match`` drives the search, if there is one; ``where`` is a condition on ``fts5_file``, with its ``values``."""

    match: str | None
    where: str
    values: dict[str, str]


def matching(tree: Expression) -> Matching:
    """The tree holds no facts."""
    parts = tree.parts if isinstance(tree, AllOf) else (tree,)
    inside = tuple(each for each in parts if _words(each) or (isinstance(each, Not) and _words(each.part)))
    match = _words(AllOf(inside)) if inside else None
    rest = tuple(each for each in parts if match is None or each not in inside)
    conditions = _Conditions()
    where = conditions.all_of(rest) if rest else "1"
    if match is not None:
        conditions.values[_MATCH] = match
    return Matching(match, where, conditions.values)


def _words(tree: Expression) -> str | None:
    """The tree in FTS5's own language; none where that has no words for it: NOT without something before it, ids."""
    match tree:
        case Phrase():
            terms, goes_on = tree.row
            return f'"{" ".join(terms)}"' + (" *" if goes_on else "")
        case AllOf(parts):
            without = [_words(each.part) for each in parts if isinstance(each, Not)]
            wanted = [_words(each) for each in parts if not isinstance(each, Not)]
            if not wanted or None in (*wanted, *without):
                return None
            joined = " AND ".join(f"({each})" for each in wanted)
            return f"({joined})" + "".join(f" NOT ({each})" for each in without)
        case AnyOf(parts):
            either = list(map(_words, parts))
            return None if None in either else " OR ".join(f"({each})" for each in either)
    return None


@dataclass(slots=True)
class _Conditions:
    values: dict[str, str] = field(default_factory=dict)

    def all_of(self, parts: tuple[Expression, ...]) -> str:
        return " AND ".join(map(self._of, parts))

    def _of(self, tree: Expression) -> str:
        words = _words(tree)
        if words is not None:
            return f'"order" IN (SELECT rowid FROM fts5_words WHERE fts5_words MATCH {self._value(words)})'
        match tree:
            case Among(ids):
                return f"id IN (SELECT value FROM json_each({self._value(json.dumps(list(ids)))}))"
            case AllOf(parts):
                return f"({self.all_of(parts)})"
            case AnyOf(parts):
                return "(" + " OR ".join(map(self._of, parts)) + ")"
            case Not(part):
                return f"NOT ({self._of(part)})"
        raise TypeError(type(tree).__name__)

    def _value(self, value: str) -> str:
        name = f"value_{len(self.values)}"
        self.values[name] = value
        return f":{name}"
