"""The engine: atomic, exclusive, encrypted, and honest about damage."""

import os
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import indexer.spooling as spooling_module
from archive.keys.filekey import CaseFileId
from indexer.analysis import terms_for_index
from indexer.engine import START, Batch, IndexDamagedError, Mark, Text
from indexer.merging import FAN_IN, MOST_BYTES, SegmentSize, to_rewrite
from indexer.query.parsing import parse
from indexer.whoosh_engine import WhooshEngine

KEY = b"k" * 32


def text(number: int, words: str) -> Text:
    return Text(CaseFileId(f"file-{number}"), number, terms_for_index([[words]]))


def commit(engine, *added, remove=(), position=1):
    with engine.exclusive(5):
        engine.commit(Batch(added, frozenset(map(CaseFileId, remove)), Mark(position, b"h" * 32)))


def find(engine, query, limit=50):
    return list(engine.search(parse(query, date(2026, 3, 1)).tree, None, limit).ids)


@pytest.fixture
def engine(tmp_path):
    return WhooshEngine(tmp_path / "index", KEY)


def test_a_removed_case_file_leaves_nothing_behind_in_any_segment(engine, tmp_path):
    commit(engine, text(1, "退款"), text(2, "退款"))
    before = set((tmp_path / "index").glob("*.seg"))
    commit(engine, remove=["file-1"])
    assert (find(engine, "退款"), engine.size()) == (["file-2"], 1)
    assert not before & set((tmp_path / "index").glob("*.seg"))
    commit(engine, remove=["file-2"])
    assert (find(engine, "退款"), engine.size()) == ([], 0)


def test_clearing_leaves_nothing(engine, tmp_path):
    commit(engine, text(1, "退款"))
    with engine.exclusive(5):
        engine.clear()
    assert (engine.mark(), engine.size(), find(engine, "退款")) == (START, 0, [])
    assert not list((tmp_path / "index").glob("*.seg"))


def test_many_small_commits_stay_few_segments_and_lose_nothing(engine, tmp_path):
    for number in range(70):
        commit(engine, text(number, f"退款{number}"), position=number + 1)
    assert find(engine, "退款", limit=200) == [f"file-{number}" for number in range(69, -1, -1)]
    assert len(list((tmp_path / "index").glob("*.seg"))) < 2 * FAN_IN


class Stopped(BaseException):
    """The machine stops here."""


def stop_at(monkeypatch, which):
    """Makes the durable step number ``which`` (an fsync or a rename) the last thing that does not happen."""
    steps = iter(range(which))

    def guarded(real):
        def step(*arguments):
            if next(steps, None) is None:
                raise Stopped
            return real(*arguments)

        return step

    monkeypatch.setattr(spooling_module.os, "fsync", guarded(os.fsync))
    monkeypatch.setattr(spooling_module.os, "replace", guarded(os.replace))


@pytest.mark.parametrize("step", range(8))
@pytest.mark.parametrize("change", ["commit", "clear"])
def test_stopped_at_any_durable_step_the_index_is_before_or_after(tmp_path, monkeypatch, step, change):
    engine = WhooshEngine(tmp_path / "index", KEY)
    for number in range(FAN_IN):  # the next commit merges
        commit(engine, text(number, "退款"), position=number + 1)
    before = (engine.mark().position, FAN_IN)
    after = (99, FAN_IN + 2) if change == "commit" else (0, 0)
    stopped = False
    with monkeypatch.context() as patch:
        stop_at(patch, step)
        try:
            if change == "commit":
                commit(engine, text(100, "退款"), text(101, "退款"), position=99)
            else:
                with engine.exclusive(5):
                    engine.clear()
        except Stopped:
            stopped = True
    for reopened in (engine, WhooshEngine(tmp_path / "index", KEY)):
        reopened.verify()
        state = (reopened.mark().position, len(find(reopened, "退款")))
        assert state in ((before, after) if stopped else (after,))
    commit(engine, text(102, "退款"), position=100)
    leftovers = {path.name for path in (tmp_path / "index").iterdir() if path.name.startswith(".")}
    assert leftovers == set()


@pytest.mark.parametrize("step", range(10))
def test_stopped_at_its_first_commit_the_index_is_empty_and_knows_it(tmp_path, monkeypatch, step):
    engine = WhooshEngine(tmp_path / "index", KEY)
    stopped = False
    with monkeypatch.context() as patch:
        stop_at(patch, step)
        try:
            commit(engine, text(1, "退款"), position=7)
        except Stopped:
            stopped = True
    for reopened in (engine, WhooshEngine(tmp_path / "index", KEY)):
        state = (reopened.mark().position, find(reopened, "退款"))
        assert state in (((0, []), (7, ["file-1"])) if stopped else ((7, ["file-1"]),))


def damage_flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def damage_empty(path):
    path.write_bytes(b"")


def damage_swap(path):
    path.write_bytes(b"MXI2" + bytes(400))


@pytest.mark.parametrize("pattern", ["*.seg", "*.toc"])
@pytest.mark.parametrize("damage", [damage_flip, damage_cut, damage_empty, damage_swap])
def test_an_altered_file_is_damage_and_clearing_mends_it(engine, tmp_path, damage, pattern):
    commit(engine, text(1, "退款"))
    (path,) = (tmp_path / "index").glob(pattern)
    damage(path)
    fresh = WhooshEngine(tmp_path / "index", KEY)
    with pytest.raises(IndexDamagedError):
        fresh.verify()
    with pytest.raises(IndexDamagedError):
        find(fresh, "退款")
    with fresh.exclusive(5):
        fresh.clear()
    fresh.verify()
    assert fresh.mark() == START


def test_every_single_bit_of_a_table_of_contents_counts(engine, tmp_path):
    commit(engine, text(1, "退款"))
    (path,) = (tmp_path / "index").glob("*.toc")
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(IndexDamagedError):
            engine.mark()


def test_a_file_under_another_name_or_key_does_not_open(engine, tmp_path):
    commit(engine, text(1, "退款"))
    with pytest.raises(IndexDamagedError):
        WhooshEngine(tmp_path / "index", b"x" * 32).verify()
    (path,) = (tmp_path / "index").glob("*.toc")
    path.rename(path.with_name("_MAIN_9.toc"))
    with pytest.raises(IndexDamagedError):
        engine.mark()


def test_a_deleted_segment_is_damage(engine, tmp_path):
    commit(engine, text(1, "退款"))
    for path in (tmp_path / "index").glob("*.seg"):
        path.unlink()
    with pytest.raises(IndexDamagedError):
        WhooshEngine(tmp_path / "index", KEY).verify()


def test_the_same_words_twice_are_never_the_same_bytes(tmp_path):
    contents = []
    for name in ("a", "b"):
        engine = WhooshEngine(tmp_path / name, KEY)
        commit(engine, text(1, "退款"))
        contents.append({path.read_bytes() for path in (tmp_path / name).glob("*.seg")})
    assert not contents[0] & contents[1]


def test_files_are_for_their_owner_only(engine, tmp_path):
    commit(engine, text(1, "退款"))
    assert (tmp_path / "index").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "index").iterdir())


sizes = st.builds(
    SegmentSize, st.integers(0, 9000), st.integers(0, 9000), st.booleans(), st.integers(0, 2 * MOST_BYTES)
)


@given(st.lists(sizes, max_size=60))
def test_merging_purges_what_must_go_and_keeps_a_merge_in_memory(segments):
    chosen = to_rewrite(segments)
    assert {at for at, each in enumerate(segments) if each.purge} <= chosen
    willing = [
        each for at, each in enumerate(segments) if at in chosen and not each.purge and each.dead <= each.live
    ]
    assert sum(each.size for each in willing) <= MOST_BYTES


@settings(max_examples=20)
@given(st.lists(st.integers(1, 100), max_size=400), st.sampled_from([1500, MOST_BYTES // 3000]))
def test_segments_stay_few_however_they_come(batches, bytes_of_a_file):
    segments: list[SegmentSize] = []
    for files in batches:
        chosen = to_rewrite(segments)
        merged = files + sum(segments[at].live for at in chosen)
        segments = [each for at, each in enumerate(segments) if at not in chosen] + [
            SegmentSize(merged, 0, purge=False, size=merged * bytes_of_a_file)
        ]
    assert sum(each.live for each in segments) == sum(batches)
    assert len(segments) <= 4 * FAN_IN + sum(batches) * bytes_of_a_file // (MOST_BYTES // FAN_IN)


WORDS = ["退款", "道歉", "orders", "sushi"]
changes = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 30), st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)),
        st.tuples(st.integers(0, 30), st.none()),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(changes, min_size=1, max_size=30))
def test_however_segments_are_merged_each_word_is_found_where_it_is_and_nowhere_else(batches):
    texts: dict[int, list[str]] = {}
    with TemporaryDirectory() as folder:
        engine = WhooshEngine(Path(folder) / "index", KEY)
        for position, batch in enumerate(batches):
            last = dict(batch)
            texts |= {number: words for number, words in last.items() if words}
            removed = [number for number, words in last.items() if words is None]
            for number in removed:
                texts.pop(number, None)
            commit(
                engine,
                *(text(number, "，".join(words)) for number, words in last.items() if words),
                remove=[f"file-{number}" for number in removed],
                position=position + 1,
            )
        for word in WORDS:
            wanted = [f"file-{number}" for number in sorted(texts, reverse=True) if word in texts[number]]
            assert find(engine, word) == wanted
        assert engine.size() == len(texts)


def test_an_index_of_an_older_version_is_damage_and_clearing_mends_it(engine, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("indexer.whoosh_engine._VERSION", 1)
        commit(engine, text(1, "退款"))
    for look in (engine.mark, engine.verify, lambda: find(engine, "退款")):
        with pytest.raises(IndexDamagedError):
            look()
    with engine.exclusive(5):
        engine.clear()
    commit(engine, text(2, "退款"))
    assert find(engine, "退款") == ["file-2"]
