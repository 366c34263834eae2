"""Snippets: the few words around what was found, masked before anything is cut from them (P14.4, P16)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from archive.casefile.reading import CaseFile, CaseFiles
from archive.evidence.masking import mask_text
from indexer.analysis import Query, spans

LENGTH = 90  # characters of a snippet, ellipses apart
_BEFORE = 24  # of them before the first hit
_STRETCH = 50_000  # characters of a page that are looked at at once
_OVERLAP = 1000  # of them, more than a query's
_AROUND = 200  # characters: more than a number or an address that is masked
_ELLIPSIS = "…"
_WHITE = re.compile(r"\s+")
# A line of a page that goes on in the next: the break is the page's, not the writer's. Short lines end by themselves.
_WRAPPED = re.compile(r"(?<=[^\r\n]{15}[\u3001-\u9fff\uff01-\uff5e])[\r\n]+(?=[\u3001-\u9fff\uff01-\uff5e])")
_WIDE = re.compile(r"(?<!\S)[\u4e00-\u9fff](?: [\u4e00-\u9fff])+(?!\S)")

Mask = Callable[[str], str]


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
    case_files: CaseFiles, case_file: CaseFile, query: Query, mask: Mask = mask_text
) -> Snippet | None:
    """From the page, or else the document's name, that says most of the query; none where nothing of it can be shown:
    it asked for facts, or the mask hides it.

    What the mask hides is no hit. Raises BoxError and MunimentError where a sealed text does not open.
    """
    best, most = None, 0
    if not query.phrases:
        return None
    for place, text in _masked(case_files, case_file, mask):
        found = spans(text, query)
        if len(found) > most:
            hits = sorted(span for each in found.values() for span in each)
            best, most = _cut(text, hits, place), len(found)
            if most == len(query.phrases):
                break
    return best


def hits_on(text: str, query: Query, mask: Mask = mask_text) -> tuple[str, ...]:
    """The words of a page's text that the query finds, as they are written there and without white space."""
    words: dict[str, None] = {}
    for shown in _stretches(text, mask):
        found = (span for each in spans(shown, query).values() for span in each)
        words |= dict.fromkeys("".join(shown[start:end].split()) for start, end in found)
    return tuple(words)


def places_of(
    case_files: CaseFiles, case_file: CaseFile, query: Query, mask: Mask = mask_text
) -> tuple[Place, ...]:
    """The pages on which something of the query stands, in order. Raises BoxError, MunimentError."""
    return tuple(
        place
        for place, page in _pages(case_files, case_file)
        if any(spans(shown, query) for shown in _stretches(page, mask))
    )


def _masked(case_files: CaseFiles, case_file: CaseFile, mask: Mask) -> Iterator[tuple[Place | None, str]]:
    for place, page in _pages(case_files, case_file):
        for shown in _stretches(page, mask):
            yield place, _set_tight(shown)
    for title in case_files.titles(case_file).values():
        yield None, _set_tight(mask(title))


def _pages(case_files: CaseFiles, case_file: CaseFile) -> Iterator[tuple[Place, str]]:
    for document in case_files.documents(case_file):
        for number, page in enumerate(case_files.pages(case_file, document.ordinal), start=1):
            yield Place(document.ordinal, number), page


def _stretches(text: str, mask: Mask) -> Iterator[str]:
    """A page is as a rule one. A longer text is masked in parts that overlap, each with what stands around it."""
    for start in range(0, max(1, len(text) - _OVERLAP), _STRETCH - _OVERLAP):
        end = start + _STRETCH
        before = min(start, _AROUND)
        shown = mask(text[start - before : end + _AROUND])
        yield shown[before : before + _STRETCH]


def _set_tight(text: str) -> str:
    """One space for any white space, none where a line of Chinese was wrapped, and none within headings set wide,
    such as 投 诉 内 容.
    """
    return _WIDE.sub(lambda run: run[0].replace(" ", ""), _WHITE.sub(" ", _WRAPPED.sub("", text)).strip())


def _cut(text: str, hits: list[tuple[int, int]], place: Place | None) -> Snippet:
    start = max(0, hits[0][0] - _BEFORE)
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
    return Snippet(before + text[start:end] + after, tuple(kept), place)
