"""What every search engine does, whatever stands behind the port."""

import threading
from datetime import date

import pytest

import indexer.tables  # noqa: F401 - declares what the engine inside the catalogue needs
from archive.database.catalogue import Catalogue
from archive.database.engine import Database
from archive.database.schema import metadata
from archive.keys.filekey import CaseFileId
from indexer.analysis import terms_for_index
from indexer.engine import START, Batch, IndexBusyError, Mark, Text
from indexer.fts5_engine import Fts5Engine
from indexer.query.expression import AllOf, Among, AnyOf, Not
from indexer.query.parsing import parse
from indexer.whoosh_engine import WhooshEngine

LEAF = b"h" * 32


class Whoosh:
    def __init__(self, folder):
        self.folder = folder

    def open(self):
        """As another process would."""
        return WhooshEngine(self.folder / "index", b"k" * 32)

    def close(self):
        pass


class Fts5:
    def __init__(self, folder):
        self.folder = folder
        self.databases = []
        with self._database().writing() as connection:
            metadata.create_all(connection)

    def _database(self):
        self.databases.append(Database(self.folder / "catalogue.db", b"d" * 32))
        return self.databases[-1]

    def open(self):
        return Fts5Engine(Catalogue(self._database(), None, None), self.folder / "lock")

    def close(self):
        for each in self.databases:
            each.close()


@pytest.fixture(params=[Whoosh, Fts5])
def house(request, tmp_path):
    made = request.param(tmp_path)
    yield made
    made.close()


@pytest.fixture
def engine(house):
    return house.open()


def text(number, *parts):
    return Text(CaseFileId(f"file-{number}"), number, terms_for_index([part] for part in parts))


def commit(engine, *added, remove=(), position=1):
    with engine.exclusive(5):
        engine.commit(Batch(added, frozenset(map(CaseFileId, remove)), Mark(position, LEAF)))


def tree(query):
    return parse(query, date(2026, 3, 1)).tree


def find(engine, query, keep=None, limit=50):
    return [int(each.split("-")[1]) for each in engine.search(tree(query), keep, limit).ids]


def test_an_index_that_was_never_written_is_empty(engine):
    assert (engine.mark(), engine.size(), engine.generation(), find(engine, "退款")) == (START, 0, 0, [])
    assert not engine.holds(CaseFileId("file-1"))
    assert engine.rank(tree("退款"), None, 5, 1).ids == ()
    engine.weight()
    engine.verify()


def test_a_batch_and_its_mark_are_there_for_the_next_who_opens_it(engine, house):
    commit(engine, text(1, "退款"), text(2, "退款"), position=7)
    again = house.open()
    assert (again.mark(), again.size(), find(again, "退款")) == (Mark(7, LEAF), 2, [2, 1])
    assert again.weight() > 0


def test_a_mark_alone_can_be_moved(engine):
    commit(engine, text(1, "退款"), position=1)
    commit(engine, position=9)
    assert (engine.mark(), find(engine, "退款")) == (Mark(9, LEAF), [1])


def test_every_change_raises_the_generation(engine):
    seen = [engine.generation()]
    commit(engine, text(1, "退款"))
    seen.append(engine.generation())
    commit(engine, position=2)
    seen.append(engine.generation())
    with engine.exclusive(5):
        engine.clear()
    seen.append(engine.generation())
    commit(engine, text(1, "退款"))
    seen.append(engine.generation())
    assert seen == sorted(set(seen))


def test_clearing_goes_beyond_whatever_generation_there_ever_was(engine, house):
    for _ in range(2):  # of one that never was, and of one that is
        with engine.exclusive(5):
            engine.clear(beyond=55)
        assert engine.generation() > 55
    assert (engine.mark(), house.open().generation()) == (START, engine.generation())
    commit(engine, text(1, "退款"))
    with engine.exclusive(5):
        engine.clear(beyond=3)
    assert engine.generation() > 57


def test_a_case_file_that_is_added_again_replaces_its_older_words(engine):
    commit(engine, text(1, "旧话"))
    commit(engine, text(1, "新词"))
    assert (find(engine, "旧"), find(engine, "新"), engine.size()) == ([], [1], 1)


def test_a_removed_case_file_is_gone_and_it_is_told(engine):
    commit(engine, text(1, "退款"), text(2, "退款"))
    assert engine.holds(CaseFileId("file-1"))
    commit(engine, remove=["file-1", "file-7"])
    assert (find(engine, "退款"), engine.size()) == ([2], 1)
    assert not engine.holds(CaseFileId("file-1"))
    assert engine.holds(CaseFileId("file-2"))
    commit(engine, remove=["file-2"])
    assert (find(engine, "退款"), engine.size()) == ([], 0)


def long_text(number, *parts):
    """In pieces of three terms."""
    return Text(CaseFileId(f"file-{number}"), number, terms_for_index(([part] for part in parts), 3))


def test_a_long_text_is_replaced_removed_and_cleared_as_any_other(engine, house):
    commit(engine, text(1, "退款"), long_text(2, "顾客要求退款并书面道歉", "别无他求"), text(3, "道歉"))
    assert (find(engine, "退款并书面道歉"), find(engine, "退款"), engine.size()) == ([2], [2, 1], 3)
    assert (find(engine, "退款 AND 他求"), find(engine, "NOT 他求"), find(engine, "歉别")) == (
        [2],
        [3, 1],
        [],
    )
    commit(engine, long_text(2, "顾客要求退款并书面道歉", "别无他求"), text(3, "道歉 他求"))
    assert (find(engine, "他求"), find(engine, "退款 NOT 他求"), engine.size()) == ([3, 2], [1], 3)
    assert {each.split("-")[1] for each in engine.rank(tree("他求"), None, 5, 5).ids} == {"2", "3"}
    engine.verify()
    commit(engine, text(2, "撤诉"))
    assert (find(engine, "退款"), find(engine, "撤诉"), engine.size()) == ([1], [2], 3)
    commit(engine, long_text(4, "顾客要求退款并书面道歉"))
    assert engine.holds(CaseFileId("file-4"))
    commit(engine, remove=["file-4"])
    assert (find(engine, "书面道歉"), engine.size()) == ([], 3)
    assert not engine.holds(CaseFileId("file-4"))
    with engine.exclusive(5):
        engine.clear()
    assert (find(engine, "NOT 退"), house.open().size()) == ([], 0)


def test_a_long_text_that_was_cut_off_in_the_writing_leaves_nothing(engine, house):
    def cut_off():
        yield from terms_for_index([["顾客要求退款并书面道歉"]], 3)
        raise ZeroDivisionError

    commit(engine, text(1, "退款"))
    with pytest.raises(ZeroDivisionError):
        commit(engine, text(2, "退款"), Text(CaseFileId("file-3"), 3, cut_off()), position=2)
    again = house.open()
    assert (again.mark().position, find(again, "退款"), find(again, "道歉")) == (1, [1], [])
    commit(again, text(2, "退款"), position=2)
    assert (find(again, "退款"), find(again, "道歉")) == ([2, 1], [])
    assert not again.holds(CaseFileId("file-3"))
    again.verify()


def test_clearing_leaves_nothing(engine):
    commit(engine, text(1, "退款"))
    with engine.exclusive(5):
        engine.clear()
    assert (engine.mark(), engine.size(), find(engine, "退款")) == (START, 0, [])
    commit(engine, text(2, "退款"), position=3)
    assert (engine.mark().position, find(engine, "退款")) == (3, [2])


def test_newest_filed_comes_first_even_when_older_ones_change_later(engine):
    for start in (0, 10, 20):
        commit(engine, *(text(number, "退款") for number in range(start, start + 10)))
    commit(engine, text(3, "退款 作废"), text(25, "退款 作废"), text(12, "退款 作废"))
    assert find(engine, "退款") == list(range(29, -1, -1))
    assert find(engine, "作废") == [25, 12, 3]
    assert find(engine, "退款", limit=7) == list(range(29, 22, -1))


def test_more_is_told_when_the_answer_is_cut(engine):
    commit(engine, *(text(number, "退款") for number in range(5)))
    assert not engine.search(tree("退款"), None, 5).more
    assert engine.search(tree("退款"), None, 4).more
    everything = CaseFileId("file-0"), CaseFileId("file-1")
    assert not engine.search(tree("退款"), lambda ids: set(ids) & set(everything), 2).more


def test_what_is_not_kept_leaves_no_trace(engine):
    commit(engine, *(text(number, "退款") for number in range(1000)))
    asked = []

    def keep(ids):
        asked.extend(ids)
        return {each for each in ids if int(each.split("-")[1]) % 100 == 0}

    hits = engine.search(tree("退款"), keep, 5)
    assert [int(each.split("-")[1]) for each in hits.ids] == [900, 800, 700, 600, 500]
    assert hits.more
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("退款", [3, 2, 1]),
        ("退", [3, 2, 1]),
        ("款", [3, 2, 1]),
        ("退款 道歉", [3]),
        ("退款 OR 道歉", [4, 3, 2, 1]),
        ("退款 NOT 道歉", [2, 1]),
        ("NOT 退款", [5, 4]),
        ("NOT NOT 退款", [3, 2, 1]),
        ("NOT (退款 OR 道歉)", [5]),
        ("道歉 OR NOT 退款", [5, 4, 3]),
        ("退款 (道歉 OR 500元)", [3, 2]),
        ('"款500元"', [2]),
        ('"500元"', [2]),
        ("refu", [1]),
        ('"refu"', []),
        ("退款 NOT refu NOT 道歉", [2]),
        ("无此字", []),
        ("无此字 OR refund", [1]),
        ("NOT 无此字", [5, 4, 3, 2, 1]),
        ('"退款，道歉"', [3]),
        ('"退款道歉"', []),
        ('"退款道"', []),
    ],
)
def test_words_phrases_and_how_they_go_together(engine, query, found):
    commit(engine, text(1, "退款refund"), text(2, "退款500元"), text(3, "退款，道歉"))
    commit(engine, text(4, "书面道歉"), text(5, ""))
    assert find(engine, query) == found


def test_a_phrase_does_not_run_from_one_part_into_the_next(engine):
    commit(engine, text(1, "退", "款500", "元"), text(2, "退款500元"))
    assert find(engine, "退款") == find(engine, '"500元"') == [2]
    assert find(engine, "退 款 元") == [2, 1]


def test_the_longest_phrase_is_found(engine):
    words = "顾客要求店家书面道歉并退全款" * 30
    commit(engine, text(1, words), text(2, words[1:] + "外"))
    assert find(engine, words[:420]) == [1]
    assert find(engine, words[1:400]) == [2, 1]


def test_ids_stand_for_facts_anywhere_in_a_query(engine):
    commit(engine, *(text(number, "退款" if number % 2 else "道歉") for number in range(8)))
    few = Among(frozenset(map(CaseFileId, ("file-1", "file-2", "file-9"))))

    def among(expression):
        return [int(each.split("-")[1]) for each in engine.search(expression, None, 50).ids]

    assert among(few) == [2, 1]
    assert among(AllOf((few, tree("退款")))) == [1]
    assert among(AnyOf((few, tree("退款")))) == [7, 5, 3, 2, 1]
    assert among(AllOf((tree("退款"), Not(few)))) == [7, 5, 3]
    assert among(Among(frozenset())) == []


def test_relevance_puts_first_what_says_it_more_often(engine):
    commit(engine, text(1, "退款 退款 退款 退款"), text(2, "退款"), text(3, "退款 退款"), text(4, "道歉"))
    ranked = engine.rank(tree("退款"), None, 2, 5)
    assert ([each.split("-")[1] for each in ranked.ids], ranked.more) == (["1", "3"], True)
    kept = engine.rank(tree("退款"), lambda ids: set(ids) - {"file-1"}, 2, 5)
    assert ([each.split("-")[1] for each in kept.ids], kept.more) == (["3", "2"], False)
    assert (ranked.partly, kept.partly) == (False, False)  # all were looked at, though not all are given
    assert set(engine.rank(tree("NOT 道歉"), None, 9, 5).ids) == {"file-1", "file-2", "file-3"}


def test_relevance_without_time_still_answers(engine):
    commit(engine, *(text(number, "退款 道歉 书面") for number in range(2000)))
    hits = engine.rank(tree("退款 道歉"), None, 5, 0)
    assert hits.more or len(hits.ids) == 5
    assert hits.partly or len(hits.ids) == 5


def test_when_the_time_is_up_what_was_found_is_given_and_more_is_told(engine):
    commit(engine, *(text(number, "退款 道歉 书面") for number in range(3000)))
    laborious = " OR ".join(f"(NOT 退{each} NOT 款{each})" for each in "道歉书面甲乙丙丁")
    hits = engine.search(tree(laborious), lambda _ids: set(), 200, 0.0)
    assert (hits.ids, hits.more) == ((), True)
    assert len(engine.search(tree(laborious), None, 200).ids) == 200


def test_many_small_commits_lose_nothing(engine):
    for number in range(70):
        commit(engine, text(number, f"退款{number}"), position=number + 1)
    assert find(engine, "退款", limit=200) == list(range(69, -1, -1))
    assert find(engine, "33") == [33]


def test_writing_without_the_right_to_is_refused(engine):
    with pytest.raises(RuntimeError):
        engine.commit(Batch((), frozenset(), START))
    with pytest.raises(RuntimeError):
        engine.clear()


def test_a_second_writer_waits_and_is_told_when_it_takes_too_long(engine, house):
    other = house.open()
    with engine.exclusive(1):
        with engine.exclusive(1), pytest.raises(IndexBusyError), other.exclusive(0.05):
            pass
        refused = []

        def attempt():
            try:
                with engine.exclusive(0.05):
                    pass
            except IndexBusyError as error:
                refused.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        assert refused
    with other.exclusive(1):
        pass


def test_a_search_goes_on_while_another_process_writes_and_then_sees_it(engine, house):
    reader = house.open()
    for number in range(20):
        commit(engine, text(number, "退款"), position=number + 1)
        assert len(find(reader, "退款")) == number + 1
        assert reader.mark().position == number + 1


def test_searching_in_threads_while_writing_never_sees_half_a_batch(engine, house):
    reader = house.open()
    seen, failures, done = set(), [], threading.Event()

    def look():
        try:
            while not done.is_set():
                seen.add(len(find(reader, "退款", limit=200)))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for start in range(0, 100, 5):
        commit(engine, *(text(number, "退款") for number in range(start, start + 5)), position=start + 1)
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {each % 5 for each in seen} <= {0}
