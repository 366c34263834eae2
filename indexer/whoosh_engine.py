"""The search engine that comes with Muniment: Whoosh, kept narrow, over encrypted storage.

One field of terms with their positions, the id and the order of filing; no text is stored. Whoosh keeps
segments, terms and postings; matching is done here, by positions. A reader is opened for each search and
never shared among threads.
"""

import fcntl
import heapq
import os
import struct
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from secrets import token_bytes
from typing import Any, TypeVar

from whoosh.codec.whoosh3 import W3Codec
from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, ID, FieldType, Schema
from whoosh.formats import Format
from whoosh.index import TOC, EmptyIndexError, FileIndex, clean_files
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from archive.keys.filekey import CaseFileId
from archive.keys.sealing import Randomness
from indexer.analysis import Leaf, Phrase, Query
from indexer.engine import START, Batch, Hits, IndexBusyError, IndexDamagedError, Mark
from indexer.merging import SegmentSize, to_rewrite
from indexer.storage import EncryptedStorage

_NAME = "MAIN"
_STAMP = struct.Struct(">Q32s")
_ATTEMPTS = 8
_SORT_MEGABYTES = 64

T = TypeVar("T")


class _Places(Format):  # type: ignore[misc]  # Whoosh has no types
    """A posting's value: positions as 32-bit numbers."""

    textual = True
    posting_size = -1


class _Terms(FieldType):  # type: ignore[misc]
    """Takes terms with positions as they are; analysis is not Whoosh's here."""

    def __init__(self) -> None:
        super().__init__(_Places(), analyzer=None)

    def index(
        self, value: Mapping[str, Sequence[int]], **_options: object
    ) -> Iterator[tuple[bytes, int, float, bytes]]:
        for term, positions in value.items():
            yield term.encode(), len(positions), 1.0, array("I", positions).tobytes()


_SCHEMA = Schema(id=ID(unique=True, sortable=True), order=COLUMN(NumericColumn("q")), terms=_Terms())


class WhooshEngine:
    """The index in ``folder``, encrypted under a 32-byte key."""

    def __init__(self, folder: Path, key: bytes, randomness: Randomness = token_bytes) -> None:
        self._storage = EncryptedStorage(folder, key, randomness)
        self._lock_path = folder / "lock"
        self._guard = threading.RLock()
        self._depth = 0

    @contextmanager
    def exclusive(self, patience: float) -> Iterator[None]:
        deadline = time.monotonic() + patience
        if not self._guard.acquire(timeout=patience):
            raise IndexBusyError
        try:
            if self._depth:
                with self._deeper():
                    yield
                return
            self._storage.create()
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(descriptor, deadline)
                self._storage.discard_unfinished()
                with self._deeper():
                    yield
            finally:
                os.close(descriptor)  # and with it the lock, as when the process is killed
        finally:
            self._guard.release()

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def commit(self, batch: Batch) -> None:
        self._must_be_exclusive()
        stamp = _STAMP.pack(batch.mark.position, batch.mark.leaf)
        with self._storage.stamped(stamp), _missing_is_damage():
            writer = SegmentWriter(self._index(), codec=W3Codec(), limitmb=_SORT_MEGABYTES)
            try:
                purged = _delete(writer, batch)
                for text in batch.add:
                    writer.add_document(id=text.id, order=text.order, terms=text.terms)
                writer.commit(mergetype=_merge_policy(purged))
            except BaseException:
                if not writer.is_closed:
                    with suppress(Exception):  # the first error is the one to tell
                        writer.cancel()
                raise

    def clear(self) -> None:
        """A table of contents without segments, one generation on; the old files are removed after it."""
        self._must_be_exclusive()
        with self._storage.stamped(b""):
            generation = self._generation() + 1
            TOC(_SCHEMA, [], generation).write(self._storage, _NAME)
            clean_files(self._storage, _NAME, generation, [])

    def search(self, query: Query, allowed: AbstractSet[CaseFileId] | None, limit: int) -> Hits:
        found: list[tuple[int, CaseFileId]] = []
        for segment in self._segments():
            with closing(segment) as reader:
                ids, orders = reader.column_reader("id"), reader.column_reader("order")
                found += [
                    (orders[document], CaseFileId(ids[document]))
                    for document in _matching(reader, query)
                    if allowed is None or ids[document] in allowed
                ]
        newest = heapq.nlargest(limit + 1, found)
        return Hits(tuple(each for _, each in newest[:limit]), more=len(newest) > limit)

    def mark(self) -> Mark:
        def read() -> Mark:
            generation = self._generation()
            if generation < 0:
                return START
            stamp = self._storage.stamp_of(TOC._filename(_NAME, generation))  # noqa: SLF001
            return Mark(*_STAMP.unpack(stamp)) if stamp else START

        return _again_if_gone(read)

    def size(self) -> int:
        return sum(segment.doc_count() for segment in _again_if_gone(self._contents))

    def verify(self) -> None:
        self.mark()
        for reader in self._segments():
            reader.close()

    def _segments(self) -> list[Any]:
        """A reader for each segment of the newest commit; what later commits remove is in memory by then."""
        return _again_if_gone(
            lambda: [SegmentReader(self._storage, _SCHEMA, each) for each in self._contents()]
        )

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

    def _must_be_exclusive(self) -> None:
        if not self._depth:
            raise RuntimeError("writing to the index needs the right to")


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


def _lock(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise IndexBusyError from None
            time.sleep(0.02)
        else:
            return


def _delete(writer: Any, batch: Batch) -> frozenset[str]:
    """Marks what is replaced or removed; gives the names of the segments that must forget it."""
    for text in batch.add:
        writer.delete_by_term("id", text.id)
    before = {each.segment_id(): each.deleted_count() for each in writer.segments}
    for each in batch.remove:
        writer.delete_by_term("id", each)
    return frozenset(
        each.segment_id() for each in writer.segments if each.deleted_count() != before[each.segment_id()]
    )


def _merge_policy(purged: frozenset[str]) -> Callable[[Any, list[Any]], list[Any]]:
    def policy(writer: Any, segments: list[Any]) -> list[Any]:
        sizes = [
            SegmentSize(each.doc_count(), each.deleted_count(), each.segment_id() in purged)
            for each in segments
        ]
        chosen = to_rewrite(sizes)
        for at in sorted(chosen):
            with closing(SegmentReader(writer.storage, writer.schema, segments[at])) as reader:
                writer.add_reader(reader)
        return [each for at, each in enumerate(segments) if at not in chosen]

    return policy


def _matching(reader: Any, query: Query) -> AbstractSet[int]:
    """The documents of one segment that hold every phrase."""
    documents: AbstractSet[int] | None = None
    for phrase in query.phrases:
        documents = _holding(reader, phrase, documents)
        if not documents:
            return frozenset()
    return documents or frozenset()


def _holding(reader: Any, phrase: Phrase, among: AbstractSet[int] | None) -> AbstractSet[int]:
    leaves = [(leaf, _terms(reader, leaf)) for leaf in phrase.leaves]
    if len(leaves) == 1:
        return {document for document, _ in _postings(reader, leaves[0][1], among)}
    # the rarest first: it leaves the fewest documents to look at in the others
    leaves.sort(key=lambda each: sum(reader.doc_frequency("terms", term) for term in each[1]))
    starts: dict[int, set[int]] | None = None
    for leaf, terms in leaves:
        there: dict[int, set[int]] = {}
        for document, value in _postings(reader, terms, among):
            places = array("I", value)
            there.setdefault(document, set()).update(place - leaf.offset for place in places)
        if starts is not None:
            there = {document: places & starts[document] for document, places in there.items()}
        starts = {document: places for document, places in there.items() if places}
        among = starts.keys()
        if not starts:
            break
    return starts.keys() if starts else frozenset()


def _terms(reader: Any, leaf: Leaf) -> list[bytes]:
    term = leaf.term.encode()
    if leaf.prefix:
        return list(reader.expand_prefix("terms", term))
    return [term] if ("terms", term) in reader else []


def _postings(reader: Any, terms: list[bytes], among: AbstractSet[int] | None) -> Iterator[tuple[int, bytes]]:
    for term in terms:
        matcher = reader.postings("terms", term)
        while matcher.is_active():
            document = matcher.id()
            if among is None or document in among:
                yield document, matcher.value()
            matcher.next()
