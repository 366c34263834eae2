"""Who did something to the case files of a package: numbers, and the names that the exporting archive knew."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from archive.causes import Cause
from archive.ledger.entries import PERSON
from archive.packages import bag
from archive.packages.describing import Description

NAMES = "actors.json"
_LONGEST = 80  # characters of a name


def actors_of(description: Description, events: Mapping[str, Any]) -> set[str]:
    """Who is named by the case file, its versions and holds, and by its events here and in every archive before.

    Raises ValueError, KeyError, TypeError where ``events`` are none.
    """
    rows = [asdict(description.case_file), *map(asdict, description.holds)]
    named = {value for row in rows for column, value in row.items() if column.endswith("_by") and value}
    return {*named, *(each.user for each in description.versions), *_acting(events)}


def _acting(events: Mapping[str, Any] | None) -> Iterator[str]:
    while events is not None:
        yield from (str(json.loads(each["leaf"])["actor"]) for each in events["events"])
        events = events.get("former")


def names_of(package: Path) -> dict[str, str]:
    """The people that the package names. Raises MunimentError(PACKAGE_DAMAGED)."""
    path = f"data/{NAMES}"
    try:
        given = json.loads(bag.read_file(package, path))
        return {str(number): _name(name) for number, name in given.items() if PERSON.fullmatch(number)}
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise bag.damaged(
            path, Cause("没有正确列出经办人", "it does not list people and their names")
        ) from None


def _name(given: object) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= _LONGEST or not given.isprintable():
        raise ValueError("a name")
    return given
