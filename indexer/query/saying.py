"""A phrase as a condition on the catalogue: the files whose own facts say it, by the rule by which texts do.

The columns hold few different values for many files. So these are read once and compared here, folded and cut into
atoms as texts are, and SQL is asked for the files that have them. Only the numbers of reference codes are many.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import FileState
from archive.casefile.reference import Reference, Series
from indexer.analysis import Atom, Phrase, atoms, fold
from indexer.gathering import VOID

Condition = sa.ColumnElement[bool]

_FILE = tables.case_file.c
_NAMED: Final[Sequence[sa.Column[Any]]] = (
    _FILE.store,
    _FILE.script,
    _FILE.channel,
    _FILE.department,
    _FILE.completed_on,
)
_SERIES: Final = (_FILE.year, _FILE.level, _FILE.category)
_LONGEST_NUMBER: Final = 9  # digits

_Row = Sequence[Atom]
_Named = Sequence[tuple[sa.Column[Any], Sequence[tuple[date | str, _Row]]]]
_Series = tuple[int, str, str]
_Codes = Sequence[tuple[_Series, _Row]]


def saying(connection: sa.Connection, allowed: sa.Select[Any]) -> Callable[[Phrase], Condition]:
    """Gives for a phrase the files of those that ``allowed`` selects whose facts say it (see ``gathering.facts``).

    No condition is ever NULL. What other files hold does not even show in the time it takes.
    """
    named, codes = _read(connection, allowed)
    void = _row(VOID)

    @cache
    def says(phrase: Phrase) -> Condition:
        either = [_with_number(phrase, codes), *_in_series(phrase, codes)]
        if phrase.stands_in(void):
            either.append(_FILE.state == FileState.VOID.value)
        for column, rows in named:
            fitting = [value for value, row in rows if phrase.stands_in(row)]
            if fitting:
                either.append(sa.and_(column.is_not(None), column.in_(fitting)))
        return sa.or_(*either)

    return says


def _read(connection: sa.Connection, allowed: sa.Select[Any]) -> tuple[_Named, _Codes]:
    """In one pass: at 50,000 files it takes as long as to count them, and one for each column many times that."""
    series = sa.cast(_FILE.year, sa.String) + "-" + _FILE.level + "-" + _FILE.category
    lists = (sa.func.json_group_array(sa.distinct(each)) for each in (*_NAMED, series))
    *named, codes = map(json.loads, connection.execute(allowed.with_only_columns(*lists)).one())
    rows: _Named = [
        (column, [(_value(column, each), _row(each)) for each in values if each is not None])
        for column, values in zip(_NAMED, named, strict=True)
    ]
    return rows, [_code(*each.split("-")) for each in codes]


def _value(column: sa.Column[Any], text: str) -> date | str:
    return date.fromisoformat(text) if column is _FILE.completed_on else text


def _row(text: str) -> _Row:
    return atoms(fold(text))


def _code(year: str, level: str, category: str) -> tuple[_Series, _Row]:
    """The last atom is the number, whichever."""
    series = Series(int(year), level, category)
    return (series.year, level, category), _row(str(Reference(series, 1)))


def _in_series(phrase: Phrase, codes: _Codes) -> list[Condition]:
    """Said by the codes before their numbers."""
    fitting = [series for series, row in codes if phrase.stands_in(row[:-1])]
    return [_among(fitting, codes)] if fitting else []


def _with_number(phrase: Phrase, codes: _Codes) -> Condition:
    """Said by the codes up to their numbers."""
    number = phrase.atoms[-1].text
    if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER):
        return sa.false()
    length = len(phrase.atoms)
    fitting = [
        series
        for series, row in codes
        if length <= len(row) and phrase.at([*row[:-1], row[-1]._replace(text=number)], len(row) - length)
    ]
    if not fitting:
        return sa.false()
    return sa.and_(_among(fitting, codes), _numbered(number, goes_on=phrase.leaves[-1].prefix))


def _among(fitting: Sequence[_Series], codes: _Codes) -> Condition:
    return sa.true() if len(fitting) == len(codes) else sa.tuple_(*_SERIES).in_(fitting)


def _numbered(digits: str, *, goes_on: bool) -> Condition:
    """Numbers that are written so (three digits at least), or begin so."""
    number = int(digits)
    either = [_FILE.number == number] if f"{number:03d}" == digits else []
    if goes_on and number and not digits.startswith("0"):
        more = range(1, _LONGEST_NUMBER - len(digits) + 1)
        either += [_FILE.number.between(number * 10**each, (number + 1) * 10**each - 1) for each in more]
    return sa.or_(sa.false(), *either)
