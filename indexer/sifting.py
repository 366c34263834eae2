"""Answering without an index: facts in SQL, words in the texts of the few files that the asker may read, masked.

Whoever reads pages masked must learn no more by asking than by reading. An index holds what the mask hides, and would
tell it a digit at a time: by hits, counts and order, also through NOT. So those who may not search everything are
answered from the very texts that they are shown (P14.4, P16), and no index is asked at all.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles
from archive.database.catalogue import Catalogue
from archive.keys.filekey import CaseFileId
from indexer.analysis import PIECE, Atom, Part, Phrase, fold, rows_of
from indexer.gathering import gather_masked
from indexer.query.conditions import Condition, Conditions
from indexer.query.expression import Expression, all_phrases, phrases
from indexer.query.saying import saying

_FILE = tables.case_file.c
_Times = Counter[CaseFileId]  # a phrase stands in the texts of the files in which it does


@dataclass(frozen=True, slots=True)
class Sifted:
    """``condition``: what is found, of the files that were allowed. ``best``: those whose texts say something of what
    was asked for, best first.
    """

    condition: Condition
    best: tuple[CaseFileId, ...]


class Sifting:
    def __init__(self, catalogue: Catalogue, case_files: CaseFiles, conditions: Conditions) -> None:
        self._catalogue = catalogue
        self._case_files = case_files
        self._conditions = conditions

    def sift(self, tree: Expression, allowed: sa.Select[Any], readable: Collection[CaseFileId]) -> Sifted:
        """``allowed`` selects the ids of the files that the asker may know of, by their facts; ``readable`` are those
        whose texts they may read. Raises MunimentError(QUERY_INVALID).
        """
        files = self._case_files.select(sa.select(_FILE.id).where(_FILE.id.in_(readable)))
        said = self._said(tuple(dict.fromkeys(all_phrases(tree))), files)
        with self._catalogue.reading() as connection:
            by_facts = saying(connection, allowed)

            def says(phrase: Phrase) -> Condition:
                ids = list(said[phrase])
                return sa.or_(by_facts(phrase), _FILE.id.in_(ids)) if ids else by_facts(phrase)

            condition = self._conditions.of(tree, connection, allowed, says)
        return Sifted(condition, _best([said[each] for each in dict.fromkeys(phrases(tree))], files))

    def _said(self, wanted: Sequence[Phrase], files: Sequence[CaseFile]) -> dict[Phrase, _Times]:
        said: dict[Phrase, _Times] = {each: Counter() for each in wanted}
        before = max((len(each.atoms) for each in wanted), default=1) - 1
        for case_file in files if wanted else ():
            for part in self._parts(case_file):
                text, likely = _likely(part, wanted)
                known: list[Atom] = []  # the end of the piece before, in which a phrase may begin
                for row in rows_of(text) if likely else ():
                    stretch = [*known, *row]
                    for phrase in likely:
                        places = phrase.places(stretch)
                        times = sum(1 for each in places if each + len(phrase.atoms) > len(known))
                        if times:
                            said[phrase][case_file.id] += times
                    known = stretch[-before:] if before else []
        return said

    def _parts(self, case_file: CaseFile) -> Iterable[Part]:
        """None where its key was shredded: nothing of it may be found any more."""
        shredded = self._case_files.file_key(case_file.id) is None
        return () if shredded else gather_masked(self._case_files, case_file)


def _likely(part: Part, wanted: Sequence[Phrase]) -> tuple[Part, Sequence[Phrase]]:
    """The same text, and the phrases that may stand in it: most stand in few, which is sooner known than where."""
    pieces, text = iter(part), ""
    for each in pieces:
        text += each
        if len(text) > PIECE:
            return chain((text,), pieces), wanted
    folded = fold(text)
    return (text,), [each for each in wanted if all(atom.text in folded for atom in each.atoms)]


def _best(said: Sequence[_Times], files: Sequence[CaseFile]) -> tuple[CaseFileId, ...]:
    """What says the phrases more often, and rare ones more than common ones: of the files that the asker reads. Among
    equals in the order of ``files``.
    """

    def score(each: CaseFileId) -> float:
        return sum(math.log1p(found[each]) * math.log1p(len(files) / len(found)) for found in said if found)

    scores = {each.id: score(each.id) for each in files}
    return tuple(sorted((each for each in scores if scores[each]), key=lambda each: -scores[each]))
