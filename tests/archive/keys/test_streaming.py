"""Streams sealed piece by piece: what comes out is what went in, or an error."""

import io
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.keys import streaming
from archive.keys.sealing import BoxError
from archive.keys.streaming import StreamSealer, open_anywhere, open_stream, plain_size, seal_stream

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


def _anywhere(
    sealed: bytes, place: str = "here", key: bytes = KEY, size: int | None = None
) -> io.BufferedReader:
    def fetch(start: int, count: int) -> bytes:
        return sealed[start : start + count]

    return open_anywhere(key, fetch, len(sealed) if size is None else size, place)


@pytest.mark.parametrize("piece", [1, 16])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=100),
    reads=st.lists(st.tuples(st.integers(0, 110), st.integers(0, 110)), max_size=8),
)
def test_any_range_is_what_a_slice_of_the_plain_text_is(
    piece: int, data: bytes, reads: list[tuple[int, int]]
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_PIECE", piece)
        opened = _anywhere(_sealed(data))
        for start, count in reads:
            assert opened.seek(start) == start
            assert opened.read(count) == data[start : start + count]
        opened.seek(0)
        assert opened.read() == data
        assert opened.seek(0, 2) == len(data) == plain_size(len(_sealed(data)))


def test_only_the_pieces_that_are_asked_for_are_fetched(small: None):
    sealed, asked = _sealed(bytes(range(100))), []

    def fetch(start: int, count: int) -> bytes:
        asked.append((start, count))
        return sealed[start : start + count]

    opened = streaming._Reader(KEY, fetch, len(sealed), "here")
    opened.seek(40)
    assert opened.read(10) == bytes(range(40, 48))  # the rest is in the next piece
    assert asked == [(0, 12), (12 + 2 * 32, 32)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=100), draw=st.data())
def test_no_flipped_bit_is_missed_wherever_reading_begins(data: bytes, draw: st.DataObject):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_PIECE", 16)
        sealed = bytearray(_sealed(data))
        at = draw.draw(st.integers(0, len(sealed) * 8 - 1))
        sealed[at // 8] ^= 1 << at % 8
        broken = max(0, at // 8 - 12) // 32  # the piece; the head is bound to all of them

        def read() -> None:
            opened = _anywhere(bytes(sealed))
            opened.seek(min(broken * 16, len(data) - 1))
            opened.read(1)

        with pytest.raises(BoxError):
            read()


def test_pieces_that_were_cut_off_left_out_moved_or_doubled_do_not_open_alone_either(small: None):
    sealed = _sealed(bytes(range(64)))
    head, pieces = sealed[:12], [sealed[at : at + 32] for at in range(12, len(sealed), 32)]
    for order in ([0, 1, 2], [0, 1], [0], [], [1, 0, 2, 3], [0, 2, 3], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3]):
        moved = head + b"".join(pieces[number] for number in order)
        with pytest.raises(BoxError):
            _anywhere(moved).read()
        if moved[: len(sealed)] != sealed:
            with pytest.raises(BoxError):
                _anywhere(moved, size=len(sealed)).read()


def test_another_key_place_version_or_size_opens_nowhere():
    sealed = _sealed(b"words")
    for wrong in (
        lambda: _anywhere(sealed, "there").read(),
        lambda: _anywhere(sealed, key=bytes(32)).read(),
        lambda: _anywhere(b"MUNS\x02" + sealed[5:]),
        lambda: _anywhere(b""),
        lambda: _anywhere(sealed, size=len(sealed) - 1).read(),
        lambda: _anywhere(sealed, size=len(sealed) + 1).read(),
    ):
        with pytest.raises(BoxError):
            wrong()


@given(size=st.integers(-5, 200))
def test_a_size_is_refused_or_is_that_of_a_stream(size: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_PIECE", 16)
        try:
            plain = plain_size(size)
        except BoxError:
            assert size not in {len(_sealed(bytes(count))) for count in range(150)}
        else:
            assert len(_sealed(bytes(plain))) == size


@given(data=st.binary(max_size=100), cuts=st.lists(st.integers(1, 40), min_size=1, max_size=10))
def test_how_it_is_cut_when_it_is_written_changes_nothing(data: bytes, cuts: list[int]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_PIECE", 16)
        target, rest = io.BytesIO(), data
        sealer = StreamSealer(KEY, target, "here", randomness=lambda count: bytes(range(count)))
        for cut in itertools.cycle(cuts):
            sealer.write(rest[:cut])
            rest = rest[cut:]
            if not rest:
                break
        sealer.close()
        assert target.getvalue() == _sealed(data)
