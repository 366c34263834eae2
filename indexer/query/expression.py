"""What a query asks for, as a tree: phrases in the texts, facts of the catalogue, and how they go together. Pure."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from archive.keys.filekey import CaseFileId
from indexer.analysis import Phrase
from indexer.query.facts import Fact


@dataclass(frozen=True, slots=True)
class AllOf:
    """At least one part; true where each is."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part; true where one is."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expression"


@dataclass(frozen=True, slots=True)
class Among:
    """One of these case files: what the catalogue made of a fact, for an engine that knows no facts."""

    ids: AbstractSet[CaseFileId]


Expression = AllOf | AnyOf | Not | Among | Fact | Phrase


def phrases(tree: Expression) -> Iterator[Phrase]:
    """Those a case file is found by; what is excluded is not among them."""
    match tree:
        case Phrase():
            yield tree
        case AllOf(parts) | AnyOf(parts):
            for each in parts:
                yield from phrases(each)


def all_phrases(tree: Expression) -> Iterator[Phrase]:
    """Those that are excluded too."""
    match tree:
        case Phrase():
            yield tree
        case AllOf(parts) | AnyOf(parts):
            for each in parts:
                yield from all_phrases(each)
        case Not(part):
            yield from all_phrases(part)


def speaks_of_texts(tree: Expression) -> bool:
    """Whether the catalogue alone cannot tell."""
    match tree:
        case Phrase():
            return True
        case AllOf(parts) | AnyOf(parts):
            return any(map(speaks_of_texts, parts))
        case Not(part):
            return speaks_of_texts(part)
        case _:
            return False


def excludes(tree: Expression) -> bool:
    match tree:
        case Not():
            return True
        case AllOf(parts) | AnyOf(parts):
            return any(map(excludes, parts))
        case _:
            return False
