"""Files made to be two things at once, or far more than they seem: shown as one thing, or refused with a reason."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from archive.casefile.sources import check_name
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import EvidenceKind, Sandbox

Written = Callable[..., bytes]


def _refused(sandbox: Sandbox, data: bytes, password: str) -> MunimentError:
    with pytest.raises(MunimentError) as refused:
        sandbox.convert(io.BytesIO(data), "证据.bin", password)
    assert "证据.bin" in refused.value.say("zh")
    assert refused.value.say("en")
    return refused.value


def _zip(name: str = "a.txt", content: bytes = b"x") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, content)
    return target.getvalue()


@pytest.fixture(scope="module")
def chimeras(jpeg: bytes, written: Written) -> dict[str, tuple[bytes, EvidenceKind]]:
    pdf = written("words")
    small = io.BytesIO()
    Image.new("L", (8, 8)).save(small, "GIF")
    script = b"<html><script>alert(1)</script>"
    return {
        "picture and archive": (jpeg + _zip(), EvidenceKind.JPEG),
        "picture and page": (small.getvalue() + script, EvidenceKind.GIF),
        "picture and document": (jpeg + pdf, EvidenceKind.JPEG),
        "document and archive": (pdf + _zip(), EvidenceKind.PDF),
        "page and document": (b"<!--\n" + pdf + b"\n-->" + script, EvidenceKind.PDF),
        "mail and document": (b"From: a\nTo: b\nSubject: c\n\n" + pdf, EvidenceKind.PDF),
        "text and page": (b"words\n" * 2000 + script, EvidenceKind.TEXT),
    }


@pytest.mark.parametrize(
    "name",
    [
        "picture and archive", "picture and page", "picture and document", "document and archive",
        "page and document", "mail and document", "text and page",
    ],
)  # fmt: skip
def test_a_file_that_is_two_things_is_shown_as_one_and_kept_whole(
    name: str, chimeras, sandbox: Sandbox, password: str
):
    data, kind = chimeras[name]
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert made.kind is kind
        assert sandbox.page(made.pdf, password, 1, 300, "看").startswith(b"\xff\xd8\xff")
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data
        made.pdf.seek(0)
        with pikepdf.open(made.pdf, password=password) as pdf:
            assert "/OpenAction" not in pdf.Root
            assert "/Names" not in pdf.Root or "/JavaScript" not in pdf.Root.Names


def test_a_pdf_of_a_hundred_thousand_pages_is_refused(sandbox: Sandbox, password: str):
    pages = 100_000
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(pages))
    objects.append(b"<< /Type /Pages /Count %d /MediaBox [0 0 9 9] /Kids [%s] >>" % (pages, kids))
    objects += [b"<< /Type /Page /Parent 2 0 R >>"] * pages
    body, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    refused = _refused(sandbox, bytes(body), password)
    assert refused.code is Code.EVIDENCE_TOO_MANY_PAGES
    assert refused.facts["pages"] == pages


def test_a_gif_of_endless_frames_is_refused(tight: Sandbox, password: str):
    small = io.BytesIO()
    Image.new("L", (1, 1)).save(small, "GIF")
    whole = small.getvalue()
    at = whole.index(b",\x00\x00\x00\x00")  # the image, up to the trailer
    data = whole[:at] + whole[at:-1] * 200_000 + b";"
    refused = _refused(tight, data, password)
    assert refused.code in (Code.EVIDENCE_TOO_MANY_PAGES, Code.CONVERSION_TIMEOUT)


@pytest.mark.parametrize(
    "data",
    [
        _zip("0.zip", _zip("1.zip", _zip("2.zip", bytes(1 << 20)))),
        b"\x1f\x8b\x08" + bytes(100),
        b"Rar!\x1a\x07\x00" + bytes(100),
        b"7z\xbc\xaf\x27\x1c" + bytes(100),
        b"MZ" + bytes(100),
        b"\x7fELF" + bytes(100),
    ],
    ids=["nested zip", "gzip", "rar", "7z", "program", "elf"],
)
def test_archives_and_programs_are_refused_by_kind_and_never_unpacked(
    data: bytes, sandbox: Sandbox, password: str
):
    assert _refused(sandbox, data, password).code is Code.EVIDENCE_KIND


def test_a_mail_lists_a_bomb_among_its_attachments_and_does_not_set_it_off(tight: Sandbox, password: str):
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(5001) * 40_000, 9))
    )
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@b.cn", "c@d.cn", "x"
    mail.set_content("words")
    mail.add_attachment(bomb, maintype="image", subtype="png", filename="a.png")
    mail.add_attachment(_zip(), maintype="application", subtype="zip", filename="b.zip")
    with tight.convert(io.BytesIO(mail.as_bytes()), "x", password) as made:
        assert made.pages == 1
        assert "展开后过大" in made.text[0]
        assert "仅附于原件" in made.text[0]


def test_a_long_table_of_tiny_cells_is_stopped_by_the_pages(tight: Sandbox, password: str):
    assert _refused(tight, b"a,b,c\n" * 400_000, password).code is Code.EVIDENCE_TOO_MANY_PAGES


@pytest.mark.parametrize(
    "name",
    ["长" * 86, "a" * 256, "x/../../etc/passwd", "..", "", "a\x00b", "a\nb", "\u202egpj.exe", "\ud800"],
)
def test_a_name_that_no_file_may_have_is_refused_before_anything_is_read(name: str):
    with pytest.raises(MunimentError) as refused:
        check_name(name)
    assert refused.value.code is Code.EVIDENCE_NAME
    refused.value.say("zh").encode()


def test_the_longest_name_is_taken(tmp_path: Path):
    name = "长" * 85
    check_name(name)
    (tmp_path / name).write_bytes(os.urandom(1))
