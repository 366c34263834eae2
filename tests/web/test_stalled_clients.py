"""Clients that take nothing of what they asked for: real ones, over real lines, while others go on reading pages."""

import io
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from waitress import create_server

from access.person import Role
from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.errors import Code, MunimentError
from archive.evidence.limits import ATTACHED
from archive.ledger.entries import CONSOLE
from tests.conftest import QUICK
from tests.recordings import film, needs_ffmpeg
from tests.serving import served
from tests.vouchers import voucher
from tests.waiting import wait_for
from web.answering import LongAnswers
from web.serving import give_up_stalled
from web.settings import Settings
from web.wiring import init, opened

PASSWORD = "correct-horse-battery"
CLIENTS = 10  # more than the server has threads
STATUS = len(b"HTTP/1.1 200")


@dataclass(frozen=True)
class Served:
    """A server with a recording of tens of megabytes, and the sessions of people who may hear it."""

    host: str
    port: int
    recording: str
    sessions: tuple[str, ...]

    def ask(self, path: str, person: int, *more: str) -> bytes:
        """A request, as it is sent."""
        cookie = f"Cookie: session={self.sessions[person % len(self.sessions)]}"
        return "\r\n".join((f"GET {path} HTTP/1.1", "Host: x", cookie, *more, "", "")).encode()

    def send(self, stack: ExitStack, content: bytes) -> socket.socket:
        """A client that has asked and takes nothing until it is told to."""
        client = stack.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        client.settimeout(30)
        client.connect((self.host, self.port))
        client.sendall(content)
        return client

    def pages_are_answered(self) -> None:
        for _ in range(10):
            with urllib.request.urlopen(f"http://{self.host}:{self.port}/sign-in", timeout=20) as answer:
                assert answer.status == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home: Path = tmp_path_factory.mktemp("stalled") / "var"
    settings = Settings(home=home)
    init(settings)
    large = film() + (ATTACHED + 8).to_bytes(4) + b"free" + bytes(ATTACHED)
    with opened(settings, passwords=QUICK) as house:
        sources = (Source("监控.mp4", io.BytesIO(large)),)
        filed = house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, voucher(), sources))
        people = [
            house.people.add(CONSOLE, name, Role.ADMINISTRATOR, "客服部", PASSWORD)
            for name in ("周敏", "吴敏", "郑敏")
        ]
        sessions = tuple(house.sessions.open(each) for each in people)
    with served(home) as (address, _):
        host, port = address.removeprefix("http://").split(":")
        yield Served(host, int(port), f"/files/{filed.reference}/recordings/1", sessions)


def quoted(path: str) -> str:
    return urllib.request.quote(path)


@needs_ffmpeg
def test_clients_that_pause_a_whole_recording_keep_no_page_from_others(server: Served):
    with ExitStack() as stack:
        clients = [
            server.send(stack, server.ask(quoted(server.recording), number)) for number in range(CLIENTS)
        ]
        server.pages_are_answered()
        answers = [client.recv(STATUS) for client in clients]
        assert 1 <= answers.count(b"HTTP/1.1 200") <= 4  # half of the threads
        assert answers.count(b"HTTP/1.1 503") == CLIENTS - answers.count(b"HTTP/1.1 200")
    server.pages_are_answered()


@needs_ffmpeg
def test_one_person_takes_half_of_that_and_gets_it_again_when_it_was_given_up(server: Served):
    ask = server.ask(quoted(server.recording), 0)
    other = server.ask(quoted(server.recording), 1, "Connection: close")

    def takes_half_and_leaves_half() -> bool:
        with ExitStack() as stack:
            answers = [server.send(stack, ask).recv(STATUS) for _ in range(4)]
            assert answers.count(b"HTTP/1.1 200") <= 2
            whole = server.send(stack, other).makefile("rb").read().endswith(bytes(ATTACHED))
            return whole and answers == [b"HTTP/1.1 200"] * 2 + [b"HTTP/1.1 503"] * 2

    for _ in range(2):  # each time when the server has seen that those before are gone
        wait_for(takes_half_and_leaves_half, 60)


@needs_ffmpeg
def test_clients_that_ask_for_many_ranges_at_once_and_take_nothing_keep_no_page_from_others(server: Served):
    """Each answer alone is short; all that one client asked for together is not."""
    with ExitStack() as stack:
        for number in range(CLIENTS):
            ask = server.ask(quoted(server.recording), number, "Range: bytes=0-")
            server.send(stack, ask * 40)
        server.pages_are_answered()


def test_of_several_requests_at_once_the_first_is_answered_and_the_line_closed(server: Served):
    with ExitStack() as stack:
        client = server.send(stack, server.ask("/sign-in", 0) * 3)
        answer = client.makefile("rb").read()
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer


def test_a_client_that_takes_nothing_is_given_up_and_its_thread_is_free():
    ended = threading.Event()

    def application(_environ, start_response) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield bytes(1 << 16)
        finally:
            ended.set()

    lines: dict[int, object] = {}
    server = create_server(application, map=lines, host="127.0.0.1", port=0, cleanup_interval=0, threads=1)
    server.maintenance = partial(give_up_stalled, server, patience=0.5)
    thread = threading.Thread(target=server.run)
    thread.start()
    with socket.create_connection(("127.0.0.1", server.effective_port), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ended.wait(30)
        while client.recv(1 << 20):  # what was on its way, and then the end
            pass
    server.task_dispatcher.shutdown()
    server.close()
    server.asyncore.close_all(lines)
    thread.join(30)
    assert not thread.is_alive()


def test_a_client_that_takes_what_it_is_given_slowly_is_not_given_up():
    whole = bytes(6 << 20)

    def application(_environ, start_response) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(whole)))])
        return [whole]

    lines: dict[int, object] = {}
    server = create_server(application, map=lines, host="127.0.0.1", port=0, cleanup_interval=0, threads=1)
    server.maintenance = partial(give_up_stalled, server, patience=20)
    thread = threading.Thread(target=server.run)
    thread.start()
    taken = 0
    with socket.create_connection(("127.0.0.1", server.effective_port), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while block := client.recv(1 << 20):
            taken += len(block)
            threading.Event().wait(0.01)
    server.task_dispatcher.shutdown()
    server.close()
    server.asyncore.close_all(lines)
    thread.join(30)
    assert taken > len(whole)


def test_there_is_room_for_few_long_answers_and_it_comes_back():
    answers = LongAnswers(8)
    for _ in range(2):
        with ExitStack() as stack:
            for person in ("P0001", "P0001", "P0002", "P0003"):
                stack.enter_context(answers.one(person))
            for person in ("P0001", "P0004"):
                with pytest.raises(MunimentError) as caught, answers.one(person):
                    pass
                assert caught.value.code is Code.ARCHIVE_BUSY
    with LongAnswers(1).one("P0001"):
        pass
