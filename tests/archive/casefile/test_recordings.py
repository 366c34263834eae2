"""Recordings too large for a PDF: sealed in one pass beside their cover, and looked after by all who walk the vault."""

import errno
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.filing import Submission
from archive.casefile.passing import Beside
from archive.casefile.sources import Source
from archive.errors import Code, MunimentError
from archive.evidence import excerpts, media
from archive.evidence.clamd import Clamd
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.tables import entry
from archive.vault.staging import Measured
from tests.conftest import QUICK, VOUCHER, Clock
from tests.recordings import film, needs_ffmpeg, sound
from web.settings import Settings
from web.wiring import House, init, opened

ACTOR = Actor("P0001")
SMALL = 8 << 10  # bytes of a recording that rides in its PDF, in these tests
REFERENCE = "2026-一级-剧本相关-001"
SEALED = "2026/一级/剧本相关/2026-一级-剧本相关-001/v1/content/2026-一级-剧本相关-001-01.sealed"
pytestmark = needs_ffmpeg


@pytest.fixture
def house(settings: Settings, clock: Clock) -> Iterator[House]:
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK, attached=SMALL) as built:
        yield built


def submit(house: House, *sources: Source) -> str:
    voucher = json.dumps(VOUCHER, ensure_ascii=False).encode()
    return house.filing.file(ACTOR, Submission("一级", "剧本相关", None, None, voucher, sources)).reference


@pytest.fixture
def filmed(house: House, tmp_path: Path) -> bytes:
    """The film that lies beside its cover; a text is filed with it."""
    data = film(tmp_path)
    submit(house, Source("现场.mp4", io.BytesIO(data)), Source("说明.txt", io.BytesIO("说明".encode())))
    return data


def heard(house: House, ordinal: int = 1) -> bytes:
    case_file = house.case_files.get(REFERENCE)
    with house.case_files.open_recording(case_file, house.case_files.documents(case_file)[ordinal]) as stream:
        return stream.read()


def acts(house: House) -> list[str]:
    with house.catalogue.reading() as connection:
        return [str(row.act) for row in connection.execute(entry.select().order_by(entry.c.position))]


def test_a_large_recording_lies_sealed_beside_its_cover(house: House, filmed: bytes):
    documents = house.case_files.documents(house.case_files.get(REFERENCE))
    assert [each.stream is not None for each in documents] == [False, True, False]
    assert documents[1].stream.plain_size == len(filmed)
    assert heard(house) == filmed
    sealed = (house.founded.vault.now.root / SEALED).read_bytes()
    assert sealed.startswith(b"MUNS\x01")
    assert b"ftyp" not in sealed
    said = "".join(house.case_files.texts(house.case_files.get(REFERENCE))[1][0].split())
    assert documents[1].original_sha256 in said
    assert "00:00:06.0" in said
    assert "320×240" in said
    assert "加密存放在本文档旁边" in said
    assert house.fixity.check(ACTOR).whole


def test_any_part_of_it_is_what_it_was(house: House, filmed: bytes):
    case_file = house.case_files.get(REFERENCE)
    with house.case_files.open_recording(case_file, house.case_files.documents(case_file)[1]) as stream:
        for start, count in ((0, 1), (len(filmed) - 1, 10), (len(filmed) // 2, 1000), (len(filmed), 5)):
            stream.seek(start)
            assert stream.read(count) == filmed[start : start + count]


def test_what_tells_of_it_may_lie_at_either_end_or_in_between(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The windows are made so small that the index is in none of them but its own."""
    monkeypatch.setattr(excerpts, "_BEGINNING", 4096)
    monkeypatch.setattr(excerpts, "_END", 4096)
    data = film(tmp_path)
    assert data.rfind(b"moov") > len(data) // 2
    padded = data + (40_000).to_bytes(4) + b"free" + bytes(39_992)
    submit(house, Source("x.mp4", io.BytesIO(padded)))
    said = "".join(house.case_files.texts(house.case_files.get(REFERENCE))[1][0].split())
    assert "00:00:06.0" in said
    assert heard(house) == padded


def test_a_sound_has_no_picture_and_a_small_one_rides_in_its_pdf(house: House, tmp_path: Path):
    data = sound(tmp_path)
    submit(house, Source("a.mp3", io.BytesIO(data)), Source("b.mp3", io.BytesIO(data[:SMALL])))
    documents = house.case_files.documents(house.case_files.get(REFERENCE))
    assert [(each.kind, each.stream is not None) for each in documents[1:]] == [("mp3", True), ("mp3", False)]
    assert heard(house) == data


@pytest.mark.parametrize(
    "head", [b"\x00\x00\x00\x18ftypmp42", b"RIFF\x00\x00\x00\x00WAVE", b"OggS", b"\x1aE\xdf\xa3"]
)
def test_what_only_begins_like_a_recording_is_refused(house: House, head: bytes):
    with pytest.raises(MunimentError) as refused:
        submit(house, Source("坏.mp4", io.BytesIO(head + bytes(3 * SMALL))))
    assert refused.value.code is Code.EVIDENCE_UNREADABLE
    assert "坏.mp4" in refused.value.say("zh")
    assert house.case_files.select() == []
    assert list((house.settings.home / "staging").iterdir()) == []


def test_a_recording_beyond_its_own_limit_is_refused_and_other_kinds_keep_theirs(
    settings: Settings, clock: Clock, tmp_path: Path
):
    init(settings)
    data = film(tmp_path) + bytes(2_000_000)
    tight = replace(settings, evidence_limit_mb=1, media_limit_mb=1)
    with opened(tight, clock=clock, passwords=QUICK, attached=SMALL) as house:
        for name, content in (("film.mp4", data), ("long.txt", b"words " * 300_000)):
            with pytest.raises(MunimentError) as refused:
                submit(house, Source(name, io.BytesIO(content)))
            assert (refused.value.code, refused.value.facts["limit"]) == (Code.EVIDENCE_TOO_LARGE, 1)
    with opened(replace(tight, media_limit_mb=3), clock=clock, passwords=QUICK, attached=SMALL) as house:
        submit(house, Source("film.mp4", io.BytesIO(data)))
        assert heard(house) == data


def test_trying_it_files_nothing(house: House, tmp_path: Path):
    with house.filing.check_evidence(ACTOR, Source("x.mp4", io.BytesIO(film(tmp_path)))) as tried:
        assert tried.kind == "mp4"
    assert house.case_files.select() == []


def test_no_plain_byte_of_it_reaches_the_disk(house: House, filmed: bytes):
    piece = filmed[len(filmed) // 2 :][:64]
    assert heard(house).count(piece) == 1
    for path in house.settings.home.rglob("*"):
        assert not path.is_file() or piece not in path.read_bytes()


class Grown(io.BytesIO):
    """Longer, when it is read, than it said at first."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return super().seek(offset, whence) - (100 if whence == 2 else 0)


def test_a_file_that_changes_while_it_is_read_is_refused(house: House, tmp_path: Path):
    with pytest.raises(MunimentError) as refused:
        submit(house, Source("x.mp4", Grown(film(tmp_path))))
    assert refused.value.code is Code.EVIDENCE_UNREADABLE


def test_what_was_sealed_is_opened_again_before_it_counts(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    proved = Beside.prove

    def spoiled(beside: Beside, sha256: str) -> None:
        path = beside.staging.content / beside.name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        proved(beside, sha256)

    monkeypatch.setattr(Beside, "prove", spoiled)
    with pytest.raises(MunimentError) as refused:
        submit(house, Source("x.mp4", io.BytesIO(film(tmp_path))))
    assert refused.value.code is Code.CONVERSION_CRASHED
    assert house.case_files.select() == []


class Hearing:
    """A scanner that hears so much and then says what it is told to."""

    def __init__(self, count: int, found: str | None) -> None:
        self.heard, self._count, self._found = b"", count, found

    def scan(self, source: io.BufferedReader, name: str) -> str | None:
        self.heard = source.read(self._count)
        source.read(1)
        return self._found


def scanned(house: House, monkeypatch: pytest.MonkeyPatch, scanner: Hearing) -> None:
    monkeypatch.setattr(house.filing, "_receiving", replace(house.filing._receiving, scanner=scanner))


def test_the_scanner_hears_every_byte_that_is_sealed(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data, scanner = film(tmp_path), Hearing(1 << 30, None)
    scanned(house, monkeypatch, scanner)
    submit(house, Source("x.mp4", io.BytesIO(data)))
    assert scanner.heard == heard(house) == data


def test_what_the_scanner_finds_is_isolated_and_what_it_does_not_hear_out_is_not_filed(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = film(tmp_path) + bytes(3 << 20)
    for scanner, code in (
        (Hearing(100, "Eicar"), Code.EVIDENCE_INFECTED),
        (Hearing(100, None), Code.EVIDENCE_UNSCANNED),
    ):
        scanned(house, monkeypatch, scanner)
        with pytest.raises(MunimentError) as refused:
            submit(house, Source("x.mp4", io.BytesIO(data)))
        assert refused.value.code is code
    assert [each.size for each in house.quarantine.isolated()] == [len(data)]
    assert house.case_files.select() == []


def test_a_full_disk_while_the_scanner_hears_is_said_as_such(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(measured: Measured, block: bytes) -> None:
        if measured.size:
            raise OSError(errno.ENOSPC, "No space left on device")
        measured.size += len(block)

    monkeypatch.setattr(Measured, "write", full)
    monkeypatch.setattr(Clamd, "_asked", lambda self, source: source.read() and "stream: OK")
    scanned(house, monkeypatch, Clamd("127.0.0.1:1"))
    with pytest.raises(MunimentError) as refused:
        submit(house, Source("x.mp4", io.BytesIO(film(tmp_path) + bytes(3 << 20))))
    assert refused.value.code is Code.DISK_FULL


# Who walks the vault.


@pytest.fixture
def sealed(house: House, filmed: bytes) -> Path:
    return house.founded.vault.now.root / SEALED


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def test_a_missing_an_altered_and_a_foreign_one_are_found_and_named(house: House, sealed: Path):
    name, whole = sealed.name, sealed.read_bytes()
    flip(sealed, 100)
    assert [(each.fault, each.name) for each in house.fixity.check(ACTOR).findings] == [("altered", name)]
    with pytest.raises(MunimentError) as altered:
        heard(house)
    assert altered.value.code is Code.DOCUMENT_ALTERED
    assert acts(house)[-1] == Act.DAMAGE_FOUND
    sealed.unlink()
    assert [(each.fault, each.name) for each in house.fixity.check(ACTOR).findings] == [("missing", name)]
    with pytest.raises(MunimentError) as missing:
        heard(house)
    assert missing.value.code is Code.DOCUMENT_MISSING
    sealed.write_bytes(whole)
    sealed.with_name("x.sealed").write_bytes(whole)
    assert [each.fault for each in house.fixity.check(ACTOR).findings] == ["foreign"]


def test_one_that_somebody_sealed_anew_under_another_key_is_not_authentic(house: House, sealed: Path):
    flip(sealed, 100)
    forged = hashlib.sha512(sealed.read_bytes()).hexdigest()
    with house.catalogue.database.writing() as connection:
        connection.execute(
            sa.update(tables.document).where(tables.document.c.ordinal == 1).values(stream_sha512=forged)
        )
    faults = {each.name: each.fault for each in house.fixity.check(ACTOR).findings}
    assert faults[sealed.name] == "unauthentic"


def test_taking_a_file_back_compares_its_recording_too(house: House, sealed: Path):
    case_file = house.case_files.get(REFERENCE)
    house.case_files.check(case_file)
    flip(sealed, -1)
    with pytest.raises(MunimentError) as altered:
        house.case_files.check(case_file)
    assert altered.value.code is Code.DOCUMENT_ALTERED


def test_a_void_file_keeps_its_recording(house: House, filmed: bytes):
    house.voiding.void(ACTOR, REFERENCE, "重复登记")
    assert heard(house) == filmed
    assert house.fixity.check(ACTOR).whole


def test_a_cover_that_waited_for_ffmpeg_is_made_up_for_and_the_recording_stays_where_it_is(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = film(tmp_path)
    with monkeypatch.context() as without:
        without.setattr(media, "find", lambda: None)
        submit(house, Source("x.mp4", io.BytesIO(data)))
    outcomes = list(house.converting.convert_all(ACTOR))
    assert [(each.document, each.converted) for each in outcomes] == [(f"{REFERENCE}-01.pdf", True)]
    case_file = house.case_files.get(REFERENCE)
    document = house.case_files.documents(case_file)[1]
    assert (document.version, document.pending, document.stream.version) == (2, False, 1)
    assert "320 × 240" in house.case_files.texts(case_file)[1][0]
    assert heard(house) == data
    assert house.fixity.check(ACTOR).whole
    assert len(list(house.founded.vault.now.root.rglob("*.sealed"))) == 1


def test_other_people_s_software_accepts_the_object(house: House, filmed: bytes):
    validator = Path(sys.executable).with_name("ocfl-validate.py")
    folder = (house.founded.vault.now.root / SEALED).parents[2]
    house.voiding.void(ACTOR, REFERENCE, "重复登记")
    said = subprocess.run(
        [sys.executable, str(validator), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "VALID" in said.stdout
    assert "INVALID" not in said.stdout
