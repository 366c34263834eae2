"""Pictures as PDF pages, without loss where PDF can hold the pixels as they are.

What is drawn anew carries pixels only: no place, camera or thumbnail of the original goes into the page.
"""

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import img2pdf
import pikepdf
from PIL import Image, ImageOps

from archive.errors import Code
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.refusing import Refused

# img2pdf remarks on odd files through logging; nobody reads it here, and file details do not belong in a log.
logging.getLogger("img2pdf").setLevel(logging.CRITICAL)

_FORMATS = {
    EvidenceKind.JPEG: ("JPEG", "MPO"),
    EvidenceKind.PNG: ("PNG",),
    EvidenceKind.TIFF: ("TIFF",),
    EvidenceKind.GIF: ("GIF",),
    EvidenceKind.WEBP: ("WEBP",),
    EvidenceKind.HEIC: ("HEIF",),
    EvidenceKind.AVIF: ("AVIF",),
    EvidenceKind.BMP: ("BMP",),
}
# PDF can hold these as they come; the others are drawn anew, photographs as JPEG.
_HELD = (EvidenceKind.JPEG, EvidenceKind.PNG, EvidenceKind.TIFF)
_PHOTOGRAPHS = (EvidenceKind.WEBP, EvidenceKind.HEIC, EvidenceKind.AVIF)
_MOVING = (EvidenceKind.GIF, EvidenceKind.WEBP, EvidenceKind.AVIF)
_STILLS = 12  # of a moving picture become pages, spread over its length
_QUALITY = 92
_LONGEST_SIDE = 65_000  # pixels that JPEG can hold
_ORIENTATION = 0x0112  # EXIF
_UPRIGHT = (1,)
_TURNED = (1, 3, 6, 8)  # orientations that a page's /Rotate can express; the others are mirrored
_FAITHFUL = ("1", "L", "P", "RGB", "CMYK")
_PORTRAIT, _LANDSCAPE, _TALLEST = (
    595.0,
    842.0,
    14000.0,
)  # points: A4, and below the 14400 of ISO 32000-1 Annex C
WHOLE = "/MunimentPage"  # what a stamped copy calls the page below the stamp
_COPIES = 8  # of a copy of a copy; each wraps the page once more
_SMALL = 512  # pixels a side to which a JPEG is decoded when it is only checked


@dataclass(frozen=True, slots=True)
class _Survey:
    frames: int
    faithful: bool  # every frame can go in as it is


def paginate(data: bytes, kind: EvidenceKind, limits: Limits) -> pikepdf.Pdf:
    """The pages of an image: one, one a frame of a TIFF, or some stills of a moving picture. The caller closes it.

    The page is as wide as A4, and as tall as the picture asks. Every frame that is taken over as it is, is
    decoded to its end first, since img2pdf copies compressed data without looking at it.

    :raises Refused: EVIDENCE_UNREADABLE, EVIDENCE_TOO_MANY_PAGES, CONVERSION_TOO_LARGE.
    """
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            survey = _survey(data, kind, limits)
            pages = _faithful(data) if survey.faithful else None
            pdf = pikepdf.open(io.BytesIO(pages or _redrawn(data, kind)))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(Code.CONVERSION_TOO_LARGE) from None
    except (Refused, MemoryError):
        raise
    except Exception as fault:  # hostile bytes make an image library raise anything
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault
    if len(pdf.pages) != survey.frames:
        pdf.close()
        raise Refused(Code.EVIDENCE_UNREADABLE)
    if kind is EvidenceKind.JPEG:
        _keep_whole(pdf, data)
    return pdf


def plain_jpeg(data: bytes) -> bytes | None:
    """A JPEG made elsewhere, drawn anew from its pixels; none when it is not one."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            return _plain(picture, EvidenceKind.WEBP)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def embedded_jpeg(pdf: pikepdf.Pdf) -> bytes | None:
    """The compressed bytes of the only picture of the first page, where it is a JPEG."""
    image = _only_image(pdf)
    if image is None or image.get("/Filter") not in (
        pikepdf.Name.DCTDecode,
        pikepdf.Array([pikepdf.Name.DCTDecode]),
    ):
        return None
    return bytes(image.read_raw_bytes())


def _only_image(pdf: pikepdf.Pdf) -> pikepdf.Object | None:
    if len(pdf.pages) != 1:
        return None
    drawn = _drawn(pdf.pages[0].obj)
    for _ in range(_COPIES):
        if WHOLE not in drawn:
            break
        drawn = _drawn(drawn[WHOLE])
    images = [each for each in drawn.values() if each.get("/Subtype") == pikepdf.Name.Image]
    return images[0] if len(images) == 1 else None


def _drawn(holder: pikepdf.Object) -> dict[str, pikepdf.Object]:
    resources = holder.get("/Resources")
    named = resources.get("/XObject") if isinstance(resources, pikepdf.Dictionary) else None
    if not isinstance(named, pikepdf.Dictionary):
        return {}
    return {name: each for name, each in named.items() if isinstance(each, pikepdf.Stream)}


def _keep_whole(pdf: pikepdf.Pdf, data: bytes) -> None:
    """Put the whole file where img2pdf put its first picture only.

    Many phones write a JPEG with more pictures behind the first (CIPA DC-007, "MPO"). A decoder stops at the
    end of the first, so the page can carry the file byte for byte, and no second copy is needed.
    """
    image = _only_image(pdf)
    shown = embedded_jpeg(pdf)
    if image is not None and shown is not None and shown != data and data.startswith(shown):
        image.write(data, filter=pikepdf.Name.DCTDecode)


def _open(data: bytes, kind: EvidenceKind) -> Image.Image:
    if kind is EvidenceKind.HEIC:
        import pi_heif  # noqa: PLC0415 -- a large library, for those who bring such photographs only

        pi_heif.register_heif_opener(thumbnails=False)
    return Image.open(io.BytesIO(data), formats=_FORMATS[kind])


def _numbers(image: Image.Image, kind: EvidenceKind) -> Sequence[int]:
    """Which frames become pages; what more a PNG, JPEG or HEIC holds (previews, bursts) is none."""
    frames = getattr(image, "n_frames", 1)
    if kind is EvidenceKind.TIFF:
        return range(frames)
    if kind in _MOVING and frames > 1:
        shown = min(frames, _STILLS)
        return [round(each * (frames - 1) / (shown - 1)) for each in range(shown)]
    return (image.tell(),)  # a HEIC opens at its main picture, which need not be the first


def _frames(image: Image.Image, kind: EvidenceKind) -> Iterator[Image.Image]:
    for number in _numbers(image, kind):
        image.seek(number)
        yield image


def _survey(data: bytes, kind: EvidenceKind, limits: Limits) -> _Survey:
    if kind is EvidenceKind.JPEG and not _ends(data):
        raise Refused(Code.EVIDENCE_UNREADABLE)
    with _open(data, kind) as image:
        frames = getattr(image, "n_frames", 1) if kind is not EvidenceKind.PNG else 1
        if frames > limits.pages:
            raise Refused(Code.EVIDENCE_TOO_MANY_PAGES, pages=frames, limit=limits.pages)
        if image.width * image.height > limits.pixels:
            raise Refused(Code.CONVERSION_TOO_LARGE)
        if kind not in _HELD:
            return _Survey(len(_numbers(image, kind)), faithful=False)
        return _Survey(len(_numbers(image, kind)), _all_faithful(image, kind, limits))


def _all_faithful(image: Image.Image, kind: EvidenceKind, limits: Limits) -> bool:
    faithful = True
    for frame in _frames(image, kind):
        if frame.width * frame.height > limits.pixels:
            raise Refused(Code.CONVERSION_TOO_LARGE)
        faithful = faithful and _is_faithful(frame, kind)
        if kind is EvidenceKind.JPEG:
            # Decoding small reads all the compressed data but computes a fraction of the pixels.
            frame.draft(None, (_SMALL, _SMALL))
        frame.load()
    return faithful


def _is_faithful(frame: Image.Image, kind: EvidenceKind) -> bool:
    if frame.mode not in _FAITHFUL or "transparency" in frame.info:
        return False
    # Pillow turns a TIFF by itself when it decodes it, and img2pdf would turn it once more.
    possible = _UPRIGHT if kind is EvidenceKind.TIFF else _TURNED
    return frame.getexif().get(_ORIENTATION, 1) in possible


def _ends(data: bytes) -> bool:
    """Whether an end-of-image marker follows the start of the scan (ITU-T T.81 B.1.1.3).

    A decoder fills in what is missing, so a file that lost only its last bytes would pass for whole.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xDA:
            return data.rfind(b"\xff\xd9") > at
        alone = marker in {0xFF, 0x01} or 0xD0 <= marker <= 0xD7  # fill byte, TEM, RSTn: no length follows
        at += (1 if marker == 0xFF else 2) if alone else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _faithful(data: bytes) -> bytes | None:
    try:
        return bytes(
            img2pdf.convert(
                data,
                engine=img2pdf.Engine.internal,
                layout_fun=_layout,
                rotation=img2pdf.Rotation.ifvalid,
                first_frame_only=not data.startswith((b"II", b"MM")),
                nodate=True,
            )
        )
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 -- img2pdf refuses what PDF cannot hold with a dozen types
        return None


def _redrawn(data: bytes, kind: EvidenceKind) -> bytes:
    """Plain pixels on white, upright: for transparency, deep pixels, mirrored photos and rare modes."""
    with _open(data, kind) as image:
        pages = [_plain(frame, kind) for frame in _frames(image, kind)]
    return bytes(img2pdf.convert(pages, engine=img2pdf.Engine.internal, layout_fun=_layout, nodate=True))


def _plain(frame: Image.Image, kind: EvidenceKind) -> bytes:
    frame.load()  # a TIFF is turned here and forgets that it was, anything else below
    upright = _on_white(ImageOps.exif_transpose(frame) or frame)
    bare = Image.frombytes(upright.mode, upright.size, upright.tobytes())  # the pixels alone
    target = io.BytesIO()
    if kind in _PHOTOGRAPHS and max(bare.size) <= _LONGEST_SIDE:
        bare.save(target, "JPEG", quality=_QUALITY, subsampling=0)
    else:
        bare.save(target, "PNG", compress_level=3)
    return target.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow clips instead of scaling when it narrows 16 bits to 8.
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode == "F":
        low, high = (float(bound) for bound in image.getextrema())  # type: ignore[arg-type]
        scale = 255 / (high - low) if high > low else 0.0
        return image.point(lambda value: value * scale - low * scale).convert("L")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        ink = image.convert("RGBA")
        paper = Image.new("RGB", ink.size, "white")
        paper.paste(ink, mask=ink.getchannel("A"))
        return paper
    return image.convert("RGB")


def _layout(width: int, height: int, resolution: Any) -> tuple[float, float, float, float]:  # noqa: ARG001
    """Page width and height, picture width and height, in points."""
    across = _LANDSCAPE if width > height else _PORTRAIT
    scale = min(across / width, _TALLEST / height)
    size = (max(width * scale, 3.0), max(height * scale, 3.0))
    return (*size, *size)
