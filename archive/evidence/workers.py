"""A worker process as the server sees it: started, asked, timed, and ended."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import archive
from archive.causes import Cause
from archive.errors import Code, MunimentError
from archive.evidence import channel
from archive.evidence.limits import Limits

_START_SECONDS = 30.0
_MODULE = "archive.evidence.worker"


class WorkerDied(Exception):  # noqa: N818 -- says what happened
    """The worker is gone in the middle of a job; ``code`` and ``facts`` are what the caller is told."""

    def __init__(self, code: Code, **facts: int) -> None:
        super().__init__(code.value)
        self.code = code
        self.facts = facts


class Worker:
    """One process. Not thread-safe: whoever holds it asks one thing at a time."""

    def __init__(self, limits: Limits) -> None:
        """Start the process, without waiting for it.

        The thread that calls this must outlive the process: the kernel ties the death signal that the worker
        asks for to the thread that started it (prctl(2), PR_SET_PDEATHSIG).
        """
        self._limits = limits
        self._ready = False
        self.jobs = 0
        self.spent = False  # to be replaced after this job
        self.idle_since = 0.0
        ours, theirs = socket.socketpair()
        self._link = ours
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-B", "-W", "ignore", "-m", _MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # libraries quote the document there
                env=_environment(),
                close_fds=True,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C at the server's terminal is not meant for us
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> dict[str, Any]:
        """One job: the answer as the worker gave it, to be checked by the caller.

        ``descriptors`` are source, target, words and perhaps an aid.

        :raises WorkerDied: it crashed, or was stopped for its time or memory.
        :raises MunimentError: SANDBOX_UNAVAILABLE at the first job, when it could not be isolated.
        """
        if not self._ready:
            self._wait_until_ready()
        self.jobs += 1
        deadline = time.monotonic() + self._limits.wall_seconds
        try:
            self._link.settimeout(self._limits.wall_seconds)
            channel.send(self._link, request, descriptors)
            answer, _ = channel.receive(self._link, deadline=deadline)
        except TimeoutError:
            self.end()
            raise WorkerDied(Code.CONVERSION_TIMEOUT, seconds=round(self._limits.wall_seconds)) from None
        except (channel.ChannelClosed, OSError):
            raise self._death() from None
        return answer

    def alive(self) -> bool:
        """Without reaping: how it ended is read once, in ``ask``."""
        if self._process.returncode is not None:
            return False
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    def stop(self) -> None:
        """Kill from another thread than the one that asks, which then learns of it and reaps."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill and reap. Nothing is lost: a worker keeps nothing."""
        self._link.close()
        if self._process.returncode is None:
            self.stop()
            self._process.wait()

    def _wait_until_ready(self) -> None:
        self._link.settimeout(_START_SECONDS)
        try:
            channel.send(self._link, {"limits": asdict(self._limits)})
            first, _ = channel.receive(self._link)
        except (channel.ChannelClosed, OSError):
            self.end()
            raise MunimentError(
                Code.SANDBOX_UNAVAILABLE, problem=Cause("转换进程没有启动", "the worker did not start")
            ) from None
        if first.get("ready") is not True:
            self.end()
            zh, en = first.get("unconfined", ("没有应答", "no answer"))
            raise MunimentError(Code.SANDBOX_UNAVAILABLE, problem=Cause(str(zh), str(en)))
        self._ready = True

    def _death(self) -> WorkerDied:
        """From the way it ended: out of time, out of memory, or a plain crash."""
        self._link.close()
        self.stop()  # a worker that closed the channel but lives on is not to be waited for
        try:
            _, status, usage = os.wait4(self.pid, 0)
        except ChildProcessError:  # somebody else in the server reaps all children
            self._process.wait()
            return WorkerDied(Code.CONVERSION_CRASHED)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if self._process.returncode == -signal.SIGXCPU:
            return WorkerDied(Code.CONVERSION_TIMEOUT, seconds=self._limits.cpu_seconds)
        # A library that gets no more memory aborts without a word; how much it had tells it from a crash.
        # Our own size, which it had before it became a worker, counts too: so never for one that was killed.
        large = usage.ru_maxrss * 1024 > self._limits.memory_bytes // 2
        if large and self._process.returncode != -signal.SIGKILL:
            return WorkerDied(Code.CONVERSION_TOO_LARGE)
        return WorkerDied(Code.CONVERSION_CRASHED)


def _environment() -> dict[str, str]:
    """Nothing of the server's, where secrets may stand; one arena, since each reserves 64 MB of addresses."""
    home = Path(archive.__file__).resolve().parents[1]
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(home),
        "MALLOC_ARENA_MAX": "1",
        "RAYON_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
