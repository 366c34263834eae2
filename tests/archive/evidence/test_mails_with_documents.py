"""What is attached to a mail and needs a program of others: shown like any other attachment, or said why not."""

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from archive.errors import Code, MunimentError
from archive.evidence import office
from archive.evidence.aids import Aid, Aids, Wanted
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.programs import Errand, Programs, Running
from archive.evidence.sandbox import Sandbox

needs_office = pytest.mark.skipif(office.find() is None, reason="LibreOffice is not installed here")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed here")
LETTER = rb"{\rtf1\ansi\u39038 ?\u23458 ?\u25237 ?\u35785 ?\u65306 ? refund}"  # 顾客投诉： refund


def mail_with(*attached: tuple[str, bytes], subject: str = "投诉") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "wang@example.com", "kf@example.com", subject
    mail["Date"] = "Mon, 2 Mar 2026"
    mail.set_content("见附件")
    for name, data in attached:
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail


def shown(sandbox: Sandbox, mail: EmailMessage, password: str) -> tuple[list[str], bool]:
    """The text of each page, without white space; whether a cover stands for something."""
    data = mail.as_bytes()
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert made.kind is EvidenceKind.MAIL
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data
        return ["".join(each.split()) for each in made.text], made.pending


@needs_office
def test_a_document_attached_to_a_mail_is_shown_after_it_however_deep_it_lies(
    sandbox: Sandbox, password: str
):
    outer = mail_with(("说明.rtf", LETTER))
    outer.add_attachment(mail_with(("again.rtf", LETTER.replace(b"refund", b"within")), subject="内层"))
    pages, pending = shown(sandbox, outer, password)
    assert not pending
    assert len(pages) == 4
    assert "顾客投诉：refund" in pages[1]
    assert "内层" in pages[2]
    assert "顾客投诉：within" in pages[3]


@needs_office
def test_one_document_that_does_not_open_is_named_and_the_rest_of_the_mail_is_shown(
    sandbox: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "copied", lambda source, *_: 0)
    pages, pending = shown(
        sandbox, mail_with(("bad.rtf", LETTER), ("照片说明.txt", "现场".encode())), password
    )
    assert not pending
    assert "无法显示" in pages[0]
    assert "现场" in pages[1]


def test_without_libreoffice_a_cover_stands_for_it_and_the_mail_waits(
    sandbox: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "find", lambda: None)
    pages, pending = shown(sandbox, mail_with(("说明.rtf", LETTER)), password)
    assert pending
    assert "LibreOffice" in pages[1]


def test_beyond_some_documents_the_rest_is_only_attached(
    sandbox: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "find", lambda: None)
    letters = [(f"{number}.rtf", LETTER.replace(b"refund", b"%d" % number)) for number in range(10)]
    pages, _ = shown(sandbox, mail_with(*letters), password)
    assert len(pages) == 1 + sandbox.limits.helped_parts
    assert pages[0].count("仅附于原件") == 10 - sandbox.limits.helped_parts


def test_programs_for_one_mail_have_a_time_together_and_covers_stand_for_what_is_late(
    password: str, monkeypatch: pytest.MonkeyPatch
):
    """Eight documents at each of which the program hangs: the first takes all of the time, the others are not begun."""
    begun = []

    def hang(programs: Running, *_: object) -> None:
        begun.append(1)
        programs.run(Errand(Path("/bin/sleep"), ["1000"], {}), "x")

    monkeypatch.setattr(office, "find", lambda: Path("/bin/sleep"))
    monkeypatch.setattr(office, "to_pdf", hang)
    started = []
    start = Programs._start
    monkeypatch.setattr(Programs, "_start", lambda self, errand: started.append(1) or start(self, errand))
    letters = [(f"{number}.rtf", LETTER.replace(b"refund", b"%d" % number)) for number in range(8)]
    with Sandbox(1, Limits(helped_seconds=1.0)) as sandbox:
        pages, pending = shown(sandbox, mail_with(*letters), password)
    assert pending
    assert len(pages) == 9
    assert all("时间已用完" in each and "convert-pending" in each for each in pages[1:])
    assert (len(begun), len(started)) == (8, 1)


def test_whoever_is_patient_lets_each_document_have_its_own_time(
    password: str, monkeypatch: pytest.MonkeyPatch
):
    """So one that hangs is given up for good, and the others are not late for ever because of it."""
    mail = mail_with(("1.rtf", LETTER), ("2.rtf", LETTER.replace(b"refund", b"second"))).as_bytes()

    def hang(programs: Running, *_: object) -> None:
        programs.run(Errand(Path("/bin/sleep"), ["1000"], {}), "x")

    monkeypatch.setattr(office, "find", lambda: Path("/bin/sleep"))
    monkeypatch.setattr(office, "to_pdf", hang)
    with Sandbox(1, Limits(helped_seconds=0.0)) as sandbox:
        monkeypatch.setattr(sandbox._programs, "_limits", Limits(wall_seconds=0.5))
        with sandbox.convert(io.BytesIO(mail), "x", password, patient=True) as made:
            assert not made.pending
            assert made.text[0].count("转换用时过长") == 2


@needs_ffmpeg
def test_a_recording_attached_to_a_mail_has_its_cover_after_it(
    sandbox: Sandbox, password: str, tmp_path: Path
):
    sound = tmp_path / "x.mp3"
    made = ("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=1", str(sound))
    subprocess.run(made, check=True)
    pages, pending = shown(sandbox, mail_with(("电话录音.mp3", sound.read_bytes())), password)
    assert not pending
    assert "00:00:01" in pages[1]


def test_a_worker_that_asks_for_help_with_less_than_nothing_is_taken_for_broken(
    sandbox: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch
):
    wants = [{"kind": EvidenceKind.RTF.value, "sha256": "00", "size": -1}]
    monkeypatch.setattr(sandbox, "_written", lambda *_: (io.BytesIO(), io.BytesIO(), {"wants": wants}))
    with pytest.raises(MunimentError) as caught:
        sandbox.convert(io.BytesIO(b"x"), "x", password)
    assert caught.value.code is Code.CONVERSION_CRASHED


def test_all_that_is_made_for_one_mail_is_no_longer_than_one_output_may_be(monkeypatch: pytest.MonkeyPatch):
    """Each of eight documents may come to a gigabyte: together they would fill the memory of the machine."""
    aids = Aids(None, Limits(output_bytes=10))  # type: ignore[arg-type]  # no program is started
    letters = [b"one", b"two", b"three", b"four"]
    lengths = iter([4, 7, 6, 1])

    @contextlib.contextmanager
    def made(_kind: EvidenceKind, _source: int, _name: str, _programs: object) -> Iterator[Aid]:
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * next(lengths))
            file.seek(0)
            yield Aid({"rendered": True}, file.fileno())

    monkeypatch.setattr(aids, "of", made)
    wanted = [Wanted(EvidenceKind.RTF, hashlib.sha256(each).hexdigest(), len(each)) for each in letters]
    with tempfile.TemporaryFile() as parts:
        parts.write(b"".join(letters))
        parts.seek(0)
        with aids.of_all(wanted, parts, -1, "x") as (said, together):
            assert os.fstat(together).st_size == 10
    assert [each["size"] for each in said] == [4, 0, 6, 0]
    assert [each["said"].get("failed") for each in said] == [
        None,
        "conversion-too-large",
        None,
        "conversion-too-large",
    ]
