"""Whether the inventories of an OCFL object say what the catalogue says. Pure: bytes in, faults out.

Each version's inventory has its sidecar, the newest stands a second time at the top (OCFL 1.1, 3.5 to 3.7).
When, why and by whom a version was made stand in the inventory for other readers; here the ledger is the
witness of that, so these are not compared.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha512
from typing import Any

from archive.fixity.held import Held
from archive.fixity.report import Fault
from archive.vault.inventory import NAME, OBJECT_DECLARATION, SIDECAR, Change, first, following

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def check_inventories(held: Held, found: Mapping[str, bytes | None]) -> Iterator[tuple[Fault, str]]:
    """``found`` holds the bytes of every inventory, sidecar and declaration by path; none: not there."""
    for path, content in found.items():
        if content is None:
            yield Fault.INVENTORY_MISSING, path
    name, declaration = OBJECT_DECLARATION
    if found[name] not in (None, declaration):
        yield Fault.INVENTORY_ALTERED, name
    expected = _expected(held)
    for version, folder in ((held.version, ""), *((v, f"v{v}/") for v in range(1, held.version + 1))):
        content, sidecar = found[folder + NAME], found[folder + SIDECAR]
        if content is None:
            continue
        if _bare(content) != expected[version]:
            yield Fault.INVENTORY_ALTERED, folder + NAME
        elif sidecar not in (None, f"{sha512(content).hexdigest()} {NAME}\n".encode()):
            yield Fault.INVENTORY_ALTERED, folder + SIDECAR
    top, newest = found[NAME], found[f"v{held.version}/{NAME}"]
    if top is not None and newest is not None and top != newest:
        yield Fault.INVENTORY_ALTERED, f"v{held.version}/{NAME}"


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


def _without_witness(said: Mapping[str, Any]) -> object:
    return {
        **said,
        "manifest": {digest: sorted(paths) for digest, paths in said["manifest"].items()},
        "versions": {
            version: {digest: sorted(names) for digest, names in each["state"].items()}
            for version, each in said["versions"].items()
        },
    }
