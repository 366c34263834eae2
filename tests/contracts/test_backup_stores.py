"""What every store of a backup does, whatever it lies on: ``archive.backup.stores``."""

import errno
import os
import tracemalloc
from pathlib import Path
from secrets import token_bytes
from uuid import uuid4

import pytest

from archive.backup.s3 import S3Store
from archive.backup.stores import FolderStore, Store
from archive.errors import Code, MunimentError
from archive.vault.bucket import Bucket
from archive.vault.connection import Service

NAME, OTHER = "objects/ab/cdef", "objects/ab/ce"
LARGE = bytes(6 << 20) + b"tail"  # two parts


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "backup")
    server, bucket = request.getfixturevalue("server"), request.getfixturevalue("bucket")
    service = Service(server.endpoint, "us-east-1", server.credentials)
    return S3Store(Bucket(f"s3://{bucket}/b", service, tmp_path, part=5 << 20), tmp_path)


def read(store: Store, name: str) -> bytes:
    with store.open(name) as stream:
        return stream.read()


@pytest.mark.parametrize("pieces", [[b"one", b"two"], [], [b""], [LARGE[:1000], LARGE[1000:]]])
def test_what_is_put_is_there_as_it_was_put(store: Store, pieces):
    assert not store.has(NAME)
    store.put(NAME, pieces)
    assert store.has(NAME)
    assert read(store, NAME) == b"".join(pieces)


def test_one_that_is_there_is_replaced(store: Store):
    for content in (b"first", b"second, and longer", b"3"):
        store.put(NAME, [content])
        assert read(store, NAME) == content


@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_stored_of_what_could_not_be_made(store: Store, there):
    if there:
        store.put(NAME, [b"good"])

    def pieces():
        yield LARGE
        raise ValueError("the source is damaged")

    with pytest.raises(ValueError, match="damaged"):
        store.put(NAME, pieces())
    assert store.has(NAME) is there
    assert not there or read(store, NAME) == b"good"


def test_a_name_is_not_its_neighbours(store: Store):
    store.put(NAME, [b"x"])
    assert not store.has(NAME[:-1])
    assert not store.has("objects/ab")
    assert not store.has(NAME + "0")


def test_names_are_those_below_and_in_order(store: Store):
    names = sorted(f"objects/{n:02x}/{n}" for n in range(0, 256, 31))
    for each in (*reversed(names), "objects2/x", "keys/20261124T010000Z-0000000001"):
        store.put(each, [b""])
    assert list(store.names("objects")) == names
    assert list(store.names("keys")) == ["keys/20261124T010000Z-0000000001"]
    assert list(store.names("shredded")) == []


def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(tmp_path, monkeypatch):
    store, scandir = FolderStore(tmp_path), os.scandir
    store.put("snapshots/a", [b""])
    store.put("objects/ab/cdef", [b""])

    def stale(path):
        if str(path).endswith(("snapshots", "ab")):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", stale)
    for below in ("snapshots", "objects"):
        with pytest.raises(OSError, match=r"[Ss]tale"):
            list(store.names(below))


def test_more_names_than_one_answer_holds_are_all_told(store: Store, monkeypatch):
    names = sorted(f"shredded/{uuid4()}" for _ in range(1003))
    for each in names:
        store.put(each, [b""])
    assert list(store.names("shredded")) == names


def test_what_is_missing_is_named(store: Store):
    with pytest.raises(MunimentError) as caught:
        store.open(NAME)
    assert caught.value.code is Code.BACKUP_DAMAGED
    assert caught.value.facts["path"] == NAME


def test_what_is_removed_is_gone_and_again_is_no_fault(store: Store):
    store.put(NAME, [b"x"])
    store.put(OTHER, [b"y"])
    for _ in range(2):
        store.remove(NAME)
        assert list(store.names("objects")) == [OTHER]


def test_what_is_set_aside_is_kept_and_makes_room(store: Store):
    store.put(NAME, [b"damaged"])
    store.set_aside(NAME)
    assert not store.has(NAME)
    (aside,) = store.names("damaged")
    assert aside.startswith(f"damaged/{NAME}.")
    assert read(store, aside) == b"damaged"
    store.put(NAME, [b"good"])
    assert read(store, NAME) == b"good"
    store.set_aside(OTHER)
    assert len(list(store.names("damaged"))) == 1


def test_clearing_takes_nothing_that_is_whole(store: Store):
    store.clear()
    store.put(NAME, [LARGE])
    store.clear()
    assert read(store, NAME) == LARGE


def test_memory_stays_flat_however_long_the_object(store: Store):
    def pieces():
        block = token_bytes(1 << 20)
        yield from (block for _ in range(100))

    tracemalloc.start()
    try:
        store.put(NAME, pieces())
        with store.open(NAME) as stream:
            while stream.read(1 << 20):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 << 20
