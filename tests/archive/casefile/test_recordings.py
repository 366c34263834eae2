"""Recordings too large for a PDF: sealed in one pass beside their cover, and looked after by all who walk the vault."""

import errno
import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import bagit
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

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
from archive.packages.describing import decode
from archive.vault.local import LocalVault
from archive.vault.staging import Measured
from tests.conftest import QUICK, Clock
from tests.mending import mending
from tests.recordings import film, needs_ffmpeg, sound
from tests.vouchers import voucher
from web.backup_places import place
from web.settings import Settings
from web.wiring import House, init, opened, rebuild, restore

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
    return house.filing.file(ACTOR, Submission("一级", "剧本相关", None, None, voucher(), sources)).reference


@pytest.fixture
def filmed(house: House, tmp_path: Path) -> bytes:
    """The film that lies beside its cover; a text is filed with it."""
    data = film()
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
    assert filmed[:16] not in sealed
    said = "".join(house.case_files.texts(house.case_files.get(REFERENCE))[1][0].split())
    assert documents[1].original_sha256 in said
    assert "00:00:06.0" in said
    assert "320×240" in said
    assert "不在本文档内，而是在档案库中单独加密存放" in said
    assert "原件不在本文档内，另行存放" in said
    assert "附于本文档内" not in said
    assert house.fixity.check(ACTOR).whole


def test_the_cover_of_one_that_rides_along_says_so_at_its_foot_too(house: House):
    submit(house, Source("b.mp3", io.BytesIO(sound()[:SMALL])))
    said = "".join(house.case_files.texts(house.case_files.get(REFERENCE))[1][0].split())
    assert said.count("原件完整附于本文档内") == 2
    assert "不在本文档内" not in said


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
    data = film()
    assert data.rfind(b"moov") > len(data) // 2
    padded = data + (40_000).to_bytes(4) + b"free" + bytes(39_992)
    submit(house, Source("x.mp4", io.BytesIO(padded)))
    said = "".join(house.case_files.texts(house.case_files.get(REFERENCE))[1][0].split())
    assert "00:00:06.0" in said
    assert heard(house) == padded


def test_a_sound_has_no_picture_and_a_small_one_rides_in_its_pdf(house: House, tmp_path: Path):
    data = sound()
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
    data = film() + bytes(2_000_000)
    tight = replace(settings, evidence_limit_mb=1, media_limit_mb=1)
    with opened(tight, clock=clock, passwords=QUICK, attached=SMALL) as house:
        for name, content in (("film.mp4", data), ("long.txt", b"words " * 300_000)):
            with pytest.raises(MunimentError) as refused:
                submit(house, Source(name, io.BytesIO(content)))
            assert (refused.value.code, refused.value.facts["limit"]) == (Code.EVIDENCE_TOO_LARGE, 1)
    with opened(replace(tight, media_limit_mb=3), clock=clock, passwords=QUICK) as house:
        submit(house, Source("film.mp4", io.BytesIO(data)))
        assert heard(house) == data


def test_trying_it_files_nothing(house: House, tmp_path: Path):
    with house.filing.check_evidence(ACTOR, Source("x.mp4", io.BytesIO(film()))) as tried:
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
        submit(house, Source("x.mp4", Grown(film())))
    assert refused.value.code is Code.EVIDENCE_UNREADABLE


def test_what_was_sealed_is_opened_again_before_it_counts(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    proved = Beside.prove

    def spoiled(beside: Beside, sha256: str, name: str) -> None:
        path = beside.staging.content / beside.name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        proved(beside, sha256, name)

    monkeypatch.setattr(Beside, "prove", spoiled)
    with pytest.raises(MunimentError) as refused:
        submit(house, Source("x.mp4", io.BytesIO(film())))
    assert refused.value.code is Code.CONVERSION_CRASHED
    assert "x.mp4" in refused.value.say("zh")
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
    data, scanner = film(), Hearing(1 << 30, None)
    scanned(house, monkeypatch, scanner)
    submit(house, Source("x.mp4", io.BytesIO(data)))
    assert scanner.heard == heard(house) == data


def test_what_the_scanner_finds_is_isolated_and_what_it_does_not_hear_out_is_not_filed(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = film() + bytes(3 << 20)
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
        submit(house, Source("x.mp4", io.BytesIO(film() + bytes(3 << 20))))
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


@pytest.fixture
def afar(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the vault lay with a service: nothing of it is read whole before it is played."""
    monkeypatch.setattr(LocalVault, "stamp", lambda *_: None)


@pytest.mark.parametrize("where", ["near", "afar"])
@pytest.mark.parametrize("column", ["stream_sha512", "stream_authentication"])
def test_no_byte_is_given_of_one_whose_row_is_not_vouched_for(
    house: House, sealed: Path, request: pytest.FixtureRequest, where: str, column: str
):
    """Somebody wrote in the catalogue: the file itself is whole, or it is another that the row names."""
    if where == "afar":
        request.getfixturevalue("afar")
    forged = "ab" * 64 if column == "stream_sha512" else bytes(32)
    with house.catalogue.database.writing() as connection:
        connection.execute(
            sa.update(tables.document).where(tables.document.c.ordinal == 1).values({column: forged})
        )
    with pytest.raises(MunimentError) as altered:
        heard(house)
    assert altered.value.code is Code.DOCUMENT_ALTERED
    assert acts(house)[-1] == Act.DAMAGE_FOUND


@pytest.fixture
def long(house: House) -> tuple[Path, bytes]:
    """A film of four pieces, sealed; and what it was."""
    padded = film() + (3 << 20).to_bytes(4) + b"free" + bytes((3 << 20) - 8)
    submit(house, Source("x.mp4", io.BytesIO(padded)))
    return house.founded.vault.now.root / SEALED, padded


def opening(house: House) -> BinaryIO:
    case_file = house.case_files.get(REFERENCE)
    return house.case_files.open_recording(case_file, house.case_files.documents(case_file)[1])


def test_a_flipped_bit_anywhere_is_found_before_the_first_byte_is_given(
    house: House, long: tuple[Path, bytes], record_property
):
    sealed, places = long[0], (0, 12, 5 << 19, -1)
    for at in places:
        flip(sealed, at)
        with pytest.raises(MunimentError) as altered:
            opening(house)
        assert altered.value.code is Code.DOCUMENT_ALTERED
        flip(sealed, at)
    assert heard(house) == long[1]
    record_property("faults", (len(places), "a bit flipped in a recording that is played"))


def test_from_a_service_one_that_was_cut_off_is_found_before_the_first_byte_and_damage_where_it_is_met(
    house: House, long: tuple[Path, bytes], afar: None
):
    sealed, whole = long[0], long[0].read_bytes()
    for size in (len(whole) - 1, 12 + 2 * 1048592, 12):
        sealed.write_bytes(whole[:size])
        with pytest.raises(MunimentError) as altered:
            opening(house)
        assert altered.value.code is Code.DOCUMENT_ALTERED
    sealed.write_bytes(whole)
    flip(sealed, 5 << 19)
    with opening(house) as stream:
        assert stream.read(1 << 20) == long[1][: 1 << 20]
        with pytest.raises(MunimentError):
            stream.read()


def test_it_is_read_whole_once_for_all_the_pieces_and_again_when_it_was_written_or_some_hours_later(
    house: House, long: tuple[Path, bytes], clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    read, digest = [], LocalVault.sha512
    monkeypatch.setattr(LocalVault, "sha512", lambda self, stream: read.append(1) or digest(self, stream))
    expected = 1
    for wait, touch in ((0, False), (0, False), (0, True), (0, False), (3, False), (1, False)):
        clock.wait(hours=wait)
        if touch:
            flip(long[0], 9)
            flip(long[0], 9)
        opening(house).close()
        expected += touch or wait == 3
        assert len(read) == expected


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
    data = film()
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


def test_a_released_recording_is_opened_by_common_tools_with_the_one_time_password(
    house: House, filmed: bytes, tmp_path: Path
):
    release = house.releasing.release(ACTOR, REFERENCE, to="法院", originals=True)
    names = [name for name, _ in release.documents]
    assert names == [f"{REFERENCE}{each}" for each in (".pdf", "-01.pdf", "-01.zip", "-02.pdf")]
    for name, stream in release.documents:
        with stream:
            (tmp_path / name).write_bytes(stream.read())
    copy = tmp_path / f"{REFERENCE}-01.zip"
    assert filmed[1000:1064] not in copy.read_bytes()
    for tool in (
        ["7z", "e", "-so", f"-p{release.password}", str(copy)],
        ["bsdtar", "-xOf", str(copy), "--passphrase", release.password],
    ):
        if shutil.which(tool[0]) is None:
            pytest.skip(f"{tool[0]} is not installed here")
        assert subprocess.run(tool, capture_output=True, check=True).stdout == filmed
    wrong = subprocess.run(["7z", "t", "-px", str(copy)], capture_output=True, text=True, check=False)
    assert "Wrong password" in wrong.stdout + wrong.stderr
    assert acts(house)[-1] == Act.RELEASED


def test_a_damaged_recording_is_not_released(house: House, sealed: Path):
    flip(sealed, -1)
    with pytest.raises(MunimentError) as altered:
        house.releasing.release(ACTOR, REFERENCE, originals=True)
    assert altered.value.code is Code.DOCUMENT_ALTERED
    assert Act.RELEASED not in acts(house)


def test_it_is_mended_from_a_backup_and_comes_back_from_one(
    house: House, filmed: bytes, sealed: Path, tmp_path: Path
):
    kept = place(house.settings, str(tmp_path / "backup"))
    taken = house.backups.take(ACTOR, kept)
    assert (taken.damaged, taken.documents) == ((), 4)
    assert house.backups.take(ACTOR, kept).copied == 0
    assert filmed[1000:1064] not in b"".join(
        p.read_bytes() for p in (tmp_path / "backup").rglob("*") if p.is_file()
    )
    assert house.rehearsing.rehearse(ACTOR, kept).whole
    flip(sealed, 50)
    repaired = mending(house, kept).repair(ACTOR, house.fixity.check(ACTOR))
    assert [(each.replaced, each.left) for each in repaired] == [((sealed.name,), ())]
    assert heard(house) == filmed
    again = replace(house.settings, home=tmp_path / "again", key_file=house.settings.key_path)
    assert restore(again, kept).damaged == ()
    with opened(again, passwords=QUICK, attached=SMALL) as restored:
        assert restored.fixity.check(ACTOR).whole
        assert heard(restored) == filmed


def test_a_damaged_one_is_named_by_the_backup_and_stops_no_other(house: House, sealed: Path, tmp_path: Path):
    flip(sealed, 50)
    taken = house.backups.take(ACTOR, place(house.settings, str(tmp_path / "backup")))
    assert (taken.damaged, taken.documents) == ((sealed.name,), 3)


def test_the_vault_moves_with_it(house: House, filmed: bytes, tmp_path: Path):
    house.moving.move(ACTOR, str(tmp_path / "elsewhere"))
    assert heard(house) == filmed
    assert house.fixity.check(ACTOR).whole


def test_a_damaged_one_stops_the_move_and_is_named(house: House, sealed: Path, tmp_path: Path):
    flip(sealed, 50)
    with pytest.raises(MunimentError) as stopped:
        house.moving.move(ACTOR, str(tmp_path / "elsewhere"))
    assert stopped.value.code is Code.VAULT_DAMAGED
    assert sealed.name in stopped.value.say("en")


@pytest.fixture
def other(tmp_path: Path, clock: Clock) -> Iterator[House]:
    """Another archive, empty, with keys of its own."""
    settings = Settings(home=tmp_path / "other")
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK, attached=SMALL) as built:
        yield built


def test_a_package_holds_the_recording_in_plain_and_brings_it_into_another_archive(
    house: House, other: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    data = film()
    with monkeypatch.context() as without:
        without.setattr(media, "find", lambda: None)
        submit(house, Source("现场.mp4", io.BytesIO(data)))
    assert [each.converted for each in house.converting.convert_all(ACTOR)] == [True]
    house.exporting.export(ACTOR, [REFERENCE], tmp_path / "package", {})
    original = tmp_path / "package" / "data" / REFERENCE / "originals" / f"{REFERENCE}-01.mp4"
    assert original.read_bytes() == data
    assert bagit.Bag(str(tmp_path / "package")).is_valid()
    assert [each.imported for each in other.packages.import_all(ACTOR, tmp_path / "package")] == [True]
    assert heard(other) == data
    assert other.fixity.check(ACTOR).whole
    for one, two in zip(*map(rows, (house, other)), strict=True):
        assert one == two


def rows(house: House) -> list[object]:
    """What two archives must agree on."""
    known = house.case_files.all_documents(house.case_files.get(REFERENCE))
    return [
        (each.ordinal, each.version, each.name, each.kind, each.pages, each.original_sha256, each.pending,
         each.stream and (each.stream.version, each.stream.plain_size, each.stream.size))
        for each in known
    ]  # fmt: skip


def test_a_package_whose_recording_is_another_is_refused(
    house: House, other: House, filmed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("archive.packages.importing._exported_by", lambda *_: "key")
    package = tmp_path / "package"
    house.exporting.export(ACTOR, [REFERENCE], package, {})
    original = package / "data" / REFERENCE / "originals" / f"{REFERENCE}-01.mp4"
    described = package / "data" / REFERENCE / "metadata.json"
    whole = json.loads(described.read_text())

    def changed(**values: object) -> str:
        documents = [{**each, **(values if each["ordinal"] == 1 else {})} for each in whole["documents"]]
        return json.dumps({**whole, "documents": documents})

    for text, content in (
        (changed(), filmed + b"x"),
        (changed(stream_version=2), filmed),
        (changed(stream_version=0), filmed),
        (changed(original=None), filmed),
        (changed(original=f"../../{original.name}"), filmed),
    ):
        described.write_text(text)
        original.write_bytes(content)
        rebag(package)
        with pytest.raises(MunimentError) as refused:
            list(other.packages.import_all(ACTOR, package))
        assert refused.value.code is Code.PACKAGE_DAMAGED
    assert other.case_files.select() == []
    assert not any(path.startswith("2026") for path in other.founded.vault.paths())


def rebag(package: Path) -> None:
    """As bagit itself would write it, over what lies there now."""
    for name, files in (
        ("manifest-sha512.txt", [p for p in (package / "data").rglob("*") if p.is_file()]),
        (
            "tagmanifest-sha512.txt",
            [p for p in package.iterdir() if p.is_file() and not p.name.startswith("tagm")],
        ),
    ):
        lines = [f"{hashlib.sha512(p.read_bytes()).hexdigest()}  {p.relative_to(package)}\n" for p in files]
        (package / name).write_text("".join(sorted(lines)))


def test_a_package_of_the_time_before_still_comes_in(house: House, tmp_path: Path):
    submit(house, Source("说明.txt", io.BytesIO("说明".encode())))
    case_file = house.case_files.get(REFERENCE)
    house.exporting.export(ACTOR, [REFERENCE], tmp_path / "package", {})
    path = tmp_path / "package" / "data" / REFERENCE / "metadata.json"
    document = json.loads(path.read_text())
    before = [{k: v for k, v in each.items() if k != "stream_version"} for each in document["documents"]]
    text = json.dumps({**document, "format": 1, "documents": before}).encode()
    assert decode(text, "metadata.json").case_file == case_file
    assert [each.stream_version for each in decode(text, "metadata.json").documents] == [None, None]


def test_the_page_for_outsiders_says_truly_how_it_is_opened_without_us(
    house: House, filmed: bytes, sealed: Path, tmp_path: Path
):
    page = (Path(__file__).parents[3] / "docs" / "verification.md").read_text("utf-8")
    (tmp_path / "open.py").write_text(page.split("```python\n")[1].split("```")[0])
    secret = house.case_files.key_of(house.case_files.get(REFERENCE)).secret
    key = HKDF(SHA256(), 32, salt=None, info=b"stream:1:1").derive(secret)
    command = [sys.executable, "-I", str(tmp_path / "open.py"), key.hex(), "stream:1:1", str(sealed)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == filmed


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


def test_it_comes_back_when_the_catalogue_is_lost(house: House, sealed: Path):
    (case_file,) = house.case_files.select()
    before = house.case_files.all_documents(case_file)
    house.catalogue.database.close()
    for path in house.settings.home.glob("catalogue.db*"):
        path.unlink()
    assert rebuild(house.settings).unfit == ()
    assert house.case_files.all_documents(case_file) == before
    assert house.fixity.check(ACTOR).whole
