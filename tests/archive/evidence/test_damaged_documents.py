"""PDFs of which other readers show more than qpdf finds: all that they show is shown, or what is missing is said."""

import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image, ImageChops

from archive.errors import Code, MunimentError
from archive.evidence.sandbox import EvidenceKind, Sandbox
from tests.archive.evidence.showing import shown

Written = Callable[..., bytes]
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents %d 0 R/Resources<</Font<</F1 4 0 R>>>>>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
BOX = (100, 500, 200, 600)  # points, on a page of the size of A4


def words(text: bytes) -> bytes:
    content = b"BT /F1 24 Tf 20 100 Td (%s) Tj ET" % text
    return b"<</Length %d>>stream\n%s\nendstream" % (len(content), content)


def bare(*objects: bytes, first: int = 1, trailer: bytes = b"", header: bytes = b"%PDF-1.7\n") -> bytes:
    """A PDF byte by byte; its objects are numbered from ``first``, whatever its trailer counts."""
    body, places = bytearray(header), []
    for number, each in enumerate(objects, start=first):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(body)
    body += b"xref\n%d %d\n" % (first, len(objects))
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer<</Root %d 0 R/Size %d%s>>\n" % (first, len(objects) + 1, trailer)
    return bytes(body) + b"startxref\n%d\n%%%%EOF\n" % start


def claiming(pages: int, *kids: bytes) -> bytes:
    """It counts ``pages``; of the objects that ``kids`` names, 3 and 6 are its pages."""
    tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(kids), pages)
    one, two = words(b"first"), words(b"second")
    return bare(b"<</Type/Catalog/Pages 2 0 R>>", tree, PAGE % 5, FONT, one, PAGE % 7, two)


def counted(data: bytes) -> int:
    document = pypdfium2.PdfDocument(data)
    try:
        return len(document)
    finally:
        document.close()


def drawn(data: bytes, password: str | None = None, *, annotations: bool) -> Image.Image:
    """The first page as PDFium shows it, in grey, a pixel a point."""
    document = pypdfium2.PdfDocument(data, password=password)
    try:
        document.init_forms()
        return document[0].render(draw_annots=annotations).to_pil().convert("L")
    finally:
        document.close()


def test_pages_that_a_document_counts_and_does_not_have_are_each_named_as_missing(
    sandbox: Sandbox, password: str
):
    pages = shown(sandbox, claiming(9, b"3 0 R"), EvidenceKind.PDF, password)
    assert len(pages) == 9
    assert pages[0] == "first"
    assert all("无法读出" in each and "第2–9页" in each and "其中8页" in each for each in pages[1:])


def test_a_missing_page_keeps_its_place_between_the_others(sandbox: Sandbox, password: str):
    first, gap, last = shown(sandbox, claiming(3, b"3 0 R", b"99 0 R", b"6 0 R"), EvidenceKind.PDF, password)
    assert (first, last) == ("first", "second")
    assert "第2页" in gap


def test_a_document_of_which_no_page_can_be_read_is_refused(sandbox: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        shown(sandbox, claiming(2, b"98 0 R", b"99 0 R"), EvidenceKind.PDF, password)
    assert refused.value.code is Code.EVIDENCE_UNREADABLE


def test_a_document_that_counts_more_pages_than_are_taken_is_refused(tight: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        shown(tight, claiming(4000, b"3 0 R"), EvidenceKind.PDF, password)
    assert refused.value.code is Code.EVIDENCE_TOO_MANY_PAGES


def numbered_high() -> bytes:
    """The trailer counts fewer objects than there are numbers: qpdf believes it and finds no catalogue."""
    page = b"<</Type/Page/Parent 8001 0 R/MediaBox[0 0 300 200]/Contents 8004 0 R/Resources<</Font<</F1 8003 0 R>>>>>>"
    tree = b"<</Type/Pages/Kids[8002 0 R]/Count 1>>"
    return bare(b"<</Type/Catalog/Pages 8001 0 R>>", tree, page, FONT, words(b"high"), first=8000)


def locked_attachments() -> bytes:
    """Only what is attached is encrypted (ISO 32000-2 7.6.6, Identity): the pages open without a password."""
    locked = (
        b"<</Filter/Standard/V 5/R 6/Length 256/P -4/EFF/StdCF/StmF/Identity/StrF/Identity"
        b"/CF<</StdCF<</AuthEvent/EFOpen/CFM/AESV3/Length 32>>>>/O<%s>/U<%s>/OE<%s>/UE<%s>/Perms<%s>>>"
        % (b"6f" * 48, b"75" * 48, b"65" * 32, b"66" * 32, b"70" * 16)
    )
    tree = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    identity = b"/Encrypt 6 0 R/ID[<61><61>]"
    return bare(
        b"<</Type/Catalog/Pages 2 0 R>>", tree, PAGE % 5, FONT, words(b"open"), locked, trailer=identity
    )


@pytest.mark.parametrize(("data", "text"), [(numbered_high(), "high"), (locked_attachments(), "open")])
def test_what_the_viewers_open_and_qpdf_does_not_is_shown(
    data: bytes, text: str, sandbox: Sandbox, password: str
):
    with pytest.raises(pikepdf.PikepdfError):
        pikepdf.open(io.BytesIO(data))
    assert shown(sandbox, data, EvidenceKind.PDF, password) == [text]


def noted(pdf: pikepdf.Pdf) -> None:
    """A sticky note without a drawing of its own, as most programs write it; it can run a script."""
    script = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
    note = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Text,
        Rect=Array(BOX),
        Contents=String("顾客签收"),
        Name=Name.Note,
        A=script,
    )
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(note)])


def framed(pdf: pikepdf.Pdf) -> None:
    square = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Square,
        Rect=Array(BOX),
        C=Array([1, 0, 0]),
        BS=Dictionary(W=6),
    )
    pdf.pages[0].obj.Annots = Array([square])


def filled(pdf: pikepdf.Pdf) -> None:
    """A field whose appearance is left to the viewer."""
    field = pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Tx,
            T=String("sum"),
            V=String("188 yuan"),
            F=4,
            Rect=Array(BOX),
            DA=String("/Helv 20 Tf 0 g"),
        )
    )
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    pdf.pages[0].obj.Annots = Array([field])
    pdf.Root.AcroForm = Dictionary(
        Fields=Array([field]), NeedAppearances=True, DR=Dictionary(Font=Dictionary(Helv=font))
    )


@pytest.mark.parametrize("prepare", [noted, framed, filled])
def test_what_a_viewer_draws_for_an_annotation_is_on_the_page_and_can_do_nothing(
    prepare: Callable[[pikepdf.Pdf], None], written: Written, sandbox: Sandbox, password: str
):
    data = written("words", prepare=prepare)
    area = (BOX[0] - 2, 842 - BOX[3] - 2, BOX[2] + 2, 842 - BOX[1] + 2)
    with sandbox.convert(io.BytesIO(data), "x.pdf", password) as made:
        pdf = made.pdf.read()
    there = drawn(pdf, password, annotations=False).crop(area)
    assert there.getextrema()[0] < 200
    difference = ImageChops.difference(there, drawn(data, annotations=True).crop(area))
    assert sum(difference.histogram()[100:]) < 20
    with pikepdf.open(io.BytesIO(pdf), password=password) as opened:
        assert "/Annots" not in opened.pages[0].obj
        assert "/AcroForm" not in opened.Root
        assert not any(
            isinstance(each, Dictionary) and (each.get("/S") == Name.JavaScript or "/JS" in each)
            for each in opened.objects
        )


def test_pages_that_share_their_annotations_all_show_them(written: Written, sandbox: Sandbox, password: str):
    def prepare(pdf: pikepdf.Pdf) -> None:
        stamp = pdf.make_stream(b"BT /F1 20 Tf 5 5 Td (RECEIVED) Tj ET", Type=Name.XObject, Subtype=Name.Form)
        stamp.BBox, stamp.Resources = Array([0, 0, 100, 100]), pdf.pages[0].obj.Resources
        each = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=Array(BOX), AP=Dictionary(N=stamp))
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array(BOX))
        shared = pdf.make_indirect(Array([pdf.make_indirect(each), pdf.make_indirect(link)]))
        for page in pdf.pages:
            page.obj.Annots = shared

    for page in shown(sandbox, written("one", "two", prepare=prepare), EvidenceKind.PDF, password):
        assert "RECEIVED" in page


@pytest.mark.parametrize("header", [b"%PDF.1.4\n", b"%\xe2\xe3\xcf\xd3\n"])
def test_a_document_with_a_damaged_header_is_shown_as_one(header: bytes, sandbox: Sandbox, password: str):
    tree = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    data = bare(b"<</Type/Catalog/Pages 2 0 R>>", tree, PAGE % 5, FONT, words(b"headless"), header=header)
    assert shown(sandbox, data, EvidenceKind.PDF, password) == ["headless"]


def test_a_file_of_others_without_a_header_is_a_document(corpus: Path, sandbox: Sandbox, password: str):
    for name in ("fmt-be3cee42", "fmt-ee041500"):
        data = (corpus / "pdf" / f"{name}.pdf").read_bytes()
        assert shown(sandbox, data, EvidenceKind.PDF, password) == ["HelloPDF-world!"]


COUNTED_ABOVE = ("fmt-3dc2f62c", "fmt-b87c55d6", "pdfjs-5d4abad2")
OPENED_BY_VIEWERS = ("pdfjs-14b02bdc", "pdfjs-0e06659c", "pdfjs-e7f617ba", "pdfjs-b1328350", "qpdf-62810932")


@pytest.mark.parametrize("name", COUNTED_ABOVE + OPENED_BY_VIEWERS)
def test_a_damaged_file_of_others_has_as_many_pages_as_its_viewers_count(
    name: str, corpus: Path, sandbox: Sandbox, password: str
):
    data = (corpus / "pdf" / f"{name}.pdf").read_bytes()
    pages = shown(sandbox, data, EvidenceKind.PDF, password)
    appended = [
        page for page in pages[-1:] if "不在页面上的内容" in page
    ]  # what lies in it is listed behind it
    assert len(pages) - len(appended) == counted(data)
