"""Start-up time and memory of an idle server over the sample archive."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from bench.table import Row

_PAGES = 200


def measure() -> Iterator[Row]:
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as folder:
        home = Path(folder) / "var"
        began = time.perf_counter()
        with _Served(home):
            yield Row("first start: made, filled with 40 files, served", time.perf_counter() - began, "s")
        began = time.perf_counter()
        with _Served(home) as server:
            yield Row("second start", time.perf_counter() - began, "s")
            began = time.perf_counter()
            for _ in range(_PAGES):
                server.page()
            yield Row("pages served, one after another", _PAGES / (time.perf_counter() - began), "pages/s")
            time.sleep(2)
            yield Row("resident memory of the idle server", server.resident() / 1e6, "MB")


class _Served:
    def __init__(self, home: Path) -> None:
        self._command = [sys.executable, "-m", "web", "--home", str(home), "serve", "--sample", "--port", "0"]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        for line in self._process.stderr or ():
            if found := re.search(r"http://\S+", line):
                self._address = found[0]
                break
        self.page()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def page(self) -> None:
        with urllib.request.urlopen(f"{self._address}/sign-in", timeout=30) as answer:
            answer.read()

    def resident(self) -> int:
        """Bytes, of the server and its conversion processes."""
        pids = [self._process.pid, *self._children()]
        return sum(_resident(pid) for pid in pids)

    def _children(self) -> list[int]:
        text = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [int(each) for each in text.split()]


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]
