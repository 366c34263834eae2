import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageOps, TiffImagePlugin

from archive.errors import Code, MunimentError
from archive.evidence.sandbox import EvidenceKind, Sandbox

Saved = Callable[..., bytes]


def _original(sandbox: Sandbox, pdf, password: str) -> bytes:
    with sandbox.original(pdf, password) as stream:
        return stream.read()


def _refused(sandbox: Sandbox, data: bytes, password: str) -> Code:
    with pytest.raises(MunimentError) as refused:
        sandbox.convert(io.BytesIO(data), "证据.jpg", password)
    assert refused.value.say("zh")
    return refused.value.code


def _pages(pdf, password: str, width: int) -> list[Image.Image]:
    document = pypdfium2.PdfDocument(pdf, password=password)
    try:
        drawn = [page.render(scale=width / page.get_width()).to_pil().convert("RGB") for page in document]
    finally:
        document.close()
        pdf.seek(0)
    return drawn


def _far(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of the channels, 0 to 255, at a common small size."""
    small = [each.convert("RGB").resize((80, 60), Image.Resampling.BOX) for each in (one, other)]
    histogram = ImageChops.difference(*small).histogram()
    return sum(value % 256 * count for value, count in enumerate(histogram)) / (80 * 60 * 3)


def _specimens(photo: Image.Image, saved: Saved) -> dict[str, tuple[bytes, EvidenceKind, bool]]:
    """Bytes, kind, and whether the page carries the bytes themselves."""
    clear = photo.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    turned = Image.Exif()
    turned[0x0112] = 6
    flipped = Image.Exif()
    flipped[0x0112] = 5
    deep = Image.new("I;16", (64, 64), 40000)
    return {
        "jpeg": (saved(photo, "JPEG"), EvidenceKind.JPEG, True),
        "progressive jpeg": (saved(photo, "JPEG", progressive=True), EvidenceKind.JPEG, True),
        "grey jpeg": (saved(photo.convert("L"), "JPEG"), EvidenceKind.JPEG, True),
        "cmyk jpeg": (saved(photo.convert("CMYK"), "JPEG"), EvidenceKind.JPEG, True),
        "turned jpeg": (saved(photo, "JPEG", exif=turned), EvidenceKind.JPEG, True),
        "flipped jpeg": (saved(photo, "JPEG", exif=flipped), EvidenceKind.JPEG, False),
        "jpeg with a trailer": (saved(photo, "JPEG") + b"\x00 a film", EvidenceKind.JPEG, True),
        "jpeg of several pictures": (
            saved(photo, "MPO", save_all=True, append_images=[photo.convert("L").convert("RGB")]),
            EvidenceKind.JPEG,
            True,
        ),
        "png": (saved(photo, "PNG"), EvidenceKind.PNG, False),
        "clear png": (saved(clear, "PNG"), EvidenceKind.PNG, False),
        "palette png": (saved(photo.quantize(64), "PNG"), EvidenceKind.PNG, False),
        "palette png with a clear colour": (
            saved(photo.quantize(64), "PNG", transparency=0),
            EvidenceKind.PNG,
            False,
        ),
        "grey png with alpha": (saved(photo.convert("LA"), "PNG"), EvidenceKind.PNG, False),
        "16-bit png": (saved(deep, "PNG"), EvidenceKind.PNG, False),
        "black and white png": (saved(photo.convert("1"), "PNG"), EvidenceKind.PNG, False),
        "tiff": (saved(photo, "TIFF"), EvidenceKind.TIFF, False),
        "lzw tiff": (saved(photo, "TIFF", compression="tiff_lzw"), EvidenceKind.TIFF, False),
        "turned png": (saved(photo, "PNG", exif=turned), EvidenceKind.PNG, False),
        "turned tiff": (saved(photo, "TIFF", tiffinfo={0x0112: 6}), EvidenceKind.TIFF, False),
        "turned fax tiff": (
            saved(photo.convert("1"), "TIFF", compression="group4", tiffinfo={0x0112: 8}),
            EvidenceKind.TIFF,
            False,
        ),
        "upside down tiff": (saved(photo, "TIFF", tiffinfo={0x0112: 3}), EvidenceKind.TIFF, False),
        "mirrored tiff": (saved(photo, "TIFF", tiffinfo={0x0112: 2}), EvidenceKind.TIFF, False),
        "fax tiff": (saved(photo.convert("1"), "TIFF", compression="group4"), EvidenceKind.TIFF, False),
        "cmyk tiff": (saved(photo.convert("CMYK"), "TIFF"), EvidenceKind.TIFF, False),
        "clear tiff": (saved(clear, "TIFF"), EvidenceKind.TIFF, False),
        "16-bit tiff": (saved(deep, "TIFF"), EvidenceKind.TIFF, False),
        "floating tiff": (saved(photo.convert("F"), "TIFF"), EvidenceKind.TIFF, False),
    }


NAMES = (
    "jpeg", "progressive jpeg", "grey jpeg", "cmyk jpeg", "turned jpeg", "flipped jpeg",
    "jpeg with a trailer", "jpeg of several pictures", "png", "clear png", "palette png",
    "palette png with a clear colour", "grey png with alpha", "16-bit png", "black and white png", "tiff",
    "lzw tiff", "turned png", "turned tiff", "turned fax tiff", "upside down tiff", "mirrored tiff",
    "fax tiff", "cmyk tiff", "clear tiff", "16-bit tiff", "floating tiff",
)  # fmt: skip


@pytest.fixture(scope="module")
def specimens(photo: Image.Image, saved: Saved) -> dict[str, tuple[bytes, EvidenceKind, bool]]:
    made = _specimens(photo, saved)
    assert set(made) == set(NAMES)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_becomes_a_page_and_comes_back_byte_for_byte(
    name: str, specimens, sandbox: Sandbox, password
):
    data, kind, shown = specimens[name]
    with sandbox.convert(io.BytesIO(data), "x.bin", password) as made:
        assert (made.kind, made.pages, made.text) == (kind, 1, ("",))
        assert made.original_attached is not shown
        assert _original(sandbox, made.pdf, password) == data
        assert made.size < 1.1 * len(data) + 4000 or not shown
        with sandbox.release(made.pdf, password, "another", "副本", originals=True) as copy:
            assert _original(sandbox, copy, "another") == data


@pytest.mark.parametrize("name", [name for name in NAMES if "16" not in name and "floating" not in name])
def test_the_page_looks_like_the_picture_on_white(name: str, specimens, sandbox: Sandbox, password: str):
    data, _, _ = specimens[name]
    picture = Image.open(io.BytesIO(data))
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    paper = Image.new("RGBA", upright.size, "white")
    paper.alpha_composite(upright.convert("RGBA"))
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        (drawn,) = _pages(made.pdf, password, 640)
    assert drawn.width / drawn.height == pytest.approx(paper.width / paper.height, rel=0.01)
    assert _far(drawn, paper) < (25 if "cmyk" in name else 6)  # CMYK has no one true look on a screen


@pytest.mark.parametrize(
    ("name", "turn"),
    [
        ("turned jpeg", Image.Transpose.ROTATE_270),
        ("flipped jpeg", Image.Transpose.TRANSPOSE),
        ("turned png", Image.Transpose.ROTATE_270),
        ("turned tiff", Image.Transpose.ROTATE_270),
        ("turned fax tiff", Image.Transpose.ROTATE_90),
        ("upside down tiff", Image.Transpose.ROTATE_180),
        ("mirrored tiff", Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
def test_a_picture_stands_as_the_camera_meant_it(
    name: str, turn: Image.Transpose, specimens, photo: Image.Image, sandbox: Sandbox, password: str
):
    with sandbox.convert(io.BytesIO(specimens[name][0]), "x", password) as made:
        (drawn,) = _pages(made.pdf, password, 640)
    meant = photo.convert("1" if "fax" in name else "RGB").transpose(turn)
    assert drawn.width / drawn.height == pytest.approx(meant.width / meant.height, rel=0.01)
    assert _far(drawn, meant) < 6


@pytest.mark.parametrize("name", ["16-bit png", "16-bit tiff"])
def test_deep_pixels_are_scaled_and_not_clipped(name: str, specimens, sandbox: Sandbox, password: str):
    with sandbox.convert(io.BytesIO(specimens[name][0]), "x", password) as made:
        (drawn,) = _pages(made.pdf, password, 64)
    assert drawn.getpixel((30, 30)) == pytest.approx((156, 156, 156), abs=3)  # 40000 of 65535


def test_a_jpeg_is_stored_once_and_not_compressed_again(jpeg: bytes, sandbox: Sandbox, password: str):
    with (
        sandbox.convert(io.BytesIO(jpeg), "x", password) as made,
        pikepdf.open(made.pdf, password=password) as pdf,
    ):
        (image,) = pdf.pages[0].get_images().values()
        assert image.read_raw_bytes() == jpeg
        assert len(pdf.attachments) == 0


def test_each_frame_of_a_tiff_is_a_page(photo: Image.Image, saved: Saved, sandbox: Sandbox, password: str):
    frames = [photo.convert(mode) for mode in ("RGB", "L", "1")]
    data = saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert made.pages == 3
        assert made.text == ("", "", "")
        drawn = _pages(made.pdf, password, 640)
        assert all(_far(page, frame) < 6 for page, frame in zip(drawn, frames, strict=True))
        assert _original(sandbox, made.pdf, password) == data


def test_one_clear_frame_among_many_keeps_them_all_readable(
    photo: Image.Image, saved: Saved, sandbox: Sandbox, password: str
):
    clear = photo.convert("RGBA")
    clear.putalpha(128)
    data = saved(photo, "TIFF", save_all=True, append_images=[clear])
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        first, second = _pages(made.pdf, password, 640)
        assert _far(first, photo) < 6
        assert _far(second, Image.blend(photo, Image.new("RGB", photo.size, "white"), 0.5)) < 6


def test_too_many_frames_are_refused(tight: Sandbox, saved: Saved, password: str):
    frames = [Image.new("1", (8, 8))] * 21
    with pytest.raises(MunimentError) as refused:
        tight.convert(
            io.BytesIO(saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])), "x", password
        )
    assert refused.value.code is Code.EVIDENCE_TOO_MANY_PAGES
    assert (refused.value.facts["pages"], refused.value.facts["limit"]) == (21, 20)


@pytest.mark.parametrize("cut", [1, 2, 10, 500, 5000, 20_000])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_refused(
    cut: int, progressive: bool, photo: Image.Image, saved: Saved, sandbox: Sandbox, password: str
):
    whole = saved(photo, "JPEG", progressive=progressive)
    assert _refused(sandbox, whole[:-cut], password) is Code.EVIDENCE_UNREADABLE


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_truncated_picture_is_refused(
    kind: str, part: float, photo: Image.Image, saved: Saved, sandbox: Sandbox, password: str
):
    whole = saved(photo, kind)
    assert _refused(sandbox, whole[: int(len(whole) * part)], password) is Code.EVIDENCE_UNREADABLE


def test_a_png_with_flipped_bits_is_refused(
    photo: Image.Image, saved: Saved, sandbox: Sandbox, password: str
):
    whole = bytearray(saved(photo, "PNG"))
    whole[len(whole) // 2] ^= 0x10
    assert _refused(sandbox, bytes(whole), password) is Code.EVIDENCE_UNREADABLE


def _png_bomb(side: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes((side + 7) // 8 + 1) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [1500, 3000, 40_000])
def test_a_small_png_that_unfolds_hugely_is_refused(side: int, tight: Sandbox, password: str):
    bomb = _png_bomb(side)
    assert len(bomb) < 400_000
    assert _refused(tight, bomb, password) is Code.CONVERSION_TOO_LARGE


def test_a_tiff_that_claims_to_be_huge_is_refused(tight: Sandbox, saved: Saved, password: str):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    data = bytearray(saved(Image.new("L", (8, 8)), "TIFF", tiffinfo=tags))
    for tag in (0x0100, 0x0101):  # width, height
        at = data.find(struct.pack("<HH", tag, 4))
        at = at if at >= 0 else data.find(struct.pack("<HH", tag, 3))
        data[at : at + 12] = struct.pack("<HHII", tag, 4, 1, 60_000)
    assert _refused(tight, bytes(data), password) in (Code.CONVERSION_TOO_LARGE, Code.EVIDENCE_UNREADABLE)


def test_a_very_long_screenshot_is_one_legible_page(saved: Saved, sandbox: Sandbox, password: str):
    data = saved(Image.new("RGB", (1080, 24_000), (240, 240, 250)), "PNG")
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        page = Image.open(io.BytesIO(sandbox.page(made.pdf, password, 1, 1000, "看")))
        assert page.width == pytest.approx(1000, rel=0.02)
        assert page.height == pytest.approx(22_222, rel=0.02)


def test_nothing_of_the_cameras_notes_reaches_a_reader(
    photo: Image.Image, saved: Saved, sandbox: Sandbox, password
):
    notes = Image.Exif()
    notes[0x010E] = "secret place"
    notes.get_ifd(0x8825)[2] = (30.0, 39.0, 0.0)
    data = saved(photo, "JPEG", exif=notes)
    assert b"secret place" in data
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        page = sandbox.page(made.pdf, password, 1, 640, "看")
    assert b"secret place" not in page
    assert not Image.open(io.BytesIO(page)).getexif()


def test_the_name_decides_nothing(saved: Saved, photo: Image.Image, sandbox: Sandbox, password: str):
    with sandbox.convert(io.BytesIO(saved(photo, "PNG")), "电影.mp4", password) as made:
        assert made.kind is EvidenceKind.PNG


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"Rar!\x1a\x07" + bytes(200), "RAR"),
        (b"\xffWPC" + bytes(200), "WordPerfect"),
    ],
)
def test_other_kinds_are_refused_by_name(data: bytes, kind: str, sandbox: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        sandbox.convert(io.BytesIO(data), "照片.jpg", password)
    assert refused.value.code is Code.EVIDENCE_KIND
    assert kind in refused.value.say("zh")
    assert "照片.jpg" in refused.value.say("zh")


def test_an_empty_file_is_refused(sandbox: Sandbox, password: str):
    assert _refused(sandbox, b"", password) is Code.EVIDENCE_EMPTY


MORE = ("gif", "clear gif", "lossless webp", "lossy webp", "clear webp", "avif", "bmp", "turned webp", "heic")
SPECIMENS = Path(__file__).with_name("specimens")


@pytest.fixture(scope="module")
def more(photo: Image.Image, saved: Saved) -> dict[str, tuple[bytes, EvidenceKind]]:
    clear = photo.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    turned = Image.Exif()
    turned[0x0112] = 6
    made = {
        "gif": (saved(photo, "GIF"), EvidenceKind.GIF),
        "clear gif": (saved(photo.quantize(64), "GIF", transparency=0), EvidenceKind.GIF),
        "lossless webp": (saved(photo, "WEBP", lossless=True), EvidenceKind.WEBP),
        "lossy webp": (saved(photo, "WEBP", quality=80), EvidenceKind.WEBP),
        "clear webp": (saved(clear, "WEBP"), EvidenceKind.WEBP),
        "avif": (saved(photo, "AVIF", quality=80), EvidenceKind.AVIF),
        "bmp": (saved(photo, "BMP"), EvidenceKind.BMP),
        "turned webp": (saved(photo, "WEBP", exif=turned), EvidenceKind.WEBP),
        "heic": ((SPECIMENS / "photo.heic").read_bytes(), EvidenceKind.HEIC),
    }
    assert set(made) == set(MORE)
    return made


@pytest.mark.parametrize("name", MORE)
def test_a_picture_that_pdf_cannot_hold_is_drawn_anew_and_kept_whole(
    name: str, more, sandbox: Sandbox, password: str
):
    data, kind = more[name]
    picture = Image.open(io.BytesIO(data)) if name != "heic" else None
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert (made.kind, made.pages, made.text, made.original_attached) == (kind, 1, ("",), True)
        assert _original(sandbox, made.pdf, password) == data
        (drawn,) = _pages(made.pdf, password, 640)
    if picture is None:
        assert drawn.height / drawn.width == pytest.approx(240 / 320, rel=0.01)
        corners = [drawn.getpixel((x, 30)) for x in (30, 610)]
        assert corners[0][0] > 180 > 80 > corners[1][0]
        return
    paper = Image.new("RGBA", ImageOps.exif_transpose(picture).size, "white")
    paper.alpha_composite(ImageOps.exif_transpose(picture).convert("RGBA"))
    assert drawn.width / drawn.height == pytest.approx(paper.width / paper.height, rel=0.01)
    assert _far(drawn, paper) < 6


def test_a_moving_picture_is_shown_in_stills_from_first_to_last(
    saved: Saved, sandbox: Sandbox, password: str
):
    frames = [Image.new("RGB", (64, 48), (level * 5, 0, 255 - level * 5)) for level in range(40)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert made.pages == 12
        drawn = _pages(made.pdf, password, 64)
        assert _far(drawn[0], frames[0]) < 6
        assert _far(drawn[-1], frames[-1]) < 6
        assert _original(sandbox, made.pdf, password) == data


@pytest.mark.parametrize("name", ["lossy webp", "avif", "bmp", "heic"])
@pytest.mark.parametrize("part", [0.1, 0.6])
def test_a_cut_off_picture_of_these_kinds_is_refused(
    name: str, part: float, more, sandbox: Sandbox, password: str
):
    data, _ = more[name]
    assert _refused(sandbox, data[: int(len(data) * part)], password) is Code.EVIDENCE_UNREADABLE


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "AVIF", "BMP"])
def test_a_small_picture_of_these_kinds_that_unfolds_hugely_is_refused(
    kind: str, saved: Saved, tight: Sandbox, password: str
):
    mode = "1" if kind == "BMP" else "L"
    bomb = saved(Image.new(mode, (3000, 3000)), kind)
    assert len(bomb) < 1_300_000
    assert _refused(tight, bomb, password) is Code.CONVERSION_TOO_LARGE


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_nothing_of_the_cameras_notes_is_in_the_page_of_any_kind(
    kind: str, photo: Image.Image, saved: Saved, sandbox: Sandbox, password: str
):
    notes = Image.Exif()
    notes[0x010E] = "secret place"
    notes.get_ifd(0x8825)[2] = (30.0, 39.0, 0.0)
    data = (SPECIMENS / "photo.heic").read_bytes() if kind == "HEIF" else saved(photo, kind, exif=notes)
    assert b"secret place" in data
    with (
        sandbox.convert(io.BytesIO(data), "x", password) as made,
        pikepdf.open(made.pdf, password=password) as pdf,
    ):
        del pdf.attachments["original." + made.kind.extension]
        plain = io.BytesIO()
        pdf.remove_unreferenced_resources()
        pdf.save(plain, encryption=False, compress_streams=False)
        assert b"secret place" not in plain.getvalue()
        made.pdf.seek(0)
        page = sandbox.page(made.pdf, password, 1, 640, "看")
    assert not Image.open(io.BytesIO(page)).getexif()
