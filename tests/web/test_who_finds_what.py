"""Who sees what (P14): hits, counts, facets, snippets and pages tell nothing of files that one may not know of."""

import io
import re
from contextlib import contextmanager

import pikepdf
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, String

from access.person import Role
from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.errors import Code, MunimentError
from archive.ledger.entries import CONSOLE
from web.wiring import House

OWN, OTHER = "春熙路店", "太古里店"


def file(house: House, forms, department: str, level: str = "一级", **changed: object) -> str:
    receiver = {"name": "李莉", "department": department, "contact": "028-88886666"}
    voucher = forms.voucher(store=department, receiver=receiver, **changed)
    return house.filing.file(CONSOLE, Submission(level, "剧本相关", None, None, voucher)).reference


def hits(page: str) -> list[str]:
    return re.findall(r'id="hit-([^"]+)"', page)


@pytest.fixture
def shared(house: House, forms) -> dict[str, str]:
    return {
        "own": file(house, forms, OWN),
        "second": file(house, forms, OWN, details="店员态度冷淡，顾客要求道歉并说明原因。"),
        "foreign": file(house, forms, OTHER, script="雾港", details="隐秘事件：空调漏水，道具损坏。"),
    }


@pytest.fixture
def granted(visitor, shared):
    """An employee to whom the file ``own`` was provided."""

    def provide(reference: str):
        employee = visitor(Role.EMPLOYEE, OWN)
        page = employee.get(f"/requests/new?reference={reference}").text
        answer = employee.post(
            "/requests/new",
            data={
                "references": reference,
                "purpose": "complaint-handling",
                "reason": "顾客来电",
                "starts_on": re.search(r'name="starts_on" required value="([^"]+)"', page)[1],
                "ends_on": re.search(r'name="ends_on"[^>]*value="([^"]+)"', page)[1],
            },
        )
        number = answer.location.rsplit("/", 1)[1]
        assert visitor(Role.HEAD, OWN).post(f"/requests/{number}/approve").status_code == 303
        administrator = visitor(Role.ADMINISTRATOR, "客服部")
        assert administrator.post(f"/requests/{number}/provide").status_code == 303
        return employee, number

    return provide


@pytest.fixture
def employee(visitor):
    return visitor(Role.EMPLOYEE, OWN)


def test_initials_find_only_what_one_may_know_of(visitor, shared):
    everywhere, own = visitor(Role.ADMINISTRATOR, "客服部"), visitor(Role.EMPLOYEE, OWN)
    assert set(hits(everywhere.find("store:cxl").text)) == {shared["own"], shared["second"]}
    assert hits(everywhere.find("剧本:wg").text) == [shared["foreign"]]
    assert set(hits(own.find("门店:cxld").text)) == {shared["own"], shared["second"]}
    assert hits(own.find("store:tgl").text) == []
    assert hits(own.find("script:wg").text) == []


def test_an_employee_finds_by_facts_and_sees_no_words_of_a_file(visitor, shared):
    browser = visitor(Role.EMPLOYEE, OWN)
    by_script = browser.find("长安").text
    assert set(hits(by_script)) == {shared["own"], shared["second"]}
    assert "snippet" not in by_script
    assert hits(browser.find("道具").text) == []


def test_an_employee_finds_the_words_of_a_file_provided_to_them_and_of_no_other(visitor, shared, granted):
    employee, number = granted(shared["own"])
    shown = employee.find("道具").text
    assert hits(shown) == [shared["own"]]
    assert "<mark>道具</mark>" in shown
    assert hits(employee.find("态度冷淡").text) == []
    both = employee.find("长安").text  # the facts of both, the words of one
    assert set(hits(both)) == {shared["own"], shared["second"]}
    employee.post(f"/requests/{number}/sign-off", data={"reason": ""})
    assert hits(employee.find("道具").text) == []


def test_words_are_answered_at_even_times_to_who_may_not_search_all(monkeypatch, visitor, shared, granted):
    paces = []

    @contextmanager
    def paced():
        yield
        paces.append("paced")

    monkeypatch.setattr("web.searching.paced", paced)
    employee, _ = granted(shared["own"])
    for word in ("道具", "空调漏水", "无处可寻"):  # in the own file too, in another's alone, nowhere
        employee.find(word)
    assert paces == ["paced"] * 3
    visitor(Role.ADMINISTRATOR, "客服部").find("道具")
    assert len(paces) == 3


def test_what_is_granted_is_what_each_file_says_of_itself(house: House, visitor, shared, granted, clock):
    _, number = granted(shared["own"])
    person = house.people.by_name(f"{Role.EMPLOYEE.say('zh')}·{OWN}")
    assert person is not None
    files = {name: house.case_files.get(reference) for name, reference in shared.items()}

    def agreed() -> bool:
        one_by_one = {each.id for each in files.values() if house.viewing.grant(person, each)}
        return house.viewing.granted(person) == one_by_one

    assert house.viewing.granted(person) == {files["own"].id}
    assert agreed()
    with house.catalogue.housekeeping() as connection:  # a state without an approval is no grant
        connection.execute(sa.text("UPDATE approval SET approver = NULL WHERE request = :n"), {"n": number})
    assert house.viewing.granted(person) == frozenset()
    assert agreed()


def test_a_grant_that_ran_out_finds_no_words(visitor, shared, granted, clock):
    granted(shared["own"])
    clock.wait(days=60)
    assert hits(visitor(Role.EMPLOYEE, OWN).find("道具").text) == []


def test_fields_are_asked_by_everybody_of_the_files_they_may_know_of(employee, visitor, shared):
    assert set(hits(employee.find("级别:一级").text)) == {shared["own"], shared["second"]}
    assert hits(employee.find("门店:太古里店").text) == []
    assert hits(employee.find("NOT 门店:春熙路店").text) == []
    assert hits(visitor(Role.AUDITOR, "审计部").find("门店:太古里店").text) == [shared["foreign"]]


def test_only_pictures_of_files_that_one_may_read_are_counted(house: House, forms, granted, visitor):
    def pictured(department: str) -> str:
        receiver = {"name": "李莉", "department": department, "contact": "028-88886666"}
        voucher = forms.voucher(store=department, receiver=receiver)
        photos = tuple(Source(f"{n}.jpg", io.BytesIO(forms.photo())) for n in range(2))
        submission = Submission("一级", "剧本相关", None, None, voucher, photos)
        return house.filing.file(CONSOLE, submission).reference

    mine, *_ = pictured(OWN), pictured(OWN), pictured(OTHER)
    house.recognition.follow()
    employee, number = granted(mine)
    assert "2 份文件含尚未识别的图片" in employee.get("/find").text
    employee.post(f"/requests/{number}/sign-off", data={"reason": ""})
    assert "尚未识别" not in employee.get("/find").text
    assert "6 份文件含尚未识别的图片" in visitor(Role.AUDITOR, "审计部").get("/find").text


def test_a_broken_index_takes_nothing_from_an_employee(house: House, shared, granted, monkeypatch):
    employee, _ = granted(shared["own"])

    def broken(*_: object) -> None:
        raise MunimentError(Code.INDEX_UNAVAILABLE)

    monkeypatch.setattr(type(house.index), "search", broken)
    assert set(hits(employee.find("长安").text)) == {shared["own"], shared["second"]}
    assert hits(employee.find("道具").text) == [shared["own"]]


def test_no_masked_number_can_be_asked_for_digit_by_digit(house: House, forms, granted, visitor):
    details = "请致电 13818226165，身份证 510104199001011234，邮箱 zhang.san@example.com。"
    reference = file(house, forms, OWN, details=details)
    employee, _ = granted(reference)
    told, known = [], "138"
    while len(known) < 11:
        for digit in "0123456789":
            asked = known + digit
            shown = employee.find(asked).text, employee.find(f"NOT {asked}").text
            if hits(shown[0]) or not hits(shown[1]):
                told.append(asked)
        known += "13818226165"[len(known)]
    for asked in ("51010419900", "zhang", '"zhang san"', "道具 OR 1381"):
        told += [asked for each in hits(employee.find(asked).text) if each == reference]
    assert told == []
    shown = employee.find("138").text  # as it is written on the page
    assert hits(shown) == [reference]
    assert "<mark>138</mark>****" in shown
    assert hits(visitor(Role.ADMINISTRATOR, "客服部").find("1381822").text) == [reference]


@pytest.fixture
def stores(house: House, forms) -> dict[str, str]:
    """Files of one department, none of them granted to anybody."""
    receiver = {"name": "李莉", "department": OWN, "contact": "028-88886666"}

    def kept(level: str, store: str) -> str:
        voucher = forms.voucher(store=store, receiver=receiver, details="静安的道具损坏。")
        return house.filing.file(CONSOLE, Submission(level, "剧本相关", None, None, voucher)).reference

    given = {"朝阳": ("一级", "朝阳门店"), "静安": ("二级", "静安大悦城"), "full": ("一级", "Ａ１旗舰店")}
    return {name: kept(*each) for name, each in given.items()}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("朝阳", ["朝阳"]),
        ("朝陽", ["朝阳"]),
        ("A1", ["full"]),
        ("a1旗舰", ["full"]),
        ('"朝阳"', ["朝阳"]),
        ("朝阳 OR 静安", ["朝阳", "静安"]),
        ("朝阳 AND 静安", []),
        ("NOT 朝阳", ["full", "静安"]),
        ("level:一级 朝阳", ["朝阳"]),
        ("level:二级 朝阳", []),
        ("(朝阳 OR level:二级) NOT 大悦城", ["朝阳"]),
        ("２０２６－一级", ["full", "朝阳"]),
        ("2026-一级 旗舰", ["full"]),
        (OWN, ["full", "朝阳", "静安"]),
        ("门店:cymd", ["朝阳"]),
        ("剧本相关-002", ["full"]),
        ("道具", []),
    ],
)
def test_the_catalogue_is_asked_in_the_same_language_as_the_words(employee, stores, query: str, found):
    shown = employee.find(query).text
    assert sorted(hits(shown)) == sorted(stores[each] for each in found)
    if found:
        assert f"找到 {len(found)} 份档案" in shown


def test_what_is_wrong_with_a_query_of_the_catalogue_is_said(employee, stores):
    for wrong in ("(朝阳", "level:九级 朝阳", "朝阳 OR"):
        shown = employee.find(wrong).text
        assert 'role="alert"' in shown
        assert hits(shown) == []


def test_administrators_and_auditors_find_the_words_of_every_file(visitor, shared):
    for role, department in ((Role.ADMINISTRATOR, "客服部"), (Role.AUDITOR, "审计部")):
        assert hits(visitor(role, department).find("隐秘事件").text) == [shared["foreign"]]


def test_an_employee_of_another_department_finds_nothing(visitor, shared):
    browser = visitor(Role.EMPLOYEE, "财务部")
    assert hits(browser.find(shared["own"]).text) == []
    assert browser.get(f"/files/{shared['own']}").status_code == 404


@pytest.mark.parametrize("role", [Role.EMPLOYEE, Role.HEAD, Role.REGISTRAR])
def test_the_answer_is_the_same_whether_an_unknown_file_is_there_or_not(
    house: House, forms, visitor, role: Role
):
    """Byte by byte, tokens aside: hits, counts, facets, pages."""
    file(house, forms, OWN)
    browser = visitor(role, OWN)

    def answers() -> list[str]:
        words = ("", "雾港", "隐秘事件", "太古里", "道具", "2026", "长安", "没有的词")
        asked = [(each, {}) for each in words] + [("道具", {"level": "三级"}), ("", {"year": "2026"})]
        pages = [browser.find(each, **chosen).text for each, chosen in asked]
        return [re.sub(r"[\w.\-]{40,}", "…", each) for each in pages]

    before = answers()
    for level in ("一级", "三级"):
        file(house, forms, OTHER, level, script="雾港", details="隐秘事件：空调漏水，道具损坏。")
    assert answers() == before


def test_a_snippet_is_for_those_who_may_read_and_a_link_to_the_page_too(visitor, shared, granted):
    employee, _ = granted(shared["own"])
    shown = employee.find("长安").text
    own, second = re.split(r'id="hit-', shown)[1:]
    if own.startswith(shared["second"]):
        own, second = second, own
    assert "/read?" in own
    assert "/read?" not in second
    assert 'class="snippet"' not in second


def noted(note: str, *texts: str) -> bytes:
    """A PDF with a page for each text and a closed note on the first."""
    pdf = pikepdf.new()
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    for text in texts:
        page = pdf.add_blank_page(page_size=(595, 842)).obj
        page.Resources = Dictionary(Font=Dictionary(F1=font))
        page.Contents = pdf.make_stream(f"BT /F1 24 Tf 60 700 Td ({text}) Tj ET".encode())
    pin = Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=Array([9, 9, 30, 30]), Contents=String(note))
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(pin)])
    written = io.BytesIO()
    pdf.save(written)
    return written.getvalue()


def test_the_words_of_a_closed_note_are_found_with_their_page_and_masked_for_readers(
    house, visitor, shared, granted, forms
):
    evidence = noted("店长私下承诺 13912345678", "call 139 0001", "2222 now")
    receiver = {"name": "李莉", "department": OWN, "contact": "028-88886666"}
    voucher = forms.voucher(store=OWN, receiver=receiver)
    sources = (Source("便签.pdf", io.BytesIO(evidence)),)
    reference = house.filing.file(
        CONSOLE, Submission("一级", "剧本相关", None, None, voucher, sources)
    ).reference
    administrator = visitor(Role.ADMINISTRATOR, "客服部")
    told = administrator.find("私下承诺").text
    assert hits(told) == [reference]
    assert "page=3" in told
    assert "139****5678" in told
    assert hits(administrator.find("13912345678").text) == [reference]
    reader, _ = granted(reference)
    assert hits(reader.find("私下承诺").text) == [reference]
    for number in ("13912345678", "139 0001", "0001", "13900012222"):
        assert hits(reader.find(f'"{number}"').text) == []
    assert hits(reader.find("now").text) == [reference]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_words_and_no_filter_show_an_employee_a_foreign_file(employee, shared, data: st.DataObject):
    words = data.draw(st.text(alphabet="道具雾港隐秘事件2026-一级%_'\"*() ", max_size=12))
    level = data.draw(st.sampled_from(["", "一级", "三级"]))
    shown = employee.find(words, level=level).text
    assert shared["foreign"] not in hits(shown)
    assert "太古里店" not in re.sub(r'<input[^>]*name="q"[^>]*>', "", shown)
