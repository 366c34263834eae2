"""What one upload takes of the server's memory, from 10 MB to 1 GB: the server, its workers, and their memory files."""

import http.client
import json
import os
import re
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self
from urllib.parse import urlencode, urlsplit

from access.passwords import initial_password
from access.person import Role
from archive.ledger.entries import CONSOLE
from bench.serving import Served
from bench.table import Row
from web.sample import SampleCase, cases
from web.settings import Settings
from web.wiring import init, opened

SIZES = (10_000_000, 99_000_000, 1_000_000_000)  # bytes
_REGISTRAR = "李莉"
_BOUNDARY = "----bench"
_REDIRECTS = (http.client.FOUND, http.client.SEE_OTHER)
_PIECE = 1 << 20
_MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"


def measure() -> Iterator[Row]:
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as folder:
        home = Path(folder) / "var"
        password = initial_password()
        settings = Settings(home=home)
        init(settings)
        with opened(settings) as house:
            house.people.add(CONSOLE, _REGISTRAR, Role.REGISTRAR, "客服部", password)
        with Served(home) as server:
            visitor = _Visitor(server.address, password)
            for case, size in zip(cases(7, len(SIZES), datetime.now(UTC).date()), SIZES, strict=True):
                with _Watch(server) as watch:
                    began = time.perf_counter()
                    status = visitor.file(case, size)
                    seconds = time.perf_counter() - began
                said = "filed" if status in _REDIRECTS else f"answered {status}"
                name = f"a sound of {size / 1e6:,.0f} MB, {said}"
                yield Row(f"{name}: server alone", watch.server / 1e6, "MB at most")
                yield Row(f"{name}: with workers", watch.together / 1e6, "MB at most")
                yield Row(f"{name}: memory files", watch.files / 1e6, "MB at most")
                yield Row(f"{name}: seconds", seconds, "s")


class _Watch:
    """The most of each while the block runs, looked at twenty times a second; in bytes."""

    def __init__(self, server: Served) -> None:
        self._served = server
        self.server = self.together = self.files = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._before = _memory_files()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.05):
            alone, together = self._served.resident()
            self.server, self.together = max(self.server, alone), max(self.together, together)
            self.files = max(self.files, _memory_files() - self._before)


class _Visitor:
    """A registrar at a browser, as far as filing goes."""

    def __init__(self, address: str, password: str) -> None:
        self._host = urlsplit(address).netloc
        self._cookies: dict[str, str] = {}
        form = {"csrf_token": self._token("/sign-in"), "name": _REGISTRAR, "password": password}
        status = self._post("/sign-in", "application/x-www-form-urlencoded", [urlencode(form).encode()])
        assert status in _REDIRECTS, status

    def file(self, case: SampleCase, size: int) -> int:
        """One sound of so many bytes as evidence. The HTTP status."""
        fields = {"csrf_token": self._token("/file"), "level": case.level, "category": case.category}
        parts = [_part(name, value.encode()) for name, value in fields.items()]
        parts.append(_part("voucher", json.dumps(case.voucher).encode(), "voucher.json"))
        return self._post(
            "/file", _MULTIPART, [*parts, _part("evidence", b"", "a.wav")[:-2], *_sound(size), _END]
        )

    def _token(self, path: str) -> str:
        connection = http.client.HTTPConnection(self._host, timeout=600)
        connection.request("GET", path, headers=self._headers())
        answer = connection.getresponse()
        page = answer.read().decode()
        self._keep(answer)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found is not None, path
        return found[1]

    def _post(self, path: str, kind: str, body: Sequence[bytes]) -> int:
        connection = http.client.HTTPConnection(self._host, timeout=600)
        length = str(sum(len(each) for each in body))
        connection.request(
            "POST",
            path,
            body=iter(body),
            headers=self._headers() | {"Content-Type": kind, "Content-Length": length},
        )
        answer = connection.getresponse()
        answer.read()
        self._keep(answer)
        return answer.status

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}

    def _keep(self, answer: http.client.HTTPResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie") or ():
            self._cookies |= {name: each.value for name, each in SimpleCookie(line).items()}


def _part(name: str, content: bytes, file: str = "") -> bytes:
    named = f'; filename="{file}"' if file else ""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


_END = f"\r\n--{_BOUNDARY}--\r\n".encode()


def _sound(size: int) -> list[bytes]:
    """A WAV of noise: mono, 16 bits, 48,000 a second. One piece stands for many: the client must not count here."""
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        size - 8,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        48_000,
        96_000,
        2,
        16,
        b"data",
        size - 44,
    )
    noise = os.urandom(_PIECE)
    whole, rest = divmod(size - len(head), _PIECE)
    return [head, *[noise] * whole, noise[:rest]]


def _memory_files() -> int:
    """Bytes of all memory files of this machine: what the server passes to its workers lies in such."""
    found = re.search(r"Shmem:\s+(\d+)", Path("/proc/meminfo").read_text())
    return int(found[1]) * 1024 if found else 0
