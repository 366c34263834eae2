"""Small JSON files: each flipped bit is noticed, and files of before they carried a checksum are read."""

import json

import pytest

from archive.checksummed import dump, load

DOCUMENT = {"format": 1, "archive": "a1b2c3d4-剧本", "key": "abcdef0189"}
FIELDS = frozenset(DOCUMENT) | {"id"}


def refused(content: bytes) -> bool:
    try:
        load(content, FIELDS)
    except ValueError:
        return True
    return False


def test_what_was_dumped_is_loaded():
    assert load(dump(DOCUMENT), FIELDS) == DOCUMENT


def test_every_flipped_bit_and_every_cut_is_noticed(record_property):
    content = dump(DOCUMENT)
    for place in range(8 * len(content)):
        altered = bytearray(content)
        altered[place // 8] ^= 1 << place % 8
        assert refused(bytes(altered)), place
    for end in range(len(content)):
        assert refused(content[:end]), end
    record_property("faults", (8 * len(content), "a bit flipped in a small file with a checksum"))


def test_a_file_of_before_checksums_is_read_and_holds_nothing_unknown():
    assert load(json.dumps(DOCUMENT).encode(), FIELDS) == DOCUMENT
    with pytest.raises(ValueError, match="not as it was written"):
        load(json.dumps({**DOCUMENT, "kez": 1}).encode(), FIELDS)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"7", b"\xff", b'"sha256"'])
def test_what_is_no_object_is_no_such_file(content):
    assert refused(content)
