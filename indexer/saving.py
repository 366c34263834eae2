"""Saved searches: each person's own, under a name, the words sealed since they may name a customer.

No act of the archive, so not in the ledger; that a search is run, saved or not, is recorded where it is run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.keys.sealing import BoxError, derive, seal, unseal
from archive.ledger.entries import Actor
from indexer import tables

_ROW = tables.saved_search.c
LONGEST_NAME: Final = 60  # characters
MOST: Final = 50  # a person


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """``wanted`` is what is asked for, by field."""

    id: int
    name: str
    wanted: Mapping[str, str]


class SavedSearches:
    def __init__(self, catalogue: Catalogue, key: bytes) -> None:
        self._catalogue = catalogue
        self._key = derive(key, "saved searches")

    def of(self, owner: Actor) -> tuple[SavedSearch, ...]:
        """By name. What does not open is left out: it is a convenience."""
        query = tables.saved_search.select().where(_ROW.owner == owner)
        with self._catalogue.reading() as connection:
            rows = connection.execute(query).all()
        found = [self._opened(row.id, owner, row.box) for row in rows]
        return tuple(sorted((each for each in found if each), key=lambda each: (each.name, each.id)))

    def get(self, owner: Actor, number: int) -> SavedSearch:
        """Raises PAGE_NOT_FOUND, for another's as for none."""
        found = next((each for each in self.of(owner) if each.id == number), None)
        if found is None:
            raise MunimentError(Code.PAGE_NOT_FOUND)
        return found

    def save(self, owner: Actor, name: str, wanted: Mapping[str, str]) -> None:
        """Replaces the one of the same name. Raises SEARCH_NAME_INVALID, SEARCHES_TOO_MANY."""
        called = " ".join(name.split())
        if not called or len(called) > LONGEST_NAME or not called.isprintable():
            raise MunimentError(Code.SEARCH_NAME_INVALID, longest=LONGEST_NAME)
        there = self.of(owner)
        same = [each.id for each in there if each.name == called]
        if not same and len(there) >= MOST:
            raise MunimentError(Code.SEARCHES_TOO_MANY, most=MOST)
        text = json.dumps({"name": called, "wanted": dict(wanted)}, ensure_ascii=False)
        box = seal(self._key, text.encode(), f"saved:{owner}")
        with self._catalogue.housekeeping() as connection:
            connection.execute(tables.saved_search.delete().where(_ROW.id.in_(same)))
            connection.execute(
                tables.saved_search.insert().values(owner=owner, saved_at=self._catalogue.clock(), box=box)
            )

    def delete(self, owner: Actor, number: int) -> None:
        """Nothing happens when there is none."""
        with self._catalogue.housekeeping() as connection:
            mine = tables.saved_search.delete().where(_ROW.id == number, _ROW.owner == owner)
            connection.execute(mine)

    def _opened(self, number: int, owner: Actor, box: bytes) -> SavedSearch | None:
        try:
            document = json.loads(unseal(self._key, box, f"saved:{owner}"))
        except BoxError:
            return None
        return SavedSearch(number, document["name"], document["wanted"])
