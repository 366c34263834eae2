"""An upload lies in memory or sealed, never in plain in a file of the disk."""

import io
import os
from pathlib import Path

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import encode_multipart

from access.person import Role
from web.uploading import FORM, IN_MEMORY, SealedBuffer, SealedRequest, sealed_file

CUSTOMER = "王小明 13800138000 ".encode()


@pytest.fixture
def receiver() -> Flask:
    app = Flask(__name__)
    app.request_class = SealedRequest

    @app.post("/")
    def receive() -> dict[str, object]:
        stream = request.files["file"].stream
        place = Path(f"/proc/self/fd/{_number(stream)}").readlink()
        in_memory = "memfd:upload" in str(place)
        return {"in_memory": in_memory, "whole": stream.read() == request.headers["X-Whole"].encode() * 1000}

    return app


def _number(stream: object) -> int:
    try:
        return stream.fileno()
    except OSError:
        return 0


@pytest.mark.parametrize(("length", "in_memory"), [(10, True), (IN_MEMORY // 1000 + 1, False)])
def test_a_small_upload_is_held_in_memory_and_a_large_one_sealed(
    receiver: Flask, length: int, in_memory: bool
):
    answer = upload(receiver, b"x" * length * 1000, whole="x" * length)
    assert answer == {"in_memory": in_memory, "whole": True}


def test_the_memory_is_given_back_when_the_request_ends(receiver: Flask):
    for _ in range(3):
        upload(receiver, b"x" * 1000, whole="x")
    assert [place for place in _open() if "memfd:upload" in place] == []


def test_nothing_of_a_sealed_file_is_on_the_disk_in_plain():
    with sealed_file() as file:
        file.write(CUSTOMER * 20_000)
        file.flush()
        place = next(
            link for link in Path("/proc/self/fd").iterdir() if _is_ours(link, len(CUSTOMER) * 20_000)
        )
        kept = place.read_bytes()
        file.seek(0)
        assert file.read() == CUSTOMER * 20_000
    assert len(kept) == len(CUSTOMER) * 20_000
    assert CUSTOMER[:8] not in kept
    assert kept[:1000] != kept[len(CUSTOMER) * 16 :][:1000]  # a repeated text does not repeat


@given(st.lists(st.binary(min_size=1, max_size=70_000), max_size=8), st.randoms())
def test_a_sealed_file_reads_as_a_plain_one_wherever_it_is_read(pieces: list[bytes], rng):
    whole = b"".join(pieces)
    with sealed_file() as file:
        for piece in pieces:
            file.seek(0, os.SEEK_END)
            file.write(piece)
            written = file.tell()
            start = rng.randrange(written)
            file.seek(start)
            assert file.read(50) == whole[start : min(start + 50, written)]
        file.seek(0)
        assert file.read() == whole


def test_a_place_is_never_written_twice():
    with sealed_file() as file:
        file.write(b"a" * 100)
        file.flush()
        file.seek(0)
        with pytest.raises(OSError, match="only added to"):
            file.raw.write(b"b")


@given(st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=20))
def test_the_servers_buffer_gives_back_what_it_was_given(pieces: list[bytes]):
    buffer = SealedBuffer(1000)
    for piece in pieces:
        buffer.append(piece)
    assert buffer.getfile().read() == b"".join(pieces)
    buffer.close()


def _is_ours(link: Path, size: int) -> bool:
    try:
        return "(deleted)" in str(link.readlink()) and link.stat().st_size == size
    except OSError:
        return False


def upload(receiver: Flask, content: bytes, whole: str) -> dict[str, object]:
    """Written by hand: the test client's own encoder spools large bodies to a temporary file."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = head + content + b"\r\n--x--\r\n"
    answer = receiver.test_client().post(
        "/", data=body, content_type="multipart/form-data; boundary=x", headers={"X-Whole": whole}
    )
    return dict(answer.json)


def _open() -> list[str]:
    """What the descriptors of this process lead to; the one that lists them is gone by then."""
    links = list(Path("/proc/self/fd").iterdir())
    return [str(link.readlink()) for link in links if link.is_symlink()]


@pytest.mark.parametrize("place", ["/sign-in", "/account", "/requests/new", "/file", "/file/words"])
def test_a_form_without_files_is_refused_before_it_fills_the_memory(visitor, place: str):
    """An urlencoded body is read whole: 120 MB of it took a server 5 GB."""
    browser = visitor(Role.REGISTRAR)
    answer = browser.client.post(
        place, data=b"a=1&" * (FORM // 4 + 1), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 413
    assert "limit" not in answer.text


@pytest.mark.parametrize(
    "values",
    [
        {"evidence": [(io.BytesIO(b"x"), f"{number}.jpg") for number in range(300)]},
        {"details": "长" * 300_000},
    ],
    ids=["parts", "field"],
)
def test_too_many_parts_and_too_long_fields_are_not_called_a_large_upload(visitor, values: dict[str, object]):
    browser = visitor(Role.REGISTRAR)
    boundary, body = encode_multipart({**values, "csrf_token": browser.token("/file")})
    answer = browser.client.post(
        "/file",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Accept-Language": "zh-CN"},
    )
    assert answer.status_code == 413
    assert "填写的内容过长" in answer.text


def test_a_stranger_is_asked_to_sign_in_before_their_files_are_read(stranger, forms):
    answer = stranger.post("/file", "/sign-in", data={"evidence": (io.BytesIO(b"x" * FORM), "a.jpg")})
    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in")
