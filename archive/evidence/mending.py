"""PDFs that qpdf reads less of than the viewers do: their pages through PDFium, the engine that readers see.

Viewers disagree about damaged files, and draw annotations that bring no drawing of their own. What PDFium shows is
written out here, so that the rest of the house can take it like any other PDF.
"""

import io
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

_TINY = 16  # pixels: drawn so that appearances are made, not to be looked at


@dataclass(frozen=True, slots=True)
class Mended:
    """``pdf`` has the pages that could be read; ``lost`` are the places, from 0, of those that could not."""

    pdf: bytes
    lost: tuple[int, ...] = ()


def opened(data: bytes) -> pypdfium2.PdfDocument | None:
    """None where PDFium does not take it either. The caller closes it."""
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        return None


def redrawn(document: pypdfium2.PdfDocument) -> Mended:
    """The whole document, with appearances for the annotations that had none, and without encryption.

    PDFium makes them when it draws a page (ISO 32000-2 12.5.5 leaves them to the viewer), and then keeps them.
    """
    document.init_forms()
    for number in range(len(document)):
        _draw_annotations(document, number)
    target = io.BytesIO()
    document.save(target, flags=raw.FPDF_REMOVE_SECURITY)
    return Mended(target.getvalue())


def gathered(document: pypdfium2.PdfDocument) -> Mended:
    """The pages that can be loaded, one by one, in a document of their own: whatever the page tree is like."""
    lost = tuple(number for number in range(len(document)) if not _loads(document, number))
    whole = pypdfium2.PdfDocument.new()
    try:
        # One that does not load would leave an empty page behind.
        whole.import_pages(document, [number for number in range(len(document)) if number not in lost])
        target = io.BytesIO()
        whole.save(target)
    finally:
        whole.close()
    return Mended(target.getvalue(), lost)


def _draw_annotations(document: pypdfium2.PdfDocument, number: int) -> None:
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return
    try:
        if raw.FPDFPage_GetAnnotCount(page) > 0:
            page.render(scale=_TINY / max(*page.get_size(), 1)).close()
    except (pypdfium2.PdfiumError, ValueError):  # a page of no size
        pass
    finally:
        page.close()


def _loads(document: pypdfium2.PdfDocument, number: int) -> bool:
    try:
        document[number].close()
    except pypdfium2.PdfiumError:
        return False
    return True
