"""Facts as conditions on the catalogue: levels, stores, dates and codes are asked in SQL, index or none."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import FileState
from archive.errors import Code, MunimentError
from archive.scheme.scheme import Scheme
from indexer.analysis import Phrase, fold
from indexer.query.expression import AllOf, AnyOf, Expression, Not
from indexer.query.facts import Days, Fact, Field, Status, Years
from indexer.query.initials import has_initials
from indexer.query.parsing import code_of
from indexer.query.problems import QueryProblem

Condition = sa.ColumnElement[bool]

_FILE = tables.case_file.c
_NAMED: Mapping[Field, sa.Column[Any]] = {
    Field.CATEGORY: _FILE.category,
    Field.CHANNEL: _FILE.channel,
    Field.DEPARTMENT: _FILE.department,
    Field.LEVEL: _FILE.level,
    Field.SCRIPT: _FILE.script,
    Field.STORE: _FILE.store,
}
_BY_INITIALS = frozenset({Field.SCRIPT, Field.STORE})
_DAY = timedelta(days=1)


class Keeping(Protocol):
    """What a query may ask of retention, as conditions on ``case_file``."""

    def held(self) -> Condition:
        """Under a hold now."""

    def due(self, first: date | None, last: date | None) -> Condition:
        """With a due date in these days, both counted; without a first or last day the range is open there."""


class Conditions:
    """For the scheme and the zone of one archive."""

    def __init__(self, scheme: Scheme, zone: tzinfo, keeping: Keeping) -> None:
        self._scheme = scheme
        self._zone = zone
        self._keeping = keeping

    def today(self, moment: datetime) -> date:
        """By the clocks of the house."""
        return moment.astimezone(self._zone).date()

    def by_code(self) -> tuple[sa.ColumnElement[Any], ...]:
        """The order of the shelves (P12): year, level, category, number."""
        levels = {each.name: place for place, each in enumerate(self._scheme.levels)}
        categories = {each.name: place for place, each in enumerate(self._scheme.categories)}
        return (
            _FILE.year,
            sa.case(levels, value=_FILE.level, else_=len(levels)),
            sa.case(categories, value=_FILE.category, else_=len(categories)),
            _FILE.number,
        )

    def of(
        self,
        tree: Expression,
        connection: sa.Connection,
        allowed: sa.Select[Any] | None = None,
        says: Callable[[Phrase], Condition] | None = None,
    ) -> Condition:
        """``connection`` tells which names of stores and the like there are: in the files that ``allowed`` selects
        (none: all), for how many others are like them must not even show in the time it takes. ``says`` gives the files
        that say a phrase, and is never NULL; without it the tree speaks of no texts.

        Raises MunimentError: QUERY_INVALID for a level or category that there is not.
        """
        match tree:
            case AllOf(parts):
                return sa.and_(*(self.of(each, connection, allowed, says) for each in parts))
            case AnyOf(parts):
                return sa.or_(*(self.of(each, connection, allowed, says) for each in parts))
            case Not(part):
                return sa.not_(self.of(part, connection, allowed, says))
            case Phrase() if says is not None:
                return says(tree)
            case Fact(field, str(given)) if field in _NAMED:
                column = _NAMED[field]
                files = sa.select(_FILE.id) if allowed is None else allowed
                names = files.with_only_columns(column).where(column.is_not(None)).distinct()
                return self._like(tree, given, connection.execute(names).scalars().all())
            case Fact():
                return self._fact(tree)
        raise TypeError(type(tree).__name__)

    def _fact(self, fact: Fact) -> Condition:
        """Never NULL: ``Not`` of it would be NULL too, and find neither these files nor the others."""
        match fact.field, fact.value:
            case Field.REFERENCE, str(given):
                return _FILE.reference.startswith(code_of(given) or given, autoescape=True)
            case Field.HOLD, bool(held):
                return self._keeping.held() if held else sa.not_(self._keeping.held())
            case Field.STATUS, Status() as status:
                return _status(status)
            case Field.YEAR, Years(first, last):
                return _FILE.year.between(first, last)
            case field, Days() as days:
                return self._dated(field, days)
        raise TypeError(fact.field)

    def _dated(self, field: Field, days: Days) -> Condition:
        if field is Field.DUE:
            return sa.func.coalesce(self._keeping.due(days.first, days.last), sa.false())
        if field is Field.COMPLETED:
            first = sa.true() if days.first is None else _FILE.completed_on >= days.first
            last = sa.true() if days.last is None else _FILE.completed_on <= days.last
            return sa.and_(_FILE.completed_on.is_not(None), first, last)
        return self._moment(_FILE.filed_at if field is Field.FILED else _FILE.received_at, days)

    def _moment(self, column: sa.Column[Any], days: Days) -> Condition:
        """From midnight to midnight by the clocks of the house."""
        ends: list[Condition] = []
        if days.first is not None:
            ends.append(column >= datetime.combine(days.first, time.min, self._zone))
        if days.last is not None and days.last < date.max:
            ends.append(column < datetime.combine(days.last + _DAY, time.min, self._zone))
        return sa.and_(sa.true(), *ends)

    def _like(self, fact: Fact, given: str, known: Sequence[str]) -> Condition:
        """A name that holds what was given, folded alike; names are few, so they are compared here and not in SQL."""
        field = fact.field
        column = _NAMED[field]
        wanted = fold(self._canonical(field, given))
        names = [each for each in known if _is_like(fold(each), wanted, by_initials=field in _BY_INITIALS)]
        possible = self._possible(field)
        if possible and not names and not any(wanted in fold(each) for each in possible):
            raise MunimentError(Code.QUERY_INVALID, problem=_none_so(fact, possible))
        return sa.and_(column.is_not(None), column.in_(names))

    def _possible(self, field: Field) -> tuple[str, ...]:
        """The names that the scheme has for it; none where people may write what they like."""
        match field:
            case Field.LEVEL:
                return tuple(each.name for each in self._scheme.levels)
            case Field.CATEGORY:
                return tuple(each.name for each in self._scheme.categories)
        return ()

    def _canonical(self, field: Field, given: str) -> str:
        """A level may be given by its number and a category by its English title, as everywhere else."""
        if field is Field.LEVEL:
            return next((each.name for each in self._scheme.levels if str(each.number) == given), given)
        if field is Field.CATEGORY:
            titles = {fold(each.title.en): each.name for each in self._scheme.categories}
            return titles.get(given, given)
        return given


def permitted(allowed: sa.Select[Any] | None) -> tuple[Condition, ...]:
    """``allowed`` selects ids of case files (none: all)."""
    return () if allowed is None else (_FILE.id.in_(allowed),)


def _is_like(name: str, wanted: str, *, by_initials: bool) -> bool:
    return wanted in name or (by_initials and has_initials(name, wanted))


def _none_so(fact: Fact, possible: Sequence[str]) -> QueryProblem:
    name = {Field.LEVEL: "级别"}.get(fact.field, "类别")
    return QueryProblem(
        f"没有这样的{name}，可用的有：{'、'.join(possible)}",
        f"no {fact.field.value} is called so; there are {', '.join(possible)}",
        fact.at,
    )


def _status(status: Status) -> Condition:
    completed, void = _FILE.completed_on.is_not(None), _FILE.state == FileState.VOID
    return {
        Status.COMPLETED: completed,
        Status.FILED: _FILE.state == FileState.FILED,
        Status.OPEN: sa.and_(sa.not_(completed), sa.not_(void)),
        Status.VOID: void,
    }[status]
