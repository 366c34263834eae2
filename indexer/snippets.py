"""Snippets: the few words around what was found, masked before anything is cut from them (P14.4, P16)."""

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from archive.casefile.reading import CaseFile, CaseFiles
from archive.evidence.masking import mask_text
from indexer.analysis import Query, atoms, fold, spans

LENGTH = 90  # characters of a snippet, ellipses apart
_BEFORE = 24  # of them before the first hit
_STRETCH = 50_000  # characters of a page that are looked at at once
_OVERLAP = 1000  # of them, more than a query's
_ELLIPSIS = "…"
_WHITE = re.compile(r"\s+")
# A line of a page that goes on in the next: the break is the page's, not the writer's. Short lines end by themselves.
_WRAPPED = re.compile(r"(?<=[^\r\n]{15}[\u3001-\u9fff\uff01-\uff5e])[\r\n]+(?=[\u3001-\u9fff\uff01-\uff5e])")
_CHECKSUM = re.compile(r"(?:\b[0-9a-f]{16,64}\b\s*)+")  # a page may wrap it
_WIDE = re.compile(r"(?<!\S)[\u4e00-\u9fff](?: [\u4e00-\u9fff])+(?!\S)")


class Place(NamedTuple):
    """A page (from 1) of a document."""

    ordinal: int
    page: int


@dataclass(frozen=True, slots=True)
class Snippet:
    """``hits`` are half-open spans of ``text``, in order, not overlapping; ``place`` is where they stand."""

    text: str
    hits: tuple[tuple[int, int], ...]
    place: Place | None = None

    @property
    def parts(self) -> tuple[tuple[str, bool], ...]:
        """The text in pieces, each with whether it is a hit."""
        parts, end = [], 0
        for start, stop in self.hits:
            parts += [(self.text[end:start], False), (self.text[start:stop], True)]
            end = stop
        parts.append((self.text[end:], False))
        return tuple((text, hit) for text, hit in parts if text)


def snippet(
    case_files: CaseFiles, case_file: CaseFile, query: Query, until: float = math.inf
) -> Snippet | None:
    """From the page, or else the document's name, that says most of the query; none where nothing of it can be shown:
    it asked for facts, or for the file's own code, which heads each of its pages, or the mask hides it.

    What the mask hides is no hit. Where ``until`` (of the monotonic clock) comes first, the best that was seen by then
    counts: somebody waits. Raises BoxError and MunimentError where a sealed text does not open.
    """
    best, most = None, 0
    query = _without_code(query, case_file.reference)
    if not query.phrases:
        return None
    for place, text in _masked(case_files, case_file):
        if time.monotonic() >= until:
            break
        found = spans(text, query)
        if len(found) > most:
            hits = sorted(span for each in found.values() for span in each)
            best, most = _cut(text, hits, place), len(found)
            if most == len(query.phrases):
                break
    return best


def hits_on(text: str, query: Query) -> tuple[str, ...]:
    """The words of a page's masked text that the query finds, as they are written there and without white space."""
    words: dict[str, None] = {}
    for shown in _stretches(text):
        found = (span for each in spans(shown, query).values() for span in each)
        words |= dict.fromkeys("".join(shown[start:end].split()) for start, end in found)
    return tuple(words)


def places_of(
    case_files: CaseFiles, case_file: CaseFile, query: Query, until: float = math.inf
) -> tuple[tuple[Place, ...], bool]:
    """The pages on which something of the query stands, in order, and whether these are all: there was no time to look
    at more where ``until`` came first. Raises BoxError, MunimentError.
    """
    found: list[Place] = []
    for place, page in _pages(case_files, case_file):
        if time.monotonic() >= until:
            return tuple(found), False
        if stands_on(page, query):
            found.append(place)
    return tuple(found), True


def stands_on(page: str, query: Query) -> bool:
    """Whether something of the query does, on a page's masked text."""
    return any(spans(shown, query) for shown in _stretches(page))


def _masked(case_files: CaseFiles, case_file: CaseFile) -> Iterator[tuple[Place | None, str]]:
    for place, page in _pages(case_files, case_file):
        for shown in _stretches(page):
            yield place, _set_tight(shown)
    for title in case_files.titles(case_file).values():
        yield None, _set_tight(mask_text(title))


def _pages(case_files: CaseFiles, case_file: CaseFile) -> Iterator[tuple[Place, str]]:
    for document in case_files.documents(case_file):
        for number, page in enumerate(case_files.masked_pages(case_file, document.ordinal), start=1):
            yield Place(document.ordinal, number), page


def _stretches(text: str) -> Iterator[str]:
    """A page is as a rule one. A longer text is looked at in parts that overlap."""
    for start in range(0, max(1, len(text) - _OVERLAP), _STRETCH - _OVERLAP):
        yield text[start : start + _STRETCH]


def _set_tight(text: str) -> str:
    """One space for any white space, none where a line of Chinese was wrapped, and none within headings set wide,
    such as 投 诉 内 容.
    """
    return _WIDE.sub(lambda run: run[0].replace(" ", ""), _WHITE.sub(" ", _WRAPPED.sub("", text)).strip())


def _without_code(query: Query, reference: str) -> Query:
    """Without what is the beginning of the code: its year, and more."""
    code = atoms(fold(reference))
    told = (each for each in query.phrases if len(each.atoms) == 1 or not each.at(code, 0))
    return replace(query, phrases=tuple(told))


def _cut(text: str, hits: list[tuple[int, int]], place: Place | None) -> Snippet:
    first = hits[0][0]
    # What stands before a checksum is what we say of the document; its own words begin after it.
    own = max((each.end() for each in _CHECKSUM.finditer(text, 0, first)), default=0)
    start = max(own, first - _BEFORE)
    end = min(len(text), start + LENGTH)
    start = max(own, end - LENGTH)
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
    return Snippet(before + text[start:end] + after, tuple(kept), place)
