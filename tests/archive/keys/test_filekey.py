"""The key of one case file and what hangs on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.sealing import BoxError

ID = CaseFileId("0f8fad5b-d9cb-469f-a165-70867728950e")
KEY = FileKey(ID, bytes(range(32)))
OTHER = FileKey(CaseFileId("7c9e6679-7425-40de-944b-e07fc1f90ae7"), KEY.secret)


def test_the_secret_is_not_shown():
    assert KEY.secret.hex() not in repr(KEY)
    assert repr(KEY.secret) not in repr(KEY)


def test_a_new_key_takes_32_bytes_of_chance():
    asked = []
    made = FileKey.make(ID, lambda length: asked.append(length) or b"x" * length)
    assert (asked, made.secret) == ([32], b"x" * 32)


@given(st.integers(0, 999), st.integers(1, 99))
def test_a_password_is_32_plain_characters_and_belongs_to_one_document(ordinal, version):
    password = KEY.pdf_password(f"{ordinal}:{version}")
    assert len(password) == 32  # poppler fails on longer ones
    assert password.isascii()
    assert password == KEY.pdf_password(f"{ordinal}:{version}")
    assert password != KEY.pdf_password(f"{ordinal}:{version + 1}")


def test_a_sealed_text_belongs_to_its_place_and_its_file():
    box = KEY.seal(b"text", "voucher")
    assert KEY.unseal(box, "voucher") == b"text"
    with pytest.raises(BoxError):
        KEY.unseal(box, "title:0:1")
    with pytest.raises(BoxError):
        OTHER.unseal(box, "voucher")


def test_the_authentication_code_is_of_this_content_at_this_place():
    code = KEY.authentication(b"d" * 64, "1:1")
    assert len(code) == 32
    assert KEY.authentic(b"d" * 64, "1:1", code)
    assert not KEY.authentic(b"e" * 64, "1:1", code)
    assert not KEY.authentic(b"d" * 64, "2:1", code)
    assert not KEY.authentic(b"d" * 64, "1:1", code[:-1])
    assert not FileKey(ID, bytes(32)).authentic(b"d" * 64, "1:1", code)
