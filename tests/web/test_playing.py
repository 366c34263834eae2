"""Playing recordings in the browser: bytes by ranges, to those who may, one entry an opening, before the first byte."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.person import Role
from archive.casefile.filing import Submission
from archive.casefile.reference import Reference
from archive.casefile.sources import Source
from archive.errors import MunimentError
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import entries
from archive.vault.local import LocalVault
from tests.conftest import QUICK
from tests.recordings import film, needs_ffmpeg, sound
from tests.vouchers import voucher
from web.pages import recordings
from web.wiring import House, init, opened

SMALL = 60 << 10  # bytes that ride in the PDF: the sound does, the film does not
pytestmark = needs_ffmpeg


@pytest.fixture
def house(settings, clock) -> Iterator[House]:
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK, attached=SMALL) as built:
        yield built


@pytest.fixture
def reference(house: House) -> str:
    """A file with a film beside its cover, a sound inside its PDF, and a voice message that no browser plays."""
    given = (("现场.mp4", film()), ("电话.mp3", sound()), ("微信.silk", b"\x02#!SILK_V3" + bytes(200)))
    sources = tuple(Source(name, io.BytesIO(content)) for name, content in given)
    filed = house.filing.file(
        CONSOLE, Submission("一级", "剧本相关", date(2026, 3, 1), None, voucher(), sources)
    )
    documents = house.case_files.documents(house.case_files.get(filed.reference))
    assert [each.stream is not None for each in documents] == [False, True, False, False]
    return filed.reference


def place(reference: str, ordinal: int = 1, opening: str = "one") -> str:
    return f"/files/{reference}/recordings/{ordinal}?opening={opening}"


def hear(reader, address: str, **headers: str):
    """The answer with all of its bytes, and closed, as a server leaves it."""
    answer = reader.get(address, **headers)
    answer.get_data()
    answer.close()
    return answer


def looks(house: House, act: Act = Act.VIEWED) -> list[tuple[object, object]]:
    """Document and page of each entry."""
    query = tables.entry.select().with_only_columns(tables.entry.c.position)
    query = query.where(tables.entry.c.act == act.value).order_by(tables.entry.c.position)
    with house.catalogue.reading() as connection:
        found = entries(connection, house.catalogue.ledger, query, house.case_files.file_key)
        return [(each.detail["document"], each.detail["page"]) for each in found]


@pytest.mark.parametrize(("ordinal", "kind", "made"), [(1, "video/mp4", film), (2, "audio/mpeg", sound)])
def test_a_recording_is_given_whole_or_by_ranges(house: House, reference: str, visitor, ordinal, kind, made):
    reader, content = visitor(Role.ADMINISTRATOR), made()
    whole = hear(reader, place(reference, ordinal))
    assert (whole.status_code, whole.data, whole.content_type) == (200, content, kind)
    assert whole.headers["Cache-Control"] == "no-store, private"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "media-src 'self'" in whole.headers["Content-Security-Policy"]
    size, tag = len(content), whole.headers["ETag"]
    for asked, start, stop in (
        ("bytes=0-", 0, size),
        ("bytes=0-0", 0, 1),
        ("bytes=100-299", 100, 300),
        ("bytes=-50", size - 50, size),
        (f"bytes={size - 1}-{size + 99}", size - 1, size),
    ):
        part = hear(reader, place(reference, ordinal), Range=asked)
        assert (part.status_code, part.data) == (206, content[start:stop])
        assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
        assert part.headers["Content-Length"] == str(stop - start)
    beyond = hear(reader, place(reference, ordinal), Range=f"bytes={size}-")
    assert (beyond.status_code, beyond.data) == (416, b"")
    assert beyond.headers["Content-Range"] == f"bytes */{size}"
    for ignored in ({"Range": "bytes=0-1,5-6"}, {"Range": "pages=1-2"}, {"Range": "x"}):
        assert hear(reader, place(reference, ordinal), **ignored).status_code == 200
    assert (
        hear(reader, place(reference, ordinal), **{"Range": "bytes=5-9", "If-Range": tag}).status_code == 206
    )
    assert (
        hear(reader, place(reference, ordinal), **{"Range": "bytes=5-9", "If-Range": '"x"'}).status_code
        == 200
    )
    head = reader.client.head(place(reference, ordinal), buffered=True)
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(size))
    assert looks(house) == [(ordinal, 0)]  # all of it was one opening


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(start=st.integers(0, 200_000), count=st.integers(1, 200_000), most=st.integers(1, 100_000))
def test_any_range_is_a_slice_of_the_film_and_never_longer_than_one_answer_may_be(
    house: House, reference: str, visitor, start: int, count: int, most: int
):
    content, reader = film(), visitor(Role.ADMINISTRATOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordings, "MOST_AT_ONCE", most)
        answer = hear(reader, place(reference), Range=f"bytes={start}-{start + count - 1}")
    if start >= len(content):
        assert answer.status_code == 416
    else:
        wanted = content[start : start + min(count, most)]
        assert (answer.status_code, answer.data) == (206, wanted)
        stop = start + len(wanted)
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(content)}"


def test_each_opening_is_an_entry_that_comes_before_the_first_byte(
    house: House, reference: str, visitor, clock, monkeypatch: pytest.MonkeyPatch
):
    reader, seen = visitor(Role.AUDITOR), []
    pieces = recordings._pieces
    monkeypatch.setattr(recordings, "_pieces", lambda *given: seen.append(looks(house)) or pieces(*given))
    for opening in ("one", "one", "two", "one", "two"):
        assert hear(reader, place(reference, opening=opening), Range="bytes=0-9").status_code == 206
    assert [len(each) for each in seen] == [1, 1, 2, 2, 2]
    clock.wait(hours=3)
    hear(visitor(Role.AUDITOR), place(reference), Range="bytes=0-9")
    assert len(looks(house)) == 3  # an old mark is no opening any more
    hear(visitor(Role.ADMINISTRATOR), place(reference), Range="bytes=0-9")
    assert len(looks(house)) == 4  # nor is somebody else's
    hear(visitor(Role.ADMINISTRATOR), place(reference, 2), Range="bytes=0-9")
    assert looks(house)[-1] == (2, 0)


def test_without_a_mark_each_request_is_an_opening(house: House, reference: str, visitor):
    reader = visitor(Role.AUDITOR)
    for address in (place(reference, opening=""), f"/files/{reference}/recordings/1") * 2:
        assert hear(reader, address, Range="bytes=0-9").status_code == 206
    assert looks(house) == [(1, 0)] * 4


def test_whoever_may_read_the_pages_by_a_request_may_not_hear_what_cannot_be_masked(
    house: House, reference: str, visitor
):
    reader = visitor(Role.EMPLOYEE)
    me = house.people.by_name(f"{Role.EMPLOYEE.say('zh')}·春熙路店")
    today = date(2026, 11, 24)
    made = house.requests.make(me, [reference], "training", "x", today, today)
    house.people.add(CONSOLE, "头", Role.HEAD, "春熙路店", "correct-horse-battery")
    house.requests.approve(house.people.by_name("头"), made.number)
    visitor(Role.ADMINISTRATOR, "客服部", "管理员")
    house.requests.provide(house.people.by_name("管理员"), made.number)
    page = reader.get(f"/files/{reference}/read?document=1")
    assert page.status_code == 200
    assert "<video" not in page.text
    assert "无法遮盖" in page.text
    assert reader.get(f"/files/{reference}/pages/1/1.jpg").status_code == 200
    for ordinal in (1, 2):
        refused = hear(reader, place(reference, ordinal), Range="bytes=0-9")
        assert refused.status_code == 403
    assert looks(house, Act.VIEW_REFUSED) == [(1, 0), (2, 0)]


@pytest.mark.parametrize(
    ("role", "department", "status"),
    [
        (Role.EMPLOYEE, "财务部", 404),
        (Role.EMPLOYEE, "春熙路店", 403),
        (Role.REGISTRAR, "财务部", 404),
        (Role.MANAGEMENT, "总部", 403),
        (Role.SYSTEM, "总部", 403),
    ],
)
def test_who_may_not_see_a_page_hears_nothing_either(
    house: House, reference: str, visitor, role, department, status
):
    assert hear(visitor(role, department), place(reference), Range="bytes=0-9").status_code == status
    assert looks(house) == []


def test_what_is_no_recording_is_not_there(house: House, reference: str, visitor):
    reader = visitor(Role.ADMINISTRATOR)
    for ordinal in (0, 4, 99):
        assert hear(reader, place(reference, ordinal)).status_code == 404


def test_the_page_holds_the_player_of_the_browser_and_says_that_playing_is_recorded(
    house: House, reference: str, visitor
):
    reader = visitor(Role.ADMINISTRATOR)
    marks = set()
    for _ in range(2):
        shown = reader.get(f"/files/{reference}/read?document=1").text
        video = re.search(r"<video[^>]*>", shown)[0]
        assert 'preload="none"' in video
        assert "/pages/1/1.jpg" in re.search(r'poster="([^"]*)"', video)[1]
        marks.add(re.search(r"opening=([^\"&]+)", video)[1])
        assert "点击播放即留下查阅记录" in shown
    assert len(marks) == 2
    assert "<audio" in reader.get(f"/files/{reference}/read?document=2").text
    shown = reader.get(f"/files/{reference}/read?document=3").text
    assert "浏览器不能播放" in shown
    assert "<audio" not in shown
    assert "<audio" not in reader.get(f"/files/{reference}/read?document=0").text
    assert (1, 0) not in looks(house)  # opening the page is not playing it


@pytest.fixture
def damaged(house: House) -> tuple[str, bytes]:
    """Of four pieces of 1 MiB the third is damaged."""
    padded = film() + (3 << 20).to_bytes(4) + b"free" + bytes((3 << 20) - 8)
    sources = (Source("x.mp4", io.BytesIO(padded)),)
    filed = house.filing.file(
        CONSOLE, Submission("一级", "剧本相关", None, None, voucher(), sources)
    ).reference
    root = house.founded.vault.now.root
    path = root / Reference.parse(filed).folder / "v1" / "content" / f"{filed}-01.sealed"
    content = bytearray(path.read_bytes())
    content[5 << 19] ^= 1
    path.write_bytes(content)
    return filed, padded


def test_damage_further_on_is_said_before_anything_is_given(
    house: House, damaged: tuple[str, bytes], visitor
):
    answer = hear(visitor(Role.ADMINISTRATOR), place(damaged[0]), Range="bytes=0-99")
    assert (answer.status_code, damaged[1][:100] in answer.data) == (500, False)
    assert looks(house) == []


def test_where_a_service_has_it_damage_further_on_cuts_the_line_there(
    house: House, damaged: tuple[str, bytes], visitor, monkeypatch: pytest.MonkeyPatch
):
    """What comes before it was proved and is given."""
    monkeypatch.setattr(LocalVault, "stamp", lambda *_: None)
    (filed, padded), reader = damaged, visitor(Role.ADMINISTRATOR)
    assert hear(reader, place(filed), Range="bytes=0-99").data == padded[:100]
    assert hear(reader, place(filed), Range=f"bytes={len(padded) - 9}-").data == padded[-9:]
    answer, given = reader.get(place(filed), Range="bytes=0-"), b""
    with pytest.raises(MunimentError):  # noqa: PT012 - until it is met
        for piece in answer.iter_encoded():
            given += piece
    answer.close()
    assert given == padded[: 2 << 20]


def test_damage_is_said_before_anything_is_given(house: House, reference: str, visitor):
    root, reader = house.founded.vault.now.root, visitor(Role.ADMINISTRATOR)
    path = root / Reference.parse(reference).folder / "v1" / "content" / f"{reference}-01.sealed"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    answer = hear(reader, place(reference), Range="bytes=0-9")
    assert answer.status_code == 500
    assert f"{reference}-01" in answer.text
    with house.catalogue.reading() as connection:
        acts = connection.execute(tables.entry.select().order_by(tables.entry.c.position)).all()
    assert Act.DAMAGE_FOUND in [each.act for each in acts]


def test_the_register_of_look_ups_and_the_ledger_name_it(house: House, reference: str, visitor):
    reader = visitor(Role.ADMINISTRATOR)
    hear(reader, place(reference), Range="bytes=0-9")
    assert re.search(r"材料 1：录音录像", reader.get("/lookups").text)
    assert "材料 1 · 录音录像" in visitor(Role.AUDITOR, "内审部").get("/ledger").text


def test_the_size_of_a_file_is_that_of_its_recording_too(house: House, reference: str, visitor):
    house_page = visitor(Role.ADMINISTRATOR).get(f"/files/{reference}").text
    document = house.case_files.documents(house.case_files.get(reference))[1]
    assert document.whole_size == document.size + len(film())
    assert f"{round(document.whole_size / 1000, 1):,}".rstrip("0").rstrip(".") in house_page


def test_the_upload_page_says_how_large_either_may_be(visitor):
    assert "100 MB；录音录像不超过 4096 MB" in visitor(Role.REGISTRAR).get("/file").text


def test_a_copy_with_the_originals_holds_the_recording_as_an_encrypted_archive(
    house: House, reference: str, visitor
):
    reader = visitor(Role.ADMINISTRATOR, "客服部", "周敏")
    assert (
        reader.post(f"/files/{reference}/release", data={"to": "法院", "originals": "1"}).status_code == 200
    )
    answer = reader.get(f"/files/{reference}/released.zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as folder:
        assert folder.testzip() is None
        assert f"{reference}-01.zip" in folder.namelist()
        with zipfile.ZipFile(io.BytesIO(folder.read(f"{reference}-01.zip"))) as inner:
            assert inner.namelist() == [f"{reference}-01.mp4"]
            assert inner.infolist()[0].flag_bits & 1
