"""The index against a plain scan: for random texts and queries, both find the same."""

import re
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.keys.filekey import CaseFileId
from indexer.analysis import parse_query, terms_for_index
from indexer.engine import Batch, Mark, Text
from indexer.whoosh_engine import WhooshEngine

HAN = "退款道歉𠮷葛"
LATIN = "abAB１2é"
texts = st.text(alphabet=HAN * 2 + LATIN + " \n，。-", max_size=40)


def plain(text: str) -> str:
    """A text as a person would compare it, without case and width. What stands between two words is one space, a
    mark between two Han characters is ``|``, and nothing else between characters counts.
    """

    def between(found: re.Match[str]) -> str:
        left, right = text[: found.start()][-1:], text[found.end() :][:1]
        if not left or not right:
            return ""
        if left in HAN and right in HAN:
            return "|" if found.group().strip() else ""
        return "" if left in HAN or right in HAN else " "

    text = text.lower().translate({0xFF11: "1"})
    return re.sub("[ \\n，。-]+", between, text)


def scan(text: str, part: str) -> bool:
    """Whether ``part`` stands in ``text``, whole words where it begins or ends within one."""
    wanted = plain(part)
    before = r"(?<![a-z0-9é])" if wanted[0] not in HAN else ""
    after = r"(?![a-z0-9é])" if wanted[-1] not in HAN else ""
    return re.search(before + re.escape(wanted) + after, plain(text)) is not None


def searchable(part: str) -> bool:
    return any(each in HAN or each in LATIN for each in part)


class Held:
    """An index of some texts, numbered in the order they came, one commit for each of the given batches."""

    def __init__(self, folder: Path, batches: list[list[str]]) -> None:
        self.engine = WhooshEngine(folder, b"k" * 32)
        self.texts: list[str] = []
        numbers = count()
        with self.engine.exclusive(5):
            for position, batch in enumerate(batches, start=1):
                added = tuple(
                    Text(CaseFileId(str(number := next(numbers))), number, terms_for_index([text]))
                    for text in batch
                )
                self.texts += batch
                self.engine.commit(Batch(added, frozenset(), Mark(position, b"h" * 32)))

    def find(self, query: str) -> list[int]:
        return [int(each) for each in self.engine.search(parse_query(query), None, 200).ids]

    def scan(self, *parts: str) -> list[int]:
        return [n for n, text in reversed(list(enumerate(self.texts))) if all(scan(text, p) for p in parts)]


@given(st.lists(st.lists(texts, max_size=4), min_size=1, max_size=4), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_phrase_is_found_exactly_where_a_plain_scan_finds_it(batches, data):
    with TemporaryDirectory() as folder:
        held = Held(Path(folder), batches)
        for _ in range(6):
            source = data.draw(st.sampled_from([*held.texts, data.draw(texts)]))
            start = data.draw(st.integers(0, len(source)))
            part = source[start : start + data.draw(st.integers(1, 6))]
            if searchable(part):
                assert held.find(f'"{part}"') == held.scan(part), part


@given(st.lists(st.lists(texts, max_size=4), min_size=1, max_size=3), st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_words_together_are_found_where_each_of_them_is(batches, data):
    with TemporaryDirectory() as folder:
        held = Held(Path(folder), batches)
        for _ in range(4):
            words = data.draw(st.lists(st.text(alphabet=HAN, min_size=1, max_size=3), min_size=1, max_size=3))
            assert held.find(" ".join(words)) == held.scan(*words), words


@pytest.mark.parametrize("length", range(1, 9))
def test_a_run_of_any_length_is_found_at_any_place(tmp_path, length):
    text = "顾客要求店家书面道歉并退全款"
    held = Held(tmp_path, [[text], ["无关"], [text[::-1]]])
    for start in range(len(text) - length + 1):
        assert 0 in held.find(text[start : start + length])
    assert held.find("书面道歉") == [0]
