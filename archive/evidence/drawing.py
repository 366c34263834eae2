"""Pages as pictures for reading: drawn, masked, watermarked. The only form in which readers see a page."""

import ctypes
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pypdfium2
from PIL import Image, ImageDraw
from pypdfium2 import raw

from archive.errors import Code
from archive.evidence import watermarks
from archive.evidence.limits import Limits
from archive.evidence.masking import spans
from archive.evidence.refusing import Refused

_QUALITY = 80
_MOST_PIXELS = 40_000_000  # of a drawn page; long screenshots make tall pages
_LONGEST_SIDE = 65_000  # pixels a side that JPEG can hold
_PROOF_WIDTH = 300  # pixels
_PROOF_PAGES = 3
_INK = (40, 40, 40)
_PADDING = 2  # pixels

_Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


@dataclass(frozen=True, slots=True)
class Reading:
    """What is found when a finished document is read again."""

    pages: int
    text: tuple[str, ...]


def open_pdf(source: BinaryIO | bytes, password: str | None) -> pypdfium2.PdfDocument:
    """:raises Refused: EVIDENCE_UNREADABLE."""
    try:
        return pypdfium2.PdfDocument(source, password=password)
    except pypdfium2.PdfiumError as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault


def read(document: pypdfium2.PdfDocument, limits: Limits, *, draw: bool) -> Reading:
    """The text of each page; with ``draw`` the first pages are drawn small, as proof that they can be.

    :raises Refused: EVIDENCE_UNREADABLE, CONVERSION_TOO_LARGE.
    """
    texts: list[str] = []
    total = 0
    for number in range(len(document)):
        page = _load(document, number)
        try:
            if draw and number < _PROOF_PAGES:
                _render(page, _PROOF_WIDTH).close()
            texts.append(_text(page))
        finally:
            page.close()
        total += len(texts[-1])
        if total > limits.text_characters:
            raise Refused(Code.CONVERSION_TOO_LARGE)
    return Reading(len(document), tuple(texts))


def draw(document: pypdfium2.PdfDocument, number: int, width: int, watermark: str) -> bytes:
    """Page ``number`` (from 1) as a JPEG ``width`` pixels wide, narrower only where the page is very tall.

    :raises Refused: PAGE_NOT_FOUND, EVIDENCE_UNREADABLE.
    """
    if not 1 <= number <= len(document):
        raise Refused(Code.PAGE_NOT_FOUND)
    page = _load(document, number - 1)
    try:
        picture = _render(page, width)
        _mask(page, picture)
    finally:
        page.close()
    watermarks.cover(picture, watermark)
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=_QUALITY)
    return target.getvalue()


def _load(document: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage:
    try:
        return document[index]
    except pypdfium2.PdfiumError as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault


def _text(page: pypdfium2.PdfPage) -> str:
    try:
        textpage = page.get_textpage()
    except pypdfium2.PdfiumError as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault
    try:
        found = str(textpage.get_text_range()) if textpage.count_chars() > 0 else ""
    finally:
        textpage.close()
    # pdfium writes U+FFFE for the hyphen of a broken word; NUL stands for glyphs without meaning.
    return found.replace("\ufffe", "").replace("\x00", "").replace("\r\n", "\n")


def _render(page: pypdfium2.PdfPage, width: int) -> Image.Image:
    across, down = page.get_size()
    if not (math.isfinite(across) and math.isfinite(down) and across > 0 and down > 0):
        raise Refused(Code.EVIDENCE_UNREADABLE)
    scale = min(
        (width - 0.01) / across,  # the engine rounds up
        math.sqrt(_MOST_PIXELS / across / down),
        _LONGEST_SIDE / across,
        _LONGEST_SIDE / down,
    )
    try:
        # Annotations are part of the page already (see documents); drawn here they would escape the masks.
        bitmap = page.render(
            scale=scale, rev_byteorder=True, draw_annots=False, may_draw_forms=False, fill_color=(255,) * 4
        )
    except (pypdfium2.PdfiumError, ValueError) as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault
    picture: Image.Image = bitmap.to_pil().convert("RGB")  # a copy, so that the bitmap can go
    bitmap.close()
    return picture


def _mask(page: pypdfium2.PdfPage, picture: Image.Image) -> None:
    """Paint over what must not be read. Pictures of text have no text layer and cannot be masked here."""
    textpage = page.get_textpage()
    try:
        letters = "".join(_letter(textpage, index) for index in range(textpage.count_chars()))
        pen = ImageDraw.Draw(picture)
        for span in spans(letters):
            for line in _lines(letters, span.start, span.end):
                pen.rectangle(_around([_box(page, textpage, picture, index) for index in line]), fill=_INK)
    finally:
        textpage.close()


def _lines(letters: str, start: int, end: int) -> Iterator[list[int]]:
    """The visible letters of a span, line by line; pdfium puts a line break where a line ends."""
    line: list[int] = []
    for index in range(start, end):
        if letters[index] in "\r\n":
            if line:
                yield line
            line = []
        elif letters[index].strip():
            line.append(index)
    if line:
        yield line


def _around(boxes: list[_Box]) -> _Box:
    """One rectangle: it also hides the gaps, and letters that lie a little beside their boxes."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts) - 1, min(tops) - _PADDING, max(rights) + 1, max(bottoms) + _PADDING


def _letter(textpage: Any, index: int) -> str:
    """Exactly one character, so that positions in the text are pdfium's positions."""
    value = raw.FPDFText_GetUnicode(textpage, index)
    return chr(value) if 0 < value < 0x110000 and not 0xD800 <= value < 0xE000 else " "


def _box(page: pypdfium2.PdfPage, textpage: Any, picture: Image.Image, index: int) -> _Box:
    left, bottom, right, top = textpage.get_charbox(index, loose=True)
    if not (right > left and top > bottom):  # odd fonts claim no size; a letter as large as its font then
        x, y = ctypes.c_double(), ctypes.c_double()
        raw.FPDFText_GetCharOrigin(textpage, index, x, y)
        size = max(float(raw.FPDFText_GetFontSize(textpage, index)), 12.0)
        left, bottom, right, top = x.value - size, y.value - size, x.value + size, y.value + size
    corners = [_pixel(page, picture, x, y) for x in (left, right) for y in (bottom, top)]
    across, down = zip(*corners, strict=True)
    return min(across), min(down), max(across), max(down)


def _pixel(page: pypdfium2.PdfPage, picture: Image.Image, x: float, y: float) -> tuple[int, int]:
    """From page space to the picture, with the page's rotation and crop box."""
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, picture.width, picture.height, 0, x, y, across, down)
    return across.value, down.value
