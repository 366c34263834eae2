"""Pages as pictures for reading: drawn, masked, watermarked. The only form in which readers see a page."""

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pypdfium2
from PIL import Image, ImageChops, ImageDraw

from archive.errors import Code
from archive.evidence import seams, watermarks
from archive.evidence.lettering import Box, Lettering, of_recognised, of_text_layer
from archive.evidence.limits import Limits
from archive.evidence.recognised import RecognisedPage
from archive.evidence.refusing import Refused
from archive.evidence.seams import Seams

_QUALITY = 80
_MOST_PIXELS = 40_000_000  # of a drawn page; long screenshots make tall pages
_LONGEST_SIDE = 65_000  # pixels a side that JPEG can hold
_PROOF_WIDTH = 300  # pixels
_PROOF_PAGES = 3
_INK = (40, 40, 40)
_LINE_HYPHEN = "\ufffe"
_WRITTEN = r"[^\s\ufffe\u2e80-\U0003fffd]+"  # with its punctuation: an address is masked as a whole
_DIVIDED = re.compile(f"{_WRITTEN}(?:{_LINE_HYPHEN}{_WRITTEN})+")
_MARKER, _OUTLINE = (255, 226, 120), (214, 120, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is found when a finished document is read again."""

    pages: int
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Page ``number`` (from 1), ``width`` pixels wide, for the reader whom the watermark names.

    ``recognised`` is what was read in its picture, where it has no text of its own; ``marks`` are words to be
    marked, as they are written on the page and without white space; ``around`` is what numbers may run over from.
    """

    number: int
    width: int
    watermark: str
    recognised: RecognisedPage | None = None
    marks: tuple[str, ...] = ()
    around: Seams = seams.NONE


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


def text(document: pypdfium2.PdfDocument, index: int) -> str:
    """Of page ``index`` (from 0).

    :raises Refused: EVIDENCE_UNREADABLE.
    """
    page = _load(document, index)
    try:
        return _text(page)
    finally:
        page.close()


def draw(document: pypdfium2.PdfDocument, wanted: Wanted) -> bytes:
    """One page as a JPEG, narrower than asked for only where the page is very tall.

    :raises Refused: PAGE_NOT_FOUND, EVIDENCE_UNREADABLE.
    """
    if not 1 <= wanted.number <= len(document):
        raise Refused(Code.PAGE_NOT_FOUND)
    page = _load(document, wanted.number - 1)
    try:
        drawn = _render(page, wanted.width)
        _cover_and_mark(page, drawn, wanted)
    finally:
        page.close()
    watermarks.cover(drawn, wanted.watermark)
    target = io.BytesIO()
    drawn.save(target, "JPEG", quality=_QUALITY)
    return target.getvalue()


def picture(document: pypdfium2.PdfDocument, index: int, width: int) -> Image.Image:
    """Page ``index`` (from 0) as it is, to be recognised: for no reader's eyes.

    :raises Refused: EVIDENCE_UNREADABLE.
    """
    page = _load(document, index)
    try:
        return _render(page, width)
    finally:
        page.close()


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
    # NUL stands for glyphs without meaning.
    return _either_way(found.replace("\x00", "").replace("\r\n", "\n"))


def _either_way(found: str) -> str:
    """PDFium writes U+FFFE for a hyphen at the end of a line, be it the word's own (e-mail) or the line's (exam-ple).
    The word is to be found either way: the hyphen stays, and the words without it are on a last line.
    """
    joined = " ".join(each.replace(_LINE_HYPHEN, "") for each in _DIVIDED.findall(found))
    return "\n".join(filter(None, (found.replace(_LINE_HYPHEN, "-"), joined)))


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


def _cover_and_mark(page: pypdfium2.PdfPage, drawn: Image.Image, wanted: Wanted) -> None:
    """Paint over what must not be read, and mark what was looked for: of what is left only."""
    textpage = page.get_textpage()
    try:
        letterings = [of_text_layer(page, textpage, drawn.size, wanted.around)]
        if wanted.recognised is not None:
            letterings.append(of_recognised(wanted.recognised, drawn.size, wanted.around))
        masks = [box for each in letterings for box in each.masks()]
        marks = _clear_of(masks, letterings, wanted.marks)
    finally:
        textpage.close()
    for box in marks:
        _mark(drawn, box)
    pen = ImageDraw.Draw(drawn)
    for box in masks:
        pen.rectangle(box, fill=_INK)


def _clear_of(masks: Sequence[Box], letterings: Sequence[Lettering], words: Sequence[str]) -> list[Box]:
    return [
        box
        for each in letterings
        for box in each.marks(words)
        if not any(_overlap(box, mask) for mask in masks)
    ]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _mark(drawn: Image.Image, box: Box) -> None:
    """As with a marker pen, and outlined, so that it is seen on dark pictures too."""
    left, top = max(int(box[0]), 0), max(int(box[1]), 0)
    right, bottom = min(math.ceil(box[2]), drawn.width), min(math.ceil(box[3]), drawn.height)
    if right - left < 2 or bottom - top < 2:
        return
    part = drawn.crop((left, top, right, bottom))
    drawn.paste(ImageChops.multiply(part, Image.new("RGB", part.size, _MARKER)), (left, top))
    ImageDraw.Draw(drawn).rectangle((left, top, right - 1, bottom - 1), outline=_OUTLINE, width=2)
