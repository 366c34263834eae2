"""What leaves the house by default: pages, and nothing of what a camera, a phone or a program wrote beside them."""

import contextlib
import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from base64 import a85encode
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import Image, ImageChops

from archive.evidence import office
from archive.evidence.sandbox import Sandbox

Saved = Callable[..., bytes]
Written = Callable[..., bytes]

SPECIMENS = Path(__file__).parent / "specimens"
MAKER = "Kamerawerk Secret 9"
XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{MAKER}</x:xmpmeta>".encode()
LATITUDE = struct.pack(">6L", 31, 1, 13, 1, 49, 1)
SECRETS = (
    *(b"Exif", b"http://ns.adobe.com/xap", MAKER.encode(), b"secret place", b"x:xmpmeta"),
    *(LATITUDE, struct.pack("<6L", 31, 1, 13, 1, 49, 1)),
)


def notes() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = MAKER
    exif[0x010E] = "secret place"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    return exif


@pytest.fixture(scope="module")
def noted(photo: Image.Image, saved: Saved) -> bytes:
    """A photograph as from a phone: with a place, a maker, a description, and a second picture behind it."""
    front = saved(photo, "JPEG", exif=notes(), xmp=XMP, comment=MAKER.encode())
    assert all(word in front for word in SECRETS[:5])
    assert any(place in front for place in SECRETS[5:])
    return front + front


def document(pdf: Pdf, page: int, **pictures: Stream) -> None:
    """Draw them on the page, one beside the other."""
    pdf.pages[page].obj.Resources = Dictionary(
        XObject=Dictionary({f"/{key}": each for key, each in pictures.items()})
    )
    drawn = " ".join(f"q 200 0 0 150 20 {20 + 160 * n} cm /{key} Do Q" for n, key in enumerate(pictures))
    pdf.pages[page].obj.Contents = pdf.make_stream(drawn.encode())


def picture(pdf: Pdf, data: bytes, *filters: Name, **more: object) -> Stream:
    stream = Stream(
        pdf,
        data,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=640,
        Height=480,
        BitsPerComponent=8,
        ColorSpace=Name.DeviceRGB,
        **more,
    )
    stream.Filter = Array(filters) if len(filters) > 1 else filters[0]
    return stream


def full(photo: Image.Image, noted: bytes, saved: Saved, written: Written) -> bytes:
    """A PDF with such photographs in every place that may hold one."""
    deep = saved(photo, "JPEG2000", comment=MAKER.encode())
    deep = deep[:32] + struct.pack(">I", len(XMP) + 8) + b"xml " + XMP + deep[32:]

    def prepare(pdf: Pdf) -> None:
        described = Stream(pdf, XMP, Type=Name.Metadata, Subtype=Name.XML)
        private = Dictionary(Maker=Dictionary(Private=pikepdf.String(MAKER)))
        document(
            pdf,
            0,
            Plain=picture(pdf, noted, Name.DCTDecode, Metadata=described, PieceInfo=private, Odd=described),
            Packed=picture(pdf, zlib.compress(noted), Name.FlateDecode, Name.DCTDecode),
            Deep=picture(pdf, deep, Name.JPXDecode),
        )
        first = noted[: len(noted) // 2]  # PDFium shows nothing of a picture in the words with one behind it
        head = b"q 200 0 0 150 20 20 cm BI /W 640 /H 480 /BPC 8 /CS /RGB "
        pdf.pages[1].obj.Contents = pdf.make_stream(
            head
            + b"/F /DCT ID "
            + first
            + b"\nEI Q q 1 0 0 1 0 200 cm "
            + head
            + b"/F [/A85 /DCT] ID "
            + a85encode(first)
            + b"~>\nEI Q Q"
        )
        pdf.pages[1].obj.Metadata = described
        layer = Dictionary(Metadata=described)
        pdf.pages[2].obj.Resources.Properties = Dictionary(MC0=layer)
        pdf.Root.Metadata = Stream(pdf, XMP, Type=Name.Metadata, Subtype=Name.XML)
        pdf.docinfo["/Producer"] = MAKER
        pdf.attachments["photo.jpg"] = pikepdf.AttachedFileSpec(pdf, noted, filename="photo.jpg")

    return written("one", "two", "three", prepare=prepare)


def docx(noted: bytes) -> bytes:
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    drawing = (
        '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
        'wordprocessingDrawing"><wp:extent cx="2400000" cy="1800000"/><wp:docPr id="1" name="p"/>'
        '<a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:graphicData '
        'uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic xmlns:pic='
        '"http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:nvPicPr><pic:cNvPr id="0" name="p"/>'
        f'<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip xmlns:r="{relation}" r:embed="r1"/><a:stretch>'
        '<a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="2400000" '
        'cy="1800000"/></a:xfrm><a:prstGeom prst="rect"/></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r></w:p>"
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="jpg" ContentType='
        '"image/jpeg"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type='
        f'"{relation}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relation}/image" Target="media/p.jpg"/></Relationships>',
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body>{drawing}</w:body></w:document>",
        "word/media/p.jpg": noted,
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return target.getvalue()


def mail(noted: bytes) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.org", "photo"
    message.set_content("see the photo")
    message.add_attachment(noted, "image", "jpeg", filename="p.jpg")
    return bytes(message)


KINDS = ("JPEG", "flipped JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIC", "PDF", "DOCX", "mail")


@pytest.fixture
def specimen(kind: str, photo: Image.Image, noted: bytes, saved: Saved, written: Written) -> bytes:
    flipped = notes()
    flipped[0x0112] = 5
    if kind == "DOCX" and office.find() is None:
        pytest.skip("LibreOffice is not installed here")
    makers: dict[str, Callable[[], bytes]] = {
        "JPEG": lambda: noted,
        "flipped JPEG": lambda: saved(photo, "JPEG", exif=flipped),
        "HEIC": (SPECIMENS / "photo.heic").read_bytes,
        "PDF": lambda: full(photo, noted, saved, written),
        "DOCX": lambda: docx(noted),
        "mail": lambda: mail(noted),
    }
    return makers.get(kind, lambda: saved(photo, kind, exif=notes()))()


def streams(file: bytes, password: str) -> Iterator[bytes]:
    """Each as it is kept, and each as it reads; and the document around them, plain."""
    with pikepdf.open(io.BytesIO(file), password=password) as pdf:
        for each in pdf.objects:
            if isinstance(each, Stream):
                yield each.read_raw_bytes()
                with contextlib.suppress(pikepdf.PikepdfError):  # pictures, which read as they are kept
                    yield each.read_bytes()
        plain = io.BytesIO()
        pdf.save(plain, encryption=False, stream_decode_level=pikepdf.StreamDecodeLevel.generalized)
        yield plain.getvalue()


def told(file: bytes, password: str) -> set[bytes]:
    return {secret for data in streams(file, password) for secret in SECRETS if secret in data}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_a_camera_wrote_leaves_with_the_pages(
    kind: str, specimen: bytes, sandbox: Sandbox, password: str, tmp_path: Path
):
    with sandbox.convert(io.BytesIO(specimen), "x", password) as made:
        assert told(made.pdf.read(), password), "the sealed original has its notes"
        made.pdf.seek(0)
        with sandbox.release(made.pdf, password, "new", "副本") as copy:
            released = copy.read()
        made.pdf.seek(0)
        with sandbox.release(made.pdf, password, "new", "副本", originals=True) as copy:
            whole = copy.read()
    assert told(released, "new") == set()
    assert told(whole, "new")
    assert drawn(released) == drawn(whole)
    with pikepdf.open(io.BytesIO(released), password="new") as pdf:
        assert not pdf.attachments
        assert "/AF" not in pdf.Root
        assert not pdf.check_pdf_syntax()
    (tmp_path / "copy.pdf").write_bytes(released)
    if shutil.which("qpdf"):
        asked = ["qpdf", "--password=new", "--check", str(tmp_path / "copy.pdf")]
        assert subprocess.run(asked, capture_output=True, check=False).returncode == 0


def drawn(file: bytes) -> list[bytes]:
    opened = pypdfium2.PdfDocument(file, password="new")
    try:
        pages = [page.render().to_pil() for page in opened]
    finally:
        opened.close()
    assert all(ImageChops.invert(page.convert("L")).getbbox() for page in pages)
    return [page.tobytes() for page in pages]


def test_a_voucher_leaves_without_the_data_it_was_printed_from_and_claims_no_pdfa(
    written: Written, sandbox: Sandbox, password: str
):
    def prepare(pdf: Pdf) -> None:
        pdf.pages[0].obj.Annots = Array(
            [
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.FileAttachment,
                    Rect=Array([0, 0, 9, 9]),
                    FS=pikepdf.AttachedFileSpec(pdf, MAKER.encode(), filename="v").obj,
                )
            ]
        )
        pdf.attachments["voucher.json"] = pikepdf.AttachedFileSpec(
            pdf, MAKER.encode(), filename="voucher.json"
        )
        with pdf.open_metadata() as metadata:
            metadata["pdfaid:part"] = "3"

    sealed = io.BytesIO(written("x", prepare=prepare))
    with sandbox.release(sealed, "", "new", "副本") as copy:
        released = copy.read()
    assert told(released, "new") == set()
    assert b"pdfaid" not in b"".join(streams(released, "new"))


def test_a_picture_that_no_decoder_takes_does_not_hold_a_copy_back(
    noted: bytes, written: Written, sandbox: Sandbox, password: str
):
    def prepare(pdf: Pdf) -> None:
        broken = {
            "A": b"Exif" + MAKER.encode(),
            "B": noted[:300],
            "C": b"",
            "D": b"\xff\xd8\xff\xe1\0\1" + noted,
        }
        document(pdf, 0, **{key: picture(pdf, each, Name.DCTDecode) for key, each in broken.items()})
        pdf.pages[1].obj.Resources = Dictionary(
            XObject=Dictionary(E=picture(pdf, noted, Name.FlateDecode, Name.DCTDecode))
        )

    with (
        sandbox.convert(io.BytesIO(written("x", "y", prepare=prepare)), "x", password) as made,
        sandbox.release(made.pdf, password, "new", "副本") as copy,
    ):
        assert told(copy.read(), "new") == set()
