"""Who reads pages masked searches what they read: answered as by an archive whose texts were masked before."""

import random
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.casefile import tables
from archive.evidence.masking import mask_text
from archive.voucher.masking import masked
from indexer.choosing import EngineName
from indexer.engine import MOST_HITS
from indexer.gathering import facts
from indexer.query.expression import AllOf, AnyOf, Not
from indexer.query.facts import Fact, Field
from indexer.query.parsing import parse
from indexer.query.scanning import holds
from indexer.searching import Sort
from tests.indexer.conftest import Archive, references

FILE = tables.case_file.c
ALL = sa.select(FILE.id)
TODAY = date(2026, 3, 1)

thorough = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def sift(archive: Archive, indexer, query: str, readable=None) -> list[str]:
    """By reference; ``readable`` are references (none: all)."""
    files = archive.case_files.select()
    ids = frozenset(each.id for each in files if readable is None or each.reference in readable)
    condition = indexer.sift(query, ALL, ids).condition
    return sorted(each.reference for each in archive.case_files.select(ALL.where(condition)))


PHONES = ("13818226165", "138 1822 6165", "１３８１８２２６１６５", "+86-13818226165", "028-88886666")
SECRETS = (*PHONES, "510104199001011234", "51010419900101123X", "zhang.san@qq.com", "退@款.款")
PIECES = (
    *SECRETS,
    "退款",
    "道歉",
    "王小明",
    "电话",
    "，",
    " ",
    "\n",
    "138",
    "6165",
    "qq",
    "abc",
    "朝陽",
    "1",
)


@dataclass
class Kept:
    pages: list[str]
    voucher: dict[str, object]
    title: str
    indexed: bool = field(default=True)

    def hidden(self) -> "Kept":
        pages = [mask_text(each) for each in self.pages]
        return Kept(pages, masked(self.voucher), mask_text(self.title), self.indexed)


texts = st.lists(st.sampled_from(PIECES), max_size=7).map("".join)
vouchers = st.builds(
    lambda contact, details: {"complainant": {"name": "王小明", "contact": contact}, "details": details},
    st.one_of(st.sampled_from(PHONES), st.just("wxid_abc123"), texts),
    texts,
)
kept = st.builds(Kept, st.lists(texts, min_size=1, max_size=2), vouchers, texts, st.booleans())


@st.composite
def asked(draw: st.DrawFn) -> str:
    """Pieces of what is kept and of what is hidden in it, put together in every way."""

    def word() -> str:
        piece = draw(st.sampled_from((*SECRETS, *PIECES))).strip("，\n ") or "1"
        start = draw(st.sampled_from((0, 0, 0, 3, 7)))
        return piece[start : start + draw(st.integers(1, 11))].strip("-.@+ ") or "退"

    def part(deep: int) -> str:
        kind = draw(st.sampled_from(("word", "word", "phrase", "not", "or", "and"))) if deep else "word"
        match kind:
            case "phrase":
                return f'"{word()} {word()}"'
            case "not":
                return f"NOT {part(deep - 1)}"
            case "or" | "and":
                return f"({part(deep - 1)} {kind.upper()} {part(deep - 1)})"
        return word()

    return part(3)


def fill(folder: Path, files: list[Kept], engine: EngineName) -> tuple[Archive, object]:
    """Indexed first, then those that are not yet."""
    folder.mkdir()
    archive = Archive(folder)
    index = archive.indexer()
    for indexed in (True, False):
        for each in (each for each in files if each.indexed is indexed):
            archive.file(*each.pages, voucher=each.voucher, title=each.title)
        if indexed:
            index.move(engine)
            index.catch_up()
    return archive, index


@thorough
@given(
    st.lists(kept, min_size=1, max_size=3),
    st.lists(asked(), min_size=8, max_size=16),
    st.sampled_from(EngineName),
)
def test_any_query_is_answered_as_if_all_texts_had_been_masked_before(files, queries, engine):
    with TemporaryDirectory() as folder:
        archive, index = fill(Path(folder, "whole"), files, engine)
        twin, masked_index = fill(Path(folder, "masked"), [each.hidden() for each in files], engine)
        masked_index._freshen = lambda _: None  # so that the tail stays one
        for query in queries:
            expected = sorted(references(masked_index.search(query, limit=MOST_HITS)))
            assert sift(archive, index, query) == expected, query
        archive.close()
        twin.close()


def test_no_digit_of_a_masked_number_is_told_by_asking_for_longer_and_longer_beginnings(archive, indexer):
    archive.file(
        "请致电 13818226165。",
        voucher={"complainant": {"contact": "13818226165"}, "details": "身份证 510104199001011234"},
        title="13818226165.jpg",
        evidence=[("聊天记录.png", ["微信 zhangsan88@qq.com 电话１３８１８２２６１６５"])],
    )
    assert references(indexer.search("1381822"))
    for hidden in (
        "1380",
        "1381",
        "13818226",
        "13818226165",
        "5101041990",
        "zhangsan",
        "zhangsan88",
        "26165",
    ):
        for query in (hidden, f'"{hidden}"', f"微信 {hidden}", f"NOT (微信 NOT {hidden})"):
            assert sift(archive, indexer, query) == [], query
        assert sift(archive, indexer, f"NOT {hidden}") == [archive.case_files.select()[0].reference]
    for shown in ("138", "6165", "1234", '"qq com"', '"138 6165"'):
        assert sift(archive, indexer, shown), shown


def test_a_file_without_a_grant_is_found_by_its_facts_alone_and_one_with_a_grant_by_both(archive, indexer):
    mine = archive.file("道具损坏", store="朝阳店")
    other = archive.file("道具损坏", store="朝阳店")
    assert sift(archive, indexer, "道具 朝阳", {mine}) == [mine]
    assert sift(archive, indexer, "道具 OR 朝阳", {mine}) == [mine, other]
    assert sift(archive, indexer, "朝阳 NOT 道具", {mine}) == [other]
    assert sift(archive, indexer, "道具", ()) == []


def test_what_says_it_more_often_is_the_better_match_and_the_newer_among_equals(archive, indexer):
    once, often, again, none = (archive.file(text) for text in ("道具", "道具，道具", "道具", "退款"))
    ids = {each.reference: each.id for each in archive.case_files.select()}
    best = indexer.sift("道具 OR 退款", ALL, ids.values()).best
    assert best[:1] == (ids[none],)  # the rarer word
    assert best[1:] == tuple(ids[each] for each in (often, again, once))
    assert indexer.sift("NOT 道具", ALL, ids.values()).best == ()


def test_a_shredded_file_is_found_by_no_word_and_a_damaged_one_keeps_no_other_from_being_found(
    archive, indexer, caplog
):
    shredded, damaged, whole = (archive.file("道具损坏") for _ in range(3))
    with archive.catalogue.housekeeping() as connection:
        gone = tables.file_key.c.case_file == archive.get(shredded).id
        connection.execute(tables.file_key.delete().where(gone))
        there = tables.document.c.case_file == archive.get(damaged).id
        connection.execute(tables.document.update().where(there).values(text=b"x" * 40))
    assert sift(archive, indexer, "道具") == [whole]
    assert damaged in caplog.text
    assert "道具" not in caplog.text


STORES = ("朝阳店", "朝陽大悦城", "Ａ１旗舰店", "静安店", "138店", "x-ray 2024")
SCRIPTS = (None, "雾港", "2024-一级", "长安十二时")
WORDS = """
    朝阳 朝陽 静安 a1 A1旗舰 旗舰店 2024 2026 2024-一级 ２０２６－一级 一级 三级 001 002 1 01 10 剧本 剧本相关-001
    客服部 phone 雾 长安 作废 2026-01 2025 x-ray ray 一级-剧本相关-0 2026-一级-剧本相关-001 门店
""".split()  # noqa: SIM905 - a list of so many is no table of strings
FIELDS = (
    "level:一级",
    "级别:3",
    "store:朝阳",
    "store:jad",
    "门店:静安",
    "year:2026",
    "status:void",
    "reference:2026-一级",
)


@st.composite
def queries_of_facts(draw: st.DrawFn) -> str:
    def part(deep: int) -> str:
        kinds = ("word", "word", "field", "phrase", "not", "or", "and")
        kind = draw(st.sampled_from(kinds)) if deep else "word"
        match kind:
            case "field":
                return draw(st.sampled_from(FIELDS))
            case "phrase":
                return '"' + " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2))) + '"'
            case "not":
                return f"NOT {part(deep - 1)}"
            case "or" | "and":
                return f"({part(deep - 1)} {kind.upper()} {part(deep - 1)})"
        return draw(st.sampled_from(WORDS))

    return part(3)


def is_so(fact: Fact, file) -> bool:
    """The few fields that are asked here, said without SQL."""
    match fact.field, fact.value:
        case Field.REFERENCE, str(given):
            return file.reference.startswith(given)
        case Field.LEVEL, str(given):
            return file.level == {"3": "三级"}.get(given, given)
        case Field.STORE, str(given):
            return file.store == "静安店" if given == "jad" else given in file.store.replace("陽", "阳")
        case Field.STATUS, _:
            return file.state.value == "void"
        case Field.YEAR, years:
            return years.first <= file.year <= years.last
    raise TypeError(fact)


def model(archive: Archive, query: str) -> list[str]:
    """Each file by itself, its facts as texts."""
    found = []
    for file in archive.case_files.select():

        def of(tree, file=file) -> bool:
            match tree:
                case Fact():
                    return is_so(tree, file)
                case AllOf(parts):
                    return all(map(of, parts))
                case AnyOf(parts):
                    return any(map(of, parts))
                case Not(part):
                    return not of(part)
            return holds(tree, file.id, ((each,) for each in facts(file)))

        if of(parse(query, TODAY).tree):
            found.append(file.reference)
    return sorted(found)


@pytest.fixture(scope="module")
def shelves(tmp_path_factory):
    archive = Archive(tmp_path_factory.mktemp("shelves"))
    chance = random.Random(7)
    for number in range(60):
        reference = archive.file(
            level=chance.choice(("一级", "三级")),
            category=chance.choice(("剧本相关", "其他")),
            store=chance.choice(STORES),
            script=chance.choice(SCRIPTS),
            department=chance.choice(("客服部", "朝阳店")),
        )
        if number % 7 == 0:
            archive.void(reference)
        elif number % 3 == 0:
            archive.complete(reference, date(2025 + number % 2, 1, 1 + number % 28))
    with archive.catalogue.housekeeping() as connection:  # numbers beyond three digits, and an older year
        for file in archive.case_files.select()[::5]:
            series = f"2024-{file.level}-{file.category}"
            number = chance.choice((1, 10, 100, 1000, 1001, 10000, 999)) * 100 + chance.randrange(100)
            row = {"year": 2024, "number": number, "reference": f"{series}-{number:03d}"}
            connection.execute(tables.case_file.update().where(FILE.id == file.id).values(**row))
    yield archive
    archive.close()


@settings(max_examples=400, deadline=None)
@given(query=queries_of_facts())
def test_facts_are_asked_in_the_whole_language_and_say_what_each_file_says_of_itself(shelves, query):
    assert sift(shelves, shelves.indexer(), query, ()) == model(shelves, query)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_part_of_a_reference_code_finds_what_a_scan_of_the_codes_finds(shelves, data):
    reference = data.draw(st.sampled_from([each.reference for each in shelves.case_files.select()]))
    start = data.draw(st.integers(0, len(reference) - 1))
    part = reference[start : data.draw(st.integers(start + 1, len(reference)))]
    for query in (part, f'"{part}"'):
        if any(each.isalnum() for each in part):
            assert sift(shelves, shelves.indexer(), query, ()) == model(shelves, query)


@pytest.mark.parametrize("sort", list(Sort))
def test_what_is_sifted_asks_no_index(archive, indexer, monkeypatch, sort):
    archive.file("道具")
    monkeypatch.setattr(type(archive.engine()), "search", None)
    monkeypatch.setattr(type(archive.engine()), "mark", None)
    assert len(sift(archive, indexer, "道具")) == 1


def test_in_a_text_of_any_length_each_phrase_is_found_and_counted_once(archive, indexer):
    long = archive.file("语" * 40_000 + "书面道歉" + "语" * 40_000, "道歉" * 2)
    short = archive.file("道歉，道歉")
    ids = {each.reference: each.id for each in archive.case_files.select()}
    for query in ("书面道歉", '"语语书面道歉语"', "道歉 NOT 没有"):
        assert long in sift(archive, indexer, query)
    assert indexer.sift("道歉 OR 书面道歉语语", ALL, ids.values()).best == (ids[long], ids[short])
