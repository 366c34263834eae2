"""Text into terms, and the phrases that are looked for: pure, one rule for both, so that what is written is found.

Text is folded (NFKC and case, Unicode section 5.18; traditional characters as simplified ones), then cut into
atoms. A word is a run of letters and digits. Scripts that write without spaces (Han of every plane, kana, hangul,
private-use characters for rare names) give one atom a character, and white space between them counts for nothing:
a page breaks its lines anywhere. Punctuation between two such characters keeps them apart; elsewhere it is ignored.

The index holds words whole and the others as overlapping pairs; the last of a run stands alone. One character
is then found as the beginning of a term, two or more by pairs at the right places.

A text of any length is worked on piece by piece, so that memory holds one of them. The pieces are cut where folding
them gives what folding the whole does, and what stands at a seam is told as if there were none.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from indexer.simplifying import simplified

LONGEST_WORD = 64  # characters of one term; a longer word is a row of them
LONGEST_PHRASE = 3000  # terms: no query that may be asked has a longer one
PIECE = 32_000  # characters of a text that are worked on at once
BETWEEN_PARTS = "\u00b6"  # stands for no term
SHORTEST_BEGINNING = 3  # letters from which a word typed bare also finds the words that begin with it

_DENSE = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u303c\u3040-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3100-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\ue000-\uf8ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003fffd\U000f0000-\U000ffffd\U00100000-\U0010fffd"
)
_ATOMS = re.compile(
    rf"(?P<dense>[{_DENSE}]+)|(?P<word>(?:(?![{_DENSE}])[^\W_])+)|(?P<broken>(?![{_DENSE}])[^\w\s]|_)"
)
# What is there but not seen: soft hyphens with the line break they make (PDF readers give U+0002 or U+FFFE
# for one), joiners, direction marks, variation selectors.
_UNSEEN = re.compile(
    "[\u00ad\u0002\ufffe](?:[ \t]*\r?\n[ \t]*)?"
    "|[\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
    "|[\U000e0000-\U000e01ef]"
)
# Whatever stands before such a letter, neither composes with the other, nor are both of one that is not seen: here a
# text may be cut. Letters of hangul and half-width sound marks join with what they follow.
_APART = re.compile("(?![\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\ud7b0-\ud7ff\uff9e-\uffdc])[^\\W_]")
# Neighbours are two positions apart, and three where punctuation stands between: neither distance can come about in
# another way. Two parts of a case file are further apart, so that no phrase runs across.
_STEP = 2
_BROKEN = 1
_PART_GAP = 4


Part = Iterable[str]  # a text that no phrase runs out of, in any pieces


class Atom(NamedTuple):
    """``start`` and ``end`` are places in the folded text."""

    text: str
    position: int
    dense: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A term ``offset`` positions after the start of its phrase; with ``prefix``, any term that begins so."""

    term: str
    offset: int
    prefix: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """Atoms that follow each other as given. ``open``: the last word may be the beginning of a longer one."""

    atoms: tuple[Atom, ...]
    open: bool

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """What an index must hold at which places, and nothing more, for the phrase to be there."""
        first = self.atoms[0].position
        leaves: list[Leaf] = []
        for run in _runs(self.atoms):
            at = run[0].position - first
            if not run[0].dense:
                leaves.append(Leaf(run[0].text, at, self._may_go_on(run[0])))
            elif len(run) == 1:
                leaves.append(Leaf(run[0].text, at, prefix=True))
            else:
                starts = sorted({*range(0, len(run) - 1, 2), len(run) - 2})
                leaves += [Leaf(run[i].text + run[i + 1].text, at + _STEP * i, prefix=False) for i in starts]
        return tuple(leaves)

    @property
    def row(self) -> tuple[tuple[str, ...], bool]:
        """The terms that stand next to each other in an index of rows; whether the last one may go on."""
        last = self.atoms[-1]
        pairs = zip(self.atoms, self.atoms[1:], strict=False)
        terms = [here.text + then.text if _joined(here, then) else here.text for here, then in pairs]
        if len(self.atoms) > 1 and _joined(self.atoms[-2], last):
            return tuple(terms), False
        return (*terms, last.text), last.dense or self._may_go_on(last)

    def stands_in(self, atoms: Sequence[Atom]) -> bool:
        return any(True for _ in self.places(atoms))

    def places(self, atoms: Sequence[Atom]) -> Iterator[int]:
        """From where on the phrase stands in ``atoms``."""
        first = self.atoms[0].text
        for index, atom in enumerate(atoms):
            if atom.text.startswith(first) and self.at(atoms, index):
                yield index

    def at(self, atoms: Sequence[Atom], index: int) -> bool:
        """Whether the phrase stands in ``atoms`` from ``index`` on."""
        if index + len(self.atoms) > len(atoms):
            return False
        shift = atoms[index].position - self.atoms[0].position
        return all(
            there.position - mine.position == shift
            and there.dense == mine.dense
            and (there.text.startswith(mine.text) if self._may_go_on(mine) else there.text == mine.text)
            for mine, there in zip(self.atoms, atoms[index:], strict=False)
        )

    def _may_go_on(self, atom: Atom) -> bool:
        return (
            self.open and atom is self.atoms[-1] and not atom.dense and len(atom.text) >= SHORTEST_BEGINNING
        )


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, and the phrases in it that a case file is found by: what is excluded is not among them."""

    text: str  # as it was typed, without the white space around it
    phrases: tuple[Phrase, ...]


def fold(text: str) -> str:
    """The form in which texts are compared."""
    seen = _UNSEEN.sub("", text)
    cased = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return cased.translate(simplified())


@cache
def form() -> bytes:
    """4 bytes that change when the same text would give other terms: an index of another form is of no use."""
    rules = (unicodedata.unidata_version, _ATOMS.pattern, _UNSEEN.pattern, sorted(simplified().items()))
    return sha256(repr(rules).encode()).digest()[:4]


def atoms(folded: str) -> list[Atom]:
    return _Scan().whole(folded)


def rows_of(part: Part, size: int = PIECE) -> Iterator[list[Atom]]:
    """The atoms of a text that comes in any pieces, folded: as of the whole, but for where they start and end."""
    scan = _Scan()
    for piece in _folded(part, size):
        yield scan.more(piece)
    yield scan.rest()


def terms_for_index(parts: Iterable[Part], size: int = PIECE) -> Iterator[Mapping[str, Sequence[int]]]:
    """Each term of the parts of a case file with its positions, in order: of about ``size`` terms at a time.

    Positions go on from one of these to the next, and a term may be in several.
    """
    terms: dict[str, list[int]] = {}
    count, base = 0, 0
    for part in parts:
        last: list[Atom] = []  # whose term is told when it is known what follows
        for row in rows_of(part, size):
            for here, following in pairwise(last + row):
                term = here.text + following.text if _joined(here, following) else here.text
                terms.setdefault(term, []).append(base + here.position)
            last = row[-1:] or last
            count += len(row)
            if count >= size and terms:
                yield terms
                terms, count = {}, 0
        for here in last:
            terms.setdefault(here.text, []).append(base + here.position)
            base += here.position + _PART_GAP
    if terms:
        yield terms


def in_order(pieces: Iterable[Mapping[str, Sequence[int]]]) -> Iterator[list[str]]:
    """What ``terms_for_index`` gave, in the order of the text, with a sign between two parts."""
    before = 0
    for terms in pieces:
        row: list[str] = []
        for place, term in sorted((place, term) for term, places in terms.items() for place in places):
            if place - before >= _PART_GAP:
                row.append(BETWEEN_PARTS)
            row.append(term)
            before = place
        yield row


def spans(text: str, query: Query) -> dict[Phrase, list[tuple[int, int]]]:
    """Where each phrase that is there stands in ``text`` as it was written: half-open spans, in order."""
    found: dict[Phrase, list[tuple[int, int]]] = {}
    whole = fold(text)
    phrases = [each for each in query.phrases if all(atom.text in whole for atom in each.atoms)]
    if not phrases:  # as on most pages, and sooner known than where everything stands
        return found
    folded, starts, ends = _fold_in_place(text)
    row = atoms(folded)
    for phrase in phrases:
        for index in phrase.places(row):
            last = row[index + len(phrase.atoms) - 1]
            found.setdefault(phrase, []).append((starts[row[index].start], ends[last.end - 1]))
    return found


class _Scan:
    """Atoms of a folded text that comes in pieces, cut anywhere."""

    def __init__(self) -> None:
        self._position = 0
        self._broken = False  # a mark stood after the last atom
        self._after_dense = False
        self._held = ""  # a word that may go on

    def more(self, folded: str) -> list[Atom]:
        text = self._held + folded
        found = self.whole(text)
        self._held = ""
        if found and not found[-1].dense and found[-1].end == len(text):
            self._held = found.pop().text
            self._position -= _STEP
        return found

    def rest(self) -> list[Atom]:
        return self.whole(self._held)

    def whole(self, text: str) -> list[Atom]:
        found: list[Atom] = []
        position = self._position
        for match in _ATOMS.finditer(text):
            if match.lastgroup == "broken":
                self._broken = True
                continue
            dense = match.lastgroup == "dense"
            if dense and self._broken and self._after_dense:
                position += _BROKEN
            self._broken, self._after_dense = False, dense
            step = 1 if dense else LONGEST_WORD
            for start in range(match.start(), match.end(), step):
                end = min(start + step, match.end())
                found.append(Atom(text[start:end], position, dense, start, end))
                position += _STEP
        self._position = position
        return found


def _folded(part: Part, size: int) -> Iterator[str]:
    """The folded text, cut into pieces of about ``size`` characters, whatever the pieces are that it comes in."""
    held = ""
    for each in part:
        held += each
        start = 0
        while len(held) - start >= 2 * size:
            seam = _APART.search(held, start + size, start + 2 * size)
            end = seam.start() if seam else start + 2 * size  # there: not one letter in so many characters
            yield fold(held[start:end])
            start = end
        held = held[start:]
    yield fold(held)


def _joined(here: Atom, following: Atom) -> bool:
    return here.dense and following.dense and following.position == here.position + _STEP


def _runs(row: Sequence[Atom]) -> Iterator[list[Atom]]:
    """Neighbours of a dense script together, words one by one."""
    run: list[Atom] = []
    for atom in row:
        if run and not _joined(run[-1], atom):
            yield run
            run = []
        run.append(atom)
    if run:
        yield run


def _fold_in_place(text: str) -> tuple[str, list[int], list[int]]:
    """The folded text, and for each of its characters where it came from: start and end in ``text``."""
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        unseen = _UNSEEN.match(text, at)
        if unseen is not None:
            at = unseen.end()
            continue
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        piece = fold(text[at:end])
        folded.append(piece)
        starts += [at] * len(piece)
        ends += [end] * len(piece)
        at = end
    return "".join(folded), starts, ends
