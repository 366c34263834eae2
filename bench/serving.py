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
        with Served(home, "--sample"):
            yield Row("first start: made, filled with 40 files, served", time.perf_counter() - began, "s")
        began = time.perf_counter()
        with Served(home, "--sample") as server:
            yield Row("second start", time.perf_counter() - began, "s")
            began = time.perf_counter()
            for _ in range(_PAGES):
                server.page()
            yield Row("pages served, one after another", _PAGES / (time.perf_counter() - began), "pages/s")
            time.sleep(2)
            yield Row("resident memory of the idle server", server.resident()[1] / 1e6, "MB")


class Served:
    """A server process over the archive in ``home``."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "web", "--home", str(home), "serve", "--port", "0", *arguments]

    def __enter__(self) -> Self:
        known = {name: value for name, value in os.environ.items() if not name.startswith("MUNIMENT_")}
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True, env=known)
        for line in self._process.stderr or ():
            if found := re.search(r"http://\S+", line):
                self.address = found[0]
                break
        self.page()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def page(self) -> None:
        with urllib.request.urlopen(f"{self.address}/sign-in", timeout=30) as answer:
            answer.read()

    def resident(self) -> tuple[int, int]:
        """Bytes: of the server alone, and with its conversion processes."""
        alone = _resident(self._process.pid)
        return alone, alone + sum(_resident(pid) for pid in self._children())

    def _children(self) -> list[int]:
        """Of any of its threads."""
        texts = [each.read_text() for each in Path(f"/proc/{self._process.pid}/task").glob("*/children")]
        return [int(each) for text in texts for each in text.split()]


def _resident(pid: int) -> int:
    """Bytes; nothing of one that is ending."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) * 1024 if found else 0
