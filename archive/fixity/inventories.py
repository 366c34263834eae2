"""Whether the inventories of an OCFL object say what the catalogue says. Pure: bytes in, faults out.

Each version's inventory has its sidecar, the newest stands a second time at the top (OCFL 1.1, 3.5 to 3.7).
When, why and by whom a version was made stand in the inventory for other readers; here the ledger is the
witness of that, so these are not compared.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from archive.fixity.held import Held
from archive.fixity.report import Fault
from archive.vault.inventory import NAME, OBJECT_DECLARATION, SIDECAR, Change, first, following, sidecar

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def check_inventories(held: Held, found: Mapping[str, bytes | None]) -> Iterator[tuple[Fault, str]]:
    """``found`` holds the bytes of every inventory, sidecar and declaration by path; none: not there."""
    for path, content in found.items():
        if content is None:
            yield Fault.INVENTORY_MISSING, path
    name, declaration = OBJECT_DECLARATION
    if found[name] not in (None, declaration):
        yield Fault.INVENTORY_ALTERED, name
    yield from ((Fault.INVENTORY_ALTERED, path) for path in sorted(_altered(held, found)))


def _altered(held: Held, found: Mapping[str, bytes | None]) -> set[str]:
    """Inventories and sidecars. Where the two disagree and either may be what was altered, other inventories tell."""
    expected, newest = _expected(held), f"v{held.version}/{NAME}"
    places = {"": held.version, **{f"v{version}/": version for version in range(1, held.version + 1)}}
    there = {folder: content for folder in places if (content := found[folder + NAME]) is not None}
    fitting = {
        folder: content for folder, content in there.items() if _bare(content) == expected[places[folder]]
    }
    confirmed = [
        content for folder, content in fitting.items() if found[folder + SIDECAR] == sidecar(content)
    ]
    altered = {folder + NAME for folder in there.keys() - fitting.keys()}
    for folder, content in fitting.items():
        if found[folder + SIDECAR] not in (None, sidecar(content)):
            altered.add(folder + (NAME if _is_contradicted(content, confirmed) else SIDECAR))
    if len({found[NAME], found[newest]} - {None}) > 1 and not altered & {NAME, newest}:
        altered.add(newest)
    return altered


def says_what_it_must(held: Held, version: int, content: bytes) -> bool:
    """Whether this is the inventory of that version, by all that the catalogue knows."""
    return _bare(content) == _expected(held)[version]


def _expected(held: Held) -> dict[int, object]:
    """What the inventory of each version must say."""
    identifier, said, result = f"urn:uuid:{held.id}", None, {}
    for version in range(1, held.version + 1):
        change = Change(_NEVER, "", "", held.brought_by(version))
        said = first(identifier, change) if said is None else following(said, change)
        result[version] = _without_witness(said)
    return result


def _bare(content: bytes) -> object:
    """None for what is no inventory at all."""
    try:
        return _without_witness(json.loads(content))
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError):
        return None


def _is_contradicted(content: bytes, confirmed: Iterable[bytes]) -> bool:
    """Whether another inventory, which its sidecar confirms, tells of a version otherwise: both said what they must,
    but for when, why and by whom it was made.
    """
    told = json.loads(content)["versions"]
    others = [json.loads(each) for each in confirmed]
    return any(
        told.get(version, made) != made for each in others for version, made in each["versions"].items()
    )


def _without_witness(said: Mapping[str, Any]) -> object:
    return {
        **said,
        "manifest": {digest: sorted(paths) for digest, paths in said["manifest"].items()},
        "versions": {
            version: {digest: sorted(names) for digest, names in each["state"].items()}
            for version, each in said["versions"].items()
        },
    }
