"""Streams sealed piece by piece: what comes out is what went in, or an error."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.keys import streaming
from archive.keys.sealing import BoxError
from archive.keys.streaming import open_stream, seal_stream

KEY = bytes(range(32))
# Version 1 of the form, made by this module on 24 November 2026: it must open for ever.
GOLDEN = "4d554e53010001020304050690fb02bb299290d3fc213a510564989e4318cd80e795"


def _sealed(data: bytes, place: str = "here") -> bytes:
    target = io.BytesIO()
    seal_stream(KEY, io.BytesIO(data), target, place, randomness=lambda count: bytes(range(count)))
    return target.getvalue()


def _opened(sealed: bytes, place: str = "here", key: bytes = KEY) -> bytes:
    return b"".join(open_stream(key, io.BytesIO(sealed), place))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "_PIECE", 16)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 100])
def test_what_went_in_comes_out(size: int, small: None):
    data = bytes(range(size))
    assert _opened(_sealed(data)) == data


def test_more_than_one_real_piece_comes_out():
    data = bytes(1 << 20) + b"end"
    assert _opened(_sealed(data)) == data


@given(st.binary(max_size=100), st.data())
def test_no_flipped_bit_is_missed(data: bytes, draw: st.DataObject):
    sealed = bytearray(_sealed(data))
    at = draw.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(BoxError):
        _opened(bytes(sealed))


def test_pieces_cannot_be_cut_off_left_out_moved_or_doubled(small: None):
    sealed = _sealed(bytes(range(64)))
    head, pieces = sealed[:12], [sealed[at : at + 32] for at in range(12, len(sealed), 32)]
    assert len(pieces) == 4
    for order in ([0, 1, 2], [0, 1], [0], [], [1, 0, 2, 3], [0, 2, 3], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3]):
        with pytest.raises(BoxError):
            _opened(head + b"".join(pieces[number] for number in order))


def test_another_key_place_or_version_does_not_open():
    sealed = _sealed(b"words")
    for wrong in (
        lambda: _opened(sealed, "there"),
        lambda: _opened(sealed, key=bytes(32)),
        lambda: _opened(b"MUNS\x02" + sealed[5:]),
        lambda: _opened(b""),
    ):
        with pytest.raises(BoxError):
            wrong()


def test_the_first_version_still_opens():
    assert _opened(bytes.fromhex(GOLDEN)).decode() == "卷宗"
