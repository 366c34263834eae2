"""PDF evidence: opened under limits, and a display copy made of its pages alone."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from archive.errors import Code
from archive.evidence import annotations, embedded, mending
from archive.evidence.asides import Aside
from archive.evidence.attachments import Attachment
from archive.evidence.limits import Limits
from archive.evidence.mending import Mended
from archive.evidence.refusing import Refused

# ISO 32000-2 table 31: what makes a page look as it does. The rest (actions, threads, private data) is left.
PAGE_KEYS = ("/Type", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents", "/Group")
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


@dataclass(frozen=True, slots=True)
class Paginated:
    """``pages`` are drawn like the document's and unable to act. What else there was in it: ``asides`` of its pages,
    files ``attached`` to it, and how many ``more`` of those.
    """

    pages: Pdf
    asides: Sequence[Aside] = ()
    attached: Sequence[Attachment] = ()
    more: int = 0


def paginate(data: bytes, limits: Limits) -> Paginated:
    """The caller closes the pages.

    Pages that the document counts and that cannot be read are stood for by a page that says so.

    :raises Refused: EVIDENCE_ENCRYPTED, EVIDENCE_UNREADABLE, EVIDENCE_TOO_MANY_PAGES.
    """
    other = mending.opened(data)
    try:
        return _first_whole(data, other, limits)
    except pypdfium2.PdfiumError as fault:
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault
    finally:
        if other is not None:
            other.close()


def attached(data: bytes, limits: Limits) -> list[Attachment]:
    """The files in a document alone; none where it does not open."""
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            return _files(pdf, limits)[0]
    except _DAMAGE:
        return []


def _files(pdf: Pdf, limits: Limits) -> tuple[list[Attachment], int]:
    try:
        return embedded.read(pdf, limits)
    except _DAMAGE:  # where the pages can be shown, they are
        return [], 0


def _asides(pdf: Pdf, lost: tuple[int, ...]) -> list[Aside]:
    try:
        found = annotations.read(pdf)
    except _DAMAGE:  # as above
        return []
    return [each if each.page is None else replace(each, page=_moved(each.page, lost)) for each in found]


def _moved(page: int, lost: tuple[int, ...]) -> int:
    """Where a page stands once those that are lost have pages in their places."""
    for place in lost:
        page += place <= page
    return page


def _first_whole(data: bytes, other: pypdfium2.PdfDocument | None, limits: Limits) -> Paginated:
    """From the first reading of it that has as many pages as ``other`` counts."""
    counted = 0 if other is None else _bounded(len(other), limits)
    refusal, cause = Refused(Code.EVIDENCE_UNREADABLE), None
    for reading in _readings(data, other):
        try:
            source = pikepdf.open(io.BytesIO(reading.pdf))
            if len(source.pages) + len(reading.lost) < counted:
                continue
            if reading.pdf is data and other is not None and _undrawn(source):
                continue
            _bounded(len(source.pages), limits)
            asides = _asides(source, reading.lost)
            files, more = _files(source, limits)
            copy = _display_copy(source, limits)
        except _DAMAGE as fault:
            if reading.pdf is data:  # what is wrong with it as it came says more
                refusal, cause = _refusal(fault), fault
            continue
        if not files and reading.pdf is not data:  # they may be lost on the way
            files, more = attached(data, limits), 0
        return Paginated(_with_gaps(copy, reading.lost, limits), asides, files, more)
    raise refusal from cause


def _readings(data: bytes, other: pypdfium2.PdfDocument | None) -> Iterator[Mended]:
    """The document as it came, which keeps most of what it is; else as PDFium reads it."""
    yield Mended(data)
    if other is not None:
        yield mending.redrawn(other)
        yield mending.gathered(other)


def _refusal(fault: Exception) -> Refused:
    said = str(fault)
    locked = isinstance(fault, pikepdf.PasswordError) or "encryption" in said or "security handler" in said
    return Refused(Code.EVIDENCE_ENCRYPTED if locked else Code.EVIDENCE_UNREADABLE)


def _bounded(count: int, limits: Limits) -> int:
    if count > limits.pages:
        raise Refused(Code.EVIDENCE_TOO_MANY_PAGES, pages=count, limit=limits.pages)
    return count


def _display_copy(source: Pdf, limits: Limits) -> Pdf:
    if not _bounded(len(source.pages), limits):
        raise Refused(Code.EVIDENCE_UNREADABLE)
    _flatten(source)
    copy = Pdf.new()
    copy.pages.extend(source.pages)
    layers = source.Root.get("/OCProperties")
    if isinstance(layers, Dictionary):  # which layers show is part of how a page looks
        held = layers if layers.is_indirect else source.make_indirect(layers)
        copy.Root.OCProperties = copy.copy_foreign(held)
    for page in copy.pages:
        for key in set(page.obj.keys()) - {*PAGE_KEYS, "/Parent"}:
            del page.obj[key]
    for part in _parts(copy):
        _disarm(part)
    return copy


def _undrawn(source: Pdf) -> bool:
    """Whether a viewer would draw something that the document itself does not."""
    form = source.Root.get("/AcroForm")
    if isinstance(form, Dictionary) and bool(form.get("/NeedAppearances", False)):
        return True
    return any(_viewer_draws(each) for page in source.pages for each in _annotations(page))


def _viewer_draws(annotation: pikepdf.Object) -> bool:
    if not isinstance(annotation, Dictionary) or annotation.get("/Subtype") in (Name.Link, Name.Popup):
        return False
    appearance = annotation.get("/AP")
    return not isinstance(appearance, Dictionary) or "/N" not in appearance


def _annotations(page: pikepdf.Page) -> list[pikepdf.Object]:
    held = page.obj.get("/Annots")
    return list(held) if isinstance(held, Array) else []


def _flatten(source: Pdf) -> None:
    """Draw annotations and form fields into the pages.

    Then nothing on the page can be clicked, and the text in them is found by the search and by the masks.
    """
    for page in source.pages:  # qpdf would empty an array that pages share at the first of them
        page.obj.Annots = Array(_annotations(page))
    form = source.Root.get("/AcroForm")
    if isinstance(form, Dictionary) and "/NeedAppearances" in form:
        del form["/NeedAppearances"]  # they are made; qpdf would leave them out
    source.flatten_annotations("screen")


def _with_gaps(copy: Pdf, lost: tuple[int, ...], limits: Limits) -> Pdf:
    """A page in each place from which one is missing, so that the others keep their numbers."""
    if lost:
        from archive.evidence import covers, typesetting  # noqa: PLC0415 -- fonts and compiler, for damage only

        with typesetting.typeset(covers.unreadable(len(copy.pages) + len(lost), lost), limits) as notice:
            for place in lost:
                copy.pages.insert(place, notice.pages[0])
    return copy


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
