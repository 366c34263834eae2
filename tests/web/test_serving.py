"""The server as a process: one to an archive, ended in order, and refusing what is too large before it is read."""

import signal
import socket
import threading
import urllib.request
from pathlib import Path

import pytest

from archive.errors import Exit
from tests.serving import muniment, served


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "var"
    assert muniment("--home", home, "init").returncode == 0
    return home


def status(address: str) -> int:
    with urllib.request.urlopen(f"{address}/sign-in", timeout=60) as answer:
        return answer.status


def test_a_second_server_on_the_same_archive_is_refused_and_the_first_goes_on(home: Path):
    with served(home) as (address, process):
        second = muniment("--home", home, "serve", "--port", "0")
        assert second.returncode == Exit.CONFLICT
        assert str(process.pid) in second.stderr
        assert status(address) == 200
    with served(home) as (address, _):  # the lock went with its process
        assert status(address) == 200


def test_commands_work_beside_the_server(home: Path):
    with served(home) as (address, _):
        added = muniment(
            "--home", home, "people", "add", "周敏", "--role", "administrator", "--department", "客服部",
            "--password-stdin", given="correct-horse-battery\n",
        )  # fmt: skip
        assert added.returncode == 0
        assert status(address) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_and_answers_what_is_under_way(home: Path, number: int):
    with served(home) as (address, process):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as slow:
            slow.sendall(b"GET /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = slow.recv(100)
            process.send_signal(number)
            assert process.wait(60) == 0
        assert answer.startswith(b"HTTP/1.1 200")


def test_a_port_that_is_taken_is_a_clear_stop(home: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = muniment("--home", home, "serve", "--port", taken.getsockname()[1])
    assert ended.returncode == Exit.CONFLICT
    assert "--port" in ended.stderr


def test_an_upload_beyond_the_limit_is_refused_unread_in_both_languages(home: Path):
    with served(home, MUNIMENT_UPLOAD_LIMIT_MB="1") as (address, _):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as sender:
            sender.sendall(b"POST /file HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000000\r\n\r\n")
            answer = sender.makefile("rb").read().decode()
        assert " 413 " in answer
        assert "1 MB" in answer
        assert "上传总量超过" in answer
        assert "over the limit" in answer
        assert status(address) == 200


def test_many_visitors_at_once_are_all_answered(home: Path):
    with served(home) as (address, _):
        found: list[int] = []
        visitors = [threading.Thread(target=lambda: found.append(status(address))) for _ in range(30)]
        for each in visitors:
            each.start()
        for each in visitors:
            each.join()
        assert found == [200] * 30


@pytest.mark.parametrize(
    ("place", "status_line", "said"),
    [
        ("/sign-in", " 413 ", "填写的内容过长"),
        ("/nowhere", " 413 ", "填写的内容过长"),
        ("/file", " 401 ", "请先登录"),
        ("/file/check", " 401 ", "请先登录"),
    ],
)
@pytest.mark.parametrize("length", ["Content-Length: 900000", "Transfer-Encoding: chunked"])
def test_nobody_sends_more_than_a_form_without_signing_in(
    home: Path, place: str, status_line: str, said: str, length: str
):
    """The body is not waited for: what a stranger sends must fill neither the disk nor the memory."""
    with served(home) as (address, _):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as sender:
            sender.sendall(
                f"POST {place} HTTP/1.1\r\nHost: x\r\nCookie: session=x\r\n{length}\r\n\r\n".encode()
            )
            answer = sender.makefile("rb").read().decode()
        assert status_line in answer.splitlines()[0]
        assert said in answer
        assert status(address) == 200
