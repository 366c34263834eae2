"""Running somebody else's program on evidence, in a cage (see ``cage``), timed and ended from here."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import archive
from archive.causes import CLOSED, of_system
from archive.errors import Code, MunimentError
from archive.evidence.cage import UNCONFINED
from archive.evidence.limits import Limits

_MODULE = "archive.evidence.cage"
_LIBRARIES = tuple(Path(each) for each in ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime"))
_DEVICES = tuple(Path(each) for each in ("/dev/null", "/dev/urandom", "/dev/random", "/dev/zero"))


@dataclass(frozen=True, slots=True)
class Errand:
    """What to run. ``writable`` is a private folder in memory, or none; ``passed`` are descriptors it inherits."""

    program: Path
    arguments: Sequence[str]
    environment: Mapping[str, str]
    readable: Sequence[Path] = ()
    writable: Path | None = None
    passed: Sequence[int] = ()
    output: int | None = None  # descriptor that takes what the program prints


class Uncaged(Exception):  # noqa: N818 -- a state of the machine, said in words
    """The cage cannot be built here, so the program was not started."""


class Running(Protocol):
    """What an errand is given to."""

    def run(self, errand: Errand, name: str) -> int:
        """The exit code. Raises as ``Programs.run``."""


class Programs:
    """Starts, times and ends programs; at most so many at once. Thread-safe."""

    def __init__(self, limits: Limits, most: int, starter: Callable[..., subprocess.Popen[bytes]]) -> None:
        """``starter`` calls its argument on a thread that lives as long as the pool; see ``workers.Worker``."""
        self._limits = limits
        self._room = threading.BoundedSemaphore(most)
        self._starter = starter
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        self._lock = threading.Lock()

    def run(self, errand: Errand, name: str, until: float = math.inf) -> int:
        """The exit code. ``until`` is the moment of the monotonic clock at which it must be there.

        :raises MunimentError: CONVERSION_TIMEOUT; SANDBOX_UNAVAILABLE after ``close``.
        :raises Uncaged: it cannot be caged here.
        """
        left = until - time.monotonic()
        if left <= 0 or not self._room.acquire(timeout=None if left == math.inf else left):
            raise self._too_slow(name, self._limits.wall_seconds)
        try:
            process = self._start(errand)
            try:
                code = process.wait(min(self._limits.wall_seconds, max(0, until - time.monotonic())))
            except subprocess.TimeoutExpired:
                raise self._too_slow(name, self._limits.wall_seconds) from None
            finally:
                self._end(process)
        finally:
            self._room.release()
        if code == UNCONFINED:
            raise Uncaged("this machine has no Landlock or no seccomp")
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            if self._closed:
                raise MunimentError(Code.SANDBOX_UNAVAILABLE, problem=CLOSED)
            raise self._too_slow(name, self._limits.program_cpu_seconds)
        return code

    def close(self) -> None:
        """End all programs; calls after this are refused."""
        with self._lock:
            self._closed = True
            running = tuple(self._running)
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    @staticmethod
    def _too_slow(name: str, seconds: float) -> MunimentError:
        return MunimentError(Code.CONVERSION_TIMEOUT, name=name, seconds=round(seconds))

    def _start(self, errand: Errand) -> subprocess.Popen[bytes]:
        orders = {
            "readable": [str(each) for each in (*_LIBRARIES, *_DEVICES, *errand.readable)],
            "writable": [str(each) for each in (errand.writable, Path("/dev/null")) if errand.writable],
            "memory_bytes": self._limits.program_memory_bytes,
            "output_bytes": self._limits.output_bytes,
            "cpu_seconds": self._limits.program_cpu_seconds,
        }
        command = [sys.executable, "-P", "-s", "-B", "-m", _MODULE, json.dumps(orders)]
        with self._lock:
            if self._closed:
                raise MunimentError(Code.SANDBOX_UNAVAILABLE, problem=CLOSED)
            process = self._started(
                lambda: subprocess.Popen(
                    [*command, str(errand.program), *errand.arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL if errand.output is None else errand.output,
                    stderr=subprocess.DEVNULL,  # programs quote the document there
                    env={
                        "PYTHONPATH": str(Path(archive.__file__).resolve().parents[1]),
                        **errand.environment,
                    },
                    cwd=errand.writable or "/",
                    close_fds=True,
                    pass_fds=tuple(errand.passed),
                    start_new_session=True,
                )
            )
            self._running.add(process)
        return process

    def _started(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        try:
            return self._starter(start)
        except OSError as fault:
            raise MunimentError(Code.SANDBOX_UNAVAILABLE, problem=of_system(fault.errno)) from fault

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.discard(process)
        if process.returncode is None:
            process.kill()
            process.wait()


class Allowance:
    """The time that several programs have together. Raises as ``Programs``: CONVERSION_TIMEOUT once it is ``spent``."""

    def __init__(self, programs: Programs, seconds: float) -> None:
        self._programs = programs
        self._until = time.monotonic() + seconds

    @property
    def spent(self) -> bool:
        return time.monotonic() >= self._until

    def run(self, errand: Errand, name: str) -> int:
        return self._programs.run(errand, name, self._until)


def copied(source: Path, target: int, most: int) -> int:
    """The bytes of a plain file, in a descriptor; nothing where there is none, or more than ``most``."""
    try:
        held = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return 0
    try:
        size = os.fstat(held).st_size
        if size > most:
            return 0
        done = 0
        while done < size and (count := os.sendfile(target, held, done, size - done)):
            done += count
        return done
    finally:
        os.close(held)
