import io
import logging
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops

from archive.errors import Code, MunimentError
from archive.evidence import drawing, watermarks
from archive.evidence.lettering import of_text_layer
from archive.evidence.sandbox import Sandbox

Written = Callable[..., bytes]
INK = (40, 40, 40)


def _picture(
    sandbox: Sandbox, data: bytes, password: str, *, watermark: str = "", width: int = 800
) -> Image.Image:
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        return Image.open(io.BytesIO(sandbox.page(made.pdf, password, 1, width, watermark))).convert("RGB")


def _painted(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """Around all that is painted over, where nothing else on the page has that colour."""
    channels = [channel.point(lambda value: 255 if 30 <= value <= 50 else 0) for channel in picture.split()]
    flat = ImageChops.multiply(ImageChops.multiply(channels[0], channels[1]), channels[2])
    # Single pixels of that shade are the edges of letters.
    return flat.reduce(4).point(lambda value: 255 if value > 200 else 0).getbbox()


def test_a_page_is_a_jpeg_of_the_width_asked_for(written: Written, sandbox: Sandbox, password: str):
    with sandbox.convert(io.BytesIO(written("hello")), "x", password) as made:
        for width in (1, 300, 1600):
            page = Image.open(io.BytesIO(sandbox.page(made.pdf, password, 1, width, "王五")))
            assert page.format == "JPEG"
            assert page.width == width


@pytest.mark.parametrize("number", [0, 3, -1, 10**9])
def test_a_page_that_is_not_there_is_refused(number: int, written: Written, sandbox: Sandbox, password: str):
    with sandbox.convert(io.BytesIO(written("one", "two")), "x", password) as made:
        with pytest.raises(MunimentError) as refused:
            sandbox.page(made.pdf, password, number, 300, "")
        assert refused.value.code is Code.PAGE_NOT_FOUND


def test_a_width_beyond_reason_is_a_mistake_of_the_caller(sandbox: Sandbox, password: str):
    with pytest.raises(ValueError, match="width"):
        sandbox.page(io.BytesIO(b""), password, 1, 100_000, "")


def test_the_wrong_password_opens_nothing(written: Written, sandbox: Sandbox, password: str):
    with sandbox.convert(io.BytesIO(written("hello")), "x", password) as made:
        for act in (
            lambda: sandbox.page(made.pdf, "wrong", 1, 300, ""),
            lambda: sandbox.release(made.pdf, "wrong", "new", ""),
            lambda: sandbox.original(made.pdf, "wrong"),
        ):
            with pytest.raises(MunimentError) as refused:
                act()
            assert refused.value.code is Code.EVIDENCE_UNREADABLE


def test_a_page_is_drawn_from_any_stream_wherever_it_stands(
    written: Written, sandbox: Sandbox, password: str, tmp_path
):
    with sandbox.convert(io.BytesIO(written("hello")), "x", password) as made:
        expected = sandbox.page(made.pdf, password, 1, 300, "")
        made.pdf.seek(17)
        assert sandbox.page(made.pdf, password, 1, 300, "") == expected
        path = tmp_path / "kept.pdf"
        path.write_bytes(made.pdf.read())
    with path.open("rb") as kept:
        kept.read(100)
        assert sandbox.page(kept, password, 1, 300, "") == expected
    assert sandbox.page(io.BytesIO(path.read_bytes()), password, 1, 300, "") == expected


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("box", [(0, 0, 595, 842), (-50, 100, 545, 942)])
def test_the_middle_of_a_number_is_painted_over_however_the_page_is_turned(
    rotate: int, box: tuple[float, ...], written: Written, sandbox: Sandbox, password: str
):
    picture = _picture(sandbox, written("13800138000", rotate=rotate, box=box), password)
    assert _painted(_picture(sandbox, written("138O0138000", rotate=rotate, box=box), password)) is None
    painted = _painted(picture)
    assert painted
    left, top, right, bottom = (edge * 4 for edge in painted)
    assert picture.convert("L").crop((left, top, right, bottom)).getextrema()[1] < 70, "solid"
    level = rotate in (0, 180)
    point = picture.width / (595 if level else 842)
    along, across = (right - left, bottom - top) if level else (bottom - top, right - left)
    assert 50 < along / point < 75  # four digits of 24 points in Helvetica are 53 wide
    assert 15 < across / point < 45
    # Three digits stay on one side of it and four on the other, in a band as high as the letters.
    before = (0, top, left - 8, bottom) if level else (left, 0, right, top - 8)
    after = (right + 8, top, picture.width, bottom) if level else (left, bottom + 8, right, picture.height)
    for side in (before, after):
        assert picture.convert("L").crop(side).getextrema()[0] < 90


def test_a_number_that_runs_over_two_lines_is_painted_on_both(
    written: Written, sandbox: Sandbox, password: str
):
    one = _painted(_picture(sandbox, written("tel 138001\n38000"), password))
    whole = _painted(_picture(sandbox, written("tel 13800138000"), password))
    assert one
    assert whole
    assert (one[3] - one[1]) > 1.6 * (whole[3] - whole[1])  # reaches over two lines


@pytest.mark.parametrize("text", ["mail zhang.san@qq.com", "id 510104199001011234", "tel 028-85551234"])
def test_other_secrets_are_painted_over_too(text: str, written: Written, sandbox: Sandbox, password: str):
    assert _painted(_picture(sandbox, written(text), password))


def test_masks_reach_what_stood_in_a_form_field(written: Written, sandbox: Sandbox, password: str):
    import pikepdf
    from pikepdf import Array, Dictionary, Name

    def fill(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        look = pdf.make_stream(
            b"BT /F1 24 Tf 2 4 Td (13800138000) Tj ET",
            Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 300, 40], Resources=page.Resources,
        )  # fmt: skip
        page.Annots = Array(
            [
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.FreeText,
                    Rect=[60, 500, 360, 540],
                    F=4,
                    AP=Dictionary(N=look),
                )
            ]
        )

    assert _painted(_picture(sandbox, written("x", prepare=fill), password))


def test_the_watermark_shows_on_paper_and_on_dark_photographs_and_hides_neither(
    written: Written, sandbox: Sandbox, password: str
):
    text = "王五  2026-03-21 09:15  CX-2026-00045"
    for shade in (255, 0, 128):
        page = Image.new("RGB", (1200, 1600), (shade,) * 3)
        watermarks.cover(page, text)
        low, high = page.convert("L").getextrema()
        assert high - low > 25, "the watermark is seen"
        assert max(abs(low - shade), abs(high - shade)) < 110, "the page stays readable"
        covered = ImageChops.difference(page, Image.new("RGB", page.size, (shade,) * 3)).convert("L")
        assert sum(covered.point(lambda value: value > 8 and 255).histogram()[255:]) / (1200 * 1600) < 0.12
        for x in range(0, 1200, 400):  # every part of a page carries some of it
            for y in range(0, 1600, 400):
                assert covered.crop((x, y, x + 400, y + 400)).getextrema()[1] > 15
    assert _picture(sandbox, written("x"), password, watermark=text) != _picture(
        sandbox, written("x"), password
    )


def test_a_watermark_of_any_words_is_harmless():
    page = Image.new("RGB", (300, 200), "white")
    for text in ("", " ", "\n", "\x00", "𠮷" * 500, "a" * 10_000):
        watermarks.cover(page, text)


def test_no_line_is_written_to_the_log_for_a_page(
    written: Written, sandbox: Sandbox, password: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    _picture(sandbox, written("13800138000"), password)
    assert not caplog.records


def test_text_is_cleaned_of_what_is_no_character(written: Written):
    document = drawing.open_pdf(written("first\nsecond"), None)
    try:
        reading = drawing.read(document, drawing.Limits(), draw=False)
    finally:
        document.close()
    assert reading.text == ("first\nsecond",)


@pytest.mark.parametrize(
    ("written_as", "text"),
    [
        ("code XK-\nHA and more", "code XK-HA and more\nXKHA"),
        ("an exam-\nple, an e-\nmail", "an exam-ple, an e-mail\nexample, email"),
        ("to zhang-\nsan@qq.com", "to zhang-san@qq.com\nzhangsan@qq.com"),
    ],
)
def test_a_word_with_a_hyphen_at_the_end_of_a_line_is_found_with_it_and_without(
    written: Written, written_as: str, text: str
):
    document = drawing.open_pdf(written(written_as), None)
    try:
        assert drawing.read(document, drawing.Limits(), draw=False).text == (text,)
        page, hit = document[0], text.splitlines()[0].split()[1].strip("(),")
        textpage = page.get_textpage()
        assert list(of_text_layer(page, textpage, (600, 800)).marks([hit])) or "@" in text
        textpage.close()
        page.close()
    finally:
        document.close()


def test_text_without_end_is_refused(written: Written):
    from archive.evidence.refusing import Refused

    document = drawing.open_pdf(written("first", "second"), None)
    try:
        with pytest.raises(Refused) as refused:
            drawing.read(document, drawing.Limits(text_characters=7), draw=False)
    finally:
        document.close()
    assert refused.value.code is Code.CONVERSION_TOO_LARGE
