"""Finding 查找: as one types, newest first; each query is recorded before its answer is shown."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, render_template, request

from access.permissions import Permission
from archive.casefile import tables
from archive.casefile.reading import CaseFile, FileState
from archive.errors import MunimentError
from archive.ledger.acts import Act
from web.admitting import admits
from web.refusing import is_fragment
from web.visit import Visit, visit

pages = Blueprint("finding", __name__)

LIMIT = 200
SNIPPETS = 50  # of the newest results; opening the texts of more would keep one waiting
_FILE = tables.case_file.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; empty strings ask for nothing."""

    q: str
    year: str
    level: str
    category: str
    store: str
    state: str

    @property
    def filters(self) -> dict[str, str]:
        names = ("year", "level", "category", "store", "state")
        return {each: value for each in names if (value := getattr(self, each))}


@dataclass(frozen=True, slots=True)
class Result:
    file: CaseFile
    snippet: tuple[tuple[str, bool], ...]  # text and whether it is a hit


@pages.get("/find")
@admits(Permission.BROWSE)
def find() -> str:
    here = visit()
    given = request.args
    wanted = Wanted(
        *(given.get(each, "").strip() for each in ("q", "year", "level", "category", "store", "state"))
    )
    results: list[Result] = []
    more, refusal = False, None
    try:
        results, more = _answer(here, wanted)
    except MunimentError as error:
        refusal = error.say(here.language)
    facts: dict[str, Any] = {
        "wanted": wanted,
        "results": results,
        "more": more,
        "refusal": refusal,
        "limit": LIMIT,
    }
    if is_fragment():
        return render_template("fragments/results.html", **facts)
    return render_template(
        "find.html", **facts, years=_years(here), scheme=here.house.scheme, words=here.may(Permission.SEARCH)
    )


def _answer(here: Visit, wanted: Wanted) -> tuple[list[Result], bool]:
    allowed = _narrowed(here.house.viewing.known(here.person), wanted)
    if not wanted.q:
        files = _newest(here, allowed)
        return [Result(each, ()) for each in files[:LIMIT]], len(files) > LIMIT
    if here.may(Permission.SEARCH):
        found = here.house.index.search(wanted.q, allowed, LIMIT)
        files, more = list(found.files), found.more
    else:
        files = _newest(here, _by_facts(allowed, wanted.q))
        files, more = files[:LIMIT], len(files) > LIMIT
    _record(here, wanted, len(files), more=more)
    return [
        Result(each, _snippet(here, each, wanted.q) if place < SNIPPETS else ())
        for place, each in enumerate(files)
    ], more


def _record(here: Visit, wanted: Wanted, hits: int, *, more: bool) -> None:
    """While one types, each pause is a query that is answered, and so it is recorded like any other."""
    with here.house.catalogue.unit(here.actor) as unit:
        detail: dict[str, str | int | bool] = {
            "query": wanted.q,
            "hits": hits,
            "more": more,
            **wanted.filters,
        }
        unit.record(Act.SEARCHED, "search", detail=detail)


def _snippet(here: Visit, file: CaseFile, query: str) -> tuple[tuple[str, bool], ...]:
    """Only for those who may read the file now: to others it would show what only a request may (P14.1)."""
    if here.house.viewing.grant(here.person, file) is None:
        return ()
    found = here.house.index.snippet(file, query)
    parts, end = [], 0
    for start, stop in found.hits:
        parts += [(found.text[end:start], False), (found.text[start:stop], True)]
        end = stop
    parts.append((found.text[end:], False))
    return tuple((text, hit) for text, hit in parts if text)


def _narrowed(allowed: sa.Select[Any], wanted: Wanted) -> sa.Select[Any]:
    query = sa.select(_FILE.id).where(_FILE.id.in_(allowed))
    if wanted.year.isdecimal() and len(wanted.year) == 4:
        query = query.where(_FILE.year == int(wanted.year))
    if wanted.level:
        query = query.where(_FILE.level == wanted.level)
    if wanted.category:
        query = query.where(_FILE.category == wanted.category)
    if wanted.store:
        query = query.where(_FILE.store.contains(wanted.store, autoescape=True))
    if wanted.state in set(FileState):
        query = query.where(_FILE.state == wanted.state)
    return query


def _by_facts(allowed: sa.Select[Any], words: str) -> sa.Select[Any]:
    """For those who may not search inside: reference code, store, script, channel; every word must match."""
    facts = (_FILE.reference, _FILE.store, _FILE.script, _FILE.channel)
    for word in words.split()[:10]:
        allowed = allowed.where(sa.or_(*(fact.contains(word, autoescape=True) for fact in facts)))
    return allowed


def _newest(here: Visit, query: sa.Select[Any]) -> list[CaseFile]:
    """One more than is shown, to know whether there are more."""
    ordered = query.order_by(_FILE.filed_at.desc(), _FILE.reference.desc()).limit(LIMIT + 1)
    return here.house.case_files.select(ordered)


def _years(here: Visit) -> list[int]:
    query = (
        sa.select(_FILE.year)
        .where(_FILE.id.in_(here.house.viewing.known(here.person)))
        .distinct()
        .order_by(_FILE.year.desc())
    )
    with here.house.catalogue.reading() as connection:
        return list(connection.execute(query).scalars())
