"""Whether one case file is what a query asks for, told from its text itself: for files that no index holds yet."""

from collections.abc import Iterable, Sequence

from archive.keys.filekey import CaseFileId
from indexer.analysis import Atom, Phrase, atoms, fold
from indexer.query.expression import AllOf, Among, AnyOf, Expression, Not


def rows_of(parts: Iterable[str]) -> list[list[Atom]]:
    return [atoms(fold(part)) for part in parts]


def holds(tree: Expression, case_file: CaseFileId, rows: Sequence[Sequence[Atom]]) -> bool:
    """The tree's facts were resolved before."""
    match tree:
        case Phrase():
            return any(tree.stands_in(row) for row in rows)
        case Among(ids):
            return case_file in ids
        case AllOf(parts):
            return all(holds(each, case_file, rows) for each in parts)
        case AnyOf(parts):
            return any(holds(each, case_file, rows) for each in parts)
        case Not(part):
            return not holds(part, case_file, rows)
    raise TypeError(type(tree).__name__)
