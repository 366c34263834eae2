"""Locks between the threads and processes of one machine; the kernel releases them when a process dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path

from archive.errors import Code, MunimentError


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """The only one at this work. Raises ARCHIVE_BUSY where somebody is at it."""
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MunimentError(Code.ARCHIVE_BUSY) from None
        yield


@dataclass(frozen=True, slots=True)
class Gate:
    """Many pass at once, until one closes it: that one waits for those inside, the next wait for it.

    The turnstile keeps a stream of passers from holding up the one who closes for ever. Not to be passed twice by one
    thread: between the two the gate may close.
    """

    folder: Path

    @contextmanager
    def passing(self) -> Iterator[None]:
        with self._open("gate") as gate:
            with self._open("turnstile") as turnstile:
                fcntl.flock(turnstile, fcntl.LOCK_SH)
                fcntl.flock(gate, fcntl.LOCK_SH)
            yield

    @contextmanager
    def closed(self) -> Iterator[None]:
        with self._open("turnstile") as turnstile, self._open("gate") as gate:
            fcntl.flock(turnstile, fcntl.LOCK_EX)
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def _open(self, name: str) -> BufferedWriter:
        return (self.folder / f"vault-{name}.lock").open("ab")
