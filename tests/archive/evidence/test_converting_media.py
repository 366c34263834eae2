"""Sound and film behind a cover that says what they are; the recording itself rides along whole."""

import io
import subprocess
from pathlib import Path

import pikepdf
import pytest

from archive.errors import Code, MunimentError
from archive.evidence import media
from archive.evidence.covers import _clock
from archive.evidence.recognising import recognise
from archive.evidence.sandbox import EvidenceKind, Sandbox

needs_ffmpeg = pytest.mark.skipif(media.find() is None, reason="ffmpeg is not installed here")

TONE, PICTURE = ("-f", "lavfi", "-i", "sine=d=2"), ("-f", "lavfi", "-i", "testsrc2=s=320x240:d=2:r=10")
RECORDINGS = {
    "mp3": (EvidenceKind.MP3, TONE),
    "wav": (EvidenceKind.WAV, TONE),
    "m4a": (EvidenceKind.M4A, TONE),
    "aac": (EvidenceKind.AAC, TONE),
    "ogg": (EvidenceKind.OGG, TONE),
    "flac": (EvidenceKind.FLAC, TONE),
    "mp4": (EvidenceKind.MP4, (*PICTURE, *TONE)),
    "mov": (EvidenceKind.MOV, PICTURE),
    "avi": (EvidenceKind.AVI, PICTURE),
    "webm": (EvidenceKind.MKV, PICTURE),
    "flv": (EvidenceKind.FLV, PICTURE),
    "wmv": (EvidenceKind.WMV, PICTURE),
    "mpg": (EvidenceKind.MPEG, (*PICTURE, "-r", "25")),
    "ts": (EvidenceKind.TS, PICTURE),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("media")

    def record(extension: str, *more: str) -> bytes:
        path = folder / f"x.{extension}"
        _, arguments = RECORDINGS[extension]
        subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, *more, str(path)], check=True)
        return path.read_bytes()

    return record


@needs_ffmpeg
@pytest.mark.parametrize("extension", RECORDINGS)
def test_a_recording_is_kept_behind_a_cover_that_describes_it(
    extension: str, recorded, sandbox: Sandbox, password: str
):
    data = recorded(extension)
    kind, arguments = RECORDINGS[extension]
    with sandbox.convert(io.BytesIO(data), "x.jpg", password) as made:
        assert (made.kind, made.pages, made.pending) == (kind, 1, False)
        said = "".join(made.text[0].split())
        assert made.original_sha256 in said
        assert "00:00:0" in said
        with pikepdf.open(made.pdf, password=password) as pdf:
            pictures = len(pdf.pages[0].get_images())
        made.pdf.seek(0)
        assert ("320×240" in said) == (arguments[:4] == PICTURE)
        assert pictures == (1 if arguments[:4] == PICTURE else 0)
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data


@needs_ffmpeg
def test_where_a_film_was_taken_is_not_on_its_cover(recorded, sandbox: Sandbox, password: str):
    data = recorded("mp4", "-metadata", "title=secret name", "-metadata", "location=+30.66+104.06/")
    assert b"secret name" in data
    with (
        sandbox.convert(io.BytesIO(data), "x", password) as made,
        pikepdf.open(made.pdf, password=password) as pdf,
    ):
        del pdf.attachments["original.mp4"]
        plain = io.BytesIO()
        pdf.save(plain, encryption=False, compress_streams=False)
    assert b"secret name" not in plain.getvalue()
    assert b"30.66" not in plain.getvalue()


@needs_ffmpeg
@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x18ftypmp42" + bytes(3000),
        b"RIFF\x00\x00\x00\x00WAVE" + bytes(100),
        b"OggS" + bytes(100),
        b"ID3\x03" + b"junk" * 100,
        b"\x1aE\xdf\xa3" + b"\xff" * 300,
    ],
)
def test_a_recording_that_nothing_can_be_made_of_is_refused(data: bytes, sandbox: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        sandbox.convert(io.BytesIO(data), "坏.mp4", password)
    assert refused.value.code is Code.EVIDENCE_UNREADABLE
    assert "坏.mp4" in refused.value.say("zh")


def test_without_ffmpeg_the_cover_says_so(sandbox: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(media, "find", lambda: None)
    data = b"\x00\x00\x00\x18ftypmp42" + bytes(3000)
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert (made.kind, made.pages, made.pending) == (EvidenceKind.MP4, 1, True)
        assert "convert-pending" in made.text[0]
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data


@needs_ffmpeg
def test_a_voice_message_of_wechat_has_a_plain_cover(sandbox: Sandbox, password: str):
    with sandbox.convert(io.BytesIO(b"\x02#!SILK_V3" + bytes(200)), "x", password) as made:
        assert (made.kind, made.pending) == (EvidenceKind.SILK, False)
        assert "微信语音" in made.text[0]


def test_a_list_of_addresses_is_a_text_and_no_film(tmp_path: Path):
    listed = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{tmp_path}/x\nhttp://127.0.0.1/y\n#EXT-X-ENDLIST\n"
    assert recognise(listed.encode()) is EvidenceKind.TEXT


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "00:00:00.0"), (3.04, "00:00:03.0"), (3661.96, "01:01:02.0"), (59.99, "00:01:00.0")],
)
def test_a_length_is_said_as_a_clock_would(seconds: float, said: str):
    assert _clock(seconds) == said
