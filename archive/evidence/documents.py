"""PDF evidence: opened under limits, and a display copy made of its pages alone."""

import io
from collections.abc import Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from archive.errors import Code
from archive.evidence.limits import Limits
from archive.evidence.refusing import Refused

# ISO 32000-2 table 31: what makes a page look as it does. The rest (actions, threads, private data) is left.
_PAGE_KEYS = ("/Type", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents", "/Group")
# What a stream may point to besides itself: files, other renditions (7.3.8.2, 8.9.5.4, 8.10.4, 14.11.7). Only
# streams are cleaned by key: in a dictionary of resources any of these may be somebody's name for a font.
_POINTING = (
    "/F",
    "/FFilter",
    "/FDecodeParms",
    "/OPI",
    "/Ref",
    "/AF",
    "/PieceInfo",
    "/Alternates",
    "/Measure",
)
# Action types (12.6.4) that leave the document or run something. Pages lose theirs with the annotations; this
# is for the odd corners.
_ACTIONS = frozenset(
    [
        "/GoToR",
        "/GoToE",
        "/GoToDp",
        "/Launch",
        "/URI",
        "/Sound",
        "/Movie",
        "/Rendition",
        "/RichMediaExecute",
        "/SubmitForm",
        "/ResetForm",
        "/ImportData",
        "/JavaScript",
        "/Named",
    ]
)
# What pikepdf raises for documents that are not what they should be, beyond its own errors.
_DAMAGE = (pikepdf.PikepdfError, ValueError, TypeError, KeyError, RuntimeError)


def paginate(data: bytes, limits: Limits) -> Pdf:
    """A new document with the pages of the given one, drawn alike and unable to act. The caller closes it.

    :raises Refused: EVIDENCE_ENCRYPTED, EVIDENCE_UNREADABLE, EVIDENCE_TOO_MANY_PAGES.
    """
    try:
        source = pikepdf.open(io.BytesIO(data))
    except pikepdf.PasswordError:
        raise Refused(Code.EVIDENCE_ENCRYPTED) from None
    except pikepdf.PikepdfError as fault:
        encrypted = "encryption" in str(fault) or "security handler" in str(fault)
        raise Refused(Code.EVIDENCE_ENCRYPTED if encrypted else Code.EVIDENCE_UNREADABLE) from fault
    try:
        return _display_copy(source, limits)
    except _DAMAGE as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault


def _display_copy(source: Pdf, limits: Limits) -> Pdf:
    count = len(source.pages)
    if not count:
        raise Refused(Code.EVIDENCE_UNREADABLE)
    if count > limits.pages:
        raise Refused(Code.EVIDENCE_TOO_MANY_PAGES, pages=count, limit=limits.pages)
    _flatten(source)
    copy = Pdf.new()
    copy.pages.extend(source.pages)
    layers = source.Root.get("/OCProperties")
    if isinstance(layers, Dictionary):  # which layers show is part of how a page looks
        held = layers if layers.is_indirect else source.make_indirect(layers)
        copy.Root.OCProperties = copy.copy_foreign(held)
    for page in copy.pages:
        for key in set(page.obj.keys()) - {*_PAGE_KEYS, "/Parent"}:
            del page.obj[key]
    for part in _parts(copy):
        _disarm(part)
    return copy


def _flatten(source: Pdf) -> None:
    """Draw annotations and form fields into the pages.

    Then nothing on the page can be clicked, and the text in them is found by the search and by the masks.
    """
    form = source.Root.get("/AcroForm")
    if isinstance(form, Dictionary) and bool(form.get("/NeedAppearances", False)):
        source.generate_appearance_streams()
    source.flatten_annotations("screen")


def _parts(copy: Pdf) -> Iterator[Dictionary | Stream]:
    """Every dictionary and stream, direct ones too. No recursion: the author chooses how deep they nest."""
    for whole in copy.objects:
        waiting = [whole]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Dictionary | Stream):
                yield part
                inner = [value for _, value in part.items()]
            elif isinstance(part, Array):
                inner = list(part)
            else:
                continue
            waiting += [
                value for value in inner if isinstance(value, Dictionary | Array) and not value.is_indirect
            ]


def _disarm(part: Dictionary | Stream) -> None:
    if isinstance(part, Stream):
        _drop(part, _POINTING)
    elif part.get("/Type") in (Name.EmbeddedFile, Name.Filespec, Name.F) or _acts(part):
        _drop(part, tuple(part.keys()))


def _acts(part: Dictionary) -> bool:
    kind = part.get("/S")
    return isinstance(kind, Name) and str(kind) in _ACTIONS


def _drop(part: Dictionary | Stream, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key in part:
            del part[key]
