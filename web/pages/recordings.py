"""Playing recordings: their bytes, by ranges (RFC 9110, 14), so that a browser's own player can begin and seek.

One answer to a range is bounded: a player that pauses would else keep a thread of the server waiting for it. It asks
for the next one when it has played so far. Who asks for no range is given all, while few do so at once.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

from flask import Blueprint, Response, request

from access.permissions import Permission
from access.playing import Recording
from archive.evidence.kinds import EvidenceKind
from web.admitting import admits
from web.answering import long_answer
from web.visit import visit

pages = Blueprint("recordings", __name__)

MOST_AT_ONCE = 4 << 20  # bytes of one answer to a range: the server takes it all, and its thread is free
_BLOCK = 1 << 16
# What browsers can play; the others are given as what they are and kept by nobody.
TYPES = {
    EvidenceKind.MP3: "audio/mpeg",
    EvidenceKind.WAV: "audio/wav",
    EvidenceKind.M4A: "audio/mp4",
    EvidenceKind.AAC: "audio/aac",
    EvidenceKind.OGG: "audio/ogg",
    EvidenceKind.FLAC: "audio/flac",
    EvidenceKind.MP4: "video/mp4",
    EvidenceKind.MOV: "video/mp4",  # of the same family: under its own name, video/quicktime, few browsers try
    EvidenceKind.MKV: "video/webm",
}


@pages.get("/files/<reference>/recordings/<int:ordinal>")
@admits(Permission.BROWSE)
def play(reference: str, ordinal: int) -> Response:
    """``opening`` is the mark of the page with the player; see ``access.playing``."""
    here = visit()
    mark = request.args.get("opening", "")
    with ExitStack() as held:
        recording = here.house.playing.open(here.person, reference, ordinal, mark)
        held.callback(recording.stream.close)
        part = _part(recording)
        if part is None and recording.size > MOST_AT_ONCE:
            held.enter_context(long_answer(here.person.number))
        response = _answer(recording, part)
        response.call_on_close(held.pop_all().close)  # also when nobody takes it, as for HEAD
        return response


def _answer(recording: Recording, wanted: range | None) -> Response:
    """With the part that is wanted; none: all of it."""
    size, part = recording.size, range(recording.size) if wanted is None else wanted
    if wanted is not None and not wanted:  # RFC 9110, 15.5.17
        response = Response(status=416)
        response.headers["Content-Range"] = f"bytes */{size}"
    else:
        recording.stream.seek(part.start)
        first = recording.stream.read(min(_BLOCK, len(part)))  # damage is said before anything is given
        response = Response(
            _pieces(recording.stream, first, len(part)), status=200 if wanted is None else 206
        )
        response.headers["Content-Length"] = str(len(part))
        if wanted is not None:
            response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    response.headers["Content-Type"] = TYPES.get(recording.kind, "application/octet-stream")
    response.headers["Content-Disposition"] = "inline"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = _tag(recording)
    return response


def _tag(recording: Recording) -> str:
    return f'"{recording.version}"'


def _part(recording: Recording) -> range | None:
    """What is asked for and given of it; none: all of it. Empty where there is no such part.

    Several parts at once are answered with all, as RFC 9110, 14.2 allows.
    """
    asked, condition = request.range, request.headers.get("If-Range")
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    if condition not in (None, _tag(recording)):
        return None
    found = asked.range_for_length(recording.size)
    if found is None:
        return range(0)
    return range(found[0], min(found[1], found[0] + MOST_AT_ONCE))


def _pieces(stream: BinaryIO, first: bytes, count: int) -> Iterator[bytes]:
    piece = first
    while piece:
        yield piece
        count -= len(piece)
        piece = stream.read(min(_BLOCK, count))
