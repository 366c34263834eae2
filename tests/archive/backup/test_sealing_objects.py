"""A sealed object opens to what was sealed, or not at all."""

import io
from secrets import token_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.backup import sealing
from archive.backup.lines import read, written
from archive.backup.sealing import CHUNK, MAGIC, Sealer
from archive.errors import Code, MunimentError

GOLDEN = "bf3d2f3068e97cd82bc1c349c6a7385a6e1540ab0fbadfd9"  # after magic and salt
KEY = bytes(range(32))
SEALER = Sealer(KEY, token_bytes)
HEAD, TAG = len(MAGIC) + 32, 16


def sealed(content: bytes, name: str = "objects/ab/cd", pieces: int = 1000) -> bytes:
    parts = [content[start : start + pieces] for start in range(0, len(content), pieces)]
    return b"".join(SEALER.seal(name, parts))


def opened(content: bytes, name: str = "objects/ab/cd") -> bytes:
    return b"".join(SEALER.open(name, io.BytesIO(content)))


@pytest.fixture
def small(monkeypatch):
    """Chunks of 64 bytes, so that short contents have many."""
    monkeypatch.setattr(sealing, "CHUNK", 64)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_contents_of_every_length_come_back(size: int):
    content = token_bytes(size)
    assert opened(sealed(content, pieces=70_000)) == content


@given(content=st.binary(max_size=400), data=st.data())
@settings(deadline=None)
def test_an_altered_byte_anywhere_does_not_open(content: bytes, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "CHUNK", 64)
        box = bytearray(sealed(content))
        assert opened(bytes(box)) == content
        place = data.draw(st.integers(0, len(box) - 1))
        box[place] ^= data.draw(st.integers(1, 255))
        with pytest.raises(MunimentError) as caught:
            opened(bytes(box))
        assert caught.value.code is Code.BACKUP_DAMAGED


def test_chunks_that_are_dropped_swapped_repeated_or_added_do_not_open(small):
    box = sealed(token_bytes(64 * 4 + 10))
    head, rest = box[:HEAD], box[HEAD:]
    chunks = [rest[start : start + 64 + TAG] for start in range(0, len(rest), 64 + TAG)]
    wrong = [
        chunks[:-1],
        chunks[1:],
        [chunks[1], chunks[0], *chunks[2:]],
        [chunks[0], *chunks],
        [*chunks, chunks[-1]],
        [*chunks, b"x"],
        [],
    ]
    for each in wrong:
        with pytest.raises(MunimentError):
            opened(head + b"".join(each))


def test_an_object_under_another_name_or_key_does_not_open():
    box = sealed(b"content")
    with pytest.raises(MunimentError):
        opened(box, "objects/ab/ce")
    with pytest.raises(MunimentError):
        b"".join(Sealer(bytes(32), token_bytes).open("objects/ab/cd", io.BytesIO(box)))


def test_the_format_is_the_one_of_old_backups():
    """An object that version 1 wrote: it must open for ever."""
    box = b"".join(Sealer(KEY, lambda count: b"\x07" * count).seal("snapshots/x", [b"muni", b"ment"]))
    assert box.hex() == ("4d554e4201" + "07" * 32 + box[HEAD:].hex())
    assert box[HEAD:].hex() == GOLDEN
    assert b"".join(SEALER.open("snapshots/x", io.BytesIO(box))) == b"muniment"


def test_names_tell_nothing_without_the_key():
    digest = bytes(64)
    assert SEALER.name_of(digest) == SEALER.name_of(digest)
    assert SEALER.name_of(digest) != Sealer(bytes(32), token_bytes).name_of(digest)
    assert SEALER.name_of(digest).startswith("objects/")


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=3), max_size=30))
def test_lines_come_back_however_they_are_cut(documents):
    content = b"".join(written(documents))
    for size in (1, 7, len(content) or 1):
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        assert list(read(pieces, "x")) == documents


@pytest.mark.parametrize("content", [b'{"a":1}', b'{"a":1}\n{"b"', b"nonsense\n"])
def test_lines_that_break_off_are_damage(content: bytes):
    with pytest.raises(MunimentError) as caught:
        list(read([content], "snapshots/x"))
    assert caught.value.facts["path"] == "snapshots/x"
