"""What Whoosh writes a segment with: its own columns, and terms and postings of ours.

Whoosh's posting lists take three times the bytes and half of all the time of building. These are made for what this
index holds: a term's documents and places, of two fields. Merging takes the terms of all segments side by side, in
their order, so that memory holds one term's postings at a time and what is being written.
"""

import heapq
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from whoosh.codec.base import FieldWriter
from whoosh.codec.whoosh3 import W3Codec
from whoosh.writing import SegmentWriter

from indexer.postings import PostingList, Reading, decode, encode
from indexer.terms import Entry, Terms, TermsWriter

ID, WORD = b"i", b"t"  # before a term of the field; in the order of their names
_PREFIXES = {"id": ID, "terms": WORD}
_TERMS, _POSTINGS = ".trm", ".pst"
_PLACE = array("I", [0]).tobytes()  # of what has no places of its own
_NUMBER = array("I").itemsize

_Posting = tuple[str, bytes, int, float, bytes]  # field, term, document, weight, places as 32-bit numbers
_Step = tuple[bytes, int, PostingList]  # term, number of its source, documents as the new segment counts them


class Codec(W3Codec):  # type: ignore[misc]  # Whoosh has no types
    length_stats = False

    def field_writer(self, storage: Any, segment: Any) -> "_Writer":
        return _Writer(segment.create_file(storage, _TERMS), segment.create_file(storage, _POSTINGS))

    def terms_reader(self, storage: Any, segment: Any) -> "Words":
        return Words(segment.open_file(storage, _TERMS), segment.open_file(storage, _POSTINGS))


class Words:
    """The terms of a segment and their postings. Nothing in it changes: threads may share it."""

    def __init__(self, terms: Any, postings: Any) -> None:
        self._postings = postings
        self._terms = Terms(terms.part, terms.size)
        self.find = self._terms.find
        self.beginning_with = self._terms.beginning_with

    def postings(self, entry: Entry) -> Reading:
        return Reading(self._postings.part, entry.start, entry.end, entry.documents)

    def document_of(self, case_file: str) -> int | None:
        entry = self.find(ID + case_file.encode())
        return None if entry is None else self._all(entry).documents[0]

    def each(self) -> Iterator[tuple[bytes, PostingList]]:
        for term, entry in self.beginning_with(b""):
            yield term, self._all(entry)

    def close(self) -> None:
        """Nothing is held open."""

    def _all(self, entry: Entry) -> PostingList:
        return decode(self._postings.part(entry.start, entry.end), entry.documents)


class Merging(SegmentWriter):  # type: ignore[misc]
    """A writer that takes in other segments' postings as they lie there."""

    def add_reader(self, reader: Any) -> None:
        start = self.docnum
        moved = self.write_per_doc(set(self.schema.names()), reader)
        self.fieldwriter.take(reader._terms, start, moved)  # noqa: SLF001 - the reader's own ways are made for other postings
        self._added = True


class _Writer(FieldWriter):  # type: ignore[misc]
    def __init__(self, terms: Any, postings: Any) -> None:
        self._file = terms
        self._terms = TermsWriter(terms)
        self._postings = postings
        self._sources: list[Iterator[_Step]] = []
        self.is_closed = False

    def take(self, words: Words, start: int, moved: Mapping[int, int] | None) -> None:
        """Documents of the segment are counted from ``start`` here, or as ``moved`` has them: others are left out."""
        self._sources.append(_moved(words, len(self._sources) + 1, start, moved))

    def add_postings(self, _schema: object, _lengths: object, items: Iterable[_Posting]) -> None:
        for term, same in groupby(heapq.merge(_gathered(items), *self._sources), itemgetter(0)):
            parts = [postings for _, _, postings in same]
            postings = parts[0] if len(parts) == 1 else _joined(parts)
            content = encode(postings)
            self._postings.write(content)
            self._terms.add(term, len(postings.documents), len(content))

    def close(self) -> None:
        self._terms.close()
        self._file.close()
        self._postings.close()
        self.is_closed = True


def _gathered(items: Iterable[_Posting]) -> Iterator[_Step]:
    for (field, term), same in groupby(items, itemgetter(0, 1)):
        documents, places = [], []
        for _, _, document, _, where in same:
            documents.append(document)
            places.append(where or _PLACE)
        counts = [len(each) // _NUMBER for each in places]
        yield _PREFIXES[field] + term, 0, PostingList(documents, counts, array("I", b"".join(places)))


def _moved(words: Words, number: int, start: int, moved: Mapping[int, int] | None) -> Iterator[_Step]:
    for term, postings in words.each():
        if moved is None:
            there = [start + each for each in postings.documents]
            yield term, number, PostingList(there, postings.counts, postings.places)
        else:
            left = _left(postings, moved)
            if left.documents:
                yield term, number, left


def _left(postings: PostingList, moved: Mapping[int, int]) -> PostingList:
    left, at = PostingList([], [], []), 0
    documents, counts, places = left
    for document, count in zip(postings.documents, postings.counts, strict=True):
        there = moved.get(document)
        if there is not None:
            documents.append(there)  # type: ignore[attr-defined]  # they are the lists above
            counts.append(count)  # type: ignore[attr-defined]
            places.extend(postings.places[at : at + count])  # type: ignore[attr-defined]
        at += count
    return left


def _joined(parts: list[PostingList]) -> PostingList:
    """The documents of each part come after those of the part before."""
    return PostingList(*([each for row in rows for each in row] for rows in zip(*parts, strict=True)))
