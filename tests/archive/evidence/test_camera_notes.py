"""Pictures without camera notes: the same pixels from the same bits, whatever the bytes."""

import io
import struct
from collections.abc import Callable

import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from archive.evidence.cameranotes import jpeg, jpeg2000

Saved = Callable[..., bytes]

MAKER = b"Kamerawerk Secret 9"
XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + MAKER + b"</x:xmpmeta>"


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.mode.encode() + picture.tobytes()


def noted(data: bytes) -> bytes:
    """With all that a phone writes: in front, and more pictures and a film behind."""
    exif = Image.Exif()
    exif[0x010F] = MAKER.decode()
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    front = segment(0xE1, b"Exif\0\0" + exif.tobytes()) + segment(0xE1, XMP) + segment(0xFE, MAKER)
    front += b"".join(segment(code, MAKER) for code in (*range(0xE2, 0xF0), 0xF0, 0xFD))
    return data[:2] + front + data[2:] + b"\xff\xd8" + front + b"\xff\xd9 ftypmp4" + MAKER


@pytest.fixture(scope="module")
def pictures(photo: Image.Image, saved: Saved) -> list[bytes]:
    return [
        saved(photo, "JPEG"),
        saved(photo, "JPEG", progressive=True, restart_marker_blocks=4),
        saved(photo.convert("L"), "JPEG", optimize=True),
        saved(photo.convert("CMYK"), "JPEG"),
    ]


def test_notes_go_and_every_bit_of_the_picture_stays(pictures: list[bytes]):
    for plain in pictures:
        bare = jpeg(noted(plain))
        assert bare == jpeg(plain)
        assert pixels(bare) == pixels(plain)
        assert not any(word in bare for word in (MAKER, b"Exif", b"http://", b"ftyp"))


def test_colours_stay_what_they_were(photo: Image.Image, saved: Saved):
    profile = b"p" * 70_000  # two segments
    with Image.open(io.BytesIO(jpeg(noted(saved(photo, "JPEG", icc_profile=profile))))) as picture:
        assert picture.info["icc_profile"] == profile
        assert picture.info["jfif"] == 0x0101
    with Image.open(io.BytesIO(jpeg(noted(saved(photo.convert("CMYK"), "JPEG"))))) as picture:
        assert "adobe" in picture.info


def test_a_preview_in_the_jfif_note_goes(photo: Image.Image, saved: Saved):
    plain = saved(photo, "JPEG")
    preview = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\2\2" + b"secretpixels")
    extension = segment(0xE0, b"JFXX\0\x10" + MAKER)
    assert jpeg(plain[:2] + preview + extension + plain[20:]) == jpeg(plain)


def test_it_is_the_same_done_twice_and_never_longer(pictures: list[bytes]):
    for plain in pictures:
        once = jpeg(noted(plain))
        assert jpeg(once) == once
        assert len(once) <= len(plain)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8", b"Exif", b"\xff\xd8\xff\xe1\xff\xffExif", b"\xff" * 99]
)
def test_what_is_no_picture_leaves_next_to_nothing(data: bytes):
    assert len(jpeg(data)) <= 4
    assert b"Exif" not in jpeg(data)


@given(st.binary(max_size=300))
def test_any_bytes_have_an_answer(tail: bytes):
    for head in (b"", b"\xff\xd8", b"\xff\xd8\xff", b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"):
        bare = jpeg(head + tail)
        assert jpeg(bare) == bare
        assert len(bare) <= len(head + tail)
        assert len(jpeg2000(head + tail)) == len(head + tail)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_picture_shows_what_it_showed(data: st.DataObject, pictures: list[bytes]):
    """In the engine that readers see: what it draws of the damaged one, it draws of the bare one."""
    damaged = bytearray(noted(data.draw(st.sampled_from(pictures))))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(2, len(damaged)))])
    before, after = drawn(cut), drawn(jpeg(cut))
    assert before is None or before == after


def drawn(data: bytes) -> bytes | None:
    """On a page by PDFium; nothing where it draws nothing of it."""
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(80, 60))
    place = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=640,
        Height=480,
        BitsPerComponent=8,
        ColorSpace=pikepdf.Name.DeviceRGB,
    )
    picture = pikepdf.Stream(pdf, data, place)
    picture.Filter = pikepdf.Name.DCTDecode
    pdf.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=picture))
    pdf.pages[0].obj.Contents = pdf.make_stream(b"80 0 0 60 0 0 cm /P Do")
    written = io.BytesIO()
    pdf.save(written)
    document = pypdfium2.PdfDocument(written.getvalue())
    try:
        page = document[0].render().to_pil()
    finally:
        document.close()
    return page.tobytes() if page.convert("L").getextrema() != (255, 255) else None


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def test_notes_in_jpeg_2000_become_zeros_in_their_place(photo: Image.Image, saved: Saved):
    plain = saved(photo, "JPEG2000", num_resolutions=3, tile_size=(256, 256), comment=MAKER)
    notes = box(b"uuid", b"JpgTiffExif->JP2" + MAKER) + box(b"xml ", XMP) + box(b"asoc", box(b"xml ", MAKER))
    full = plain[:32] + notes + plain[32:] + notes
    bare = jpeg2000(full)
    assert len(bare) == len(full)
    assert pixels(bare) == pixels(plain)
    assert MAKER in plain
    assert not any(word in bare for word in (MAKER, b"Exif", b"http://"))


def test_notes_in_a_bare_codestream_become_zeros_too(photo: Image.Image, saved: Saved):
    plain = saved(photo, "JPEG2000", no_jp2=True, comment=MAKER)
    bare = jpeg2000(plain)
    assert pixels(bare) == pixels(plain)
    assert MAKER in plain
    assert MAKER not in bare
