"""Snippets: the few words around what was found, masked before anything is cut from them (P14.4, P16)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archive.casefile.reading import CaseFile, CaseFiles
from archive.evidence.masking import mask_text
from indexer.analysis import Query, spans

LENGTH = 90  # characters of a snippet, ellipses apart
_BEFORE = 24  # of them before the first hit
_ELLIPSIS = "…"
_WHITE = re.compile(r"\s+")

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Snippet:
    """``hits`` are half-open spans of ``text``, in order, not overlapping."""

    text: str
    hits: tuple[tuple[int, int], ...]


def snippet(case_files: CaseFiles, case_file: CaseFile, query: Query, mask: Mask = mask_text) -> Snippet:
    """From the page, or else the document's name, that says most of the query; else the file's beginning.

    What the mask hides is no hit. Raises BoxError and MunimentError where a sealed text does not open.
    """
    best, most, beginning = None, 0, ""
    for text in _masked(case_files, case_file, mask):
        beginning = beginning or text
        found = spans(text, query)
        if len(found) > most:
            best, most = (text, sorted(span for each in found.values() for span in each)), len(found)
            if most == len(query.phrases):
                break
    if best is None:
        return _cut(beginning, [])
    return _cut(*best)


def _masked(case_files: CaseFiles, case_file: CaseFile, mask: Mask) -> Iterator[str]:
    for pages in case_files.texts(case_file).values():
        for page in pages:
            yield _WHITE.sub(" ", mask(page)).strip()
    for title in case_files.titles(case_file).values():
        yield _WHITE.sub(" ", mask(title)).strip()


def _cut(text: str, hits: list[tuple[int, int]]) -> Snippet:
    start = max(0, hits[0][0] - _BEFORE) if hits else 0
    end = min(len(text), start + LENGTH)
    start = max(0, end - LENGTH)
    before, after = _ELLIPSIS if start else "", _ELLIPSIS if end < len(text) else ""
    kept: list[tuple[int, int]] = []
    shift = len(before) - start
    for left, right in hits:
        if left >= end:
            break
        this = (left + shift, min(right, end) + shift)
        if kept and this[0] <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], this[1]))
        else:
            kept.append(this)
    return Snippet(before + text[start:end] + after, tuple(kept))
