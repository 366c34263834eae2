"""Reading what stands in pictures: jobs by the ledger, kept sealed, found by the index, begun anew after a crash."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_bytes

import pytest
import sqlalchemy as sa
from PIL import Image

from archive.casefile import tables
from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.database.jobs import LEASE
from archive.errors import Code, MunimentError
from archive.evidence.recognised import Line, RecognisedPage
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import entries
from archive.ledger.tables import entry
from archive.ledger.verifying import verify
from indexer.recognising import Outcome, Recognition, Unsearchable
from tests.vouchers import voucher
from web.wiring import House

WORDS = "断桥残雪"


def read(text: str) -> RecognisedPage:
    return RecognisedPage((Line(text, 0.9, tuple((0, 0, 10, 10) for _ in text)),))


class Killed(BaseException):
    """As when the process is ended: nothing is cleared away."""


@dataclass
class Reader:
    """Stands in for the caged worker: a text for each page, or what befalls it first."""

    text: str = WORDS
    faults: list[BaseException | None] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def recognise(self, pdf, password, number):
        assert pdf.read(4) == b"%PDF"
        pdf.seek(0)
        self.pages.append(number)
        self.meanwhile()
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        return read(self.text)


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def recognition(house: House, reader: Reader) -> Recognition:
    return make(house, reader)


def make(house: House, reader: Reader, *, available: bool = True) -> Recognition:
    return Recognition(house.catalogue, house.case_files, reader, available=available, randomness=token_bytes)


def scan(pages: int = 1, colour: str = "navy") -> bytes:
    frames = [Image.new("RGB", (64, 48), colour) for _ in range(pages)]
    written = io.BytesIO()
    frames[0].save(written, "TIFF", save_all=True, append_images=frames[1:])
    return written.getvalue()


def file(house: House, *scans: bytes) -> str:
    sources = tuple(Source(f"扫描{n}.tif", io.BytesIO(each)) for n, each in enumerate(scans))
    submission = Submission("一级", "剧本相关", None, None, voucher(), sources)
    return house.filing.file(CONSOLE, submission).reference


def texts_read(house: House) -> list[dict[str, object]]:
    query = sa.select(entry.c.position).where(entry.c.act == Act.TEXT_READ.value)
    with house.catalogue.reading() as connection:
        found = entries(connection, house.catalogue.ledger, query, house.case_files.file_key)
        return [dict(each.detail) for each in found]


def finds(house: House, words: str) -> list[str]:
    return [each.reference for each in house.index.search(words).files]


def test_what_stands_in_a_picture_is_found_once_it_was_read(house: House, recognition: Recognition):
    reference = file(house, scan())
    assert finds(house, WORDS) == []
    assert recognition.run() == 1
    assert finds(house, WORDS) == [reference]
    assert texts_read(house) == [{"document": 1, "pages": 1, "confidence": 90, "problem": None}]
    assert house.index.snippet(house.case_files.get(reference), WORDS).place == (1, 1)


def test_a_page_with_text_of_its_own_is_not_read(house: House, recognition: Recognition, reader: Reader):
    file(house)
    assert recognition.run() == 0
    assert reader.pages == []


def test_what_was_read_is_kept_sealed(house: House, recognition: Recognition, settings):
    file(house, scan())
    recognition.run()
    with house.catalogue.reading() as connection:
        kept = connection.execute(sa.select(tables.recognition.c.recognised)).scalar_one()
    assert WORDS.encode() not in kept
    assert json.dumps(WORDS).encode() not in kept
    house.catalogue.database.close()
    for path in settings.home.rglob("*"):
        assert path.is_dir() or WORDS.encode() not in path.read_bytes()


def test_an_index_built_anew_finds_what_was_read(house: House, recognition: Recognition):
    reference = file(house, scan())
    recognition.run()
    house.index.rebuild()
    assert finds(house, WORDS) == [reference]


def test_each_page_of_each_document_is_read_once_however_often_it_is_asked(
    house: House, recognition: Recognition, reader: Reader
):
    file(house, scan(3), scan(1, "red"))
    recognition.run()
    assert sorted(reader.pages) == [1, 1, 2, 3]
    recognition.run()
    make(house, reader).run()
    assert len(reader.pages) == 4
    assert len(texts_read(house)) == 2


def test_short_documents_go_first_and_what_somebody_looks_at_before_them(
    house: House, recognition: Recognition, reader: Reader
):
    long, short = file(house, scan(3)), file(house, scan(1))
    watched = file(house, scan(4))
    recognition.follow()
    recognition.hasten(house.case_files.get(watched), 1)
    order = []
    while recognition.step():
        order.append(len(reader.pages))
    assert order == [4, 5, 8]
    assert {long, short, watched} == set(finds(house, WORDS))


def test_without_the_extra_documents_wait_and_are_counted(house: House, reader: Reader):
    reference = file(house, scan(2))
    without = make(house, reader, available=False)
    assert without.run() == 0
    status = without.status()
    assert (status.available, status.waiting, status.done, status.pages) == (False, 1, 0, 0)
    assert [(each.reference, each.ordinal) for each in status.unread] == [(reference, 1)]
    assert house.case_files.unread(house.case_files.get(reference)) == {1: (1, 2)}
    assert make(house, reader).run() == 1
    assert house.case_files.unread(house.case_files.get(reference)) == {}


def test_a_page_that_cannot_be_read_is_tried_again_and_then_named(
    house: House, recognition: Recognition, reader: Reader, clock
):
    reference = file(house, scan(2))
    reader.faults = [MunimentError(Code.CONVERSION_CRASHED, name="1"), None]
    recognition.follow()
    assert recognition.step() is Outcome.FAILED
    assert recognition.step() is None  # not at once
    for _ in range(2):
        clock.wait(minutes=30)
        reader.faults = [MunimentError(Code.CONVERSION_CRASHED, name="1")]
        assert recognition.step() is Outcome.FAILED
    (failure,) = recognition.status().failures
    assert (failure.reference, failure.ordinal, failure.problem) == (reference, 1, "conversion-crashed")
    assert finds(house, WORDS) == [reference]  # the other page was read
    assert reader.pages == [1, 2, 1, 1]
    assert recognition.retry() == 1
    assert recognition.run() == 1
    assert recognition.status().failures == ()


def test_a_sandbox_that_cannot_be_had_does_not_count_against_a_document(
    house: House, recognition: Recognition, reader: Reader
):
    file(house, scan())
    reader.faults = [MunimentError(Code.SANDBOX_UNAVAILABLE, problem="x") for _ in range(9)]
    recognition.follow()
    assert [recognition.step() for _ in range(9)] == [Outcome.LATER] * 9
    assert recognition.step() is Outcome.READ


def test_after_a_crash_between_two_pages_the_rest_is_read_and_recorded_once(
    house: House, recognition: Recognition, reader: Reader, clock
):
    reference = file(house, scan(3))
    reader.faults = [None, Killed()]
    with pytest.raises(Killed):
        recognition.run()
    again = make(house, reader)
    assert again.run() == 0  # leased still
    clock.wait(seconds=LEASE.total_seconds() + 1)
    assert again.run() == 1
    assert reader.pages == [1, 2, 2, 3]
    assert len(texts_read(house)) == 1
    assert finds(house, WORDS) == [reference]


def test_who_interrupts_the_work_by_hand_may_go_on_at_once(
    house: House, recognition: Recognition, reader: Reader
):
    file(house, scan(2))
    reader.faults = [None, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        recognition.run()
    assert make(house, reader).run() == 1
    assert reader.pages == [1, 2, 2]


def test_stopping_cuts_off_the_page_at_hand_and_does_not_count_it_against_the_document(
    house: House, recognition: Recognition, reader: Reader
):
    import threading

    file(house, scan())
    begun, cut = threading.Event(), threading.Event()

    def meanwhile() -> None:
        begun.set()
        assert cut.wait(60)

    reader.meanwhile = meanwhile
    reader.faults = [MunimentError(Code.CONVERSION_CRASHED, name="1")]
    recognition.start()
    assert begun.wait(60)
    recognition.stop(cut.set)
    with house.catalogue.reading() as connection:
        state = connection.execute(sa.text("SELECT state, attempts, problem FROM job")).one()
    assert tuple(state) == ("waiting", 0, None)


def test_a_worker_that_lost_its_lease_writes_nothing_more(
    house: House, recognition: Recognition, reader: Reader, clock
):
    file(house, scan())
    other = make(house, Reader(text="另一个进程"))

    def meanwhile() -> None:
        clock.wait(seconds=LEASE.total_seconds() + 1)
        assert other.run() == 1

    reader.meanwhile = meanwhile
    recognition.follow()
    assert recognition.step() is Outcome.LOST
    assert len(texts_read(house)) == 1
    assert finds(house, "另一个进程")
    assert not finds(house, WORDS)


def test_what_was_shredded_meanwhile_is_left_alone(house: House, recognition: Recognition, reader: Reader):
    file(house, scan())
    recognition.follow()
    with house.catalogue.housekeeping() as connection:
        connection.execute(tables.file_key.delete())
    assert recognition.step() is Outcome.GONE
    assert reader.pages == []
    assert texts_read(house) == []


def test_an_altered_document_is_not_read_but_named(
    house: House, recognition: Recognition, reader: Reader, settings, clock
):
    reference = file(house, scan())
    (stored,) = (settings.home / "vault").rglob(f"{reference}-01.pdf")
    stored.chmod(0o600)
    damaged = bytearray(stored.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    stored.write_bytes(damaged)
    recognition.follow()
    for _ in range(3):
        assert recognition.step() is Outcome.FAILED
        clock.wait(minutes=30)
    assert [each.problem for each in recognition.status().failures] == ["document-altered"]
    assert reader.pages == []


def test_the_thread_reads_what_is_filed_while_it_runs(house: House, recognition: Recognition, reader: Reader):
    import time

    recognition.start()
    try:
        file(house, scan())
        deadline = time.monotonic() + 60
        while recognition.status().done == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        recognition.stop(lambda: None)
    assert recognition.status().done == 1


def test_the_ledger_stays_whole(house: House, recognition: Recognition):
    file(house, scan(2))
    recognition.run()
    with house.catalogue.reading() as connection:
        assert verify(connection, house.catalogue.ledger, house.case_files.file_key).entries > 2


def test_documents_and_pages_that_cannot_be_searched_are_counted_until_they_are_read_or_shredded(
    house: House, reader
):
    recognition = make(house, reader, available=False)
    file(house, scan(2), scan())
    second = file(house, scan(3))
    recognition.follow()
    only = sa.select(tables.case_file.c.id).where(tables.case_file.c.reference == second)
    assert recognition.unsearchable() == Unsearchable(3, 6) == recognition.status().unsearchable
    assert recognition.unsearchable(only) == Unsearchable(1, 3)
    with house.catalogue.housekeeping() as connection:
        there = tables.file_key.c.case_file == house.case_files.get(second).id
        connection.execute(tables.file_key.delete().where(there))
    assert recognition.unsearchable() == Unsearchable(2, 3)
    recognition.available = True
    while recognition.step():
        pass
    assert recognition.unsearchable() == Unsearchable(0, 0)
