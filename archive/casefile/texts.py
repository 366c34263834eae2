"""Keeping the text of a document's pages, sealed: a short one in its row, a long one as a stream beside its PDF.

A record holds the rows of its case file, and there is a new one with every version of the object: what is long is not
to be in it, nor in the memory of whoever reads one.
"""

import io
import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from secrets import token_bytes
from typing import Any, BinaryIO, Final

from archive.casefile.documents import LongText, text_name, text_place
from archive.keys.filekey import FileKey
from archive.keys.sealing import Randomness
from archive.keys.streaming import Fetch, open_anywhere, seal_stream
from archive.vault.staging import Staging

LONGEST: Final = 1 << 18  # bytes of a text that is kept in a row


def kept(
    key: FileKey,
    ordinal: int,
    version: int,
    name: str,
    text: BinaryIO,
    staging: Staging,
    *,
    randomness: Randomness = token_bytes,
) -> dict[str, Any]:
    """The columns of a document's row that hold its text or tell where it is. ``name`` is that of its PDF; ``text`` as
    ``evidence.texts`` writes it.
    """
    size, place = text.seek(0, os.SEEK_END), text_place(ordinal, version)
    text.seek(0)
    if size <= LONGEST:
        return {"text": key.seal(text.read(), place), **_columns(None)}
    with staging.writing(text_name(name)) as target:
        seal_stream(key.stream_key(place), text, target, place, randomness=randomness)
    stored = staging.stored[text_name(name)]
    code = key.authentication(stored.sha512, place)
    return {"text": b"", **_columns(LongText(stored.size, stored.sha512.hex(), code))}


def opened(key: FileKey, ordinal: int, version: int, box: bytes, size: int | None, fetch: Fetch) -> BinaryIO:
    """The text that was ``kept``: ``box`` and ``size`` are of the row, ``fetch`` reads what lies beside. Each piece is
    proved before it is given. Raises BoxError, here or while it is read.
    """
    place = text_place(ordinal, version)
    if size is None:
        return io.BytesIO(key.unseal(box, place))
    return open_anywhere(key.stream_key(place), fetch, size, place)


def ranges(numbers: Iterable[int]) -> str:
    """1, 2, 3, 7 as ``1-3,7``; they come in order."""
    runs = groupby(enumerate(numbers), lambda each: each[1] - each[0])
    spans = [[number for _, number in run] for _, run in runs]
    return ",".join(f"{each[0]}-{each[-1]}" if len(each) > 1 else f"{each[0]}" for each in spans)


def numbers(said: str) -> Iterator[int]:
    """Of ``ranges``."""
    for each in filter(None, said.split(",")):
        first, _, last = each.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _columns(text: LongText | None) -> dict[str, Any]:
    return {f"text_{each}": None if text is None else getattr(text, each) for each in LongText.__slots__}
