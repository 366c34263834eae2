"""An upload lies in memory, never in a file of the disk."""

import tempfile
from pathlib import Path

import pytest
from flask import Flask, request

from web.uploading import MemoryRequest


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Flask:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was opened")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, forbidden)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", forbidden)
    app = Flask(__name__)
    app.request_class = MemoryRequest

    @app.post("/")
    def receive() -> dict[str, object]:
        stream = request.files["file"].stream
        place = Path(f"/proc/self/fd/{stream.fileno()}").readlink()
        return {"place": str(place), "bytes": len(stream.read())}

    return app


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_an_upload_of_any_size_is_an_anonymous_memory_file(receiver: Flask, size: int):
    answer = upload(receiver, b"x" * size)
    assert answer["place"].startswith("/memfd:upload")
    assert answer["bytes"] == size


def test_the_memory_is_given_back_when_the_request_ends(receiver: Flask):
    for _ in range(3):
        upload(receiver, b"x" * 1000)
    assert [place for place in _open() if "memfd:upload" in place] == []


def upload(receiver: Flask, content: bytes) -> dict[str, object]:
    """Written by hand: the test client's own encoder spools large bodies to a temporary file."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = head + content + b"\r\n--x--\r\n"
    answer = receiver.test_client().post("/", data=body, content_type="multipart/form-data; boundary=x")
    return dict(answer.json)


def _open() -> list[str]:
    """What the descriptors of this process lead to; the one that lists them is gone by then."""
    links = list(Path("/proc/self/fd").iterdir())
    return [str(link.readlink()) for link in links if link.is_symlink()]
