"""The cage a worker builds around itself before it sees the first byte from outside."""

import ctypes
import os
import resource
import signal
import socket

from archive.causes import Cause
from archive.evidence.limits import Limits
from archive.evidence.seccomp import Unconfined, install

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_DESCRIPTORS = 64


def confine(limits: Limits) -> None:
    """Give up the network, other programs, other processes and writing files; bound memory and output.

    The process must have one thread. Nothing of this can be undone from within.

    :raises Unconfined: some part cannot be had; the process must not go on.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    os.nice(limits.nice)
    # Dying with the server: no worker is left behind that holds a document in memory.
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
    # Not dumpable: no core file, and no other process of this user reads our memory.
    _prctl(libc, _PR_SET_DUMPABLE, 0)
    for what, bound in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
    ):
        _bound(what, bound)
    install()
    _prove()


def allow_cpu(seconds: int) -> None:
    """Let the next job use so many seconds of processor time; then SIGXCPU ends this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    used = int(spent.ru_utime + spent.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = used + seconds if hard == resource.RLIM_INFINITY else min(used + seconds, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _bound(what: int, bound: int) -> None:
    if bound < 0:  # to the kernel, minus one is no limit at all
        raise Unconfined(Cause(f"限额为 {bound}", f"a limit of {bound}"))
    _, hard = resource.getrlimit(what)
    least = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
    resource.setrlimit(what, (least, least))


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    if libc.prctl(option, value, 0, 0, 0):
        raise Unconfined.by(f"prctl {option}")


def _prove() -> None:
    """A filter that loads but does not bite (an odd kernel, a translating emulator) must not go unnoticed."""
    try:
        socket.socket().close()
    except PermissionError:
        return
    raise Unconfined(Cause("系统调用过滤器没有生效", "the system call filter has no effect"))
