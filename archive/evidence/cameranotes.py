"""JPEG and JPEG 2000 without what cameras write beside the picture: places, makers, previews, films, remarks.

No pixel is decoded or packed anew. What a decoder would not get through is left out, so any bytes have an answer:
where they were no picture, next to nothing is left of them.
"""

import re
from collections.abc import Iterator

# ITU-T T.81 table B.1
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP2, _APP14 = 0xE0, 0xE2, 0xEE
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM and RSTn, which no length follows
_TABLES = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xE0)}) - {0xC8}  # frames, tables and scans
_AFTER_SCAN = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")  # what ends a scan: neither a stuffed byte nor RSTn
_JFIF, _JFIF_SIZE = b"JFIF\0", 12  # bytes before the preview (ITU-T T.871 10.1)
_ADOBE, _ADOBE_SIZE = b"Adobe", 12  # bytes: it says how colours are to be understood
_ICC = b"ICC_PROFILE\0"

# ITU-T T.800 annex I, T.801 annex M: what a picture is drawn from
_HOLDING = frozenset({b"jp2h", b"jpch", b"jplh", b"cgrp", b"res "})
_DRAWN = frozenset(
    [
        b"jP  ",
        b"ftyp",
        b"rreq",
        b"jp2c",
        b"ihdr",
        b"bpcc",
        b"colr",
        b"pclr",
        b"cmap",
        b"cdef",
        b"resc",
        b"resd",
    ]
)
_STREAM, _BOX = b"jp2c", b"\0\0\0\x0cjP  "
_START, _MORE, _REMARK = b"\xff\x4f\xff\x51", 0xFF93, 0xFF64  # SOC and SIZ, SOD, COM
_TILE, _FREE = 0xFF90, b"free"


def jpeg(data: bytes) -> bytes:
    """The first picture in ``data``, with JFIF, ICC and Adobe for notes and no others; nothing behind its end.

    Many phones put more pictures there, or a film. Any length in, never longer out.
    """
    start = data.find(b"\xff\xd8")
    return b"".join((b"\xff\xd8", *_segments(memoryview(data), start + 2))) if start >= 0 else b""


def _segments(data: memoryview, at: int) -> Iterator[bytes | memoryview]:
    """As libjpeg goes from marker to marker: over bytes that are none, and no further than to nonsense."""
    while (at := _next(data, at)) < len(data):
        marker = data[at]
        if marker in _BARE:
            at += 1
            continue
        if marker == _EOI:
            yield b"\xff\xd9"
            return
        end = at + 1 + int.from_bytes(data[at + 1 : at + 3], "big")
        if marker == _SOI or end < at + 3 or end > len(data):
            return
        body = data[at + 3 : end]
        if marker in _TABLES:
            yield from (bytes((0xFF, marker)), data[at + 1 : end])
        elif kept := _note(marker, body):
            yield bytes((0xFF, marker)) + (len(kept) + 2).to_bytes(2, "big") + kept
        at = end
        if marker == _SOS:
            found = _AFTER_SCAN.search(data, end)
            at = found.start() if found else len(data)
            yield data[end:at]


def _next(data: memoryview, at: int) -> int:
    """Where the next marker's code stands: after 0xFF, and after as many of those as fill the gap."""
    found = _MARKER.search(data, at)
    return found.end() - 1 if found else len(data)


_MARKER = re.compile(rb"\xff+[\x01-\xfe]")


def _note(marker: int, body: memoryview) -> bytes:
    if marker == _APP0 and body[:5] == _JFIF and len(body) >= _JFIF_SIZE + 2:
        return bytes(body[:_JFIF_SIZE]) + b"\0\0"  # without its preview
    if marker == _APP14 and body[:5] == _ADOBE and len(body) >= _ADOBE_SIZE:
        return bytes(body[:_ADOBE_SIZE])
    if marker == _APP2 and body[: len(_ICC)] == _ICC:
        return bytes(body)
    return b""


def jpeg2000(data: bytes) -> bytes:
    """As long as ``data``, since places in it may be counted from its start: notes become zeros in free boxes."""
    bare = bytearray(data)
    if data.startswith(_BOX):
        _blank_boxes(bare, 0, len(bare))
    elif data.startswith(_START):
        _blank_remarks(bare, 0, len(bare))
    else:
        _blank(bare, 0, len(bare))
    return bytes(bare)


def _blank_boxes(data: bytearray, at: int, end: int) -> None:
    """In ``data[at:end]``. Boxes that hold others nest by at most three names, so this goes no deeper."""
    waiting = [(at, end)]
    while waiting:
        at, end = waiting.pop()
        while at < end:
            size, head, name = _box(data, at, end)
            if size < head or at + size > end:
                _blank(data, at, end)
                break
            if name in _HOLDING:
                waiting.append((at + head, at + size))
            elif name == _STREAM:
                _blank_remarks(data, at + head, at + size)
            elif name not in _DRAWN:
                data[at + 4 : at + 8] = _FREE
                _blank(data, at + head, at + size)
            at += size


def _box(data: bytearray, at: int, end: int) -> tuple[int, int, bytes]:
    """The length of a box, of its head, and its name (T.800 I.4); no length where it is nonsense."""
    size, name, head = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8]), 8
    if size == 1:
        size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
    elif size == 0:  # up to the end
        size = end - at
    return (size, head, name) if at + head <= end else (0, head, name)


def _blank_remarks(data: bytearray, at: int, end: int) -> None:
    """In the head of a codestream and of each of its tile-parts (T.800 A.2)."""
    at += 2
    tile, length = -1, 0
    while at + 4 <= end:
        marker = int.from_bytes(data[at : at + 2], "big")
        if marker == _MORE:  # pixels, up to the next tile-part
            if tile < 0 or not length or tile + length <= at:
                return
            at, tile = tile + length, -1
            continue
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker >> 8 != 0xFF or size < 2 or at + 2 + size > end:
            return
        if marker == _TILE:
            tile, length = at, int.from_bytes(data[at + 6 : at + 10], "big")
        elif marker == _REMARK:
            _blank(data, at + 6, at + 2 + size)  # what kind of remark it is stays
        at += 2 + size


def _blank(data: bytearray, at: int, end: int) -> None:
    data[at:end] = bytes(max(end - at, 0))
