"""Office documents through a caged LibreOffice; where it is absent, a cover that says so."""

import contextlib
import fcntl
import http.server
import io
import json
import os
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import Code, MunimentError
from archive.evidence import containers, office, scratch
from archive.evidence.kinds import EvidenceKind
from archive.evidence.refusing import Refused
from archive.evidence.sandbox import Limits, Sandbox

ROOT = Path(__file__).resolve().parents[3]
needs_office = pytest.mark.skipif(office.find() is None, reason="LibreOffice is not installed here")

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"
 xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2"><office:body><office:text>{body}</office:text>
</office:body></office:document-content>"""
MANIFEST = """<?xml version="1.0"?><manifest:manifest
 xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>{more}</manifest:manifest>"""
WORD = """<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:body>{body}</w:body></w:document>"""
TYPES = """<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
RELATIONS = """<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Target="word/document.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>"""


def _zip(entries: dict[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in entries.items():
            package.writestr(name, content)
    return target.getvalue()


def _odt(body: str, more: str = "") -> bytes:
    return _zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": MANIFEST.format(more=more),
            "content.xml": DOCUMENT.format(body=body),
        }
    )


def _docx(body: str) -> bytes:
    return _zip(
        {"[Content_Types].xml": TYPES, "_rels/.rels": RELATIONS, "word/document.xml": WORD.format(body=body)}
    )


def _compound(*names: str) -> bytes:
    """A compound file whose root holds streams of these names: header, one table sector, one directory sector."""
    header = containers.COMPOUND + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIIII", 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    table = struct.pack("<III", 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF) + b"\xff" * 500
    directory = b""
    for number, name in enumerate(("Root Entry", *names)):
        encoded = name.encode("utf-16-le") + b"\0\0"
        right = number + 1 if 0 < number < len(names) else 0xFFFFFFFF
        child = 1 if number == 0 else 0xFFFFFFFF
        directory += encoded.ljust(64, b"\0") + struct.pack(
            "<HBBIII", len(encoded), 5 if number == 0 else 2, 1, 0xFFFFFFFF, right, child
        )
        directory = directory.ljust(128 * (number + 1), b"\0")
    return header + b"\xff" * 432 + table[:512] + directory.ljust(512, b"\0")


def _left_behind() -> list[Path]:
    """Folders that nobody holds; others may be at work on this machine."""
    left = []
    for path in scratch.MEMORY.glob("muniment-*"):
        with contextlib.suppress(OSError):
            held = os.open(path, os.O_RDONLY)
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(held)
            left.append(path)
    return left


DOCUMENTS = {
    "odt": (_odt("<text:p>顾客投诉：要求退款。</text:p>"), EvidenceKind.ODT),
    "docx": (_docx("<w:p><w:r><w:t>顾客投诉：要求退款。</w:t></w:r></w:p>"), EvidenceKind.DOCX),
    "rtf": (rb"{\rtf1\ansi\u39038 ?\u23458 ?\u25237 ?\u35785 ?\u65306 ? refund}", EvidenceKind.RTF),
}


@needs_office
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_shown_as_it_prints_and_kept_whole(name: str, sandbox: Sandbox, password: str):
    data, kind = DOCUMENTS[name]
    with sandbox.convert(io.BytesIO(data), "x.bin", password) as made:
        assert (made.kind, made.pages, made.pending) == (kind, 1, False)
        assert "顾客投诉" in made.text[0]
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data
        assert sandbox.page(made.pdf, password, 1, 400, "看").startswith(b"\xff\xd8\xff")
    assert _left_behind() == []


def test_without_libreoffice_a_cover_stands_for_the_document(
    sandbox: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "find", lambda: None)
    data, kind = DOCUMENTS["docx"]
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert (made.kind, made.pages, made.pending) == (kind, 1, True)
        said = "".join(made.text[0].split())
        assert made.original_sha256 in said
        assert "convert-pending" in said
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_OPTIONS = do_PROPFIND = do_GET  # noqa: N815 -- http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


@needs_office
def test_a_document_fetches_no_pictures_and_reads_no_files(
    listener: tuple[int, list[str]], tmp_path: Path, sandbox: Sandbox, password: str
):
    port, asked = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")
    body = (
        "<text:p>before</text:p>"
        f'<text:p><draw:frame svg:width="5cm" svg:height="5cm"><draw:image xlink:type="simple" xlink:show="embed" '
        f'xlink:actuate="onLoad" xlink:href="http://127.0.0.1:{port}/a.png"/></draw:frame></text:p>'
        f'<text:section text:name="s"><text:section-source xlink:type="simple" '
        f'xlink:href="file://{secret}" text:filter-name="Text"/></text:section><text:p>after</text:p>'
    )
    with sandbox.convert(io.BytesIO(_odt(body)), "x", password) as made:
        text = "".join(made.text)
    assert "before" in text
    assert "after" in text
    assert "TOPSECRET" not in text
    assert asked == []


TRIES = r"""
import json, os, socket, sys
def attempt(action):
    try:
        action()
    except OSError as error:
        return error.errno
    return 0
outside, room = sys.argv[1], sys.argv[2]
tries = {
    "network": lambda: socket.create_connection(("127.0.0.1", 9)),
    "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "fork": os.fork,
    "read outside": lambda: open(outside + "/kept"),
    "write outside": lambda: open(outside + "/new", "w"),
    "remove outside": lambda: os.remove(outside + "/kept"),
    "rename outside": lambda: os.rename(outside + "/kept", room + "/kept"),
    "chmod outside": lambda: os.chmod(outside + "/kept", 0),
    "list outside": lambda: os.listdir(outside),
    "kill": lambda: os.kill(os.getppid(), 0),
    "shared memory of others": lambda: open("/dev/shm/muniment-other", "w"),
    "write inside": lambda: open(room + "/new", "w").close(),
    "remove inside": lambda: os.remove(room + "/new"),
}
found = {name: attempt(action) for name, action in tries.items()}
os.write(1, json.dumps(found).encode())
"""


@pytest.mark.parametrize("writes", [True, False])
def test_a_program_in_the_cage_reaches_nothing_but_its_folder(tmp_path: Path, writes: bool):
    outside, room = tmp_path / "outside", tmp_path / "room"
    outside.mkdir()
    room.mkdir()
    (outside / "kept").write_text("kept")
    orders = {
        "readable": [
            "/usr",
            "/lib",
            "/lib64",
            "/etc/ld.so.cache",
            sys.prefix,
            sys.base_prefix,
            "/dev/urandom",
        ],
        "writable": [str(room)] if writes else [],
        "memory_bytes": 500_000_000,
        "output_bytes": 1 << 20,
        "cpu_seconds": 10,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "archive.evidence.cage", json.dumps(orders), sys.executable, "-I", "-c", TRIES,
         str(outside), str(room)],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    found = json.loads(ran.stdout)
    inside = {name: found.pop(name) for name in ("write inside", "remove inside")}
    assert all(found.values()), found
    assert all(not code for code in inside.values()) == writes
    assert (outside / "kept").read_text() == "kept"


def test_a_document_too_slow_to_convert_is_stopped_and_leaves_nothing(password: str):
    if office.find() is None:
        pytest.skip("LibreOffice is not installed here")
    with Sandbox(workers=1, limits=Limits(wall_seconds=0.2)) as sandbox:
        with pytest.raises(MunimentError) as stopped:
            sandbox.convert(io.BytesIO(DOCUMENTS["odt"][0]), "慢.odt", password)
        assert stopped.value.code is Code.CONVERSION_TIMEOUT
        assert "慢.odt" in stopped.value.say("zh")
    assert _left_behind() == []


@needs_office
def test_a_document_that_unfolds_without_end_is_stopped_by_the_limits(password: str):
    target = io.BytesIO(_docx(""))
    start, end = WORD.encode().split(b"{body}")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", TYPES)
        package.writestr("_rels/.rels", RELATIONS)
        with package.open("word/document.xml", "w") as entry:
            entry.write(start)
            for _ in range(600):
                entry.write(b"<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 10_000)
            entry.write(end)
    bomb = target.getvalue()
    assert len(bomb) < 2_000_000
    limits = Limits(program_cpu_seconds=4, program_memory_bytes=600_000_000, wall_seconds=30)
    with Sandbox(workers=1, limits=limits) as sandbox, pytest.raises(MunimentError) as stopped:
        sandbox.convert(io.BytesIO(bomb), "x.docx", password)
    assert stopped.value.code in (Code.CONVERSION_TIMEOUT, Code.EVIDENCE_UNREADABLE)
    assert _left_behind() == []


@needs_office
def test_damaged_documents_are_refused(sandbox: Sandbox, password: str):
    for data in (_odt("<text:p>"), _compound("WordDocument"), _docx("")[:-30]):
        with pytest.raises(MunimentError) as refused:
            sandbox.convert(io.BytesIO(data), "x", password)
        assert refused.value.code is Code.EVIDENCE_UNREADABLE


def _refused(data: bytes) -> Code:
    reading = containers.in_compound if data.startswith(containers.COMPOUND) else containers.in_zip
    with pytest.raises(Refused) as refused:
        reading(data)
    return refused.value.code


def test_a_package_that_says_it_unfolds_hugely_is_refused_unopened():
    entry = "<w:p/>" * 1000
    bomb = _docx(entry)
    named = struct.pack("<I", len(WORD.format(body=entry)))
    assert named in bomb
    assert _refused(bomb.replace(named, struct.pack("<I", 4_000_000_000))) is Code.CONVERSION_TOO_LARGE
    many = _zip({"[Content_Types].xml": TYPES, **{f"word/{number}": "" for number in range(20_001)}})
    assert _refused(many) is Code.CONVERSION_TOO_LARGE


def test_documents_under_a_password_are_refused_as_such():
    locked = '<manifest:encryption-data manifest:checksum="x"/>'
    assert _refused(_odt("", locked)) is Code.EVIDENCE_ENCRYPTED
    assert _refused(_compound("EncryptionInfo", "EncryptedPackage")) is Code.EVIDENCE_ENCRYPTED


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("WordDocument", "1Table"), EvidenceKind.DOC),
        (("Workbook",), EvidenceKind.XLS),
        (("Book",), EvidenceKind.XLS),
        (("Current User", "PowerPoint Document"), EvidenceKind.PPT),
        (("__properties_version1.0",), "Outlook"),
        (("Something",), "Office 97-2003"),
        ((), "Office 97-2003"),
    ],
)
def test_old_documents_are_told_apart_by_their_streams(names: tuple[str, ...], kind: str):
    assert containers.in_compound(_compound(*names)) == kind


def test_a_directory_that_runs_in_circles_is_read_to_its_end():
    data = bytearray(_compound("WordDocument"))
    struct.pack_into("<I", data, 512 + 4, 1)  # the sector after the directory's is its own
    assert containers.in_compound(bytes(data)) is EvidenceKind.DOC


@pytest.mark.parametrize("name", ["word/document.xml", "xl/workbook.xml", "OFD.xml", "other"])
def test_zip_files_are_told_apart_by_their_entries(name: str):
    kinds = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "OFD.xml": "OFD", "other": "ZIP"}
    entries = {name: ""} if name in ("OFD.xml", "other") else {"[Content_Types].xml": "", name: ""}
    assert containers.in_zip(_zip(entries)) == kinds[name]


def test_a_folder_left_by_a_crash_is_cleared_and_one_in_use_is_not(tmp_path: Path):
    left = tmp_path / "muniment-left"
    left.mkdir()
    (left / "plain").write_text("text")
    with scratch.folder(tmp_path) as room:
        assert not left.exists()
        assert room.stat().st_mode & 0o777 == 0o700
        (room / "made").write_text("x")
        scratch.clear(tmp_path)
        assert (room / "made").exists()
    assert list(tmp_path.iterdir()) == []
