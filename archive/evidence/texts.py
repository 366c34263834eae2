"""The text of a document as it is written down: JSON, an array with a string for each page, line by line.

``[``, then each page on a line of its own, then ``]``. Of a long page there is an array of strings in its place, each
on a line of its own too. So the longest text is written and read without being whole anywhere.
"""

import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

_LONGEST: Final = 50_000  # characters of a line
LONGEST_LINE: Final = 6 * _LONGEST + 4  # bytes: six for what JSON escapes, the quotes, a comma, the end


def written(pages: Iterable[str]) -> Iterator[bytes]:
    """In pieces of a line."""
    between = b"[\n"
    for page in pages:
        yield between
        if len(page) <= _LONGEST:
            yield _string(page)
        else:
            yield from _cut(page)
        between = b",\n"
    yield b"[]" if between == b"[\n" else b"\n]"


def pages_of(text: BinaryIO, longest: int = -1) -> Iterator[str]:
    """Of what was ``written``, or of any other JSON array of strings, which is then read at once. Of what is not to be
    trusted no line may have more bytes than ``longest``.

    :raises ValueError: it is none, or is cut off.
    """
    begin = text.readline(len(b"[\n"))
    if begin != b"[\n":
        yield from _strings(json.loads(begin + text.read(longest)))
        return
    parts: list[str] | None = None
    while line := text.readline(longest):
        said = line.rstrip(b",\n")
        if said == b"[" and parts is None:
            parts = []
        elif said != b"]":
            (page,) = _strings([json.loads(said)])
            if parts is None:
                yield page
            else:
                parts.append(page)
        elif parts is not None:
            yield "".join(parts)
            parts = None
        elif text.read(1):
            break
        else:
            return
    raise ValueError("the pages are cut off")


def _cut(page: str) -> Iterator[bytes]:
    between = b"[\n"
    for start in range(0, len(page), _LONGEST):
        yield between
        yield _string(page[start : start + _LONGEST])
        between = b",\n"
    yield b"\n]"


def _string(text: str) -> bytes:
    # A text layer may hold halves of surrogate pairs, which JSON's decoder lets pass.
    return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _strings(pages: object) -> list[str]:
    if not isinstance(pages, list) or not all(isinstance(each, str) for each in pages):
        raise ValueError("no pages")
    return pages
