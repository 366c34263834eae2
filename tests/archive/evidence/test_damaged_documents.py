"""PDFs of which other readers show more than qpdf finds: all that they show is shown, or what is missing is said."""

import io
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from archive.errors import Code, MunimentError
from archive.evidence.sandbox import EvidenceKind, Sandbox

PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents %d 0 R/Resources<</Font<</F1 4 0 R>>>>>>"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


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


def shown(sandbox: Sandbox, data: bytes, password: str) -> list[str]:
    """The text of each page, without white space; the original must be whole."""
    with sandbox.convert(io.BytesIO(data), "x.pdf", password) as made:
        assert made.kind is EvidenceKind.PDF
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data
        return ["".join(each.split()) for each in made.text]


def counted(data: bytes) -> int:
    document = pypdfium2.PdfDocument(data)
    try:
        return len(document)
    finally:
        document.close()


def test_pages_that_a_document_counts_and_does_not_have_are_each_named_as_missing(
    sandbox: Sandbox, password: str
):
    pages = shown(sandbox, claiming(9, b"3 0 R"), password)
    assert len(pages) == 9
    assert pages[0] == "first"
    assert all("无法读出" in each and "第2–9页" in each and "其中8页" in each for each in pages[1:])


def test_a_missing_page_keeps_its_place_between_the_others(sandbox: Sandbox, password: str):
    first, gap, last = shown(sandbox, claiming(3, b"3 0 R", b"99 0 R", b"6 0 R"), password)
    assert (first, last) == ("first", "second")
    assert "第2页" in gap


def test_a_document_of_which_no_page_can_be_read_is_refused(sandbox: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        shown(sandbox, claiming(2, b"98 0 R", b"99 0 R"), password)
    assert refused.value.code is Code.EVIDENCE_UNREADABLE


def test_a_document_that_counts_more_pages_than_are_taken_is_refused(tight: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        shown(tight, claiming(4000, b"3 0 R"), password)
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
    assert shown(sandbox, data, password) == [text]


COUNTED_ABOVE = ("fmt-3dc2f62c", "fmt-b87c55d6", "pdfjs-5d4abad2")
OPENED_BY_VIEWERS = ("pdfjs-14b02bdc", "pdfjs-0e06659c", "pdfjs-e7f617ba", "pdfjs-b1328350", "qpdf-62810932")


@pytest.mark.parametrize("name", COUNTED_ABOVE + OPENED_BY_VIEWERS)
def test_a_damaged_file_of_others_has_as_many_pages_as_its_viewers_count(
    name: str, corpus: Path, sandbox: Sandbox, password: str
):
    data = (corpus / "pdf" / f"{name}.pdf").read_bytes()
    assert len(shown(sandbox, data, password)) == counted(data)
