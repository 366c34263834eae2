"""A released copy that shows the pages only: no files beside them, and no camera notes in their pictures."""

from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from archive.errors import Code
from archive.evidence import cameranotes
from archive.evidence.documents import PAGE_KEYS
from archive.evidence.refusing import Refused

# ISO 32000-2 table 29: what shows pages, and how a reader opens them.
_ROOT_KEYS = ("/Type", "/Pages", "/OCProperties", "/Lang", "/PageLabels", "/ViewerPreferences")
# Tables 5, 87 and 93: a picture, a drawing, and how either is packed. Pictures may bring their own picture (SMask).
_STREAM_KEYS = ("/Type", "/Subtype", "/Length", "/Filter", "/DecodeParms", "/OC")
_KEYS = {
    "/Image": (
        *_STREAM_KEYS,
        *("/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Decode", "/Intent", "/Interpolate"),
        *("/ImageMask", "/Mask", "/SMask", "/SMaskInData", "/Matte"),
    ),
    "/Form": (*_STREAM_KEYS, "/FormType", "/BBox", "/Matrix", "/Resources", "/Group"),
}
_PICTURES = {  # by the filter that packs them
    "/DCTDecode": cameranotes.jpeg,
    "/DCT": cameranotes.jpeg,
    "/JPXDecode": cameranotes.jpeg2000,
}
_FONT_FILES = ("/Length1", "/Length2", "/Length3")


def bare(pdf: Pdf) -> None:
    """In place. Pages look as they did: pictures keep their pixels as they are packed, to the bit.

    :raises Refused: EVIDENCE_UNREADABLE, where a picture within the words of a page cannot be taken out of them.
    """
    _only(pdf.Root, _ROOT_KEYS)
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    for page in pdf.pages:
        _only(page.obj, (*PAGE_KEYS, "/Parent"))
    for each in pdf.objects:
        if isinstance(each, Stream):
            _bare_stream(pdf, each)


def _bare_stream(pdf: Pdf, stream: Stream) -> None:
    if stream.get("/Type") == Name.EmbeddedFile:
        return  # nothing leads there any more, and what nothing leads to is not written
    if stream.get("/Type") == Name.Metadata or stream.get("/Subtype") == Name.XML:
        stream.write(b"")  # whatever describes itself with it (14.3.2)
        return
    kind = str(stream.get("/Subtype", ""))
    if kind in _KEYS:
        _only(stream, _KEYS[kind])
    filters = _listed(stream.get("/Filter"))
    if filters and str(filters[-1]) in _PICTURES:
        packed, parameters = _unpacked(pdf, stream, filters)
        bared = _PICTURES[str(filters[-1])](packed)
        if bared != packed or not packed:
            stream.write(bared, filter=Name(str(filters[-1])), decode_parms=parameters)
    elif kind in ("", "/Form") and not any(key in stream for key in _FONT_FILES):
        _bare_words(pdf, stream)


def _only(part: pikepdf.Object, keys: tuple[str, ...]) -> None:
    for key in set(part.keys()) - {*keys}:
        del part[key]


def _unpacked(pdf: Pdf, stream: Stream, filters: list[Any]) -> tuple[bytes, Dictionary | None]:
    """What the last filter gets, and its parameters."""
    outer = filters[:-1]
    parameters: list[Any] = _listed(stream.get("/DecodeParms"))
    parameters += [None] * (len(filters) - len(parameters))
    packed = stream.read_raw_bytes()
    if outer:
        held = Stream(pdf, packed, Filter=Array(outer), DecodeParms=Array(parameters[: len(outer)]))
        try:
            packed = held.read_bytes()
        except pikepdf.PikepdfError:  # nor can any reader draw it
            packed = b""
    last = parameters[len(outer)]
    return packed, last if isinstance(last, Dictionary) else None


def _listed(value: object) -> list[Any]:
    """Filters and their parameters come alone or in an array (7.3.8.2)."""
    if isinstance(value, Array):
        return list(value)
    return [value] if isinstance(value, Name | Dictionary) else []


def _bare_words(pdf: Pdf, stream: Stream) -> None:
    """Small pictures may stand within the operators of a page (8.9.7)."""
    try:
        words = stream.read_bytes()
    except pikepdf.PikepdfError:
        return  # damaged, so nobody draws it
    if b"/DCT" not in words or b"BI" not in words:
        return
    try:
        stream.write(b"\n".join(_instruction(pdf, each) for each in pikepdf.parse_content_stream(stream)))
    except (pikepdf.PikepdfError, ValueError, TypeError) as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault


def _instruction(
    pdf: Pdf, each: pikepdf.ContentStreamInstruction | pikepdf.ContentStreamInlineImage
) -> bytes:
    if not isinstance(each, pikepdf.ContentStreamInlineImage):
        return pikepdf.unparse_content_stream([each])
    held = each.iimage.obj
    filters = _listed(held.get("/Filter"))
    if not filters or str(filters[-1]) not in _PICTURES:
        return each.iimage.unparse()
    raw = Stream(
        pdf, each.iimage.read_raw_bytes(), **{key.removeprefix("/"): value for key, value in held.items()}
    )
    packed, parameters = _unpacked(pdf, raw, filters)
    said = Dictionary({key: held[key] for key in {*held.keys()} & {*_KEYS["/Image"]}})
    said.Filter = Name.DCTDecode
    if "/DecodeParms" in said:
        del said["/DecodeParms"]
    if parameters is not None:
        said.DecodeParms = parameters
    head = said.unparse().strip().removeprefix(b"<<").removesuffix(b">>")
    return b"BI " + head + b" ID " + cameranotes.jpeg(packed) + b"\nEI"
