"""Lists of any length as lines of JSON in a sealed object, written and read line by line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archive.causes import Cause
from archive.errors import Code, MunimentError

_GATHERED = 1 << 16


def written(documents: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Pieces of about 64 KiB."""
    waiting = bytearray()
    for each in documents:
        waiting += json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if len(waiting) >= _GATHERED:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def read(pieces: Iterable[bytes], name: str) -> Iterator[dict[str, Any]]:
    """Raises MunimentError(BACKUP_DAMAGED)."""
    waiting = b""
    for piece in pieces:
        *whole, waiting = (waiting + piece).split(b"\n")
        yield from (_document(line, name) for line in whole)
    if waiting:
        raise MunimentError(
            Code.BACKUP_DAMAGED, path=name, problem=Cause("在一行中间断开", "it ends in the middle of a line")
        )


def _document(line: bytes, name: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(line)
    except ValueError:
        raise MunimentError(
            Code.BACKUP_DAMAGED, path=name, problem=Cause("其中一行无法读取", "a line of it cannot be read")
        ) from None
    return document
