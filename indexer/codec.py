"""What Whoosh writes a segment with: its own columns, and terms and postings of ours.

Whoosh's posting lists take three times the bytes and half of all the time of building. These are made for what this
index holds: a term's documents and places, of two fields. Merging takes the terms of all segments side by side, in
their order, so that memory holds one term's postings at a time. What is added is sorted in runs of a bounded size; all
but the last wait in passing files until they are merged as segments are.
"""

import heapq
import marshal
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from whoosh.codec.base import FieldWriter
from whoosh.codec.whoosh3 import W3Codec
from whoosh.writing import SegmentWriter

from indexer.cursors import END
from indexer.postings import PostingList, Reading, decode, encode
from indexer.terms import Entry, Terms, TermsWriter

ID, WORD = b"i", b"t"  # before a term of the field; in the order of their names
_TERMS, _POSTINGS, _RUN = ".trm", ".pst", ".run"
_PLACE = array("I", [0]).tobytes()  # of what has no places of its own
_NUMBER = array("I").itemsize
_RUN_POSTINGS = 150_000  # about 40 MB of them
_AT_ONCE = 2000  # postings of a run that are read back at once
_LENGTH = struct.Struct(">I")

_Posting = tuple[bytes, int, bytes]  # term, document, places as 32-bit numbers
_Step = tuple[bytes, int, PostingList]  # term, number of its source, documents as the new segment counts them


class Codec(W3Codec):  # type: ignore[misc]  # Whoosh has no types
    length_stats = False

    def field_writer(self, storage: Any, segment: Any) -> "_Writer":
        return _Writer(storage, segment)

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

    def gathered(self, entries: Iterable[Entry]) -> "Gathered":
        places: dict[int, array[int]] = {}
        for each in entries:
            postings, at = self._all(each), 0
            for document, count in zip(postings.documents, postings.counts, strict=True):
                there = array("I", postings.places[at : at + count])
                places.setdefault(document, array("I")).extend(there)
                at += count
        return Gathered(places)

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


class Gathered:
    """A great many terms as one: their documents and places, which take less room than the terms themselves."""

    def __init__(self, places: Mapping[int, "array[int]"]) -> None:
        self._places = {document: array("I", sorted(there)) for document, there in sorted(places.items())}
        self._documents = array("Q", self._places)

    def __len__(self) -> int:
        return len(self._documents)

    def reading(self) -> "_GatheredReading":
        return _GatheredReading(self._documents, self._places)


class _GatheredReading:
    """``Postings`` of what was gathered."""

    def __init__(self, documents: "array[int]", places: Mapping[int, "array[int]"]) -> None:
        self._documents = documents
        self._places = places
        self._at = 0

    def seek(self, document: int) -> int:
        self._at = bisect_left(self._documents, document, self._at)
        return self._documents[self._at] if self._at < len(self._documents) else END

    def places(self) -> Sequence[int]:
        return self._places[self._documents[self._at]]


class Merging(SegmentWriter):  # type: ignore[misc]
    """A writer that takes in other segments' postings as they lie there."""

    def add(self, case_file: str, order: int, pieces: Iterable[Mapping[str, Sequence[int]]]) -> None:
        columns = self.perdocwriter
        columns.start_doc(self.docnum)
        for name, value in (("id", case_file), ("order", order)):
            field = self.schema[name]
            columns.add_column_value(name, field.column_type, field.to_column_value(value))
        columns.finish_doc()
        self.fieldwriter.add(ID + case_file.encode(), self.docnum, _PLACE)
        for terms in pieces:
            for term, places in terms.items():
                self.fieldwriter.add(WORD + term.encode(), self.docnum, array("I", places).tobytes())
        self._added = True
        self.docnum += 1

    def add_reader(self, reader: Any) -> None:
        start = self.docnum
        moved = self.write_per_doc(set(self.schema.names()), reader)
        self.fieldwriter.take(reader._terms, start, moved)  # noqa: SLF001 - the reader's own ways are made for other postings
        self._added = True


class _Writer(FieldWriter):  # type: ignore[misc]
    """Documents are added first, by rising number, then those of other segments: so the postings of sources follow
    each other as the sources do.
    """

    def __init__(self, storage: Any, segment: Any) -> None:
        self._storage = storage
        self._segment = segment
        self._file = segment.create_file(storage, _TERMS)
        self._terms = TermsWriter(self._file)
        self._postings = segment.create_file(storage, _POSTINGS)
        self._sources: list[Iterator[_Step]] = []
        self._runs: list[str] = []
        self._added: list[_Posting] = []
        self.is_closed = False

    def add(self, term: bytes, document: int, places: bytes) -> None:
        self._added.append((term, document, places))
        if len(self._added) == _RUN_POSTINGS:
            self._spill()

    def take(self, words: Words, start: int, moved: Mapping[int, int] | None) -> None:
        """Documents of the segment are counted from ``start`` here, or as ``moved`` has them: others are left out."""
        self._close_run()
        self._sources.append(_moved(words, len(self._sources), start, moved))

    def add_postings(self, _schema: object, _lengths: object, _items: object) -> None:
        self._close_run()
        for term, same in groupby(heapq.merge(*self._sources), itemgetter(0)):
            parts = [postings for _, _, postings in same]
            postings = parts[0] if len(parts) == 1 else _joined(parts)
            content = encode(postings)
            self._postings.write(content)
            self._terms.add(term, len(postings.documents), len(content))

    def close(self) -> None:
        self._terms.close()
        self._file.close()
        self._postings.close()
        for each in self._runs:
            self._storage.delete_file(each)
        self.is_closed = True

    def _spill(self) -> None:
        name = self._segment.make_filename(f".{len(self._runs)}{_RUN}")
        self._added.sort(key=_TERM)
        with self._storage.create_file(name) as file:
            for start in range(0, len(self._added), _AT_ONCE):
                some = marshal.dumps(self._added[start : start + _AT_ONCE])
                file.write(_LENGTH.pack(len(some)) + some)
        self._added = []
        self._runs.append(name)
        self._sources.append(_gathered(_read_back(self._storage.open_file(name)), len(self._sources)))

    def _close_run(self) -> None:
        """What is added is as a rule one run, and stays in memory."""
        if self._added:
            self._added.sort(key=_TERM)
            self._sources.append(_gathered(self._added, len(self._sources)))
            self._added = []


_TERM = itemgetter(0)  # sorting by it leaves what was added first before what came later


def _read_back(run: Any) -> Iterator[_Posting]:
    at = 0
    while at < run.size:
        start = at + _LENGTH.size
        (length,) = _LENGTH.unpack(run.part(at, start))
        at = start + length
        yield from marshal.loads(run.part(start, at))  # noqa: S302 - sealed by this process, and proved as it is read


def _gathered(postings: Iterable[_Posting], number: int) -> Iterator[_Step]:
    for term, same in groupby(postings, _TERM):
        documents: list[int] = []
        counts: list[int] = []
        places = []
        for _, document, where in same:
            count = len(where) // _NUMBER
            if documents and documents[-1] == document:
                counts[-1] += count
            else:
                documents.append(document)
                counts.append(count)
            places.append(where)
        yield term, number, PostingList(documents, counts, array("I", b"".join(places)))


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
    documents: list[int] = []
    counts: list[int] = []
    places = array("I")
    at = 0
    for document, count in zip(postings.documents, postings.counts, strict=True):
        there = moved.get(document)
        if there is not None:
            documents.append(there)
            counts.append(count)
            places.extend(array("I", postings.places[at : at + count]))
        at += count
    return PostingList(documents, counts, places)


def _joined(parts: list[PostingList]) -> PostingList:
    """The documents of each part come after those of the part before; a long one may go on from part to part."""
    documents: list[int] = []
    counts: list[int] = []
    places = array("I")
    for part in parts:
        goes_on = bool(documents) and documents[-1] == part.documents[0]
        if goes_on:
            counts[-1] += part.counts[0]
        documents.extend(part.documents[goes_on:])
        counts.extend(part.counts[goes_on:])
        places.extend(array("I", part.places))
    return PostingList(documents, counts, places)
