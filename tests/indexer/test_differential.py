"""Both engines against a plain scan: for random texts and queries of the whole language, all find the same."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import indexer.tables  # noqa: F401 - declares what the engine inside the catalogue needs
from archive.database.catalogue import Catalogue
from archive.database.engine import Database
from archive.database.schema import metadata
from archive.keys.filekey import CaseFileId
from indexer.analysis import PIECE, rows_of, terms_for_index
from indexer.engine import Batch, Mark, Text
from indexer.fts5_engine import Fts5Engine
from indexer.query.parsing import parse
from indexer.query.scanning import holds
from indexer.whoosh_engine import WhooshEngine

TODAY = date(2026, 3, 1)
HAN = "退款道書书𠮷葛"
LATIN = "abAB１2é"
FORMS = {0xFF11: "1", ord("書"): "书"}
texts = st.text(alphabet=HAN * 2 + LATIN + " \n，。-", max_size=40)


def plain(text: str) -> str:
    """A text as a person would compare it, without case, width and tradition. What stands between two words is one
    space, a mark between two Han characters is ``|``, and nothing else between characters counts.
    """

    def between(found: re.Match[str]) -> str:
        left, right = text[: found.start()][-1:], text[found.end() :][:1]
        if not left or not right:
            return ""
        if left in HAN and right in HAN:
            return "|" if found.group().strip() else ""
        return "" if left in HAN or right in HAN else " "

    text = text.lower().translate(FORMS)
    return re.sub("[ \\n，。-]+", between, text)


def scan(text: str, part: str, *, goes_on: bool = False) -> bool:
    """Whether ``part`` stands in ``text``, whole words where it begins or ends within one."""
    wanted = plain(part)
    before = r"(?<![a-z0-9é])" if wanted[0] not in HAN else ""
    open_end = goes_on and re.search("[a-z0-9é]{3}$", wanted)
    after = r"(?![a-z0-9é])" if wanted[-1] not in HAN and not open_end else ""
    return re.search(before + re.escape(wanted) + after, plain(text)) is not None


def searchable(part: str) -> bool:
    return any(each in HAN or each in LATIN for each in part)


@dataclass
class Asked:
    """A query as it is typed, and what it means, said without any of the code that is tried here."""

    typed: str
    means: Callable[[str], bool]


def quoted(part: str) -> Asked:
    return Asked(f'"{part}"', lambda text: scan(text, part))


def bare(word: str) -> Asked:
    return Asked(word, lambda text: scan(text, word, goes_on=True))


def both(parts: list[Asked], by: str) -> Asked:
    return Asked(f"({by.join(p.typed for p in parts)})", lambda text: all(p.means(text) for p in parts))


def either(parts: list[Asked]) -> Asked:
    return Asked(f"({' OR '.join(p.typed for p in parts)})", lambda text: any(p.means(text) for p in parts))


def without(part: Asked) -> Asked:
    return Asked(f"NOT {part.typed}", lambda text: not part.means(text))


def queries(held: list[str]) -> st.SearchStrategy[Asked]:
    """Words and pieces of the texts themselves and of others, put together in every way."""
    pieces = st.builds(
        lambda text, start, length: text[start % (len(text) + 1) :][:length],
        st.one_of(st.sampled_from([*held, ""]), texts),
        st.integers(0, 40),
        st.integers(1, 6),
    ).filter(searchable)
    words = st.text(alphabet=HAN + LATIN, min_size=1, max_size=4)
    return st.recursive(
        st.one_of(pieces.map(quoted), words.map(bare)),
        lambda part: st.one_of(
            st.builds(both, st.lists(part, min_size=1, max_size=3), st.sampled_from([" ", " AND "])),
            st.lists(part, min_size=1, max_size=3).map(either),
            part.map(without),
        ),
        max_leaves=6,
    )


class Held:
    """Some texts in both engines, numbered in the order they came, one commit for each of the given batches."""

    def __init__(self, folder: Path, batches: list[list[str]], size: int = PIECE) -> None:
        self.database = Database(folder / "catalogue.db", b"d" * 32)
        with self.database.writing() as connection:
            metadata.create_all(connection)
        self.engines = {
            "whoosh": WhooshEngine(folder / "index", b"k" * 32),
            "fts5": Fts5Engine(Catalogue(self.database, None, None), folder / "lock"),
        }
        self.texts: list[str] = []
        for position, batch in enumerate(batches, start=1):
            first = len(self.texts)
            self.texts += batch
            for engine in self.engines.values():
                added = tuple(
                    Text(CaseFileId(str(number)), number, terms_for_index([[text]], size))
                    for number, text in enumerate(batch, start=first)
                )
                with engine.exclusive(5):
                    engine.commit(Batch(added, frozenset(), Mark(position, b"h" * 32)))

    def __enter__(self):
        return self

    def __exit__(self, *_failure):
        self.database.close()

    def find(self, query: str) -> dict[str, list[int]]:
        tree = parse(query, TODAY).tree
        found = {
            name: [int(each) for each in engine.search(tree, None, 200).ids]
            for name, engine in self.engines.items()
        }
        found["unindexed"] = [
            number
            for number, text in reversed(list(enumerate(self.texts)))
            if holds(tree, CaseFileId(str(number)), [[text]])
        ]
        return found

    def check(self, asked: Asked) -> None:
        expected = [n for n, text in reversed(list(enumerate(self.texts))) if asked.means(text)]
        found = self.find(asked.typed)
        assert found == dict.fromkeys(found, expected), asked.typed


batches = st.lists(st.lists(texts, max_size=4), min_size=1, max_size=4)
thorough = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@given(batches, st.data())
@thorough
def test_any_query_finds_exactly_what_a_plain_scan_finds(batches, data):
    with TemporaryDirectory() as folder, Held(Path(folder), batches) as held:
        for _ in range(6):
            held.check(data.draw(queries(held.texts)))


@given(batches, st.data())
@thorough
def test_a_phrase_is_found_exactly_where_a_plain_scan_finds_it(batches, data):
    with TemporaryDirectory() as folder, Held(Path(folder), batches) as held:
        for _ in range(6):
            source = data.draw(st.sampled_from([*held.texts, data.draw(texts)]))
            start = data.draw(st.integers(0, len(source)))
            part = source[start : start + data.draw(st.integers(1, 6))]
            if searchable(part):
                held.check(quoted(part))


@pytest.mark.parametrize("length", range(1, 9))
def test_a_run_of_any_length_is_found_at_any_place(tmp_path, length):
    text = "顾客要求店家书面道歉并退全款"
    with Held(tmp_path, [[text], ["无关"], [text[::-1]]]) as held:
        for start in range(len(text) - length + 1):
            for found in held.find(text[start : start + length]).values():
                assert 0 in found
        assert set(map(tuple, held.find("书面道歉").values())) == {(0,)}


@pytest.fixture
def small(monkeypatch):
    """Texts of a few terms are long ones to the engines and to the scan, and each way of theirs is gone."""
    monkeypatch.setattr("indexer.codec._RUN_POSTINGS", 7)
    monkeypatch.setattr("indexer.codec._AT_ONCE", 2)
    monkeypatch.setattr("indexer.spooling._SPOOLED", 64)
    monkeypatch.setattr("indexer.whoosh_engine._MANY", 3)
    monkeypatch.setattr("indexer.cursors._STRETCH", 2)
    monkeypatch.setattr("indexer.cursors._SPARSE", 1)
    monkeypatch.setattr("indexer.long_texts.LONGEST_PHRASE", 12)
    monkeypatch.setattr("indexer.query.scanning.rows_of", partial(rows_of, size=5))


@given(batches, st.integers(1, 15), st.data())
@settings(thorough, max_examples=100)
def test_texts_in_pieces_are_found_as_whole_ones_are(small, batches, size, data):
    with TemporaryDirectory() as folder, Held(Path(folder), batches, size) as held:
        for _ in range(6):
            held.check(data.draw(queries(held.texts)))


def test_phrases_over_the_seams_of_a_very_long_text_are_found_and_exclude(tmp_path):
    """100,000 characters of which none comes back soon, so that what is found is found in its one place."""
    chance = random.Random(4)
    han = [chr(code) for code in range(0x4E00, 0x9000)]
    long = "".join(chance.choices(han, k=3 * PIECE + 99))
    with Held(tmp_path, [["退款", long], ["另案"], [long[:PIECE] + "退款"]]) as held:
        for seam in (PIECE, 2 * PIECE, 3 * PIECE):
            for start in (seam - 2, seam - 1, seam):
                for length in (1, 2, 3, 40):
                    part = long[start : start + length]
                    shorter = [3] if part in long[:PIECE] else []
                    expected = [*shorter, 1]
                    found = held.find(f'"{part}"')
                    assert found == dict.fromkeys(found, expected), (start, length)
            both = held.find(f'"{long[seam - 3 : seam + 3]}" AND "{long[99:105]}"')
            assert list(both.values()) == [[1]] * 3
            without = held.find(f'NOT "{long[seam - 3 : seam + 3]}"')
            assert list(without.values()) == [[3, 2, 0]] * 3
        for engine in held.engines.values():
            engine.verify()
