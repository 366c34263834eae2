"""Whether the time of an answer tells of files that the asker may not know of.

An employee may read a few of the files. Asked in turn, many times: a word that stands in no file, and words that stand
only in others' files. A row says how often a guess from the time of one answer alone would be right, by the best
threshold there is: 50 % is guessing. The engine alone first, and then as an employee gets the answer: at even times.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from bench.searching import BATCH, ENGINES, LIMIT, TODAY, Ours, _batches, _id, _percentile, _write
from bench.table import Row

FILES = int(os.environ.get("MUNIMENT_BENCH_FILES", "10000"))
_ASKED = 400  # times each word
_READABLE = 10  # files
_PLANTED = {
    "鑫犇淼": 1,
    "焱垚骉": 50,
    "羴鱻麤": 5,
}  # a word, and that each so manieth of the others' files has it
_NOWHERE = "龘靐齉"


def measure() -> Iterator[Row]:
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as name:
        folder = Path(name)
        _write(folder, FILES)
        chance = random.Random(1)
        readable = frozenset(chance.sample(range(FILES), _READABLE))
        for engine in ("whoosh", "fts5"):
            made = cast("Ours", ENGINES[engine](folder / engine))
            made.build(_planted(folder, readable))
            ask = _asking(made, readable)
            yield from _rows(engine, ask, chance)
            yield from _rows(f"{engine}, at even times", _paced(ask), chance)


def _planted(folder: Path, readable: frozenset[int]) -> Iterator[list[tuple[int, str]]]:
    for batch in _batches(folder):
        yield [(number, text if number in readable else text + _words(number)) for number, text in batch]


def _words(number: int) -> str:
    said = [word for word, each in _PLANTED.items() if number % each == 0 and (each > 1 or number == BATCH)]
    return " ; ".join(["", *said])


def _rows(engine: str, ask: Callable[[str], object], chance: random.Random) -> Iterator[Row]:
    words = [_NOWHERE, *_PLANTED] * _ASKED
    chance.shuffle(words)
    times: dict[str, list[float]] = {}
    for word in words:
        began = time.perf_counter()
        ask(word)
        times.setdefault(word, []).append(time.perf_counter() - began)
    p50, p95 = (_percentile(times[_NOWHERE], part) * 1000 for part in (50, 95))
    yield Row(f"{engine}: a word that is nowhere, p50 (p95 {p95:.2f})", p50, "ms")
    for word, each in _PLANTED.items():
        many = "one file" if each == 1 else f"{FILES // each:,} files"
        p50, p95 = (_percentile(times[word], part) * 1000 for part in (50, 95))
        yield Row(f"{engine}: a word in {many} of others, p50 (p95 {p95:.2f})", p50, "ms")
        yield Row(f"{engine}: so told from nowhere", _told_apart(times[_NOWHERE], times[word]) * 100, "%")


def _asking(made: Ours, readable: frozenset[int]) -> Callable[[str], object]:
    """As ``Searching`` hands it over for who may read few files."""
    from indexer.query.expression import AllOf, Among
    from indexer.query.parsing import parse

    few = Among(frozenset(map(_id, readable)))
    engine = made.engine
    return lambda word: engine.search(AllOf((few, parse(word, TODAY).tree)), None, LIMIT)


def _paced(ask: Callable[[str], object]) -> Callable[[str], object]:
    """As the web gives it to who may not search the words of all files."""
    from indexer.pacing import paced

    def later(word: str) -> None:
        with paced():
            ask(word)

    return later


def _told_apart(ones: list[float], others: list[float]) -> float:
    """The best share of right guesses; both are asked equally often."""
    best = 0.5
    for limit in [*ones, *others]:
        right = sum(each <= limit for each in ones) + sum(each > limit for each in others)
        share = right / (len(ones) + len(others))
        best = max(best, share, 1 - share)
    return best
