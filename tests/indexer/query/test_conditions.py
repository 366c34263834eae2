"""Facts in a query, against the archive: the whole language with texts, permission and lag, against plain Python."""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive.casefile import tables
from archive.casefile.reading import FileState
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.scheme.scheme import load_scheme
from indexer import searching
from indexer.choosing import EngineName
from indexer.query.parsing import parse
from retention.schedule import Schedule
from retention.tables import hold

TODAY = date(2026, 3, 1)
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # each try is a whole archive
ZONE = ZoneInfo("Asia/Shanghai")
WORDS = ["退款", "道歉", "书面", "refund"]
STORES = ["静安店", "浦東店", "ＡＢ店"]
LEVELS = ["一级", "二级", "三级"]
DEPARTMENTS = ["客服部", "剧本部"]


@dataclass
class Filed:
    reference: str
    words: list[str]
    store: str
    level: str
    department: str
    held: bool
    file: object = None

    def due(self, zone):
        return Schedule(load_scheme(), zone).due_on(self.file)


day = st.dates(date(2014, 1, 1), date(2026, 2, 27))
drawn = st.fixed_dictionaries(
    {
        "words": st.lists(st.sampled_from(WORDS), unique=True),
        "store": st.sampled_from(STORES),
        "level": st.sampled_from(LEVELS),
        "department": st.sampled_from(DEPARTMENTS),
        "completed": st.none() | day,
        "permanent": st.booleans(),
        "void": st.none() | day,
        "held": st.booleans(),
    }
)


def filed(archive, case):
    reference = archive.file(
        "，".join(case["words"]), store=case["store"], level=case["level"], department=case["department"]
    )
    if case["completed"]:
        permanent = "legal-dispute" if case["permanent"] and case["level"] == "三级" else None
        archive.change(Act.COMPLETED, reference, completed_on=case["completed"], permanent=permanent)
    if case["void"]:
        moment = datetime.combine(case["void"], datetime.min.time(), UTC) + timedelta(hours=20)
        archive.change(Act.VOIDED, reference, state="void", voided_at=moment)
    file = archive.get(reference)
    if case["held"]:
        with archive.catalogue.housekeeping() as connection:
            connection.execute(
                hold.insert().values(
                    case_file=file.id, reason="-", placed_by="console", placed_at=archive.clock()
                )
            )
    return Filed(
        reference, case["words"], case["store"], case["level"], case["department"], case["held"], file
    )


def fact(zone):
    """A condition as it is typed, and what it means."""

    def due_before(days):
        return lambda f: (due := f.due(zone)) is not None and due < today(f) + timedelta(days=days)

    def today(_filed):
        return TODAY

    def completed_in(first, last):
        return lambda f: f.file.completed_on is not None and first <= f.file.completed_on <= last

    return st.one_of(
        st.sampled_from(WORDS).map(lambda word: (word, lambda f: word in f.words)),
        st.sampled_from(LEVELS).map(lambda level: (f"level:{level}", lambda f: f.level == level)),
        st.sampled_from([("store:靜安", "静安店"), ("门店:浦东", "浦東店"), ("store:ab", "ＡＢ店"),
             ("store:jad", "静安店"), ("门店:ＰＤ", "浦東店")]).map(
            lambda pair: (pair[0], lambda f: f.store == pair[1])
        ),
        st.sampled_from(DEPARTMENTS).map(lambda name: (f"部门:{name}", lambda f: f.department == name)),
        st.just(("hold:yes", lambda f: f.held)),
        st.just(("冻结:否", lambda f: not f.held)),
        st.just(("status:void", lambda f: f.file.state is FileState.VOID)),
        st.just(("status:在档", lambda f: f.file.state is FileState.FILED)),
        st.just(("status:completed", lambda f: f.file.completed_on is not None)),
        st.just(
            (
                "状态:未办结",
                lambda f: f.file.completed_on is None and f.file.state is not FileState.VOID,
            )
        ),
        st.integers(0, 4000).map(lambda days: (f"due:<{days}d", due_before(days))),
        day.map(
            lambda first: (
                f"completed:{first}..{first.year + 1}",
                completed_in(first, date(first.year + 1, 12, 31)),
            )
        ),
        day.map(lambda d: (f"due:>={d}", lambda f: (due := f.due(zone)) is not None and due >= d)),
        day.map(lambda d: (f"due:{d:%Y-%m}", lambda f: str(f.due(zone)).startswith(f"{d:%Y-%m}"))),
        st.sampled_from(LEVELS).map(lambda level: (f"2026-{level}", lambda f: f.level == level)),
        st.just(("year:2026", lambda f: True)),
        st.just(("year:2025", lambda f: False)),
    )  # fmt: skip


def queries(zone):
    return st.recursive(
        fact(zone),
        lambda part: st.one_of(
            st.lists(part, min_size=1, max_size=3).map(
                lambda parts: (f"({' '.join(p[0] for p in parts)})", lambda f: all(p[1](f) for p in parts))
            ),
            st.lists(part, min_size=1, max_size=3).map(
                lambda parts: (f"({' OR '.join(p[0] for p in parts)})", lambda f: any(p[1](f) for p in parts))
            ),
            part.map(lambda p: (f"NOT {p[0]}", lambda f: not p[1](f))),
        ),
        max_leaves=5,
    )


@pytest.mark.parametrize("name", list(EngineName))
@pytest.mark.parametrize("lagging", [False, True], ids=["indexed", "lagging"])
@given(st.lists(drawn, min_size=1, max_size=8), st.data())
@settings(max_examples=12, deadline=None, phases=NO_SHRINKING, suppress_health_check=list(HealthCheck))
def test_any_query_of_facts_and_words_finds_what_plain_python_finds(make_archive, name, lagging, cases, data):
    with make_archive() as archive:
        check(archive, name, lagging, cases, data)


def check(archive, name, lagging, cases, data):
    archive.now = datetime(2026, 3, 1, 1, tzinfo=UTC)
    index = archive.indexer()
    index.move(name)
    half = len(cases) // 2
    everything = [filed(archive, case) for case in cases[:half]]
    index.catch_up()
    if lagging:
        index._followers[name].follow = lambda *_arguments, **_options: 0
    everything += [filed(archive, case) for case in cases[half:]]
    if lagging and everything:  # and one of the indexed changes behind its back
        archive.void(everything[0].reference)
        everything[0] = replace(everything[0], file=archive.get(everything[0].reference))
    allowed = sa.select(tables.case_file.c.id).where(tables.case_file.c.department == DEPARTMENTS[0])
    for _ in range(12):
        typed, means = data.draw(queries(ZONE))
        found = [each.reference for each in index.search(typed, limit=200).files]
        expected = [each.reference for each in reversed(everything) if means(each)]
        assert found == expected, typed
        mine = [each.reference for each in index.search(typed, allowed, limit=200).files]
        kept = {each.reference for each in everything if each.department == DEPARTMENTS[0]}
        assert mine == [each for each in expected if each in kept], typed


numbers = count()


@pytest.fixture
def make_archive(tmp_path, monkeypatch):
    from tests.indexer.conftest import Archive

    monkeypatch.setattr(searching, "SCAN_SECONDS", 60.0)  # what a busy machine has no time for is no answer

    @contextmanager
    def make():
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        made = Archive(folder)
        try:
            yield made
        finally:
            made.close()
            shutil.rmtree(folder)

    return make


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("filed:2026-03-01", [0, 1]),
        ("filed:2026-03-02", [2]),
        ("filed:<2026-03-02", [0, 1]),
        ("received:2026-03-02..", [2]),
        ("filed:<1d", [2]),
        ("filed:>=1d", [0, 1]),
        ("category:剧本", [0]),
        ("category:charges", [1]),
        ("类别:收费相关,服务相关", [1, 2]),
        ("script:告密者", [0]),
        ("剧本:告密", [0]),
        ("NOT script:告密者", [1, 2]),
        ("script:NOT", []),
        ("script:gmz", [0]),
        ("剧本:ＧＭ", [0]),
        ("NOT script:gmz", [1, 2]),
        ("store:ja", [0, 1, 2]),
        ("乙 store:jad", [1]),
        ("gmz", []),
        ("department:kfb", []),
        ("channel:phone", [0, 1, 2]),
        ("level:1", [0, 1]),
        ("store:%", []),
        ("level:三级", []),
        ("reference:2026-二级", [2]),
        ("档号:2026-一级-收费相关-001", [1]),
        ("reference:%", []),
    ],
)
def test_days_are_those_of_the_house_and_names_are_found_in_part(archive, indexer, query, found):
    archive.now = datetime(2026, 2, 28, 16, 30, tzinfo=UTC)  # the first of March in Shanghai
    files = [archive.file("甲", script="告密者"), archive.file("乙", category="收费相关")]
    archive.now = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    files.append(archive.file("丙", level="二级", category="服务相关"))
    assert [each.reference for each in indexer.search(query).files] == [files[at] for at in found[::-1]]


@pytest.mark.parametrize(
    ("query", "there", "at"),
    [
        ("退款 级别:四级", "一级、二级、三级", 7),
        ("NOT level:%", "三级", 11),
        ("category:剧情", "剧本相关", 10),
        ("level:一级,四级", "一级、二级、三级", 10),
        ("level:level:一级", "一级、二级、三级", 7),
    ],
)
def test_a_level_or_category_that_there_is_not_is_said_and_never_taken_for_one_without_files(
    archive, indexer, query, there, at
):
    archive.file("退款")
    with pytest.raises(MunimentError) as refused:
        indexer.search(query)
    assert refused.value.code is Code.QUERY_INVALID
    assert there in refused.value.say("zh")
    assert f"第 {at} 个字符" in refused.value.say("zh")


def test_facts_are_answered_while_no_index_can_be(archive, indexer):
    reference = archive.file("退款", store="静安店")
    archive.index_folder.write_text("not a folder")
    assert [each.reference for each in indexer.search("store:静安 level:一级").files] == [reference]


def test_names_in_files_that_one_may_not_know_of_are_not_even_looked_at(archive, indexer):
    """Else the time an answer takes would tell of them."""
    archive.file("甲", store="北京朝阳店", department="剧本部")
    archive.file("乙", store="静安店")
    mine = sa.select(tables.case_file.c.id).where(tables.case_file.c.department == "客服部")
    tree = parse("store:店", TODAY).tree
    with archive.catalogue.reading() as connection:
        told = str(
            indexer._conditions.of(tree, connection, mine).compile(compile_kwargs={"literal_binds": True})
        )
    assert "静安店" in told
    assert "朝阳" not in told
    assert indexer.search("store:bjcy", mine).files == []
    assert len(indexer.search("store:bjcy").files) == 1
