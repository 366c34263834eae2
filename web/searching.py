"""Answering a search for one person: what they may know of, by words and facts, counted and a page at a time.

The permission is the innermost query: hits, counts, pages and snippets are made of what it selects and of nothing
else. Administrators and auditors search the words of every file. Others search the catalogue's facts of the files
they may know of, and the words of those that they may read today (P14.1), as they are shown to them: masked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from access.permissions import Permission, may
from access.person import Person
from archive.casefile import tables
from archive.casefile.counting import Count, Facet, counts, narrowed
from archive.casefile.reading import CaseFile
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.scheme.scheme import Scheme
from indexer.pacing import paced
from indexer.query.problems import QueryProblem
from indexer.searching import Sort
from indexer.snippets import Snippet
from web.asking import Wanted
from web.wiring import House

LIMIT: Final = 200  # hits of words: beyond them nothing is looked for
PAGE: Final = 25  # results; their texts are opened for the snippets
MOST_UNREAD: Final = 1000
_FILE = tables.case_file.c


@dataclass(frozen=True, slots=True)
class Result:
    """``snippet`` is none for who may not read the file, and where no word of it was found."""

    file: CaseFile
    snippet: Snippet | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of results. ``more``: there are more than ``total``, which then counts the first only.

    ``behind``: files in whose words nobody looked yet. ``partly``: only the newest of them are in order. ``hint``: what
    to tell who found nothing.
    """

    results: Sequence[Result] = ()
    facets: Mapping[Facet, Sequence[Count]] | None = None
    total: int = 0
    more: bool = False
    behind: int = 0
    partly: bool = False
    page: int = 1
    pages: int = 1
    hint: QueryProblem | None = None


@dataclass(frozen=True, slots=True)
class _Matched:
    """``query`` selects what matches; ``ids`` are hits of words, in the order that was asked for."""

    query: sa.Select[Any]
    ids: Sequence[CaseFileId] = ()
    more: bool = False
    behind: int = 0
    partly: bool = False


def answer(house: House, person: Person, wanted: Wanted) -> Answer:
    """Recorded before it is given, when words were asked for. Raises QUERY_INVALID."""
    found = narrowed(house.viewing.known(person), wanted.facets)
    matched = _matching(house, person, wanted, found) if wanted.q else _Matched(found)
    with house.catalogue.reading() as connection:
        count, tallies = counts(connection, matched.query)
    facets = {each: _listed(house.scheme, tallies[each], each, wanted) for each in Facet}
    pages = max(1, -(-count // PAGE))
    page = min(max(int(wanted.page), 1), pages)
    files = _page(house, matched, wanted, page)
    if wanted.q:
        _record(house, person, wanted, count, more=matched.more)
    results = [Result(each, _snippet(house, person, each, wanted.q)) for each in files]
    hint = None if count else house.index.hint(wanted.q)
    return Answer(results, facets, count, matched.more, matched.behind, matched.partly, page, pages, hint)


def unsearchable(house: House, person: Person) -> int:
    """Documents with pictures that were not read, in the files whose words this person's searches are answered from:
    ``MOST_UNREAD`` if there are that many or more.
    """
    if may(person, Permission.SEARCH):
        return house.recognition.unsearchable(most=MOST_UNREAD).documents
    readable = house.viewing.known(person).where(_FILE.id.in_(house.viewing.granted(person)))
    return house.recognition.unsearchable(readable, MOST_UNREAD).documents


def _matching(house: House, person: Person, wanted: Wanted, found: sa.Select[Any]) -> _Matched:
    words = wanted.q
    if not may(person, Permission.SEARCH):
        with paced():
            sifted = house.index.sift(words, found, house.viewing.granted(person))
        return _Matched(found.where(sifted.condition), sifted.best)
    everything = found.whereclause is None  # then no ids are handed over to be searched among
    hits = house.index.search(words, None if everything else found, LIMIT, Sort(wanted.sort))
    ids = tuple(each.id for each in hits.files)
    return _Matched(found.where(_FILE.id.in_(ids)), ids, hits.more, hits.behind, hits.partly)


def _page(house: House, matched: _Matched, wanted: Wanted, page: int) -> list[CaseFile]:
    shown = matched.query.order_by(*_order(house, matched, wanted)).limit(PAGE).offset((page - 1) * PAGE)
    with house.catalogue.reading() as connection:
        ids = list(connection.execute(shown).scalars())
    return house.case_files.by_ids(ids)


def _order(house: House, matched: _Matched, wanted: Wanted) -> Sequence[sa.ColumnElement[Any]]:
    """The index says what is relevant; what it does not know comes after, as everything without words: by date."""
    if wanted.sort == Sort.REFERENCE:
        return house.conditions.by_code()
    by_date = (_FILE.filed_at.desc(), _FILE.reference.desc())
    if wanted.sort != Sort.RELEVANCE or not matched.ids:
        return by_date
    places = {each: place for place, each in enumerate(matched.ids)}
    return (sa.case(places, value=_FILE.id, else_=len(places)), *by_date)


def _listed(scheme: Scheme, found: Sequence[Count], facet: Facet, wanted: Wanted) -> Sequence[Count]:
    """Levels and categories in the order of the scheme. What was chosen is there although nothing has it, so that it
    can be chosen away.
    """
    chosen = wanted.facets.get(facet)
    if chosen is not None and all(each.value != chosen for each in found):
        found = [Count(chosen, 0), *found]
    if facet not in (Facet.LEVEL, Facet.CATEGORY):
        return found
    known = scheme.levels if facet is Facet.LEVEL else scheme.categories
    names: list[str] = [each.name for each in known]
    return sorted(found, key=lambda each: names.index(each.value) if each.value in names else len(names))


def _record(house: House, person: Person, wanted: Wanted, hits: int, *, more: bool) -> None:
    """While one types, each pause is a query that is answered, and so it is recorded like any other."""
    chosen = {facet.value: value for facet, value in wanted.facets.items()}
    with house.catalogue.unit(Actor(person.number)) as unit:
        detail: dict[str, str | int | bool] = {"query": wanted.q, "hits": hits, "more": more, **chosen}
        unit.record(Act.SEARCHED, "search", detail=detail)


def _snippet(house: House, person: Person, file: CaseFile, words: str) -> Snippet | None:
    """Only for those who may read the file now: to others it would show what only a request may (P14.1)."""
    if not words or house.viewing.grant(person, file) is None:
        return None
    return house.index.snippet(file, words)
