"""Sealed files: read in parts as they were written, and never a byte that was not."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.chunks import CHUNK, ChunkCache, SealedFile, SealingFile
from indexer.engine import IndexDamagedError

KEY = b"k" * 32
HEADER, SEALED = 20, CHUNK + 16
GOLDEN = "4d5849327373737373737373737373737373737302c1e39369d8036464367eee4aa717fbea3be46753"


def numbered(length):
    return bytes(salt % 251 for salt in range(length))


def write(path, content, name="a.seg", salt=b"s"):
    with path.open("wb") as file:
        sealing = SealingFile(file, KEY, name, lambda size: salt * size)
        for start in range(0, len(content), 50_021):
            sealing.write(content[start : start + 50_021])
        sealing.finish()


def opened(path, name="a.seg", key=KEY):
    return SealedFile.at(path, key, name, ChunkCache(most=2))


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])
def test_a_file_of_any_length_is_read_as_it_was_written(tmp_path, length):
    write(tmp_path / "file", numbered(length))
    file = opened(tmp_path / "file")
    assert (file.size, file.read(0, file.size)) == (length, numbered(length))
    file.verify()


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_part_is_read_as_it_was_written(tmp_path, data):
    content = numbered(3 * CHUNK + 99)
    if not (tmp_path / "file").exists():
        write(tmp_path / "file", content)
    file = opened(tmp_path / "file")
    for _ in range(5):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, len(content)))
        assert file.read(start, end) == content[start:end]


def pieces(path):
    sealed = path.read_bytes()
    return sealed[:HEADER], [sealed[at : at + SEALED] for at in range(HEADER, len(sealed), SEALED)]


@pytest.mark.parametrize(
    "altered",
    [
        lambda chunks: [chunks[1], chunks[0], *chunks[2:]],
        lambda chunks: chunks[:-1],
        lambda chunks: chunks[1:],
        lambda chunks: [chunks[0], *chunks],
        lambda chunks: [*chunks, chunks[-1]],
        lambda chunks: [chunks[-1]],
        lambda chunks: [*chunks[:-1], chunks[-1][:-1]],
        lambda chunks: [*chunks, b"x"],
        lambda chunks: [],
    ],
    ids=["swapped", "cut", "beheaded", "doubled", "prolonged", "last alone", "short", "long", "none"],
)
def test_chunks_cannot_be_moved_doubled_dropped_or_cut(tmp_path, altered):
    path = tmp_path / "file"
    write(path, numbered(3 * CHUNK + 9))
    header, chunks = pieces(path)
    path.write_bytes(header + b"".join(altered(chunks)))
    with pytest.raises(IndexDamagedError):
        opened(path).verify()


def test_only_what_is_read_must_be_whole(tmp_path):
    path = tmp_path / "file"
    write(path, numbered(4 * CHUNK))
    sealed = bytearray(path.read_bytes())
    sealed[HEADER + 2 * SEALED + 5] ^= 1
    path.write_bytes(sealed)
    file = opened(path)
    assert file.read(10, 20) == numbered(20)[10:]
    with pytest.raises(IndexDamagedError):
        file.read(2 * CHUNK, 2 * CHUNK + 1)


def test_a_file_opens_under_its_own_name_and_key_only(tmp_path):
    write(tmp_path / "file", b"words")
    for name, key in (("b.seg", KEY), ("a.seg", b"x" * 32)):
        with pytest.raises(IndexDamagedError):
            opened(tmp_path / "file", name, key).read(0, 5)


def test_chunks_of_another_file_of_the_same_name_do_not_fit(tmp_path):
    write(tmp_path / "one", numbered(2 * CHUNK), salt=b"s")
    write(tmp_path / "other", numbered(2 * CHUNK), salt=b"t")
    header, ours = pieces(tmp_path / "one")
    theirs = pieces(tmp_path / "other")[1]
    (tmp_path / "one").write_bytes(header + ours[0] + theirs[1])
    with pytest.raises(IndexDamagedError):
        opened(tmp_path / "one").verify()


def test_a_file_can_be_read_after_its_name_is_gone(tmp_path):
    write(tmp_path / "file", numbered(2 * CHUNK))
    file = opened(tmp_path / "file")
    (tmp_path / "file").unlink()
    assert file.read(CHUNK, CHUNK + 9) == numbered(CHUNK + 9)[CHUNK:]


def test_a_known_file_still_opens(tmp_path):
    """MXI2, as it was first written: a change of the format must be a new one."""
    sealed = bytes.fromhex(GOLDEN)
    (tmp_path / "file").write_bytes(sealed)
    assert opened(tmp_path / "file").read(0, 5) == b"words"
