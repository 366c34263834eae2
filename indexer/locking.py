"""The right to write to an index: one thread of one process has it, and loses it with its life."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.engine import IndexBusyError


class Lock:
    """A lock on the file at ``path``, reentrant."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self, patience: float) -> Iterator[None]:
        """Raises IndexBusyError when it is not to be had within ``patience`` seconds."""
        deadline = time.monotonic() + patience
        if not self._guard.acquire(timeout=patience):
            raise IndexBusyError
        try:
            if self._depth:
                with self._deeper():
                    yield
                return
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(descriptor, deadline)
                with self._deeper():
                    yield
            finally:
                os.close(descriptor)  # and with it the lock, as when the process is killed
        finally:
            self._guard.release()

    def must_be_held(self) -> None:
        if not self._depth:
            raise RuntimeError("writing to the index needs the right to")

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1


def _lock(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise IndexBusyError from None
            time.sleep(0.02)
        else:
            return
