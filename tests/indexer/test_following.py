"""The index follows the ledger, whatever happens to it: noticed, said, and built anew while everything else goes on."""

import errno
import shutil
import threading
import time
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from indexer.choosing import EngineName
from indexer.engine import IndexBusyError
from indexer.searching import Sort
from indexer.whoosh_engine import WhooshEngine
from tests.waiting import wait_for

ENGINES = list(EngineName)


@pytest.fixture(params=ENGINES)
def engine(request, archive, indexer):
    """Each engine in turn is the one that is asked."""
    indexer.move(request.param)
    return request.param


def find(indexer, query, **options):
    return [each.reference for each in indexer.search(query, **options).files]


def test_following_goes_in_batches_and_tells_how_far_it_is(archive, indexer, engine, monkeypatch):
    monkeypatch.setattr("indexer.following.BATCH_FILES", 2)
    files = [archive.file("退款") for _ in range(5)]
    assert (indexer.status().lag, indexer.status().behind) == (5, 5)
    told = []
    assert indexer.catch_up(lambda done, total: told.append((done, total))) == 5
    assert told == [(2, 5), (4, 5), (5, 5)]
    status = indexer.status()
    assert (status.engine, status.coming, status.lag, status.files) == (engine, None, 0, 5)
    assert status.size > 0
    assert find(indexer, "退款") == files[::-1]


def test_a_batch_ends_when_its_time_is_up_and_loses_nothing(archive, indexer, engine, monkeypatch):
    monkeypatch.setattr("indexer.following.BATCH_SECONDS", 0.0)
    files = [archive.file("退款") for _ in range(3)]
    archive.void(files[0])
    told = []
    indexer.catch_up(lambda done, total: told.append(done))
    assert told == [1, 2, 3, 4]  # the first once more, for its voiding
    assert find(indexer, "退款") == files[::-1]
    assert find(indexer, "作废") == [files[0]]


def test_acts_that_concern_no_file_are_passed_over(archive, indexer, engine):
    archive.file("退款")
    indexer.catch_up()
    before = indexer.status().generation
    archive.note(1500)
    assert indexer.catch_up() == 0
    assert indexer.status().lag == 0
    assert indexer.status().generation <= before + 1


def test_what_was_filed_a_moment_ago_is_found(archive, indexer, engine):
    first = archive.file("退款")
    assert find(indexer, "退款") == [first]
    second = archive.file("退款")
    assert find(indexer, "退款") == [second, first]


# What is not indexed yet


@pytest.fixture
def stuck(indexer, monkeypatch):
    """From here on nothing is indexed any more; what was, stays."""

    def stick():
        def refuse(*_arguments, **_options):
            raise IndexBusyError

        for follower in indexer._followers.values():
            monkeypatch.setattr(follower, "follow", refuse)

    return stick


def test_what_is_not_indexed_yet_is_found_in_its_place(archive, indexer, engine, stuck):
    old = [archive.file("退款 甲"), archive.file("退款 乙")]
    indexer.catch_up()
    stuck()
    new = [archive.file("退款 丙", store="浦东店"), archive.file("道歉")]
    found = indexer.search("退款")
    assert ([each.reference for each in found.files], found.behind) == ([new[0], *old[::-1]], 0)
    assert find(indexer, "退款 NOT 丙") == old[::-1]
    assert find(indexer, "退款 store:浦东") == [new[0]]
    assert find(indexer, "退款", sort=Sort.REFERENCE) == sorted([*old, new[0]])
    assert indexer.search("退款", limit=2).more


def test_what_changed_since_is_found_as_it_is_now(archive, indexer, engine, stuck):
    void, kept = archive.file("退款"), archive.file("退款")
    indexer.catch_up()
    stuck()
    archive.void(void)
    assert find(indexer, "作废") == [void]
    assert find(indexer, "退款 NOT 作废") == [kept]
    assert find(indexer, "NOT 作废") == [kept]
    assert find(indexer, "退款") == [kept, void]


def test_what_could_not_be_looked_through_is_told_and_never_wrongly_found(
    archive, indexer, engine, stuck, monkeypatch
):
    void, kept = archive.file("退款"), archive.file("退款")
    indexer.catch_up()
    stuck()
    archive.void(void)
    archive.file("退款")
    monkeypatch.setattr("indexer.searching.SCAN_SECONDS", -1.0)
    found = indexer.search("退款")
    assert ([each.reference for each in found.files], found.behind) == ([kept, void], 2)
    assert find(indexer, "退款 NOT 作废") == [kept]


def test_those_who_may_not_know_of_a_file_do_not_find_it_in_the_tail_either(archive, indexer, engine, stuck):
    from archive.casefile import tables

    stuck()
    mine = archive.file("退款", department="剧本部")
    archive.file("退款", department="财务部")
    allowed = sa.select(tables.case_file.c.id).where(tables.case_file.c.department == "剧本部")
    found = indexer.search("退款", allowed, limit=1)
    assert ([each.reference for each in found.files], found.more) == ([mine], False)


# Damage


def damage_flip(folder):
    for path in folder.glob("*.seg"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)


def damage_cut(folder):
    for path in folder.glob("*.toc"):
        path.write_bytes(path.read_bytes()[:-1])


def damage_empty(folder):
    for path in folder.glob("*.seg"):
        path.write_bytes(b"")


def damage_lose_segments(folder):
    for path in folder.glob("*.seg"):
        path.unlink()


def damage_lose_all(folder):
    shutil.rmtree(folder)


DAMAGES = [damage_flip, damage_cut, damage_empty, damage_lose_segments, damage_lose_all]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("running", [False, True], ids=["opened anew", "while open"])
def test_a_damaged_index_is_noticed_said_and_built_anew(archive, indexer, caplog, damage, running):
    files = [archive.file("退款") for _ in range(3)]
    indexer.catch_up()
    damage(archive.index_folder)
    asked = indexer if running else archive.indexer()
    asked.start()
    try:
        assert find(asked, "退款") == files[::-1]
        wait_for(lambda: archive.acts(Act.INDEX_REBUILT) == 1 and asked.status().lag == 0)
    finally:
        asked.stop()
    assert "built anew" in caplog.text
    assert find(asked, "退款") == files[::-1]
    archive.engine().verify()


def test_an_index_put_back_from_an_older_copy_is_noticed(archive, indexer, caplog):
    first = archive.file("退款")
    indexer.catch_up()
    shutil.copytree(archive.index_folder, archive.folder / "copy")
    second = archive.file("退款")
    indexer.catch_up()
    shutil.rmtree(archive.index_folder)
    (archive.folder / "copy").rename(archive.index_folder)
    assert find(archive.indexer(), "退款") == [second, first]
    assert "older copy" in caplog.text
    assert archive.acts(Act.INDEX_REBUILT) == 1


def test_a_copy_of_an_index_that_was_begun_anew_since_is_noticed(archive, indexer, caplog):
    files = []
    for _ in range(4):
        files.append(archive.file("退款"))
        indexer.catch_up()
    before = indexer.status().generation
    shutil.copytree(archive.index_folder, archive.folder / "copy")
    shutil.rmtree(archive.index_folder)
    files.append(archive.file("退款"))
    assert find(indexer, "退款") == files[::-1]
    assert indexer.status().generation > before
    shutil.rmtree(archive.index_folder)
    (archive.folder / "copy").rename(archive.index_folder)
    caplog.clear()
    assert find(archive.indexer(), "退款") == files[::-1]
    assert "older copy" in caplog.text
    assert archive.acts(Act.INDEX_REBUILT) == 2
    assert indexer.status().generation > before + 2


def test_what_was_written_by_one_who_was_killed_before_he_noted_it_is_no_older_copy(
    archive, indexer, engine, monkeypatch
):
    archive.file("退款")
    rebuilt = archive.acts(Act.INDEX_REBUILT)
    with monkeypatch.context() as patch:
        patch.setattr("indexer.choosing.Engines.note", lambda *_arguments: None)
        indexer.catch_up()
    archive.file("退款")
    archive.indexer().catch_up()
    assert archive.acts(Act.INDEX_REBUILT) == rebuilt


def test_an_index_of_another_history_is_noticed(archive, indexer, engine, tmp_path_factory):
    """A catalogue restored from a backup: the index knows of more than the ledger does."""
    kept = archive.file("退款")
    copy = tmp_path_factory.mktemp("copy")
    with archive.catalogue.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
    archive.catalogue.database.close()
    for path in archive.folder.glob("catalogue.db*"):
        shutil.copy(path, copy)
    archive.file("退款")
    indexer.catch_up()
    archive.catalogue.database.close()
    for path in archive.folder.glob("catalogue.db*"):
        path.unlink()
    for path in copy.iterdir():
        shutil.copy(path, archive.folder)
    archive.note(5)  # another history of the same length
    assert find(indexer, "退款") == [kept]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE fts5_words",
        "DELETE FROM fts5_file WHERE id = (SELECT min(id) FROM fts5_file)",
        "DELETE FROM fts5_words_data WHERE id > 10",
        "DELETE FROM fts5_words_docsize",
        "UPDATE fts5_words_data SET block = zeroblob(length(block)) WHERE id > 10",
        "UPDATE fts5_mark SET form = x'00'",
    ],
)
def test_damaged_tables_of_the_catalogue_are_noticed_and_built_anew(archive, indexer, statement):
    indexer.move(EngineName.FTS5)
    files = [archive.file("退款") for _ in range(3)]
    indexer.catch_up()
    with archive.catalogue.housekeeping() as connection:
        connection.exec_driver_sql(statement)
    again = archive.indexer()
    again.start()
    try:
        wait_for(lambda: archive.acts(Act.INDEX_REBUILT) == 1 and again.status().lag == 0)
        assert find(again, "退款") == files[::-1]
    finally:
        again.stop()


def test_a_whole_index_is_looked_through_while_others_write(archive, indexer, engine):
    archive.file("退款")
    indexer.catch_up()
    other = archive.indexer()._followers[engine]
    with other.engine.exclusive(1), archive.catalogue.housekeeping():
        follower = indexer._followers[engine]
        looker = threading.Thread(
            target=follower.repair, args=(60,)
        )  # it would wait a minute for either right
        looker.start()
        looker.join(20)
        assert not looker.is_alive()
    assert archive.acts(Act.INDEX_REBUILT) == 0


def test_an_index_written_by_other_rules_is_built_anew(archive, indexer, monkeypatch):
    reference = archive.file("退款")
    indexer.catch_up()
    monkeypatch.setattr("indexer.whoosh_engine.form", lambda: b"else")
    assert find(archive.indexer(), "退款") == [reference]
    assert archive.acts(Act.INDEX_REBUILT) == 1


# A full disk


def test_a_full_disk_stops_neither_filing_nor_finding(archive, indexer, monkeypatch):
    old = archive.file("退款")
    indexer.catch_up()

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("indexer.spooling.os.fsync", full)
        new = archive.file("退款")
        assert find(indexer, "退款") == [new, old]
        with pytest.raises(MunimentError) as refused:
            indexer.catch_up()
        assert refused.value.code is Code.INDEX_FULL
        assert not [path for path in archive.index_folder.iterdir() if path.name.startswith(".")]
    assert indexer.catch_up() == 1
    assert find(indexer, "退款") == [new, old]


@pytest.fixture
def full(monkeypatch):
    """No more room from now on, and there is again after it."""

    @contextmanager
    def fill(error=errno.ENOSPC):
        def refuse(*_arguments):
            raise OSError(error, "no room")

        with monkeypatch.context() as patch:
            patch.setattr("indexer.spooling.os.fsync", refuse)
            yield

    return fill


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, Code.INDEX_FULL), (errno.EDQUOT, Code.INDEX_FULL), (errno.EROFS, Code.INDEX_UNUSABLE)],
)
def test_what_keeps_the_index_from_being_written_is_told_to_whoever_asks(
    archive, indexer, full, caplog, number, code
):
    archive.file("退款")
    indexer.catch_up()
    assert indexer.status().fault is None
    with full(number):
        archive.file("退款")
        for work in (indexer.catch_up, indexer.rebuild):
            with pytest.raises(MunimentError) as refused:
                work()
            assert refused.value.code is code
            assert str(archive.index_folder) in refused.value.say("zh")
        fault = archive.indexer().status().fault  # another process asks
        assert fault.say("en") == refused.value.say("en")
        for _ in range(3):
            assert len(indexer.search("退款").files) == 2
        assert caplog.text.count(fault.say("en")) == 1
    indexer.catch_up()
    assert (indexer.status().lag, archive.indexer().status().fault) == (0, None)
    archive.file("退款")
    assert indexer.status().fault is None


def test_a_thread_that_meets_a_full_disk_says_so_and_goes_on_when_there_is_room(
    archive, indexer, full, caplog, monkeypatch
):
    monkeypatch.setattr("indexer.index._AFTER_A_FAULT", 0.05)
    with full():
        indexer.start()
        archive.file("退款")
        wait_for(lambda: archive.indexer().status().fault)
        time.sleep(0.3)
    wait_for(lambda: indexer.status().lag == 0)
    assert caplog.text.count("is full") == 1
    assert indexer.status().fault is None


@pytest.mark.parametrize("where", ["the folder", "the one above"])
def test_a_path_that_is_no_folder_is_told(archive, indexer, where):
    archive.file("退款")
    above = archive.folder / "above"
    above.mkdir()
    path = above / "index" if where == "the folder" else above
    if where == "the one above":
        above.rmdir()
    path.write_text("in the way")
    index = archive.indexer(WhooshEngine(above / "index", b"k" * 32))
    for work in (index.catch_up, index.rebuild, index.status):
        with pytest.raises(MunimentError) as refused:
            work()
        assert refused.value.code is Code.INDEX_UNUSABLE
    assert len(index.search("退款").files) == 1
    path.unlink()
    assert index.catch_up() == 1
    assert (index.status().fault, index.status().files) == (None, 1)


def test_a_catalogue_that_cannot_grow_keeps_the_index_whole(archive, indexer):
    indexer.move(EngineName.FTS5)
    old = archive.file("退款")
    indexer.catch_up()
    new = archive.file("新的" * 40_000)
    with archive.catalogue.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    archive.catalogue.database.engine.dispose()
    connect = archive.catalogue.database.engine
    limit = lambda raw, _record: raw.execute(f"PRAGMA max_page_count = {pages}")  # noqa: E731
    sa.event.listen(connect, "connect", limit)
    try:
        with pytest.raises(MunimentError) as refused:
            indexer.catch_up()
        assert refused.value.code is Code.DISK_FULL
        assert find(indexer, "退款") == [old]
        assert find(indexer, "新的新") == [new]
    finally:
        sa.event.remove(connect, "connect", limit)
        connect.dispose()
    assert indexer.catch_up() == 1


# Killed


def test_killed_at_any_moment_nothing_is_lost_and_no_half_is_seen(archive, indexer, killed):
    files = [archive.file(f"退款 第{number}件") for number in range(30)]
    for seconds in (0.05, 0.2, 0.45, 0.8, 1.3):
        killed(seconds)
        assert find(indexer, "退款") == files[::-1]
        assert find(indexer, "第7件") == [files[7]]
        indexer._followers[indexer._engines.chosen()].engine.verify()
    indexer.move(EngineName.WHOOSH)
    leftovers = [path.name for path in archive.index_folder.iterdir() if path.name.startswith(".")]
    assert leftovers == []


def test_two_processes_follow_at_once_and_search_meanwhile(archive, indexer, engine):
    others = [archive.indexer() for _ in range(2)]
    for each in others:
        each.start()
    try:
        files = []
        for number in range(40):
            files.append(archive.file(f"退款{number}"))
            assert find(indexer, f"退款{number}") == [files[-1]]
        wait_for(lambda: indexer.status().lag == 0)
        assert find(indexer, "退款", limit=200) == files[::-1]
        assert indexer.status().files == 40
    finally:
        for each in others:
            each.stop()


# Rebuilding and moving


def test_rebuilding_and_moving_tell_how_many_files_are_in_the_index(archive, indexer, engine, monkeypatch):
    """Not how many were put there, some of them twice, while others put in the rest."""
    monkeypatch.setattr("indexer.following.BATCH_FILES", 2)
    files = [archive.file("退款") for _ in range(7)]
    archive.void(files[0])
    assert indexer.rebuild() == 7
    other = archive.indexer()
    assert indexer.rebuild(lambda *_progress: other.catch_up()) == 7
    assert indexer.move(next(each for each in EngineName if each is not engine)) == 7


def test_moving_is_recorded_and_drops_the_old_index(archive, indexer):
    files = [archive.file("退款") for _ in range(5)]
    indexer.catch_up()
    told = []
    assert indexer.move(EngineName.FTS5, lambda done, total: told.append((done, total))) == 5
    assert told[-1] == (5, 5)
    assert archive.acts(Act.INDEX_MOVED) == 1
    assert (indexer.status().engine, indexer.status().files) == (EngineName.FTS5, 5)
    assert find(archive.indexer(), "退款") == files[::-1]
    assert archive.segments() == []
    assert indexer.move(EngineName.FTS5) == 5
    assert archive.acts(Act.INDEX_MOVED) == 1
    indexer.move(EngineName.WHOOSH)
    assert find(archive.indexer(), "退款") == files[::-1]
    assert archive.fts5().size() == 0


def test_a_move_that_was_interrupted_goes_on_where_it_stopped(archive, indexer, monkeypatch):
    monkeypatch.setattr("indexer.following.BATCH_FILES", 2)
    files = [archive.file("退款") for _ in range(7)]
    indexer.catch_up()

    class StoppedError(Exception):
        pass

    def stop(done, _total):
        if done >= 4:
            raise StoppedError

    with pytest.raises(StoppedError):
        indexer.move(EngineName.FTS5, stop)
    status = archive.indexer().status()
    assert (status.engine, status.coming) == (EngineName.WHOOSH, EngineName.FTS5)
    assert find(archive.indexer(), "退款") == files[::-1]
    assert archive.indexer().move(EngineName.FTS5) == 7
    assert find(archive.indexer(), "退款") == files[::-1]


def test_a_move_while_files_come_in_and_people_search_loses_nothing(archive, indexer):
    files = [archive.file("退款") for _ in range(20)]
    indexer.catch_up()
    failures, done = [], threading.Event()

    def look():
        other = archive.indexer()
        other.start()
        try:
            while not done.is_set():
                known = list(files)
                found = find(other, "退款", limit=200)
                if not set(known) <= set(found):
                    failures.append((len(known), len(found)))
        except Exception as error:
            failures.append(error)
        finally:
            other.stop()

    thread = threading.Thread(target=look)
    thread.start()
    for to in (EngineName.FTS5, EngineName.WHOOSH, EngineName.FTS5):
        files.append(archive.file("退款"))
        indexer.move(to)
    done.set()
    thread.join()
    assert failures == []
    assert find(indexer, "退款", limit=200) == files[::-1]


def test_what_a_shredded_key_sealed_leaves_every_index_and_it_is_told(archive, indexer, engine):
    from archive.casefile import tables

    reference = archive.file("绝无仅有的话")
    indexer.catch_up()
    identifier = archive.get(reference).id
    assert indexer.holds(identifier)
    with archive.catalogue.housekeeping() as connection:
        connection.execute(tables.file_key.delete())
    archive.complete(reference, archive.now.date())
    indexer.catch_up()
    assert not indexer.holds(identifier)
