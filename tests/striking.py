"""Faults at every step that touches the disk: killed there, or told that it is full."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.httpsession import URLLib3Session

_STEPS = (
    (os, "fsync"),
    (Path, "replace"),
    (Path, "rename"),
    (Path, "unlink"),
    (Path, "mkdir"),
    (Path, "open"),
)


class Counted:
    """Lets so many calls through, then does something else; counts them all."""

    def __init__(self, then: Callable[[], None], at: int) -> None:
        self.then, self.at, self.calls = then, at, 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls == self.at:
            self.then()


def strike(patch: pytest.MonkeyPatch, counted: Counted) -> None:
    """Counts every flush to the disk, rename, removal, new folder and opening of a file."""
    for owner, name in _STEPS:
        real = getattr(owner, name)

        def instead(*args, _real=real, **kwargs):
            counted()
            return _real(*args, **kwargs)

        patch.setattr(owner, name, instead)


def in_a_child(work: Callable[[], None]) -> int:
    """The exit status of a process that does it; killed is -9."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at_request(number: int) -> None:
    """In a child of its own: the process is killed before it makes its request of this number to S3."""
    send, left = URLLib3Session.send, [number]

    def kill(self, request):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return send(self, request)

    URLLib3Session.send = kill
