"""The search engine that comes with Muniment: Whoosh, kept narrow, over encrypted storage.

One field of terms with their positions, the id and the order of filing; no text is stored. Whoosh keeps the segments,
their columns and the table of contents; the form of terms and postings is ours (``indexer.codec``), and so is
matching (``indexer.cursors``): newest first, and it stops when it has enough. An open segment has no position that
threads could take from each other, so they share it.
"""

import heapq
import struct
import time
from array import array
from collections.abc import Callable, Generator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from itertools import accumulate, chain, islice
from math import inf
from operator import ge
from pathlib import Path
from secrets import token_bytes
from typing import Any, NamedTuple, TypeVar

from whoosh.columns import NumericColumn, VarBytesColumn
from whoosh.fields import COLUMN, ID, FieldType, Schema
from whoosh.formats import Format
from whoosh.index import TOC, EmptyIndexError, FileIndex, clean_files
from whoosh.reading import SegmentReader

from archive.keys.filekey import CaseFileId
from archive.keys.sealing import Randomness
from indexer.analysis import Leaf, form
from indexer.codec import WORD, Codec, Gathered, Merging
from indexer.cursors import Cursor, Postings, cursor
from indexer.engine import SEARCH_SECONDS, START, Batch, Hits, IndexDamagedError, Keep, Mark
from indexer.keeping import Deadline, kept
from indexer.locking import Lock
from indexer.merging import SegmentSize, to_rewrite
from indexer.query.expression import Among, Expression
from indexer.storage import EncryptedStorage
from indexer.terms import Entry

_NAME = "MAIN"
_VERSION = 2  # of what a segment holds, and how
_STAMP = struct.Struct(">B4sQ32s")  # version, form of the terms, position, leaf
_ATTEMPTS = 8
_MANY = 20_000  # terms of one beginning, from which on they are not walked through side by side
_LOOK_UP = 10  # to look for an id takes as long as to read so many

T = TypeVar("T")


class _Places(Format):  # type: ignore[misc]  # Whoosh has no types
    """A posting's value: positions as 32-bit numbers."""

    textual = True
    posting_size = -1


class _Terms(FieldType):  # type: ignore[misc]
    """Terms with positions, which the codec takes as they are; analysis is not Whoosh's here."""

    def __init__(self) -> None:
        super().__init__(_PLACES, analyzer=None)


class _Orders(NumericColumn):  # type: ignore[misc]
    """A column that is read at once."""

    def __init__(self) -> None:
        super().__init__("q")

    class Reader(NumericColumn.Reader):  # type: ignore[misc]
        def load(self) -> "array[int]":
            orders: array[int] = self._dbfile.get_array(self._basepos, "q", self._count)
            orders.extend([self._default] * (self._doccount - self._count))  # such at the end are not written
            return orders


_PLACES = _Places()
_SCHEMA = Schema(
    id=ID(unique=True, sortable=VarBytesColumn(write_offsets_cutoff=0)),
    order=COLUMN(_Orders()),
    terms=_Terms(),
)


class _Found(NamedTuple):
    order: int
    id: CaseFileId
    score: float


class _Known:
    """An open segment: its words, the ids and orders of its documents, and the highest order from each one on."""

    def __init__(self, storage: EncryptedStorage, segment: Any) -> None:
        self.file = storage.hold(_name_of(segment))
        reader = SegmentReader(storage, _SCHEMA, segment)
        self.words = reader._terms  # noqa: SLF001 - the reader's own ways are made for other postings
        self.ids = reader.column_reader("id")
        self.orders = reader.column_reader("order", translate=False).load()
        self.ceilings = _ceilings(self.orders)


class _Seen(NamedTuple):
    mark: Mark
    segments: list[tuple[_Known, Any]]


class _Run:
    """One search's walk through one segment, which begins when it is its turn."""

    def __init__(self, known: _Known, segment: Any, tree: Expression, *, scored: bool) -> None:
        self._known = known
        self._scored = scored
        self._segment = segment
        self._looked_up: dict[Leaf, list[Entry] | Gathered] = {}
        self._tree = tree
        self._cursor: Cursor | None = None
        self._next = 0

    @property
    def ceiling(self) -> int:
        """No order that follows is higher; -1 at the end."""
        return self._known.ceilings[self._next] if self._next < len(self) else -1

    def next(self) -> _Found | None:
        """The next document. None: there is none any more."""
        if self._cursor is None:
            self._cursor = cursor(self, self._tree)
        document = self._cursor.seek(self._next)
        while document < len(self) and self._segment.is_deleted(document):
            document = self._cursor.seek(document + 1)
        self._next = document + 1
        if document >= len(self):
            return None
        score = self._cursor.score(document) if self._scored else 0.0
        return _Found(self._known.orders[document], self.id_of(document), score)

    # What a cursor asks of its segment

    def __len__(self) -> int:
        return len(self._known.orders)

    def id_of(self, document: int) -> CaseFileId:
        return CaseFileId(self._known.ids[document])

    def documents_of(self, ids: AbstractSet[CaseFileId]) -> Sequence[int]:
        if len(ids) * _LOOK_UP < len(self):
            found = map(self._known.words.document_of, ids)
            return sorted(each for each in found if each is not None)
        return array("q", [number for number in range(len(self)) if self.id_of(number) in ids])

    def postings(self, leaf: Leaf) -> list[Postings]:
        found = self._entries(leaf)
        if isinstance(found, Gathered):
            return [found.reading()]
        return [self._known.words.postings(each) for each in found]

    def frequency(self, leaf: Leaf) -> int:
        found = self._entries(leaf)
        return len(found) if isinstance(found, Gathered) else sum(each.documents for each in found)

    def _entries(self, leaf: Leaf) -> list[Entry] | Gathered:
        found = self._looked_up.get(leaf)
        if found is None:
            term = WORD + leaf.term.encode()
            if leaf.prefix:
                entries = (entry for _, entry in self._known.words.beginning_with(term))
                found = list(islice(entries, _MANY))
                if len(found) == _MANY:
                    found = self._known.words.gathered(chain(found, entries))
            else:
                entry = self._known.words.find(term)
                found = [] if entry is None else [entry]
            self._looked_up[leaf] = found
        return found


class WhooshEngine:
    """The index in ``folder``, encrypted under a 32-byte key."""

    def __init__(self, folder: Path, key: bytes, randomness: Randomness = token_bytes) -> None:
        self.folder = folder
        self._storage = EncryptedStorage(folder, key, randomness)
        self._lock = Lock(folder / "lock")
        self._segments: dict[str, _Known] = {}

    @contextmanager
    def exclusive(self, patience: float) -> Iterator[None]:
        self._storage.create()
        with self._lock.held(patience):
            self._storage.discard_unfinished()
            yield

    def commit(self, batch: Batch) -> None:
        self._lock.must_be_held()
        stamp = _STAMP.pack(_VERSION, form(), batch.mark.position, batch.mark.leaf)
        with self._sound(), _missing_is_damage():
            # A new one bears no mark: until the batch is in it, it has followed nothing.
            index = self._index()
        with self._storage.stamped(stamp), self._sound(), _missing_is_damage():
            writer = Merging(index, codec=Codec())
            try:
                purged = self._delete(writer, batch)
                for text in sorted(batch.add, key=lambda each: -each.order):
                    writer.add(text.id, text.order, text.pieces)
                writer.commit(mergetype=_merge_policy(purged, self._highest))
            except BaseException:
                if not writer.is_closed:
                    with suppress(Exception):  # the first error is the one to tell
                        writer.cancel()
                raise

    def clear(self, beyond: int = 0) -> None:
        """A table of contents without segments; the old files are removed after it."""
        self._lock.must_be_held()
        with self._storage.stamped(b""):
            generation = max(self._generation(), beyond) + 1
            TOC(_SCHEMA, [], generation).write(self._storage, _NAME)
            clean_files(self._storage, _NAME, generation, [])

    def search(
        self, tree: Expression, keep: Keep | None, limit: int, seconds: float = SEARCH_SECONDS
    ) -> Hits:
        deadline = Deadline.within(seconds)
        with self._sound():
            seen = _again_if_gone(self._seen)
            with closing(self._newest(seen, tree, deadline, scored=False)) as found:
                hits = kept((each.id for each in found), keep, limit, seen.mark.position)
        return replace(hits, more=hits.more or deadline.missed, partly=deadline.missed)

    def rank(self, tree: Expression, keep: Keep | None, limit: int, seconds: float) -> Hits:
        deadline = Deadline.within(seconds)
        with self._sound():
            seen = _again_if_gone(self._seen)
            with closing(self._newest(seen, tree, deadline, scored=True)) as found:
                scores = {each.id: each.score for each in found}
        best = sorted(scores, key=lambda each: -scores[each])  # stable: newest first among equals
        hits = kept(iter(best), keep, limit, seen.mark.position)
        return replace(hits, more=hits.more or deadline.missed, partly=deadline.missed)

    def _newest(
        self, seen: _Seen, tree: Expression, deadline: Deadline, *, scored: bool
    ) -> Generator[_Found, None, None]:
        """What the tree holds for, by falling order: from the segment that may still have the newest.

        A segment is as a rule in this order itself, but for the files that changed later; so each next document
        comes with the highest order that can still follow it.
        """
        runs = [_Run(known, segment, tree, scored=scored) for known, segment in seen.segments]
        waiting = [(-run.ceiling, at) for at, run in enumerate(runs) if run.ceiling >= 0]
        heapq.heapify(waiting)
        found: list[tuple[int, _Found]] = []
        while (waiting or found) and not deadline.is_over():
            if found and (not waiting or found[0][0] <= waiting[0][0]):
                yield heapq.heappop(found)[1]
                continue
            at = waiting[0][1]
            each = runs[at].next()
            if each is not None:
                heapq.heappush(found, (-each.order, each))
            if runs[at].ceiling >= 0:
                heapq.heapreplace(waiting, (-runs[at].ceiling, at))
            else:
                heapq.heappop(waiting)

    def _known(self, segment: Any) -> _Known:
        """Kept from search to search: a segment never changes, but for what is deleted from it."""
        name = segment.segment_id()
        known = self._segments.get(name)
        if known is None:
            known = self._segments[name] = _Known(self._storage, segment)
        return known

    def mark(self) -> Mark:
        return _again_if_gone(self._mark)

    def generation(self) -> int:
        return max(0, self._generation())

    def size(self) -> int:
        with self._sound():
            return sum(segment.doc_count() for segment in _again_if_gone(self._contents))

    def weight(self) -> int:
        return self._storage.weight()

    def holds(self, case_file: CaseFileId) -> bool:
        """A commit that removes a file writes its segments anew, and the old ones are deleted."""
        return bool(self.search(Among(frozenset({case_file})), None, 1, inf).ids)

    def verify(self) -> None:
        """Opens all as a search does, too: what was sealed may have been wrong before it was."""
        self.mark()
        try:
            with _missing_is_damage():
                for segment in _again_if_gone(self._contents):
                    self._storage.verify(_name_of(segment))
                    _Known(self._storage, segment)
        except (IndexDamagedError, OSError):
            raise
        except Exception as error:
            raise IndexDamagedError("a file of the index makes no sense") from error

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """Whatever may come of reading (EOFError, KeyError, struct.error, ...) is damage if the index is not whole, and
        otherwise a fault of ours.
        """
        try:
            yield
        except (IndexDamagedError, OSError):
            raise
        except Exception:
            self.verify()
            raise

    def _delete(self, writer: Any, batch: Batch) -> frozenset[str]:
        """Marks what is replaced or removed; gives the names of the segments that must forget it."""
        purged = set()
        for segment in writer.segments:
            document_of = self._known(segment).words.document_of
            for each in [*(text.id for text in batch.add), *batch.remove]:
                document = document_of(each)
                if document is None or segment.is_deleted(document):
                    continue
                segment.delete_document(document)
                if each in batch.remove:
                    purged.add(segment.segment_id())
        return frozenset(purged)

    def _highest(self, segment: Any) -> int:
        return max(self._known(segment).orders, default=0)

    def _seen(self) -> _Seen:
        """All of one commit, and its files held, whatever is committed from then on."""
        mark, segments = self._mark(), self._contents()
        if mark != self._mark():
            raise FileNotFoundError  # there was a commit between the two
        seen = _Seen(mark, [(self._known(each), each) for each in segments])
        here = {each.segment_id() for each in segments}
        for name in list(self._segments):
            if name not in here:
                self._segments.pop(name, None)
        return seen

    def _mark(self) -> Mark:
        generation = self._generation()
        if generation < 0:
            return START
        stamp = self._storage.stamp_of(TOC._filename(_NAME, generation))  # noqa: SLF001
        if not stamp:
            return START
        version, written, position, leaf = (
            _STAMP.unpack(stamp) if len(stamp) == _STAMP.size else (0, b"", 0, b"")
        )
        if (version, written) != (_VERSION, form()):
            raise IndexDamagedError("written by other rules than those in force")
        return Mark(position, leaf)

    def _contents(self) -> list[Any]:
        try:
            return list(TOC.read(self._storage, _NAME, schema=_SCHEMA).segments)
        except EmptyIndexError:
            return []

    def _index(self) -> Any:
        if self._generation() < 0:
            return FileIndex.create(self._storage, _SCHEMA, _NAME)
        return FileIndex(self._storage, schema=_SCHEMA, indexname=_NAME)

    def _generation(self) -> int:
        return int(TOC._latest_generation(self._storage, _NAME))  # noqa: SLF001


def _ceilings(orders: "array[int]") -> "array[int]":
    if all(map(ge, orders, islice(orders, 1, None))):  # as a rule, and sooner known than the other is made
        return orders
    ceilings = array("q", accumulate(reversed(orders), max))
    ceilings.reverse()
    return ceilings


def _name_of(segment: Any) -> str:
    return str(segment.make_filename(segment.COMPOUND_EXT))


def _again_if_gone(read: Callable[[], T]) -> T:
    """A writer may take files away between the look at the table of contents and their opening."""
    for attempt in range(_ATTEMPTS):
        try:
            return read()
        except FileNotFoundError:
            time.sleep(0.01 * attempt)
    with _missing_is_damage():
        return read()


@contextmanager
def _missing_is_damage() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise IndexDamagedError("a file of the index is missing") from error


def _merge_policy(
    purged: frozenset[str], highest: Callable[[Any], int]
) -> Callable[[Any, list[Any]], list[Any]]:
    def policy(writer: Any, segments: list[Any]) -> list[Any]:
        sizes = [
            SegmentSize(
                each.doc_count(),
                each.deleted_count(),
                each.segment_id() in purged,
                writer.storage.file_length(_name_of(each)),
            )
            for each in segments
        ]
        chosen = to_rewrite(sizes)
        for at in sorted(chosen, key=lambda each: -highest(segments[each])):
            writer.add_reader(SegmentReader(writer.storage, writer.schema, segments[at]))
        return [each for at, each in enumerate(segments) if at not in chosen]

    return policy
