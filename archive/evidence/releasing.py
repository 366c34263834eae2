"""A copy that leaves the house: another password, and a stamp on each page that says whose copy it is."""

import zlib

import pikepdf
from pikepdf import Array, Dictionary, Name, Page, Pdf, Stream
from PIL import Image

from archive.evidence import watermarks
from archive.evidence.images import WHOLE

_SIZE = 42  # pixels a letter; drawn at a fraction, so that it prints sharply
_BIG, _FOOT = 16.0, 8.0  # points a letter, across the page and at its foot
_FAINT, _PLAIN = 46, 190  # of 255
_MARGIN = 14.0  # points
_A4_HEIGHT = 842.0  # points
_LETTER = (0.0, 0.0, 612.0, 792.0)  # points


def stamp_pages(pdf: Pdf, text: str) -> None:
    """Lay ``text`` slanted and faint over every page, and small at its foot, in place."""
    if not text.strip():
        return
    marks = Dictionary(
        MunimentTile=_picture(pdf, watermarks.tile(text, _SIZE, _FAINT)),
        MunimentFoot=_picture(pdf, watermarks.line(text, _SIZE, _PLAIN)),
    )
    for page in pdf.pages:
        _stamp(pdf, page, marks)


def _picture(pdf: Pdf, mask: Image.Image) -> Stream:
    """A grey picture that is there only where the mask is (ISO 32000-2 11.6.5.2)."""
    size = {"Type": Name.XObject, "Subtype": Name.Image, "Width": mask.width, "Height": mask.height}
    deep = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8, "Filter": Name.FlateDecode}
    soft = Stream(pdf, zlib.compress(mask.tobytes()), **size, **deep)
    grey = zlib.compress(b"\x60" * (mask.width * mask.height))
    return Stream(pdf, grey, **size, **deep, SMask=pdf.make_indirect(soft))


def _stamp(pdf: Pdf, page: Page, marks: Dictionary) -> None:
    left, bottom, right, top = _visible(page)
    turned = int(_number(page, "/Rotate", 0)) % 360
    across, down = (top - bottom, right - left) if turned in (90, 270) else (right - left, top - bottom)
    # From upright space, origin at the lower left corner that a reader sees, to page space.
    upright = {
        0: (1, 0, 0, 1, left, bottom),
        90: (0, 1, -1, 0, right, bottom),
        180: (-1, 0, 0, -1, right, top),
        270: (0, -1, 1, 0, left, top),
    }.get(turned, (1, 0, 0, 1, left, bottom))
    drawing = Stream(
        pdf,
        _content(marks, across, down, 1 / max(_number(page, "/UserUnit", 1), 1.0)),
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=Array([0, 0, across, down]),
        Matrix=Array(list(upright)),
        Resources=Dictionary(XObject=marks),
    )
    try:
        _cover(pdf, page, drawing, (left, bottom, right, top))
    except pikepdf.PikepdfError:
        # Damaged content cannot be read and packed, only left as it is; the stamp then relies on its q and Q.
        name = page.add_resource(pdf.make_indirect(drawing), Name.XObject)
        page.contents_add(b"q\n", prepend=True)
        page.contents_add(f"\nQ q {name} Do Q".encode())


def _cover(pdf: Pdf, page: Page, drawing: Stream, box: tuple[float, ...]) -> None:
    """Make one closed thing of the page's content: an unbalanced q or clip in it cannot swallow the stamp.

    :raises pikepdf.PikepdfError: the content cannot be decoded; the page is as it was.
    """
    content = page.obj.get("/Contents")
    streams = list(content) if isinstance(content, Array) else [content]
    data = b"\n".join(each.read_bytes() for each in streams if isinstance(each, Stream))
    whole = Stream(
        pdf, data, Type=Name.XObject, Subtype=Name.Form, BBox=Array(list(box)), Resources=page.resources
    )
    if isinstance(page.obj.get("/Group"), Dictionary):
        whole.Group = page.obj.Group
    page.obj.Resources = Dictionary(XObject=Dictionary({WHOLE: whole, "/MunimentStamp": drawing}))
    page.obj.Contents = pdf.make_stream(f"q {WHOLE} Do Q q /MunimentStamp Do Q".encode())


def _visible(page: Page) -> tuple[float, float, float, float]:
    """The crop box within the media box; where they are nonsense, US letter, as pdfium has it."""
    sheet = _box(page, "/MediaBox") or _LETTER
    crop = _box(page, "/CropBox") or sheet
    left, right = max(crop[0], sheet[0]), min(crop[2], sheet[2])
    bottom, top = max(crop[1], sheet[1]), min(crop[3], sheet[3])
    return (left, bottom, right, top) if right > left and top > bottom else sheet


def _box(page: Page, key: str) -> tuple[float, float, float, float] | None:
    try:
        x0, y0, x1, y1 = (float(edge) for edge in page.obj[key])
    except (KeyError, TypeError, ValueError):
        return None
    left, bottom, right, top = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    return (left, bottom, right, top) if right > left and top > bottom else None


def _number(page: Page, key: str, otherwise: float) -> float:
    try:
        return float(page.obj[key])
    except (KeyError, TypeError, ValueError):
        return otherwise


def _content(marks: Dictionary, across: float, down: float, unit: float) -> bytes:
    tile, foot = marks.MunimentTile, marks.MunimentFoot
    longest = max(across, down)
    # A little smaller on small pages; larger on pages of absurd size, so that the tiles stay few.
    point = unit * max(0.6, min(1.0, longest / _A4_HEIGHT), longest / _A4_HEIGHT / 16)
    scale = point * _BIG / _SIZE
    wide, tall = int(tile.Width) * scale, int(tile.Height) * scale
    parts = [
        f"q {wide:.2f} 0 0 {tall:.2f} {x:.2f} {down - y - tall:.2f} cm /MunimentTile Do Q"
        for x, y in watermarks.places(across, down, wide, tall)
    ]
    small = min(point * _FOOT / _SIZE, max(across - 2 * _MARGIN * point, 1.0) / int(foot.Width))
    wide, tall = int(foot.Width) * small, int(foot.Height) * small
    parts.append(
        f"q {wide:.2f} 0 0 {tall:.2f} {(across - wide) / 2:.2f} {_MARGIN * point:.2f} cm /MunimentFoot Do Q"
    )
    return "\n".join(parts).encode()
