"""Optical character recognition of a page, with RapidOCR. Runs inside the cage only; the server never loads it.

The library is an extra (``muniment[ocr]``); its models come inside its wheel, and nothing is fetched. Its engine
would report on its use over the network: it is told not to, and in the cage there is no network.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import pypdfium2
from PIL import Image

from archive.errors import Code
from archive.evidence import drawing
from archive.evidence.limits import Limits
from archive.evidence.recognised import SCALE, Line, Place, RecognisedPage
from archive.evidence.refusing import Refused

INSTALL = "pip install 'muniment[ocr]'"  # what to tell where it is not available

# A separate kind of worker: 0.9 GB a page and seconds of work, in the background.
LIMITS = Limits(memory_bytes=2_400_000_000, cpu_seconds=180, wall_seconds=300.0, nice=10)

_WIDTH = 1600  # pixels of the picture that is read: letters of 9 points are some 30 pixels high
_BAND = 1600  # pixels of height read at once: more would be scaled down by the library
_TOLERANCE = 20  # pixels
_OVERLAP = 200  # pixels; higher than any line that matters

_Corners = Sequence[Sequence[float]]
_Letter = tuple[str, float, _Corners]


def is_available() -> bool:
    """Whether the extra is installed. Loads nothing."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def recognise(document: pypdfium2.PdfDocument, number: int) -> RecognisedPage:
    """What stands in the picture of page ``number`` (from 1).

    :raises Refused: PAGE_NOT_FOUND, EVIDENCE_UNREADABLE.
    """
    if not 1 <= number <= len(document):
        raise Refused(Code.PAGE_NOT_FOUND)
    picture = drawing.picture(document, number - 1, _WIDTH)
    lines: list[Line] = []
    for band in _bands(picture):
        lines += [line for line in _read_band(picture, *band) if not _is_known(line, lines)]
    return RecognisedPage(tuple(lines))


def _is_known(line: Line, lines: Sequence[Line]) -> bool:
    """Whether the band before read it too: two bands may see the middle of a line a little differently."""
    left, top, right, bottom = line.places[0]
    return any(
        known.text == line.text
        and abs(known.places[0][0] - left) < right - left
        and abs(known.places[0][1] - top) < bottom - top
        for known in lines
    )


def _bands(picture: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Top and bottom of each band, and of its own share: a line belongs where its middle lies.

    Shares overlap a little, so that no line, and no number in it, falls between two.
    """
    top = 0
    while True:
        bottom = min(top + _BAND, picture.height)
        last = bottom == picture.height
        share = top + _OVERLAP // 2 - _TOLERANCE if top else 0
        yield top, bottom, share, bottom + 1 if last else bottom - _OVERLAP // 2 + _TOLERANCE
        if last:
            return
        top = bottom - _OVERLAP


def _read_band(picture: Image.Image, top: int, bottom: int, first: int, last: int) -> Iterator[Line]:
    import numpy as np  # noqa: PLC0415 -- comes with the extra

    band = np.ascontiguousarray(np.asarray(picture.crop((0, top, picture.width, bottom)))[:, :, ::-1])  # BGR
    for text, score, corners, letters in _read(band):
        middle = top + sum(float(y) for _, y in corners) / len(corners)
        if first <= middle < last and text.strip():
            places = _places(text, corners, letters)
            scaled = tuple(_scaled(place, picture.size, top) for place in places)
            yield Line(text, min(max(float(score), 0.0), 1.0), scaled)


def _read(band: Any) -> Iterator[tuple[str, float, _Corners, Sequence[_Letter]]]:
    """Text, score and corners of each line, and the letters in it as far as the library places them."""
    try:
        read = _engine()(band, return_word_box=True, return_single_char_box=True)
    except IndexError:  # the library counts wrongly when a line has no letters that it can place
        read = _engine()(band, return_word_box=False, return_single_char_box=False)
    if read.boxes is None:
        return
    placed = [each for each in read.word_results or () if each and each[0] and each[0][2] is not None]
    for corners, text, score in zip(read.boxes, read.txts, read.scores, strict=True):
        # Lines without letters are left out there, so the two rows may not run in step.
        mine = bool(placed) and _bare(each[0] for each in placed[0]) == _bare(text)
        yield text, score, corners, placed.pop(0) if mine else ()


def _bare(letters: Iterable[str]) -> str:
    return "".join("".join(letters).split())


def _places(
    text: str, corners: _Corners, letters: Sequence[_Letter]
) -> list[tuple[float, float, float, float]]:
    """A box for each character: the library's own, or a share of the line where it gives none, as for spaces."""
    left, top, right, bottom = _around(corners)
    step = (right - left) / len(text)
    upright = bottom - top > 2 * (right - left) and len(text) > 1
    waiting = list(letters)
    places: list[tuple[float, float, float, float]] = []
    for at, letter in enumerate(text):
        if waiting and waiting[0][0] == letter:
            places.append(_around(waiting.pop(0)[2]))
        elif upright:  # written from top to bottom: any letter may be anywhere in it
            places.append((left, top, right, bottom))
        else:
            places.append((left + step * at, top, left + step * (at + 1), bottom))
    return places


def _around(corners: _Corners) -> tuple[float, float, float, float]:
    across, down = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    return min(across), min(down), max(across), max(down)


def _scaled(place: tuple[float, float, float, float], size: tuple[int, int], top: int) -> Place:
    width, height = size
    left, upper, right, lower = place
    across = [round(SCALE * min(max(x / width, 0.0), 1.0)) for x in (left, right)]
    down = [round(SCALE * min(max((y + top) / height, 0.0), 1.0)) for y in (upper, lower)]
    return across[0], down[0], across[1], down[1]


@cache
def _engine() -> Any:
    """Loaded once a worker. Half a second, and one thread: it is a background job."""
    import cv2  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415
    from rapidocr import RapidOCR  # noqa: PLC0415

    onnxruntime.disable_telemetry_events()
    cv2.setNumThreads(1)
    return RapidOCR(
        params={
            "Global.use_cls": False,  # it takes lines of digits for upside-down ones
            "Global.text_score": 0.0,  # doubtful lines matter too: see masking
            "Global.return_word_box": True,
            "Global.return_single_char_box": True,
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
