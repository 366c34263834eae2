"""Boxes and derived keys: known answers, and everything that does not open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.keys.sealing import BOX_VERSION, BoxError, derive, seal, unseal

KEY = bytes(range(32))


def test_a_box_has_its_published_form():
    """NIST GCM test case 16 has no such associated data, so the figures are this project's own: see tests/golden."""
    box = seal(KEY, b"text", "place", randomness=bytes)
    assert box[:1] == BOX_VERSION
    assert box[1:13] == bytes(12)
    assert len(box) == 1 + 12 + len(b"text") + 16


def test_keys_are_derived_as_rfc_5869_says():
    """Test case 3 of RFC 5869: SHA-256, no salt, no info."""
    okm = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert derive(b"\x0b" * 22, "", 42).hex() == okm


def test_purposes_give_unlike_keys():
    assert len({derive(KEY, purpose) for purpose in ("", "seal", "hmac", "pdf:0:1", "pdf:1:1")}) == 5


@given(st.binary(max_size=200), st.text(st.characters(codec="utf-8"), max_size=20))
def test_what_was_sealed_is_opened(plaintext, place):
    assert unseal(KEY, seal(KEY, plaintext, place), place) == plaintext


def test_the_same_text_is_never_the_same_box():
    assert seal(KEY, b"text", "place") != seal(KEY, b"text", "place")


@given(st.integers(0, 32), st.integers(1, 255))
def test_a_box_with_any_one_byte_changed_does_not_open(at, flip):
    box = bytearray(seal(KEY, b"text", "place"))
    box[at % len(box)] ^= flip
    with pytest.raises(BoxError):
        unseal(KEY, bytes(box), "place")


@pytest.mark.parametrize("end", range(33))
def test_a_box_cut_off_anywhere_does_not_open(end):
    with pytest.raises(BoxError):
        unseal(KEY, seal(KEY, b"text", "place")[:end], "place")


def test_a_box_moved_elsewhere_or_under_another_key_does_not_open():
    box = seal(KEY, b"text", "place")
    with pytest.raises(BoxError):
        unseal(KEY, box, "elsewhere")
    with pytest.raises(BoxError):
        unseal(bytes(32), box, "place")
