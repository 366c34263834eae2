"""Texts line by line: what was written is read, and nothing else is taken for one."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.evidence import texts
from archive.evidence.texts import pages_of, written

PAGES = st.lists(st.text(max_size=30) | st.text('\ud800\udc00\x00"\\,[]\n', max_size=30), max_size=6)


def read(text: bytes, longest: int = -1) -> list[str]:
    return list(pages_of(io.BytesIO(text), longest))


@pytest.fixture(autouse=True, scope="module")
def short_lines():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "_LONGEST", 7)
        yield


@given(PAGES)
def test_what_was_written_is_read_page_by_page_and_no_line_is_long(pages: list[str]):
    text = b"".join(written(pages))
    assert read(text) == read(text, 6 * 7 + 4) == pages
    assert max(map(len, text.splitlines(keepends=True))) <= 6 * 7 + 4


@given(PAGES)
def test_it_is_json_and_so_is_what_was_written_at_once_before(pages: list[str]):
    said = json.loads(b"".join(written(pages)).decode("utf-8", "surrogatepass"))
    assert ["".join(each) for each in said] == pages
    for indent in (0, 1, None):
        before = json.dumps(pages, ensure_ascii=False, indent=indent).encode("utf-8", "surrogatepass")
        assert read(before) == pages


@given(PAGES, st.data())
def test_what_is_cut_off_or_goes_on_is_refused(pages: list[str], data: st.DataObject):
    text = b"".join(written(pages))
    cut = data.draw(st.integers(0, len(text) - 1))
    for wrong in (text[:cut], text + b"\n]", text + b'\n"more"'):
        with pytest.raises(ValueError, match=r".*"):
            read(wrong)


@pytest.mark.parametrize(
    "wrong", [b"[\n1\n]", b'[\n["a"]\n]', b"{}", b"[1]", b"\xff", b'[\n[\n[\n"a"\n]\n]\n]', b"[\nnull\n]"]
)
def test_what_is_no_text_is_refused(wrong: bytes):
    with pytest.raises(ValueError, match=r".*"):
        read(wrong)


def test_a_line_longer_than_allowed_is_not_taken():
    with pytest.raises(ValueError, match=r".*"):
        read(b'[\n"' + b"a" * 100 + b'"\n]', 50)
