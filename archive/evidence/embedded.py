"""The files that lie in a PDF (ISO 32000-2, 7.11.4), taken out within limits: what they unfold to is their author's."""

import zlib
from collections.abc import Iterator
from itertools import chain, islice

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from archive.evidence import annotations
from archive.evidence.attachments import MOST_LISTED, TOO_LARGE, Attachment
from archive.evidence.limits import Limits

_DEEPEST = 30  # nodes of the tree of names
_MOST_NODES = 10_000
_NAMES = ("/UF", "/F", "/Unix", "/Mac", "/DOS")
_ODD = "无法取出"
_UNNAMED = "未命名"


def read(pdf: Pdf, limits: Limits) -> tuple[list[Attachment], int]:
    """At most as many as can be listed, and how many more there are. Together they unfold to no more than evidence may
    have; what is beyond that, or is packed in an odd way, is without data.
    """
    specs = _specs(pdf)
    taken: list[Attachment] = []
    room = limits.source_bytes
    for spec, stream in islice(specs, MOST_LISTED):
        data = _unfolded(stream, room)
        lacking = TOO_LARGE if data is not None and len(data) > room else _ODD if data is None else ""
        taken.append(Attachment(_name(spec), b"" if lacking or data is None else data, lacking=lacking))
        room -= len(taken[-1].data)
    return taken, sum(1 for _ in specs)


def _specs(pdf: Pdf) -> Iterator[tuple[Dictionary, Stream]]:
    """Each file once: as a rule the tree of names has them all (7.7.4), but for those that hang on a page."""
    seen: set[tuple[int, int]] = set()
    hung = (each.get("/FS") for page in pdf.pages for each in annotations.on(page.obj))
    for spec in chain(_named(pdf), _associated(pdf), hung):
        files = spec.get("/EF") if isinstance(spec, Dictionary) else None
        if not isinstance(spec, Dictionary) or not isinstance(files, Dictionary):
            continue
        stream = next((files[key] for key in _NAMES if isinstance(files.get(key), Stream)), None)
        if isinstance(stream, Stream) and stream.objgen not in seen:
            seen.add(stream.objgen)
            yield spec, stream


def _named(pdf: Pdf) -> Iterator[Object]:
    names = pdf.Root.get("/Names")
    waiting = [(names.get("/EmbeddedFiles"), 0)] if isinstance(names, Dictionary) else []
    left = _MOST_NODES
    while waiting and left:
        node, depth = waiting.pop()
        left -= 1
        if not isinstance(node, Dictionary) or depth > _DEEPEST:
            continue
        held, kids = node.get("/Names"), node.get("/Kids")
        if isinstance(held, Array):
            yield from list(held)[1::2]
        if isinstance(kids, Array):
            waiting += [(each, depth + 1) for each in reversed(list(kids))]


def _associated(pdf: Pdf) -> Iterator[Object]:
    """Of the document as a whole (14.13.2)."""
    held = pdf.Root.get("/AF")
    yield from held if isinstance(held, Array) else ()


def _name(spec: Dictionary) -> str:
    named = next(filter(None, (annotations.text(spec.get(key)) for key in _NAMES)), _UNNAMED)
    described = annotations.text(spec.get("/Desc"))
    more = f"（{described}）" if described and described != named else ""
    return " ".join((named + more).split())[:200]


def _unfolded(stream: Stream, most: int) -> bytes | None:
    """Some more than ``most`` bytes where there are so many; None where it is packed as files in PDFs hardly are."""
    filters = stream.get("/Filter")
    kinds = list(filters) if isinstance(filters, Array) else [] if filters is None else [filters]
    if len(kinds) > 1 or (kinds and kinds[0] != Name.FlateDecode) or stream.get("/DecodeParms") is not None:
        return None
    try:
        raw = stream.read_raw_bytes()
        return zlib.decompressobj().decompress(raw, max(most, 0) + 1) if kinds else bytes(raw)
    except (zlib.error, pikepdf.PikepdfError, RuntimeError):
        return None
