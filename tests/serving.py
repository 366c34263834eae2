"""A real server process over an archive, for tests that look at it from outside."""

import atexit
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.forking import ROOT, Forking


def environment(**more: str) -> dict[str, str]:
    """Of a command that knows no archive but the one it is told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MUNIMENT_")}
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), **more}


def muniment(*arguments: object, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Runs one command to its end."""
    called = list(map(str, arguments))
    status, said, told = _forking(os.getpid()).run(called, given, environment(**more), seconds=300)
    return subprocess.CompletedProcess(called, status, said, told)


@cache
def _forking(_process: int) -> Forking:
    """That of this process: a child of it has its own."""
    made = Forking()
    atexit.register(made.close)
    return made


@contextmanager
def served(home: Path, *arguments: str, **more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and the process of a server, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "web", "--home", str(home), "serve", "--port", "0", *arguments],
        env=environment(**more),
        text=True,
        stderr=subprocess.PIPE,
    )
    try:
        yield _address(process), process
    finally:
        process.terminate()
        process.wait(60)
        if process.stderr:
            process.stderr.close()


def _address(process: subprocess.Popen[str]) -> str:
    said = ""
    for line in process.stderr or ():
        said += line
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError(f"the server did not start: {said}")
