"""Finding: what is answered is recorded first, nobody sees more than they may, and no words stand in an address."""

import html
import re
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from access.person import Role
from archive.casefile.filing import Submission
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import Entry, entries
from indexer import searching
from web.asking import Asking, Wanted
from web.searching import PAGE
from web.wiring import House


@pytest.fixture
def filed(house: House, forms) -> list[str]:
    details = "第三幕道具缺失，请致电 13900139000 说明情况。"
    submissions = (
        Submission("一级", "剧本相关", None, None, forms.voucher(details=details)),
        Submission(
            "二级",
            "服务相关",
            None,
            None,
            forms.voucher(store="太古里店", script="雾港", details="空调故障四十分钟无人处理。"),
        ),
    )
    return [house.filing.file(CONSOLE, each).reference for each in submissions]


@pytest.fixture
def administrator(visitor):
    return visitor(Role.ADMINISTRATOR, "客服部")


def searches(house: House) -> list[Entry]:
    query = sa.select(tables.entry.c.position).where(tables.entry.c.act == Act.SEARCHED.value)
    with house.catalogue.reading() as connection:
        return list(entries(connection, house.catalogue.ledger, query, house.case_files.file_key))


def facets(page: str) -> dict[str, dict[str, str]]:
    """Facet, value, count as shown."""
    found: dict[str, dict[str, str]] = {}
    pattern = (
        r'<input type="radio" name="(\w+)"[^>]*value="([^"]+)"[^>]*><span>[^<]*</span><small>([^<]*)</small>'
    )
    for facet, value, count in re.findall(pattern, page):
        found.setdefault(facet, {})[html.unescape(value)] = count
    return found


def hits(page: str) -> list[str]:
    return re.findall(r'id="hit-([^"]+)"', page)


def test_words_inside_a_file_find_it_with_the_hit_marked_and_the_number_masked(administrator, filed):
    shown = administrator.find("道具").text
    assert hits(shown) == [filed[0]]
    assert "<mark>道具</mark>" in shown
    assert "13900139000" not in shown
    assert "139****9000" in shown


def test_every_answered_query_is_recorded_with_its_hits(house: House, administrator, filed):
    administrator.find("道具", fragment=True)
    administrator.find("没有的词", level="一级")
    administrator.get("/find")
    said = [(entry.detail["query"], entry.detail["hits"]) for entry in searches(house)]
    assert said == [("道具", 1), ("没有的词", 0)]
    assert searches(house)[1].detail["level"] == "一级"


def test_the_words_of_a_search_stand_in_no_address(administrator, filed):
    asked = administrator.post("/find", "/find", data={"q": "王小明"})
    assert asked.status_code == 303
    typed = administrator.find("王小明", fragment=True)
    by_hand = administrator.get("/find?q=王小明")
    shown = administrator.get(asked.location).text
    addresses = [asked.location, typed.headers["HX-Replace-Url"], by_hand.location]
    addresses += [html.unescape(each) for each in re.findall(r'(?:href|action|src|hx-\w+)="([^"]+)"', shown)]
    assert hits(shown) == [filed[1], filed[0]]
    assert [each for each in addresses if "王小明" in each or "%E7%8E%8B" in each] == []


def test_the_address_of_a_search_can_be_reloaded_by_who_asked_and_by_nobody_else(
    administrator, visitor, filed
):
    address = administrator.find("道具", fragment=True).headers["HX-Replace-Url"]
    assert 'value="道具"' in administrator.get(address).text
    other = visitor(Role.AUDITOR, "审计部").get(address).text
    assert "道具" not in other


@pytest.mark.parametrize("token", ["x", "AAAA", "%00", "A" * 9000, "道具", "=="])
def test_a_token_that_is_none_asks_for_nothing(administrator, filed, token: str):
    answer = administrator.get(f"/find?found={token}")
    assert answer.status_code == 200
    assert len(hits(answer.text)) == 2


@pytest.mark.parametrize("fragment", [False, True])
@pytest.mark.parametrize(
    "query", ["道" * 501, "道具" * 1500, "\U0002a6df" * 3000, "退 " * 20_000, "\x01" * 5000]
)
def test_a_query_that_is_too_long_is_refused_and_never_answered_with_every_file(
    administrator, filed, query: str, fragment: bool
):
    shown = administrator.find(query, fragment=fragment).text
    assert "最多 500 个字符" in shown
    assert hits(shown) == []


def test_a_filter_that_is_too_long_matches_nothing_and_is_not_forgotten(administrator, filed):
    assert hits(administrator.find(store="店" * 20_000).text) == []
    assert hits(administrator.find("道具", category="\x01" * 9000).text) == []


@given(
    st.fixed_dictionaries({each: st.text(max_size=700) for each in ("q", "store", "status", "year", "page")})
)
@settings(max_examples=50, deadline=None)
def test_whatever_a_form_asks_for_is_what_its_token_says(form: dict[str, str]):
    wanted, asking = Wanted.of(form), Asking(b"k" * 32)
    assert asking.reveal("P0001", asking.hide("P0001", wanted)) == wanted


def test_the_longest_that_can_be_asked_for_fits_into_a_token():
    worst = dict.fromkeys(("q", "year", "level", "category", "store", "status"), "\x01" * 900)
    wanted, asking = Wanted.of(worst), Asking(b"k" * 32)
    assert asking.reveal("P0001", asking.hide("P0001", wanted)) == wanted


def test_a_refused_query_is_said_and_shows_nothing(administrator, filed):
    answer = administrator.find("\x00\x01")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert hits(answer.text) == []


def test_a_query_that_finds_nothing_is_told_what_it_may_have_meant(administrator, filed):
    assert "须用大写" in administrator.find("退费 and 没有的话").text
    assert "不作通配符" in administrator.find("无此~2").text
    assert "须用大写" not in administrator.find("退费 AND 没有的话").text


def test_filters_narrow_what_is_listed(administrator, filed):
    assert hits(administrator.get("/find?level=一级").text) == [filed[0]]
    assert hits(administrator.find(store="太古里店").text) == [filed[1]]
    assert hits(administrator.find(status="void").text) == []
    assert hits(administrator.get("/find?year=2026&category=剧本相关").text) == [filed[0]]
    assert hits(administrator.get("/find?year=twenty").text) == []


def test_facets_count_the_answer_and_nothing_else(house: House, administrator, filed):
    house.voiding.void(CONSOLE, filed[1], "重复登记")
    everything = facets(administrator.get("/find").text)
    assert everything == {
        "year": {"2026": "2"},
        "level": {"一级": "1", "二级": "1"},
        "category": {"剧本相关": "1", "服务相关": "1"},
        "store": {"春熙路店": "1", "太古里店": "1"},
        "status": {"open": "1", "void": "1"},
    }
    by_words = facets(administrator.find("道具").text)
    assert by_words["store"] == {"春熙路店": "1"}
    assert by_words["status"] == {"open": "1"}


def test_a_chosen_facet_without_files_is_still_there_to_be_unchosen(administrator, filed):
    shown = administrator.find("道具", level="三级").text
    assert hits(shown) == []
    assert facets(shown)["level"] == {"三级": "0"}


def test_results_are_ordered_by_date_of_filing_or_by_reference(house: House, administrator, forms):
    for level in ("三级", "二级", "一级", "二级"):
        house.filing.file(CONSOLE, Submission(level, "剧本相关", None, None, forms.voucher()))
    by_reference = hits(administrator.find("道具", sort="reference").text)
    assert [each.split("-", 1)[1] for each in by_reference] == [
        "一级-剧本相关-001",
        "二级-剧本相关-001",
        "二级-剧本相关-002",
        "三级-剧本相关-001",
    ]
    assert set(hits(administrator.find("道具", sort="date").text)) == set(by_reference)
    assert hits(administrator.find("道具", sort="nonsense").text) == hits(administrator.find("道具").text)


def test_the_best_match_comes_first_when_asked_for(house: House, administrator, forms):
    much = forms.voucher(details="道具、道具、道具：道具丢失，道具损坏，道具缺失，顾客不满道具。")
    best = house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, much)).reference
    last = house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, forms.voucher())).reference
    assert hits(administrator.find("道具", sort="relevance").text) == [best, last]
    assert hits(administrator.find("道具", sort="date").text) == [last, best]
    assert hits(administrator.find("", sort="relevance").text) == [last, best]


def test_a_query_of_fields_alone_shows_no_heading_as_if_it_were_a_hit(administrator, filed):
    shown = administrator.find("store:太古里店").text
    assert hits(shown) == [filed[1]]
    assert 'class="snippet"' not in shown


def test_an_order_by_relevance_that_was_cut_short_is_said(house: House, administrator, filed, monkeypatch):
    assert "仅将较新归档的" not in administrator.find("道具", sort="relevance").text
    engine = type(house.index._chosen.engine)
    rank = engine.rank
    monkeypatch.setattr(engine, "rank", lambda *given: replace(rank(*given), partly=True))
    assert "仅将较新归档的" in administrator.find("道具", sort="relevance").text
    assert "仅将较新归档的" not in administrator.find("道具", sort="date").text


def test_pages_of_results_follow_each_other_and_only_the_shown_page_is_cut_from_the_texts(
    house: House, administrator, forms, monkeypatch
):
    for _ in range(PAGE + 2):
        house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, forms.voucher()))
    cut = []
    made = house.index.snippet
    monkeypatch.setattr(type(house.index), "snippet", lambda _, *given: cut.append(1) or made(*given))
    first = hits(administrator.find("道具").text)
    assert (len(first), len(cut)) == (PAGE, PAGE)
    second = hits(administrator.find("道具", page="2").text)
    assert len(second) == 2
    assert len(set(first + second)) == PAGE + 2
    for odd in ("99", "0", "-1", "zwei", "１"):
        assert hits(administrator.find("道具", page=odd).text)


def test_a_fragment_is_only_the_results(administrator, filed):
    answer = administrator.find("雾港", fragment=True)
    assert hits(answer.text) == [filed[1]]
    assert "<html" not in answer.text


def test_a_search_needs_the_token_of_its_form(administrator, filed):
    assert administrator.client.post("/find", data={"q": "道具"}).status_code == 400


# Saved searches


def test_a_saved_search_runs_again_is_recorded_and_can_be_deleted(house: House, administrator, filed):
    address = administrator.find("道具", level="一级", fragment=True).headers["HX-Replace-Url"]
    (token,) = parse_qs(urlsplit(address).query)["found"]
    saved = administrator.post("/find/saved", "/find", data={"found": token, "name": " 道具  投诉 "})
    assert saved.status_code == 303
    page = administrator.get(saved.location).text
    assert "道具 投诉" in page
    (number,) = set(re.findall(r"/find/saved/(\d+)\"", page))
    before = len(searches(house))
    assert hits(administrator.get(f"/find/saved/{number}").text) == [filed[0]]
    assert len(searches(house)) == before + 1
    assert administrator.post(f"/find/saved/{number}/delete", "/find").status_code == 303
    assert administrator.get(f"/find/saved/{number}").status_code == 404


def test_a_saved_search_is_nobody_elses(administrator, visitor, filed):
    administrator.post("/find/saved", "/find", data={"found": "", "name": "我的"})
    (number,) = set(re.findall(r"/find/saved/(\d+)\"", administrator.get("/find").text))
    other = visitor(Role.AUDITOR, "审计部")
    assert "我的" not in other.get("/find").text
    assert other.get(f"/find/saved/{number}").status_code == 404
    other.post(f"/find/saved/{number}/delete", "/find")
    assert administrator.get(f"/find/saved/{number}").status_code == 200


def test_the_words_of_a_saved_search_are_sealed(house: House, administrator, settings):
    address = administrator.find("隐秘词语", fragment=True).headers["HX-Replace-Url"]
    (token,) = parse_qs(urlsplit(address).query)["found"]
    administrator.post("/find/saved", "/find", data={"found": token, "name": "名称"})
    with house.catalogue.reading() as connection:
        kept = connection.execute(sa.text("SELECT * FROM saved_search")).one()
    assert "隐秘词语".encode() not in b"".join(each for each in kept if isinstance(each, bytes))
    assert "名称".encode() not in b"".join(each for each in kept if isinstance(each, bytes))


@pytest.mark.parametrize("name", ["", "   ", "长" * 61, "换\x07铃"])
def test_a_saved_search_needs_a_name(administrator, name: str):
    answer = administrator.post("/find/saved", "/find", data={"found": "", "name": name})
    assert answer.status_code == 422


def test_saved_searches_are_not_without_number(house: House, administrator):
    from archive.errors import Code, MunimentError
    from archive.ledger.entries import Actor

    for number in range(50):
        house.saved_searches.save(Actor("P0001"), f"{number}", {"q": "x"})
    house.saved_searches.save(Actor("P0001"), "7", {"q": "y"})  # the same name again
    with pytest.raises(MunimentError) as refused:
        house.saved_searches.save(Actor("P0001"), "50", {"q": "x"})
    assert refused.value.code is Code.SEARCHES_TOO_MANY


def test_the_other_language_shows_the_same_search_although_no_word_of_it_stands_in_an_address(
    administrator, filed
):
    fragment = administrator.find("道具", fragment=True).text
    link = re.search(r'<a class="tool" id="other-language" href="([^"]+)"[^>]* hx-swap-oob="true">', fragment)
    address = html.unescape(link[1])
    assert "道具" not in unquote(address)
    answer = administrator.get(address)
    assert answer.status_code == 303
    page = administrator.get(answer.location).text
    assert '<html lang="en">' in page
    assert 'value="道具"' in page
    assert hits(page) == [filed[0]]


def test_an_order_by_code_that_is_not_of_all_says_so(administrator, filed, monkeypatch):
    shown = administrator.find("投诉", sort="reference").text
    assert len(hits(shown)) == 2
    assert "按所选方式排列" not in shown
    monkeypatch.setattr(searching, "MOST_SORTED", 1)
    shown = administrator.find("投诉", sort="reference").text
    assert hits(shown) == [filed[1]]
    assert "仅将较新归档的按所选方式排列" in shown
