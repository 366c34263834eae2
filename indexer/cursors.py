"""Walking through a segment: which of its documents a query holds for, one after the other. Pure.

A cursor only ever goes forward, and looks at no more than it must: ``seek`` gives the first document from a number on
that it holds for. So whoever wants the newest two hundred stops there.
"""

import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from math import log
from typing import Protocol

from archive.keys.filekey import CaseFileId
from indexer.analysis import Leaf, Phrase
from indexer.query.expression import AllOf, Among, AnyOf, Expression, Not

END = 1 << 62
_STRETCH = 10_000  # places in a document that are compared at once
_SPARSE = 20  # so many times as many places are looked up one by one, and not all compared


class Postings(Protocol):
    """The documents of one term, in order; where in each it stands."""

    def seek(self, document: int) -> int: ...
    def places(self) -> Sequence[int]:
        """In the document that was sought last, rising."""


class Segment(Protocol):
    def postings(self, leaf: Leaf) -> list[Postings]:
        """One for each term that the leaf stands for."""

    def frequency(self, leaf: Leaf) -> int:
        """In how many documents it is, about."""

    def documents_of(self, ids: AbstractSet[CaseFileId]) -> Sequence[int]:
        """Rising."""

    def __len__(self) -> int:
        """Documents, deleted ones too."""


class Cursor(Protocol):
    def seek(self, document: int) -> int:
        """The first document from ``document`` on; END when there is none. It is never asked to go back, but may be
        asked for less than it last gave, and then gives the same again.
        """

    def holds(self, document: int) -> bool:
        """Whether it holds for that document, without a look at later ones; asked for ever later documents."""

    def score(self, document: int) -> float:
        """How much the document, sought last, says of it."""


def cursor(segment: Segment, tree: Expression) -> Cursor:
    match tree:
        case Phrase():
            return _phrase(segment, tree)
        case Among(ids):
            return _Among(segment, ids)
        case AllOf(parts):
            named = [each for each in parts if isinstance(each, Among)]
            cursors = [cursor(segment, each) for each in parts if each not in named]
            return _Within(segment, named, cursors) if named else _All(cursors)
        case AnyOf(parts):
            return _Any([cursor(segment, each) for each in parts])
        case Not(part):
            return _Not(cursor(segment, part), len(segment))
    raise TypeError(type(tree).__name__)


def _phrase(segment: Segment, phrase: Phrase) -> Cursor:
    by_rarity = sorted((segment.frequency(leaf), leaf.offset, leaf) for leaf in phrase.leaves)
    leaves = []
    for _, offset, leaf in by_rarity:  # the rarest leads
        postings = segment.postings(leaf)
        if not postings:
            return _Nothing()
        leaves.append((postings[0] if len(postings) == 1 else _Union(postings), offset))
    rarity = log(1 + len(segment) / (1 + by_rarity[0][0]))
    return _Term(leaves[0][0], rarity) if len(leaves) == 1 else _Phrase(leaves, rarity)


class _Nothing:
    def seek(self, document: int) -> int:  # noqa: ARG002
        return END

    def holds(self, document: int) -> bool:  # noqa: ARG002
        return False

    def score(self, document: int) -> float:  # noqa: ARG002
        return 0.0


class _Union:
    """Several terms as one."""

    def __init__(self, parts: list[Postings]) -> None:
        self._heap = [(each.seek(0), at, each) for at, each in enumerate(parts)]
        heapq.heapify(self._heap)

    def seek(self, document: int) -> int:
        heap = self._heap
        while heap[0][0] < document:
            _, at, part = heap[0]
            heapq.heapreplace(heap, (part.seek(document), at, part))
        return heap[0][0]

    def places(self) -> Sequence[int]:
        here = self._heap[0][0]
        return array(
            "I", heapq.merge(*(part.places() for document, _, part in self._heap if document == here))
        )


class _Term:
    def __init__(self, postings: Postings, rarity: float) -> None:
        self.seek = postings.seek
        self._postings = postings
        self._rarity = rarity

    def holds(self, document: int) -> bool:
        return self.seek(document) == document

    def score(self, document: int) -> float:  # noqa: ARG002
        return self._rarity * log(1 + len(self._postings.places()))


class _Phrase:
    """Terms at their distances from each other."""

    def __init__(self, leaves: list[tuple[Postings, int]], rarity: float) -> None:
        (self._lead, self._offset), *self._others = leaves
        self._rarity = rarity
        self._found = -1

    def seek(self, document: int) -> int:
        if document > self._found:
            self._found = self._seek(document)
        return self._found

    def _seek(self, document: int) -> int:
        lead = self._lead.seek(document)
        while lead < END:
            behind = next((there for each, _ in self._others if (there := each.seek(lead)) != lead), None)
            if behind is None:
                if self._stands():
                    return lead
                behind = lead + 1
            lead = self._lead.seek(behind)
        return END

    def holds(self, document: int) -> bool:
        parts = (self._lead, *(each for each, _ in self._others))
        return all(each.seek(document) == document for each in parts) and self._stands()

    def _stands(self) -> bool:
        return next(self._starts(), None) is not None

    def _starts(self) -> Iterator[int]:
        """Where the phrase stands; of a long text a stretch at a time."""
        rows = [(self._lead.places(), self._offset)]
        rows += [(each.places(), offset) for each, offset in self._others]
        (lead, first), *others = sorted(rows, key=lambda row: len(row[0]))
        for at in range(0, len(lead), _STRETCH):
            stretch = lead[at : at + _STRETCH]
            starts = {place - first for place in stretch}
            for places, offset in others:
                shift = offset - first
                left = bisect_left(places, stretch[0] + shift)
                right = bisect_right(places, stretch[-1] + shift, left)
                if right - left > _SPARSE * len(starts):
                    starts = {each for each in starts if _is_in(places, each + offset)}
                else:
                    starts.intersection_update([place - offset for place in places[left:right]])
                if not starts:
                    break
            yield from starts

    def score(self, document: int) -> float:  # noqa: ARG002
        return self._rarity * log(1 + sum(1 for _ in self._starts()))


def _is_in(places: Sequence[int], place: int) -> bool:
    at = bisect_left(places, place)
    return at < len(places) and places[at] == place


class _Among:
    def __init__(self, segment: Segment, ids: AbstractSet[CaseFileId]) -> None:
        self._documents = segment.documents_of(ids)
        self._at = 0

    def seek(self, document: int) -> int:
        at, documents = self._at, self._documents
        while at < len(documents) and documents[at] < document:
            at += 1
        self._at = at
        return documents[at] if at < len(documents) else END

    def holds(self, document: int) -> bool:
        return self.seek(document) == document

    def score(self, document: int) -> float:  # noqa: ARG002
        return 0.0


class _Within:
    """All of it, among files that are named. Others are not looked at: how long it takes does not tell of them."""

    def __init__(self, segment: Segment, named: list[Among], parts: list[Cursor]) -> None:
        self._named = _Among(segment, frozenset.intersection(*(frozenset(each.ids) for each in named)))
        self._parts = parts
        self._found = -1

    def seek(self, document: int) -> int:
        if document > self._found:
            here = self._named.seek(document)
            while here < END and not self.holds(here):
                here = self._named.seek(here + 1)
            self._found = here
        return self._found

    def holds(self, document: int) -> bool:
        return self._named.holds(document) and all(each.holds(document) for each in self._parts)

    def score(self, document: int) -> float:
        return sum(each.score(document) for each in self._parts)


class _All:
    def __init__(self, parts: list[Cursor]) -> None:
        self._parts = parts

    def seek(self, document: int) -> int:
        here = document
        while here < END:
            furthest = here
            for each in self._parts:
                furthest = each.seek(furthest)
                if furthest == END:
                    return END
            if furthest == here:
                return here
            here = furthest
        return END

    def holds(self, document: int) -> bool:
        return all(each.holds(document) for each in self._parts)

    def score(self, document: int) -> float:
        return sum(each.score(document) for each in self._parts)


class _Any:
    def __init__(self, parts: list[Cursor]) -> None:
        self._parts = parts
        self._there = [-1] * len(parts)

    def seek(self, document: int) -> int:
        for at, each in enumerate(self._parts):
            if self._there[at] < document:
                self._there[at] = each.seek(document)
        return min(self._there)

    def holds(self, document: int) -> bool:
        self._there = [document if each.holds(document) else -1 for each in self._parts]
        return document in self._there

    def score(self, document: int) -> float:
        pairs = zip(self._there, self._parts, strict=True)
        return sum(each.score(document) for there, each in pairs if there == document)


class _Not:
    def __init__(self, part: Cursor, documents: int) -> None:
        self._part = part
        self._documents = documents
        self._found = -1

    def seek(self, document: int) -> int:
        # What is excluded was sought up to there: it cannot be asked again about what lies before.
        if document > self._found:
            here = document
            while here < self._documents and self._part.seek(here) == here:
                here += 1
            self._found = here if here < self._documents else END
        return self._found

    def holds(self, document: int) -> bool:
        return not self._part.holds(document)

    def score(self, document: int) -> float:  # noqa: ARG002
        return 0.0
