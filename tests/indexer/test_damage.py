"""Altered bytes of an index: right answers, or noticed, said and built anew; never anything else."""

import random
import shutil
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from indexer.analysis import terms_for_index
from indexer.chunks import CHUNK, SealingFile
from indexer.engine import Batch, IndexDamagedError, Mark, Text
from indexer.query.parsing import parse
from indexer.whoosh_engine import WhooshEngine
from tests.waiting import wait_for

KEY = b"k" * 32
LEAF = b"h" * 32
SEALED = CHUNK + 16


def text(number, words):
    return Text(CaseFileId(f"file-{number}"), number, terms_for_index([words]))


def many_words(seed):
    """So many that a segment has several chunks."""
    chosen = random.Random(seed)
    return "退款" + "".join(chr(chosen.randrange(0x4E00, 0x9FA0)) for _ in range(12_000))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with two segments, one of several chunks, which no test changes."""
    folder = tmp_path_factory.mktemp("whole") / "index"
    engine = WhooshEngine(folder, KEY)
    with engine.exclusive(5):
        engine.commit(Batch((text(1, many_words(1)), text(2, "退款")), frozenset(), Mark(1, LEAF)))
        engine.commit(Batch((text(3, "退款 道歉"),), frozenset(), Mark(2, LEAF)))
    assert max(path.stat().st_size for path in folder.iterdir()) > 2 * SEALED
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "index")


def shorter(by):
    return lambda content: content[: max(0, len(content) - by)]


def cut_at(size):
    return lambda content: content[:size]


CHANGES = {
    **{f"{by} shorter": shorter(by) for by in (1, 17, 1000, 5000)},
    "half": lambda content: content[: len(content) // 2],
    "nothing": cut_at(0),
    "a part of the header": cut_at(10),
    "the header": cut_at(20),
    **{f"to {extra} past a chunk": cut_at(20 + SEALED + extra) for extra in (-1, 0, 1, 15, 16, 17, 44)},
    "to 65600": cut_at(65600),
    "two chunks": cut_at(20 + 2 * SEALED),
    "one longer": lambda content: content + b"\0",
    "16 longer": lambda content: content + bytes(16),
    "a chunk longer": lambda content: content + bytes(SEALED),
    "zeros": lambda content: bytes(len(content)),
    "beheaded": lambda content: content[20:],
    "twice": lambda content: content * 2,
}


def tree(query):
    return parse(query, date(2026, 3, 1)).tree


def looks(engine):
    """All that reads, with what it says of a whole index."""
    return [
        (engine.mark, Mark(2, LEAF)),
        (engine.size, 3),
        (lambda: engine.search(tree("退款"), None, 9).ids, ("file-3", "file-2", "file-1")),
        (lambda: engine.search(tree("道歉"), None, 9).ids, ("file-3",)),
        (lambda: engine.search(tree("退款 NOT 道"), None, 9).ids, ("file-2", "file-1")),
        (lambda: set(engine.rank(tree("退款"), None, 9, 5).ids), {"file-1", "file-2", "file-3"}),
        (lambda: engine.holds(CaseFileId("file-1")), True),
        (lambda: engine.holds(CaseFileId("file-9")), False),
    ]


def told(look):
    try:
        return look()
    except IndexDamagedError as error:
        return error


def check(engine, folder, *, altered):
    for look, right in looks(engine):
        said = told(look)
        assert isinstance(said, IndexDamagedError) or said == right
    fresh = WhooshEngine(folder, KEY)
    if altered:
        with pytest.raises(IndexDamagedError):
            fresh.verify()
    with fresh.exclusive(5):
        more = Batch((text(1, "退款"), text(4, "退款")), frozenset({CaseFileId("file-2")}), Mark(3, LEAF))
        if isinstance(told(lambda: fresh.commit(more)), IndexDamagedError):
            fresh.clear()
            assert fresh.size() == 0
        elif not altered:
            assert fresh.size() == 3


def files_of(folder):
    return sorted(path for path in folder.iterdir() if path.name != "lock")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("opened", [False, True], ids=["opened anew", "while open"])
def test_a_file_of_another_length_is_damage_or_does_no_harm(whole, tmp_path, change, opened):
    for number, path in enumerate(files_of(whole)):
        folder = shutil.copytree(whole, tmp_path / str(number))
        engine = WhooshEngine(folder, KEY)
        if opened:
            for look, right in looks(engine):
                assert look() == right
        content = path.read_bytes()
        changed = CHANGES[change](content)
        (folder / path.name).write_bytes(changed)  # in place: who has it open has this
        check(engine, folder, altered=changed != content)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_is_damage_or_does_no_harm(whole, tmp_path_factory, data):
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("flipped") / "index")
    path = data.draw(st.sampled_from(files_of(folder)))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    check(WhooshEngine(folder, KEY), folder, altered=True)


@pytest.mark.parametrize("opened", [False, True], ids=["opened anew", "while open"])
def test_files_in_each_others_place_are_damage(whole, tmp_path, opened):
    names = [path.name for path in files_of(whole)]
    for one in names:
        for other in names:
            if one == other:
                continue
            folder = shutil.copytree(whole, tmp_path / f"{one}-{other}")
            engine = WhooshEngine(folder, KEY)
            if opened:
                assert engine.size() == 3
            content = (folder / one).read_bytes()
            (folder / one).write_bytes((folder / other).read_bytes())
            (folder / other).write_bytes(content)
            check(engine, folder, altered=True)


def test_a_file_that_is_whole_and_yet_unreadable_is_damage(folder, monkeypatch):
    """Written by a machine that was at fault itself: sealed as it should be, and not what it should be."""
    engine = WhooshEngine(folder, KEY)
    finish = SealingFile.finish

    def cut(file: SealingFile) -> None:
        if file._name.endswith(".seg"):
            del file._first[-9:]
        finish(file)

    with monkeypatch.context() as patch, engine.exclusive(5):
        patch.setattr(SealingFile, "finish", cut)
        engine.commit(Batch((text(4, "退款"),), frozenset(), Mark(3, LEAF)))
    engine = WhooshEngine(folder, KEY)
    for look in (engine.verify, lambda: engine.search(tree("退款"), None, 9)):
        with pytest.raises(IndexDamagedError):
            look()


def test_a_fault_of_ours_is_not_taken_for_damage(folder, monkeypatch):
    engine = WhooshEngine(folder, KEY)
    with monkeypatch.context() as patch:
        patch.setattr("indexer.whoosh_engine.cursor", lambda *_arguments: {}["a fault"])
        with pytest.raises(KeyError):
            engine.search(tree("退款"), None, 9)


# What becomes of it


def harm(folder, change):
    for path in folder.glob("*.seg"):
        path.write_bytes(CHANGES[change](path.read_bytes()))


HARMS = ["1000 shorter", "half", "nothing", "to 65600", "one longer"]


@pytest.mark.parametrize("change", HARMS)
@pytest.mark.parametrize("by", ["question", "thread", "status", "filing"])
@pytest.mark.parametrize("opened", [False, True], ids=["opened anew", "while open"])
def test_whoever_comes_upon_damage_has_the_index_built_anew(archive, indexer, caplog, change, by, opened):
    files = [archive.file(many_words(2)), *(archive.file(f"退款{number}") for number in range(2))]
    indexer.catch_up()
    if opened:
        assert indexer.search("退款").files
    asked = indexer if opened else archive.indexer()
    harm(archive.index_folder, change)
    if by in ("thread", "filing"):
        files.append(archive.file("退款"))
    if by == "thread":
        asked.start()
        try:
            wait_for(lambda: archive.acts(Act.INDEX_REBUILT) == 1 and asked.status().lag == 0)
        finally:
            asked.stop()
    elif by == "filing":
        asked.catch_up()
    elif by == "status":
        assert asked.status().behind == 3
    assert [each.reference for each in asked.search("退款").files] == files[::-1]
    if not (opened and by in ("question", "filing")):  # what was read before is known, and does no harm
        archive.engine().verify()
    assert asked.status().behind in (0, len(files))
    assert (archive.acts(Act.INDEX_REBUILT), caplog.text.count("built anew")) == (1, 1)
    asked.catch_up()
    archive.engine().verify()
    assert asked.status().files == len(files)
