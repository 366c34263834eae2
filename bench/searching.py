"""Building and asking both engines, and beside them, in the same run: stock Whoosh, plain FTS5 and Tantivy.

Every engine gets the same invented texts and queries, in processes of its own, so that memory is its own too. Times are
those of the clock, and beside them processor time: other work on the machine counts in the one and not in the other.
The files are in the page cache. "Opened cold" is a new process that has imported its packages and asked an empty index:
from making the engine over the files to the answer to its first question. Plain FTS5 and Tantivy hold the same terms as
our engines, without encryption; stock Whoosh is used as its manual shows, with its own analysis into pairs, stored
texts and ranking. An engine that fails says so in its row, and the others go on.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from bench.table import Row

FILES, MANY = int(os.environ.get("MUNIMENT_BENCH_FILES", "10000")), 100_000
LONG = 3_000_000  # characters
BATCH = 100
LIMIT = 200
TODAY = date(2026, 3, 1)
_SEED = 1
_EACH = 40  # queries of a kind
_ASKING = 900.0  # seconds: then no more is asked, of each kind as much as of any other
_HAN = re.compile("[\u4e00-\u9fff]{6,}")


def measure() -> Iterator[Row]:
    yield from measure_long()
    yield from _measured(FILES)


def measure_many() -> Iterator[Row]:
    yield from _measured(MANY)


def _measured(count: int) -> Iterator[Row]:
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as name:
        folder = Path(name)
        size = _write(folder, count)
        yield Row(f"{count:,} texts", size / 1e6, "MB")
        for engine in ENGINES:
            try:
                yield from _rows(engine, folder, count, size)
            except subprocess.CalledProcessError as error:
                yield Row(f"{engine}: failed, with status", error.returncode, "")


def measure_long() -> Iterator[Row]:
    """What one text takes that is as long as the longest that a small file brings: 9 MB of Chinese in one line."""
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as name:
        for engine in ("whoosh", "fts5"):
            written = _apart("long", engine, Path(name))
            about = f"{engine}: a text of {LONG:,} characters"
            yield Row(f"{about}: memory before", written["before"] / 1e6, "MB")
            yield Row(f"{about}: memory at most", written["memory"] / 1e6, "MB")
            yield Row(f"{about}: processor", written["processor"], "s")
            yield Row(f"{about}: memory at most when asked", written["asked"] / 1e6, "MB")


def _rows(engine: str, folder: Path, count: int, size: int) -> Iterator[Row]:
    built = _apart("build", engine, folder)
    spent = f"{engine}: built ({count / built['processor']:,.0f} a second of processor time)"
    yield Row(spent, count / built["seconds"], "files/s")
    yield Row(f"{engine}: memory while building", built["memory"] / 1e6, "MB")
    yield Row(f"{engine}: size", built["size"] / 1e6, "MB", built["size"] / size, "the texts")
    asked = _apart("ask", engine, folder)
    wall, processor = (each * 1000 for each in asked["open"])
    yield Row(f"{engine}: opened cold, to the first answer (processor {processor:.1f})", wall, "ms")
    yield Row(f"{engine}: memory while asked", asked["memory"] / 1e6, "MB")
    for kind, times in asked["times"].items():
        walls, processors = zip(*times, strict=True)
        p50, p95, p99 = (_percentile(walls, part) * 1000 for part in (50, 95, 99))
        spent = _percentile(processors, 95) * 1000
        about = f"p50 {p50:.1f}, p99 {p99:.1f}; processor p95 {spent:.1f}; {len(times)} asked"
        yield Row(f"{engine}: {kind}, p95 ({about})", p95, "ms")


def _percentile(times: Sequence[float], part: int) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * part // 100)]


def _apart(work: str, engine: str, folder: Path) -> Any:
    """In a process of its own."""
    arguments = [sys.executable, "-m", "bench.searching", work, engine, str(folder)]
    return json.loads(subprocess.run(arguments, check=True, stdout=subprocess.PIPE).stdout)


# The texts and the queries


def _said(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _said(each)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _write(folder: Path, count: int) -> int:
    """One text a line; the queries beside them. Gives the bytes of the texts."""
    from web.sample import cases

    size = 0
    chance = random.Random(_SEED)
    sample: list[str] = []
    with (folder / "texts").open("w", encoding="utf-8") as file:
        for number, case in enumerate(cases(_SEED, count, TODAY, pictures=False)):
            said = " ; ".join(_said(case.voucher)).replace("\n", " ")
            # An archive holds it twice: the fields, and the pages of the voucher that is printed from them.
            line = f"2026-{case.level}-{case.category}-{number:06} ; {said} ; {said}"
            size += len(line.encode())
            file.write(line + "\n")
            if chance.random() < 2000 / count:
                sample.append(line)
    (folder / "queries").write_text(json.dumps(_queries(sample, chance), ensure_ascii=False), "utf-8")
    return size


def _queries(sample: list[str], chance: random.Random) -> dict[str, list[str]]:
    runs = [run for text in sample for run in _HAN.findall(text)]
    seen = Counter(piece for text in sample for piece in {run[:6] for run in _HAN.findall(text)})
    common = [piece for piece, _ in seen.most_common(_EACH)]
    pieces = []
    while len(pieces) < _EACH:
        run = chance.choice(runs)
        start = chance.randrange(len(run) - 5)
        pieces.append(run[start : start + 6])
    pairs = [piece[:2] for piece in pieces]
    others = [chance.choice(common)[:2] for _ in pairs]
    return {
        "one character": [piece[0] for piece in pieces],
        "two characters": pairs,
        "phrase": pieces,
        "common": common,
        "both of two words": [f"{a} {b}" for a, b in zip(pairs, others, strict=True)],
        "one but not the other": [f"{b} NOT {a}" for a, b in zip(pairs, others, strict=True)],
        "keystroke": [piece[:length] for piece in [*pieces, *common[: _EACH // 4]] for length in range(2, 7)],
    }


# The engines


class Engine(Protocol):
    def build(self, texts: Iterator[list[tuple[int, str]]]) -> None: ...
    def ask(self, query: str) -> int: ...


class Ours:
    """``search`` as ``Indexer`` calls it, query parsed and all, without the catalogue's rows of what was found."""

    def __init__(self, engine: Any) -> None:
        from indexer.query.parsing import parse

        self.engine = engine
        self._parse = parse

    def build(self, texts: Iterator[list[tuple[int, str]]]) -> None:
        from indexer.analysis import terms_for_index
        from indexer.engine import Batch, Mark, Text

        for batch in texts:
            added = tuple(Text(_id(number), number, terms_for_index([(text,)])) for number, text in batch)
            with self.engine.exclusive(5):
                self.engine.commit(Batch(added, frozenset(), Mark(batch[-1][0] + 1, b"h" * 32)))

    def ask(self, query: str) -> int:
        return len(self.engine.search(self._parse(query, TODAY).tree, None, LIMIT).ids)


def _id(number: int) -> Any:
    """As long as those of case files are."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def whoosh(folder: Path) -> Engine:
    from indexer.whoosh_engine import WhooshEngine

    return Ours(WhooshEngine(folder, b"k" * 32))


def fts5(folder: Path) -> Engine:
    import indexer.tables  # noqa: F401
    from archive.database.catalogue import Catalogue
    from archive.database.engine import Database
    from archive.database.schema import metadata
    from indexer.fts5_engine import Fts5Engine

    folder.mkdir(exist_ok=True)
    database = Database(folder / "catalogue.db", b"d" * 32)
    with database.writing() as connection:
        metadata.create_all(connection)
    # It records no act, so it needs neither ledger nor clock.
    return Ours(Fts5Engine(Catalogue(database, None, None), folder / "lock"))  # type: ignore[arg-type]


class PlainFts5:
    """The same terms, without encryption."""

    def __init__(self, folder: Path) -> None:
        from sqlcipher3 import dbapi2

        folder.mkdir(exist_ok=True)
        self._database = dbapi2.connect(str(folder / "plain.db"), isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS words"
            " USING fts5(terms, content='', contentless_delete=1, tokenize='ascii')"
        )

    def build(self, texts: Iterator[list[tuple[int, str]]]) -> None:
        for batch in texts:
            self._database.execute("BEGIN")
            rows = [(number, " ".join(_row(text))) for number, text in batch]
            self._database.executemany("INSERT INTO words(rowid, terms) VALUES (?, ?)", rows)
            self._database.execute("COMMIT")

    def ask(self, query: str) -> int:
        from indexer.matching import words
        from indexer.query.parsing import parse

        match = words(parse(query, TODAY).tree)
        rows = self._database.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?", (match, LIMIT + 1)
        )
        return min(LIMIT, len(rows.fetchall()))


def _row(text: str) -> list[str]:
    from indexer.analysis import in_order, terms_for_index

    return [term for row in in_order(terms_for_index([(text,)])) for term in row]


class Tantivy:
    """The same terms, without encryption; newest first by a fast field."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        folder.mkdir(exist_ok=True)
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("terms", tokenizer_name="whitespace", index_option="position")
        builder.add_integer_field("order", stored=True, fast=True)
        self._schema = builder.build()
        self._tantivy = tantivy
        self._index = tantivy.Index(self._schema, path=str(folder))
        self._index.reload()

    def build(self, texts: Iterator[list[tuple[int, str]]]) -> None:
        writer = self._index.writer(heap_size=64_000_000, num_threads=1)
        for batch in texts:
            for number, text in batch:
                document = self._tantivy.Document()
                document.add_text("terms", " ".join(_row(text)))
                document.add_integer("order", number)
                writer.add_document(document)
            writer.commit()
        writer.wait_merging_threads()

    def ask(self, query: str) -> int:
        searcher = self._index.searcher()
        found = searcher.search(self._query(query), LIMIT, order_by_field="order")
        return len([searcher.doc(address)["order"][0] for _, address in found.hits])

    def _query(self, query: str) -> Any:
        kinds = self._tantivy.Occur
        first, *rest = query.split(" ")
        parts = [(kinds.Must, self._words(first))]
        if rest:
            parts.append((kinds.MustNot if rest[0] == "NOT" else kinds.Must, self._words(rest[-1])))
        return self._tantivy.Query.boolean_query(parts)

    def _words(self, text: str) -> Any:
        terms = [text[at : at + 2] for at in range(len(text) - 1)]
        make = self._tantivy.Query
        if not terms:
            return make.regex_query(self._schema, "terms", f"{text}.?")
        if len(terms) == 1:
            return make.term_query(self._schema, "terms", terms[0])
        return make.phrase_query(self._schema, "terms", terms)


class StockWhoosh:
    """As the manual has it: pairs by its own analyser, texts stored, one commit a batch, best first."""

    def __init__(self, folder: Path) -> None:
        from whoosh.analysis import NgramAnalyzer
        from whoosh.fields import NUMERIC, TEXT, Schema
        from whoosh.index import create_in, exists_in, open_dir

        folder.mkdir(exist_ok=True)
        schema = Schema(number=NUMERIC(stored=True), text=TEXT(stored=True, analyzer=NgramAnalyzer(1, 2)))
        self._index = open_dir(folder) if exists_in(folder) else create_in(folder, schema)
        self._searcher: Any = None

    def build(self, texts: Iterator[list[tuple[int, str]]]) -> None:
        for batch in texts:
            writer = self._index.writer()
            for number, text in batch:
                writer.add_document(number=number, text=text)
            writer.commit()

    def ask(self, query: str) -> int:
        from whoosh.qparser import QueryParser

        self._searcher = self._searcher or self._index.searcher()
        words = [f'"{each}"' if len(each) > 2 else each for each in query.split(" ")]
        parsed = QueryParser("text", self._index.schema).parse(" ".join(words).replace('"NOT"', "NOT"))
        return len(list(self._searcher.search(parsed, limit=LIMIT)))


ENGINES: dict[str, Callable[[Path], Engine]] = {
    "whoosh": whoosh,
    "fts5": fts5,
    "plain FTS5": PlainFts5,
    "Tantivy": Tantivy,
    "stock Whoosh": StockWhoosh,
}


# What runs in a process of its own


def _batches(folder: Path) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    with (folder / "texts").open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            batch.append((number, line))
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _build(engine: str, folder: Path) -> dict[str, float]:
    place = folder / engine
    before = _now()
    ENGINES[engine](place).build(_batches(folder))
    seconds, processor = _since(before)
    size = sum(each.stat().st_size for each in place.rglob("*") if each.is_file())
    return {"seconds": seconds, "processor": processor, "size": size, "memory": _memory()}


def _long(engine: str, folder: Path) -> dict[str, float]:
    """One text of random characters: there is no worse for the number of terms."""
    from indexer.analysis import terms_for_index
    from indexer.engine import Batch, Mark, Text

    chance = random.Random(_SEED)
    han = [chr(code) for code in range(0x4E00, 0x4E00 + 3500)]
    pages = ("".join(chance.choices(han, k=2500)) for _ in range(LONG // 2500))
    opened = ENGINES[engine](folder / f"one long text for {engine}")
    opened.ask("退款")
    before = _memory()
    began = _now()
    text = Text(_id(1), 1, terms_for_index([pages]))
    with opened.engine.exclusive(5):  # type: ignore[attr-defined]  # one of ours
        opened.engine.commit(Batch((text,), frozenset(), Mark(2, b"h" * 32)))  # type: ignore[attr-defined]
    written, processor = _memory(), _since(began)[1]
    for query in ("退", "退款", "退款 NOT 道歉"):
        opened.ask(query)
    return {"before": before, "memory": written, "processor": processor, "asked": _memory()}


def _ask(engine: str, folder: Path) -> dict[str, Any]:
    queries = json.loads((folder / "queries").read_text("utf-8"))
    ENGINES[engine](folder / f"nothing for {engine}").ask("退款")  # what must be imported is
    before = _now()
    opened = ENGINES[engine](folder / engine)
    opened.ask(queries["phrase"][0])
    cold = _since(before)
    times: dict[str, list[tuple[float, float]]] = {}
    until = time.monotonic() + _ASKING
    for row in zip_longest(*queries.values()):
        for kind, query in zip(queries, row, strict=True):
            if query is not None and time.monotonic() < until:
                before = _now()
                opened.ask(query)
                times.setdefault(kind, []).append(_since(before))
    return {"open": cold, "memory": _memory(), "times": times}


def _now() -> tuple[float, float]:
    """Of the clock and of the processor, in seconds."""
    return time.perf_counter(), time.process_time()


def _since(before: tuple[float, float]) -> tuple[float, float]:
    wall, processor = _now()
    return wall - before[0], processor - before[1]


def _memory() -> int:
    """The most this process ever held, in bytes (proc(5): getrusage would count its parent in)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


if __name__ == "__main__":
    work, engine, folder = sys.argv[1:]
    print(json.dumps({"build": _build, "ask": _ask, "long": _long}[work](engine, Path(folder))))
