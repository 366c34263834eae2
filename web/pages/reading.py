"""Reading 阅览: one page at a time, masked and watermarked, each recorded before it is shown."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_urlsafe
from time import monotonic

from flask import Blueprint, Response, render_template, request, url_for

from access.granting import Grant
from access.permissions import Permission
from access.playing import is_recording
from access.viewing import DocumentDetails
from archive.casefile.documents import Document
from archive.casefile.reading import CaseFile
from archive.errors import Code, MunimentError
from archive.evidence.kinds import EvidenceKind, Family
from indexer.analysis import Query
from indexer.snippets import Place, hits_on, places_of, stands_on
from web.admitting import admits
from web.pages.finding import reveal
from web.pages.recordings import TYPES
from web.visit import Visit, visit

pages = Blueprint("reading", __name__)

_WIDTHS = (800, 1200, 1600, 2200)
_PATIENCE = 1.0  # seconds in which the pages of a file are looked through for what was found


@dataclass(frozen=True, slots=True)
class Trail:
    """The way through a file along what was looked for. ``number`` is from 1; none on a page without a hit."""

    words: str
    number: int | None
    count: str  # with ``+``: there was no time to look at all pages
    back: Place | None
    on: Place | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A step from a page to another. ``document`` is none within the same one."""

    address: str
    document: int | None


@pages.get("/files/<reference>/read")
@admits(Permission.BROWSE)
def read(reference: str) -> str:
    here = visit()
    file, documents, grant = _opened(here, reference)
    wanted = request.args.get("document", 0, type=int)
    document = next((each for each in documents if each.ordinal == wanted), None)
    if document is None:
        raise MunimentError(Code.PAGE_NOT_FOUND)
    number = min(max(request.args.get("page", 1, type=int), 1), document.pages)
    zoom = min(max(request.args.get("zoom", 0, type=int), 0), 2)
    found = request.args.get("found", "")
    return render_template(
        "read.html",
        file=file,
        documents=documents,
        document=document,
        number=number,
        zoom=zoom,
        width=_WIDTHS[1 + zoom],
        grant=grant,
        found=found or None,
        trail=_trail(here, file, found, Place(wanted, number)),
        unread=_unread(here, file, Place(wanted, number)),
        player=_player(document.kind) if is_recording(document.kind) else None,
        opening=token_urlsafe(9),
        turn=_turns(reference, documents, Place(wanted, number), zoom, found or None),
    )


def _player(kind: str) -> str:
    """The element of a page that plays it; ``none`` where browsers cannot."""
    recorded = EvidenceKind(kind)
    if recorded not in TYPES:
        return "none"
    return "video" if recorded.family is Family.FILM else "audio"


@pages.get("/files/<reference>/pages/<int:ordinal>/<int:number>.jpg")
@admits(Permission.BROWSE)
def page(reference: str, ordinal: int, number: int) -> Response:
    """A JPEG. ``width`` is rounded up to one of a few: nobody asks for a picture without bounds."""
    here = visit()
    asked = request.args.get("width", _WIDTHS[1], type=int)
    width = next((each for each in _WIDTHS if each >= asked), _WIDTHS[-1])
    marks = _marks(_query(here, request.args.get("found", "")))
    drawn = here.house.viewing.page(here.person, reference, ordinal, number, width, marks)
    response = Response(drawn, content_type="image/jpeg")
    response.headers["Content-Disposition"] = "inline"
    return response


def _opened(here: Visit, reference: str) -> tuple[CaseFile, Sequence[Document | DocumentDetails], Grant]:
    """Opening a file is a look-up of its description, recorded as such; turning a page is not another."""
    viewing = here.house.viewing
    if "page" in request.args:
        with suppress(MunimentError):  # refused below, where it is recorded and takes as long as any refusal
            file = here.house.case_files.get(reference)
            if grant := viewing.grant(here.person, file):
                return file, here.house.case_files.documents(file), grant
    details = viewing.details(here.person, reference)
    return details.case_file, details.documents, details.grant


def _query(here: Visit, found: str) -> Query | None:
    """What was looked for, by the token of a search of this person's own."""
    words = reveal(here, found).q if found else ""
    try:
        return here.house.index.words(words) if words else None
    except MunimentError:
        return None


def _marks(query: Query | None) -> Callable[[str], Sequence[str]] | None:
    return None if query is None else lambda text: hits_on(text, query)


def _trail(here: Visit, file: CaseFile, found: str, at: Place) -> Trail | None:
    query = _query(here, found)
    if query is None:
        return None
    places, whole = places_of(here.house.case_files, file, query, monotonic() + _PATIENCE)
    if not whole and at not in places and stands_on(_shown(here, file, at), query):
        places = tuple(sorted((*places, at)))
    if not places:
        return None
    before, after = [each for each in places if each < at], [each for each in places if each > at]
    return Trail(
        reveal(here, found).q,
        places.index(at) + 1 if at in places else None,
        f"{len(places)}{'' if whole else '+'}",
        before[-1] if before else None,
        after[0] if after else None,
    )


def _shown(here: Visit, file: CaseFile, at: Place) -> str:
    return here.house.case_files.masked_page(file, at.ordinal, at.page)


def _unread(here: Visit, file: CaseFile, at: Place) -> bool:
    """Whether the page is a picture in which nothing was read yet, so that nothing in it is masked."""
    unread = at.page in here.house.case_files.unread(file).get(at.ordinal, ())
    if unread:
        here.house.recognition.hasten(file, at.ordinal)
    return unread


def _turns(
    reference: str,
    documents: Sequence[Document | DocumentDetails],
    at: Place,
    zoom: int,
    found: str | None,
) -> dict[str, Turn | None]:
    """Beyond the last page of a document the next one begins."""

    def turn(to: Place | None, larger: int = zoom) -> Turn | None:
        if to is None:
            return None
        address = url_for(
            "reading.read",
            reference=reference,
            document=to.ordinal,
            page=to.page,
            zoom=larger,
            found=found,
        )
        return Turn(address, None if to.ordinal == at.ordinal else to.ordinal)

    places = [Place(each.ordinal, page) for each in documents for page in range(1, each.pages + 1)]
    here = places.index(at)
    return {
        "back": turn(places[here - 1] if here else None),
        "on": turn(places[here + 1] if here + 1 < len(places) else None),
        "larger": turn(at, zoom + 1) if zoom < 2 else None,
        "smaller": turn(at, zoom - 1) if zoom > 0 else None,
    }
