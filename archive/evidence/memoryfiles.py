"""Memory files (memfd_create(2)): documents pass between processes without touching a disk. Sealed, none can change."""

import contextlib
import errno
import fcntl
import io
import os
import stat
import time
from collections.abc import Iterator
from typing import BinaryIO

_CHUNK = 1 << 20
_FILES = (io.BufferedReader, io.BufferedRandom, io.FileIO)  # as a vault gives them
_SEALED_WITHIN, _AGAIN_AFTER = 1.0, 0.02  # seconds
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class TooLong(ValueError):  # noqa: N818 - says what the stream is
    """The stream holds more than was allowed."""


@contextlib.contextmanager
def copied(source: BinaryIO, most: int | None = None) -> Iterator[int]:
    """A sealed memory file, at its start, with the bytes of any stream from where it stands, read piece by piece.

    :raises TooLong: after ``most`` bytes.
    """
    held = os.memfd_create("source", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        size = 0
        while piece := source.read(_CHUNK):
            size += len(piece)
            if most is not None and size > most:
                raise TooLong
            _write(held, piece)
        seal(held)
        os.lseek(held, 0, os.SEEK_SET)
        yield held
    finally:
        os.close(held)


def empty(name: str) -> BinaryIO:
    """To be written by a worker, and then sealed; the caller closes it."""
    return os.fdopen(os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "rb")


@contextlib.contextmanager
def part(source: int, size: int) -> Iterator[int]:
    """A memory file of its own, at its start, with the next ``size`` bytes of a descriptor."""
    held = os.memfd_create("part", os.MFD_CLOEXEC)
    try:
        append(held, source, size)
        os.lseek(held, 0, os.SEEK_SET)
        yield held
    finally:
        os.close(held)


@contextlib.contextmanager
def given(stream: BinaryIO) -> Iterator[int]:
    """A descriptor of the stream from its start: of the file itself where it is one, so that nothing is copied.

    The stream is at its start afterwards, for who asks again.
    """
    stream.seek(0)
    try:
        if isinstance(stream, _FILES) and stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            os.lseek(stream.fileno(), 0, os.SEEK_SET)
            yield stream.fileno()
        else:
            with copied(stream) as held:
                yield held
    finally:
        stream.seek(0)


def append(target: int, source: int, size: int) -> None:
    """The next ``size`` bytes of ``source``, or as many as there are."""
    while size and (count := os.sendfile(target, source, None, size)):
        size -= count


def seal(descriptor: int) -> None:
    """From here on nobody changes it, not even a worker that keeps the descriptor.

    The kernel refuses while a page of it is in use elsewhere (fcntl(2), EBUSY), which may be its own housekeeping and
    passes: so it is asked for a second. Raises OSError for a worker that keeps it mapped for longer.
    """
    until = time.monotonic() + _SEALED_WITHIN
    while True:
        try:
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > until:
                raise
            time.sleep(_AGAIN_AFTER)
        else:
            return


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]
