"""Whether one case file is what a query asks for, told from its text itself: for files that no index holds yet."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from archive.keys.filekey import CaseFileId
from indexer.analysis import Atom, Part, Phrase, rows_of
from indexer.query.expression import AllOf, Among, AnyOf, Expression, Not, all_phrases


def holds(tree: Expression, case_file: CaseFileId, parts: Iterable[Part]) -> bool:
    """The tree's facts were resolved before. The parts are read no further than it takes."""
    return _holds(tree, case_file, _standing(frozenset(all_phrases(tree)), parts))


def _holds(tree: Expression, case_file: CaseFileId, standing: AbstractSet[Phrase]) -> bool:
    match tree:
        case Phrase():
            return tree in standing
        case Among(ids):
            return case_file in ids
        case AllOf(parts):
            return all(_holds(each, case_file, standing) for each in parts)
        case AnyOf(parts):
            return any(_holds(each, case_file, standing) for each in parts)
        case Not(part):
            return not _holds(part, case_file, standing)
    raise TypeError(type(tree).__name__)


def _standing(wanted: AbstractSet[Phrase], parts: Iterable[Part]) -> AbstractSet[Phrase]:
    """Those that stand in any of the parts; a piece of a text is looked at with the end of the one before."""
    missing = wanted
    before = max((len(each.atoms) for each in wanted), default=1) - 1
    for part in parts:
        stretch: list[Atom] = []
        for row in rows_of(part):
            stretch = [*(stretch[-before:] if before else ()), *row]
            missing = frozenset(each for each in missing if not each.stands_in(stretch))
            if not missing:
                return wanted
    return wanted - missing
