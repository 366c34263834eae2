import io
from collections.abc import Callable

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops

from archive.evidence.sandbox import Sandbox

Written = Callable[..., bytes]


def _drawn(pdf, password: str, index: int = 0) -> Image.Image:
    document = pypdfium2.PdfDocument(pdf, password=password)
    try:
        return document[index].render(scale=1.0).to_pil().convert("L")
    finally:
        document.close()
        pdf.seek(0)


def test_a_copy_opens_with_its_own_password_only_and_keeps_text_and_original(
    written: Written, sandbox: Sandbox, password: str
):
    data = written("page one", "page two")
    with (
        sandbox.convert(io.BytesIO(data), "x", password) as made,
        sandbox.release(
            made.pdf, password, "ONE-TIME", "2026-一级-剧本相关-001 副本", originals=True
        ) as copy,
    ):
        with pytest.raises(pikepdf.PasswordError):
            pikepdf.open(copy, password=password)
        with pikepdf.open(copy, password="ONE-TIME") as pdf:
            assert pdf.encryption.R == 6
            assert len(pdf.pages) == 2
        document = pypdfium2.PdfDocument(copy, password="ONE-TIME")
        assert "page two" in document[1].get_textpage().get_text_range()
        document.close()
        with sandbox.original(copy, "ONE-TIME") as original:
            assert original.read() == data


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("box", [(0, 0, 595, 842), (-50, 100, 545, 942), (0, 0, 200, 100)])
def test_every_page_is_stamped_across_and_at_the_foot_a_reader_sees(
    rotate: int, box: tuple[float, ...], written: Written, sandbox: Sandbox, password: str
):
    data = written("", "", rotate=rotate, box=box)
    with (
        sandbox.convert(io.BytesIO(data), "x", password) as made,
        sandbox.release(made.pdf, password, "new", "副本 COPY 2026-03-01") as copy,
    ):
        for index in range(2):
            page = _drawn(copy, "new", index)
            assert page.getextrema()[0] < 255
            third = page.height // 3
            for top in range(0, page.height - third + 1, third):
                assert page.crop((0, top, page.width, top + third)).getextrema()[0] < 252
            # The foot is darker than the rest, and stands in the last part, in the middle.
            dark = page.point(lambda value: 255 if value < 190 else 0).getbbox()
            assert dark is not None
            assert dark[1] > page.height * 0.85
            assert abs((dark[0] + dark[2]) / 2 - page.width / 2) < page.width * 0.05


def test_the_page_shows_through_the_stamp(photo: Image.Image, jpeg: bytes, sandbox: Sandbox, password: str):
    with sandbox.convert(io.BytesIO(jpeg), "x", password) as made:
        before = _drawn(made.pdf, password)
        with sandbox.release(made.pdf, password, "new", "副本") as copy:
            after = _drawn(copy, "new")
    difference = ImageChops.difference(before, after)
    assert difference.getextrema()[1] > 20
    histogram = difference.histogram()
    assert sum(histogram[60:]) < 0.02 * sum(histogram)


def test_an_unbalanced_page_cannot_swallow_the_stamp(written: Written, sandbox: Sandbox, password: str):
    def prepare(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.Contents = pdf.make_stream(b"q 0 0 1 1 re W n q 0.001 0 0 0.001 0 0 cm")

    with (
        sandbox.convert(io.BytesIO(written("x", prepare=prepare)), "x", password) as made,
        sandbox.release(made.pdf, password, "new", "副本") as copy,
    ):
        assert _drawn(copy, "new").getextrema()[0] < 200


def test_a_page_whose_content_is_damaged_is_stamped_all_the_same(
    written: Written, sandbox: Sandbox, password: str
):
    def prepare(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.Contents = pikepdf.Stream(pdf, b"no deflate", Filter=pikepdf.Name.FlateDecode)

    with (
        sandbox.convert(io.BytesIO(written("x", prepare=prepare)), "x", password) as made,
        sandbox.release(made.pdf, password, "new", "副本") as copy,
    ):
        assert _drawn(copy, "new").getextrema()[0] < 200


def test_a_copy_of_a_copy_is_stamped_again_and_keeps_the_original(
    jpeg: bytes, sandbox: Sandbox, password: str
):
    with (
        sandbox.convert(io.BytesIO(jpeg), "x", password) as made,
        sandbox.release(made.pdf, password, "a", "first", originals=True) as first,
        sandbox.release(first, "a", "b", "second", originals=True) as second,
        sandbox.original(second, "b") as original,
    ):
        assert original.read() == jpeg
        assert ImageChops.difference(_drawn(first, "a"), _drawn(second, "b")).getbbox()


def test_a_copy_without_a_stamp_is_only_sealed_anew(written: Written, sandbox: Sandbox, password: str):
    with sandbox.convert(io.BytesIO(written("x")), "x", password) as made:
        before = _drawn(made.pdf, password)
        with sandbox.release(made.pdf, password, "new", " ") as copy:
            assert ImageChops.difference(before, _drawn(copy, "new")).getbbox() is None
