"""Numbers that run over the foot of a page: half of one is no number, so each page is looked at with its neighbours.

What stands at head and foot of a page is not known from its text. So any of its first lines may go on from any of the
last ones of the page before. Pure, and over-masking is the safe side, as in ``masking``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from archive.evidence.masking import AROUND, Span, hide, mask_text, spans

_LINES = 6  # at either end of a page: running titles and numbers of pages, and one of the text


@dataclass(frozen=True, slots=True)
class Seams:
    """``before``: what the page before may end with, its foot apart; ``after``: what the next one may begin with."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


NONE: Final = Seams()


def between(before: str, after: str) -> Seams:
    """Of the texts of the neighbours, empty where there is none, as numbers are looked for in them."""
    return Seams(
        tuple(before[max(0, end - AROUND) : end] for end in _ends(before)),
        tuple(after[start : start + AROUND] for start in _starts(after)),
    )


def spans_on(text: str, seams: Seams) -> tuple[Span, ...]:
    """What to hide on a page, in order; what runs over a seam may overlap with the rest."""
    return tuple(sorted({*spans(text), *_across(text, seams)}))


def mask_page(text: str, seams: Seams, digits: str = "") -> str:
    """As ``mask_text``, of a page. Same length."""
    shown, read = mask_text(text, digits), digits or text
    across = sorted(_across(read, seams))
    return hide(shown, read, across) if across else shown


def _across(text: str, seams: Seams) -> Iterator[Span]:
    """The parts on this page of what begins on the one before or ends on the next."""
    for start in _starts(text) if seams.before else ():
        head = text[start : start + AROUND]
        for tail in seams.before:
            yield from _clipped(tail, head, start - len(tail) - 1, start, start + len(head))
    for end in _ends(text) if seams.after else ():
        tail = text[max(0, end - AROUND) : end]
        for head in seams.after:
            yield from _clipped(tail, head, end - len(tail), end - len(tail), end)


def _clipped(tail: str, head: str, shift: int, first: int, end: int) -> Iterator[Span]:
    """What is found in ``tail`` and ``head`` together, from ``first`` to ``end`` of the page."""
    if _may_go_on(tail, head):
        for span in spans(f"{tail}\n{head}"):
            start, stop = max(span.start + shift, first), min(span.end + shift, end)
            if start < stop:
                yield Span(start, stop, span.secret)


def _may_go_on(tail: str, head: str) -> bool:
    """Most lines do not: it is not worth looking closer."""
    numbered = any(letter.isdigit() for letter in tail[-6:]) and any(letter.isdigit() for letter in head[:6])
    return numbered or "@" in head or "＠" in head or "@" in tail[-80:] or "＠" in tail[-80:]


def _starts(text: str) -> list[int]:
    """Where the first lines with something on them begin."""
    found: list[int] = []
    at = 0
    while at < len(text) and len(found) < _LINES:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        if line.strip():
            found.append(at + len(line) - len(line.lstrip()))
        at = end + 1
    return found


def _ends(text: str) -> list[int]:
    """Where the last ones end."""
    found: list[int] = []
    end = len(text)
    while end > 0 and len(found) < _LINES:
        at = text.rfind("\n", 0, end) + 1
        line = text[at:end]
        if line.strip():
            found.append(at + len(line.rstrip()))
        end = at - 1
    return found
