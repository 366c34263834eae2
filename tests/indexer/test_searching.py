"""What is written in a case file is found, whoever may know of it, newest first."""

import shutil

import pytest
import sqlalchemy as sa

from archive.casefile import tables
from indexer.searching import Sort


@pytest.mark.parametrize(
    "query",
    [
        "退",
        "款",
        "退款",
        "要求退款",
        "员",
        "元",
        "500",
        "500元",
        "款500元",
        "REFUND",
        "refu",
        "ref",
        "𠮷",
        "𠮷先生",
        "３００",
    ],
)
def test_one_character_up_to_a_phrase_is_found_inside_a_sentence(archive, find, query):
    reference = archive.file("顾客𠮷先生要求退款500元，Refund 300，找店员。")
    archive.file("另一件投诉")
    assert find(query) == [reference]


@pytest.mark.parametrize(
    "query", ["款退", "要退款", "050", "fund", "先退", "吉先生", '"refu"', '"道歉 退款"']
)
def test_what_is_not_written_is_not_found(archive, find, query):
    archive.file("顾客𠮷先生要求退款500元，Refund 300。退款，道歉")
    assert find(query) == []


def test_a_word_broken_over_two_lines_or_two_pages_is_found(archive, find):
    reference = archive.file("顾客要求退\n  款并书面道", "歉，re\u0002\r\nfund")
    assert find("退款") == find("书面道歉") == find("refund") == [reference]


def test_every_word_must_be_there_in_any_order(archive, find):
    both = archive.file("先道歉，后退款")
    archive.file("只退款")
    archive.file("只道歉")
    assert find("退款 道歉") == find("退款，道歉") == [both]


def test_a_quoted_phrase_is_found_only_as_it_stands(archive, find):
    phrase = archive.file("请 书面道歉 即可")
    archive.file("书面答复，当面道歉")
    assert find('"书面道歉"') == find("“书面道歉”") == find("「书面道歉") == [phrase]
    assert len(find("书面 道歉")) == 2


def test_everything_that_is_known_of_a_file_is_searched(archive, find):
    reference = archive.file(
        "页面文字",
        voucher={
            "complainant": {"name": "欧阳娜娜"},
            "demands": [{"amount": 8848, "text": "换本"}],
            "group": True,
        },
        title="登记凭证扫描件.pdf",
        evidence=[("聊天截图.png", ["截图里的话"]), ("收据.jpg", ["第一页", "发票号码 AB-20391"])],
        store="徐汇旗舰店",
        script="告密者",
    )
    for query in (
        "页面",
        "欧阳",
        "8848",
        "换本",
        "扫描件",
        "聊天截图",
        "截图里",
        "发票号码",
        "ab-20391",
        "徐汇",
        "告密者",
        "phone",
        "客服部",
        "一级",
        "剧本相关",
    ):
        assert find(query) == [reference], query
    assert find("complainant") == []  # the name of a field


def test_a_phrase_does_not_run_from_one_part_into_the_next(archive, find):
    archive.file("甲", title="乙.pdf", evidence=[("丙.pdf", ["丁"])], store="戊", script="己")
    for query in ("戊己", "pdf甲", "甲丁", '"乙 pdf 甲"'):
        assert find(query) == [], query


def test_newest_filed_comes_first_even_when_older_ones_change_later(archive, find):
    first, second, third = (archive.file("退款") for _ in range(3))
    assert find("退款") == [third, second, first]
    archive.void(first)
    assert find("退款") == [third, second, first]
    assert find("作废") == [first]


def test_more_is_told_when_the_answer_is_cut(archive, indexer):
    all_of_them = [archive.file("退款") for _ in range(5)]
    assert not indexer.search("退款", limit=5).more
    cut = indexer.search("退款", limit=4)
    assert cut.more
    assert [each.reference for each in cut.files] == all_of_them[:0:-1]


def test_an_answer_never_holds_more_than_two_hundred(archive, indexer):
    with archive.catalogue.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.case_file)).scalar() == 0
    for _ in range(201):
        archive.file("退款")
    found = indexer.search("退款", limit=10_000)
    assert (len(found.files), found.more) == (200, True)


def test_files_outside_what_is_allowed_leave_no_trace(archive, indexer):
    mine = archive.file("退款", department="剧本部")
    for _ in range(5):
        archive.file("退款", department="财务部")
    allowed = sa.select(tables.case_file.c.id).where(tables.case_file.c.department == "剧本部")
    found = indexer.search("退款", allowed, limit=1)
    assert ([each.reference for each in found.files], found.more) == ([mine], False)
    assert indexer.search("财务部", allowed).files == []
    nothing = sa.select(tables.case_file.c.id).where(sa.false())
    assert indexer.search("退款", nothing).files == []
    assert indexer.search("2026-一级", nothing).files == []


def test_a_reference_code_is_found_exactly_or_by_its_beginning(archive, find):
    first = archive.file("甲")
    other = archive.file("乙", category="服务相关")
    second = archive.file(f"关联 {first}")
    assert find(first) == [first, second]
    assert find("2026-一级") == [second, other, first]
    assert find("2026-一级-剧") == [second, first]
    assert find("２０２６－一级－服务相关－００１") == [other]
    assert find("2026-二级") == []


def test_without_an_index_the_files_themselves_are_looked_through(archive, indexer, caplog):
    old = archive.file("退款", store="浦东店")
    archive.index_folder.write_text("not a folder")
    new, other = archive.file("退款 道歉"), archive.file("道歉")
    for query, files in (
        (old, [old]),
        ("退款", [new, old]),
        ("NOT 道歉", [old]),
        ("退款 store:浦东", [old]),
        ("store:静安", [other, new]),
    ):
        found = indexer.search(query)
        assert ([each.reference for each in found.files], found.behind) == (files, 0)
    assert [each.reference for each in indexer.search("退款", sort=Sort.RELEVANCE).files] == [new, old]
    assert caplog.text.count("it is no folder") == 1
    assert str(archive.index_folder) in caplog.text


def test_without_an_index_what_there_was_no_time_for_is_counted(archive, indexer, monkeypatch):
    for _ in range(3):
        archive.file("退款")
    indexer.catch_up()
    shutil.rmtree(archive.index_folder)
    archive.index_folder.write_text("not a folder")
    monkeypatch.setattr("indexer.searching.SCAN_SECONDS", -1.0)
    found = indexer.search("退款")
    assert (found.files, found.behind) == ([], 3)


def test_wildcards_of_sql_in_a_reference_mean_themselves(archive, find):
    archive.file("甲")
    assert find("2026-_级") == []
    assert find("2026-一级-%") == [] or find("2026-一级-%") == find("2026 一级")


def test_what_a_shredded_key_sealed_is_not_found_any_more(archive, indexer, find):
    reference = archive.file("绝无仅有的话")
    assert find("绝无仅有") == [reference]
    with archive.catalogue.housekeeping() as connection:
        connection.execute(tables.file_key.delete())
    archive.complete(reference, archive.now.date())
    assert find("绝无仅有") == []
    assert indexer.status().files == 0


def test_a_file_whose_text_does_not_open_is_found_by_its_facts_and_stops_no_other(archive, find, caplog):
    damaged = archive.file("看不见的话", store="浦东店")
    whole = archive.file("看得见的话", store="浦东店")
    with archive.catalogue.housekeeping() as connection:
        connection.execute(
            tables.document.update()
            .where(tables.document.c.case_file == archive.get(damaged).id)
            .values(text=b"\x01damaged")
        )
    assert find("浦东店") == [whole, damaged]
    assert find("看得见") == [whole]
    assert damaged in caplog.text
    assert "看不见" not in caplog.text
