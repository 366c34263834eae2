"""Memory files: sealed, none changes any more, and sealing waits for who is about to let go."""

import mmap
import os
from collections.abc import Iterator
from threading import Timer

import pytest

from archive.evidence import memoryfiles


@pytest.fixture
def held() -> Iterator[int]:
    descriptor = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, b"x" * 9000)
    yield descriptor
    os.close(descriptor)


def test_what_is_sealed_cannot_be_written(held: int):
    memoryfiles.seal(held)
    with pytest.raises(PermissionError):
        os.write(held, b"y")


def test_sealing_waits_for_a_mapping_that_is_given_up(held: int):
    mapped = mmap.mmap(held, 0)
    giving_up = Timer(0.1, mapped.close)
    giving_up.start()
    memoryfiles.seal(held)
    giving_up.join()
    with pytest.raises(PermissionError):
        os.write(held, b"y")


def test_who_keeps_it_mapped_is_not_waited_for(held: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memoryfiles, "_SEALED_WITHIN", 0.1)
    with mmap.mmap(held, 0), pytest.raises(OSError, match="busy"):
        memoryfiles.seal(held)
