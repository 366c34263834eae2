"""Pages that are pictures: said to be unread, then masked and marked; and how far the reading is."""

import io
import re

import pytest
from PIL import Image

from access.person import Role
from archive.casefile import tables
from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.errors import Code, MunimentError
from archive.evidence.recognised import SCALE, Line, RecognisedPage
from archive.evidence.transcribing import INSTALL
from archive.ledger.entries import CONSOLE
from web.wiring import House


class Reader:
    """Reads the same two lines in every picture: a word above, a number below."""

    fault: MunimentError | None = None

    def recognise(self, pdf, password, number):
        if self.fault:
            raise self.fault
        return RecognisedPage((line("道具损坏", 1000), line("13800138000", 5000)))


def line(text: str, top: int) -> Line:
    step = SCALE // 20
    places = tuple((step * at, top, step * (at + 1), top + 1500) for at in range(len(text)))
    return Line(text, 0.99, places)


@pytest.fixture
def reader(house: House, monkeypatch) -> Reader:
    made = Reader()
    monkeypatch.setattr(house.recognition, "_recogniser", made)
    monkeypatch.setattr(house.recognition, "available", True)
    return made


@pytest.fixture
def reference(house: House, forms) -> str:
    source = Source("截图.png", io.BytesIO(screenshot()))
    submission = Submission("一级", "剧本相关", None, None, forms.voucher(), (source,))
    return house.filing.file(CONSOLE, submission).reference


def screenshot() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (800, 400), "white").save(written, "PNG")
    return written.getvalue()


@pytest.fixture
def administrator(visitor):
    return visitor(Role.ADMINISTRATOR, "客服部")


def colours(picture: bytes, x: float, y: float) -> tuple[int, int, int]:
    drawn = Image.open(io.BytesIO(picture)).convert("RGB")
    return drawn.getpixel((round(x * drawn.width), round(y * drawn.height)))


def test_a_picture_that_was_not_read_is_said_to_be_so_and_goes_first(
    house: House, administrator, reference, reader
):
    for address in (f"/files/{reference}/read?document=1", f"/files/{reference}/read?document=1&page=1"):
        assert "没有遮盖" in administrator.get(address).text
    assert "没有遮盖" not in administrator.get(f"/files/{reference}/read").text
    assert "1 页图片尚未识别" in administrator.get(f"/files/{reference}").text
    house.recognition.run()
    assert "没有遮盖" not in administrator.get(f"/files/{reference}/read?document=1").text
    assert "尚未识别" not in administrator.get(f"/files/{reference}").text


def test_a_number_in_a_picture_is_painted_over_once_it_was_read(
    house: House, administrator, reference, reader
):
    address = f"/files/{reference}/pages/1/1.jpg?width=800"
    assert min(colours(administrator.get(address).data, 5.5 / 20, 0.575)) > 150
    house.recognition.run()
    assert max(colours(administrator.get(address).data, 5.5 / 20, 0.575)) < 100


def test_a_result_leads_to_the_page_with_the_words_marked_on_it(
    house: House, administrator, reference, reader
):
    house.recognition.run()
    shown = administrator.find("道具损坏").text
    (link,) = set(re.findall(r'class="to-page" href="([^"]+)"', shown))
    page = administrator.get(link.replace("&amp;", "&"))
    assert "标出：道具损坏" in page.text
    assert "1 / 1 处" in page.text
    (picture,) = re.findall(r'<img src="([^"]+)"', page.text)
    red, _, blue = colours(administrator.get(picture.replace("&amp;", "&")).data, 1.5 / 20, 0.19)
    assert red > 200
    assert blue < 190
    plain = colours(administrator.get(f"/files/{reference}/pages/1/1.jpg?width=1200").data, 1.5 / 20, 0.19)
    assert min(plain) > 200


def test_a_masked_number_that_was_looked_for_is_neither_marked_nor_trailed(
    house: House, administrator, reference, reader
):
    house.recognition.run()
    shown = administrator.find("13800138000").text
    assert reference in shown  # it is found, since it stands there
    address = administrator.find("13800138000", fragment=True).headers["HX-Replace-Url"]
    token = address.split("found=")[1]
    read = administrator.get(f"/files/{reference}/read?document=1&page=1&found={token}").text
    assert "标出" not in read
    picture = administrator.get(f"/files/{reference}/pages/1/1.jpg?width=800&found={token}").data
    assert max(colours(picture, 5.5 / 20, 0.575)) < 100


def test_marks_are_those_of_who_asked(house: House, administrator, visitor, reference, reader):
    house.recognition.run()
    token = administrator.find("道具损坏", fragment=True).headers["HX-Replace-Url"].split("found=")[1]
    auditor = visitor(Role.AUDITOR, "审计部")
    assert "标出" not in auditor.get(f"/files/{reference}/read?document=1&page=1&found={token}").text


def test_the_overview_tells_progress_and_what_could_not_be_read(
    house: House, administrator, reference, reader, clock
):
    assert "0 / 1 份文件" in administrator.get("/pictures").text
    reader.fault = MunimentError(Code.CONVERSION_TIMEOUT, name="1", seconds=300)
    for _ in range(3):
        house.recognition.step()
        clock.wait(minutes=6)
    shown = administrator.get("/pictures").text
    assert reference in shown
    assert "conversion-timeout" not in shown  # in words
    reader.fault = None
    assert administrator.post("/pictures/retry").status_code == 303
    house.recognition.run()
    assert "1 / 1 份文件" in administrator.get("/pictures").text


def test_without_the_extra_it_is_said_what_to_install(house: House, administrator, reference, monkeypatch):
    monkeypatch.setattr(house.recognition, "available", False)
    for address in ("/pictures", f"/files/{reference}"):
        assert INSTALL.replace("'", "&#39;") in administrator.get(address).text


def test_who_searches_is_told_once_how_many_documents_cannot_be_searched_and_what_to_install(
    house: House, administrator, visitor, reference, reader, monkeypatch
):
    install = INSTALL.replace("'", "&#39;")
    house.recognition.follow()
    monkeypatch.setattr(house.recognition, "available", False)
    for shown in (administrator.get("/find").text, administrator.find("道具").text):
        assert shown.count("1 份文件含尚未识别的图片") == shown.count(install) == 1
    for role, department in (
        (Role.EMPLOYEE, "春熙路店"),
        (Role.MANAGEMENT, "总经办"),
    ):  # they may read none of them
        shown = visitor(role, department).find("道具").text
        assert "尚未识别" not in shown
        assert install not in shown
        assert "尚未识别" not in visitor(role, department).get(f"/files/{reference}").text
    monkeypatch.setattr(house.recognition, "available", True)
    shown = administrator.get("/find").text
    assert "1 份文件含尚未识别的图片" in shown
    assert install not in shown
    house.recognition.run()
    assert "尚未识别" not in administrator.get("/find").text


def test_whoever_may_read_a_file_is_told_on_its_page_what_cannot_be_searched(
    house: House, visitor, reference, monkeypatch
):
    monkeypatch.setattr(house.recognition, "available", False)
    shown = visitor(Role.AUDITOR, "审计部").get(f"/files/{reference}").text
    assert "1 页图片尚未识别" in shown
    assert INSTALL.replace("'", "&#39;") in shown


@pytest.mark.parametrize(
    ("noted", "told"), [({}, True), ({"wordless": None}, False)], ids=["today", "before"]
)
def test_a_damaged_text_keeps_nobody_from_the_page_of_its_file(
    house: House, visitor, reference, noted: dict[str, None], *, told: bool
):
    """Which pages are pictures is noted beside it, but not of what was filed before that was done."""
    with house.catalogue.housekeeping() as connection:
        connection.execute(tables.document.update().values(text=b"x" * 40, **noted))
    answer = visitor(Role.AUDITOR, "审计部").get(f"/files/{reference}")
    assert answer.status_code == 200
    assert ("尚未识别" in answer.text) is told


def test_the_overview_is_the_administrators(visitor):
    for role in (Role.EMPLOYEE, Role.HEAD, Role.AUDITOR, Role.SYSTEM):
        assert visitor(role).get("/pictures").status_code == 403


def test_beyond_the_last_page_of_a_document_the_next_one_begins(administrator, reference):
    page = administrator.get(f"/files/{reference}/read").text
    assert re.search(r'rel="next" href="[^"]*document=1&amp;page=1[^"]*">材料 1', page)
    assert 'rel="prev"' not in page
    last = administrator.get(f"/files/{reference}/read?document=1").text
    assert re.search(r'rel="prev" href="[^"]*document=0&amp;page=1[^"]*" aria-label="上一份文件"', last)
    assert 'rel="next"' not in last


def test_the_progress_asks_again_only_while_something_waits_and_not_for_ever(
    house: House, administrator, reader, reference
):
    house.recognition.follow()
    assert "looks=99" in administrator.get("/pictures").text
    assert "looks=4" in administrator.get("/pictures/progress?looks=5").text
    assert "looks=99" in administrator.get("/pictures/progress?looks=5000").text
    assert "hx-get" not in administrator.get("/pictures/progress?looks=0").text
    house.recognition.run()
    assert "hx-get" not in administrator.get("/pictures/progress?looks=5").text
