"""Snippets: the few words around what was found, masked before anything is cut from them (P14.4, P16)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from archive.casefile.reading import CaseFile, CaseFiles
from archive.evidence.masking import mask_text
from indexer.analysis import Query, spans

LENGTH = 90  # characters of a snippet, ellipses apart
_BEFORE = 24  # of them before the first hit
_ELLIPSIS = "…"
_WHITE = re.compile(r"\s+")
# A line of a page that goes on in the next: the break is the page's, not the writer's. Short lines end by themselves.
_WRAPPED = re.compile(r"(?<=[^\r\n]{15}[\u3001-\u9fff\uff01-\uff5e])[\r\n]+(?=[\u3001-\u9fff\uff01-\uff5e])")
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


def snippet(case_files: CaseFiles, case_file: CaseFile, query: Query) -> Snippet | None:
    """From the page, or else the document's name, that says most of the query; none where nothing of it can be shown:
    it asked for facts, or the mask hides it.

    What the mask hides is no hit. Raises BoxError and MunimentError where a sealed text does not open.
    """
    best, most = None, 0
    if not query.phrases:
        return None
    for place, text in _masked(case_files, case_file):
        found = spans(text, query)
        if len(found) > most:
            hits = sorted(span for each in found.values() for span in each)
            best, most = _cut(text, hits, place), len(found)
            if most == len(query.phrases):
                break
    return best


def hits_on(text: str, query: Query) -> tuple[str, ...]:
    """The words of a page's masked text that the query finds, as they are written there and without white space."""
    found = (span for each in spans(text, query).values() for span in each)
    return tuple(dict.fromkeys("".join(text[start:end].split()) for start, end in found))


def places_of(case_files: CaseFiles, case_file: CaseFile, query: Query) -> tuple[Place, ...]:
    """The pages on which something of the query stands, in order. Raises BoxError, MunimentError."""
    return tuple(
        Place(ordinal, number)
        for ordinal, pages in case_files.masked_texts(case_file).items()
        for number, page in enumerate(pages, start=1)
        if spans(page, query)
    )


def _masked(case_files: CaseFiles, case_file: CaseFile) -> Iterator[tuple[Place | None, str]]:
    for ordinal, pages in case_files.masked_texts(case_file).items():
        for number, page in enumerate(pages, start=1):
            yield Place(ordinal, number), _set_tight(page)
    for title in case_files.titles(case_file).values():
        yield None, _set_tight(mask_text(title))


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
