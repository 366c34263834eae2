"""The inventory of an OCFL 1.1 object, one object a case file. Dictionaries in, bytes out, and back.

Logical names are the documents' names; a document is stored once, in the version that brought it. Sections cited:
OCFL 1.1, 3.5 (inventory), 3.5.3.1 (versions).
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha512
from typing import Any

from archive.errors import Code, MunimentError

OBJECT_DECLARATION = ("0=ocfl_object_1.1", b"ocfl_object_1.1\n")
ROOT_DECLARATION = ("0=ocfl_1.1", b"ocfl_1.1\n")
NAME = "inventory.json"
SIDECAR = "inventory.json.sha512"
LONGEST = 1 << 26  # bytes of an inventory; a longer one is none of ours
_DEPTH = 4  # year, level, category, reference: as deep as an object lies
_TYPE = "https://ocfl.io/1.1/spec/#inventory"


@dataclass(frozen=True, slots=True)
class Change:
    """A new version: who and why (no personal data of a customer), and the SHA-512 of each name it brings."""

    created: datetime
    message: str
    user: str
    brings: Mapping[str, str]  # logical name -> SHA-512 in hex


def object_of(path: str) -> str | None:
    """The folder of the object that a path from the root leads into; none for what lies beside objects."""
    parts = path.split("/")
    return "/".join(parts[:_DEPTH]) if len(parts) > _DEPTH else None


def first(identifier: str, change: Change) -> dict[str, Any]:
    empty = {
        "id": identifier,
        "type": _TYPE,
        "digestAlgorithm": "sha512",
        "head": "v0",
        "manifest": {},
        "versions": {},
    }
    return following(empty, change)


def following(inventory: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The inventory with one more version; names it does not bring stay as they were."""
    result: dict[str, Any] = deepcopy(dict(inventory))
    head = result["head"]
    version = f"v{int(head[1:]) + 1}"
    names = _names(result["versions"][head]["state"]) if head != "v0" else {}
    for name, digest in change.brings.items():
        names[name] = digest
        result["manifest"].setdefault(digest, []).append(f"{version}/content/{name}")
    state: dict[str, list[str]] = {}
    for name, digest in sorted(names.items()):
        state.setdefault(digest, []).append(name)
    result["head"] = version
    result["versions"][version] = {
        "created": change.created.isoformat(timespec="seconds"),
        "message": change.message,
        "user": {"name": change.user, "address": f"urn:muniment:{change.user}"},
        "state": state,
    }
    return result


def encode(inventory: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """The inventory file and its sidecar."""
    content = json.dumps(inventory, ensure_ascii=False, indent=1, sort_keys=True).encode()
    return content, sidecar(content)


def sidecar(content: bytes) -> bytes:
    """The sidecar of an inventory file, every byte of it (OCFL 1.1, 3.7)."""
    return f"{sha512(content).hexdigest()} {NAME}\n".encode()


def decode(content: bytes) -> dict[str, Any]:
    """What was read up to a byte beyond ``LONGEST``. Raises MunimentError(DOCUMENT_ALTERED)."""
    document: Any = None
    with suppress(ValueError, RecursionError):
        document = json.loads(content) if len(content) <= LONGEST else None
    if not isinstance(document, dict):
        raise MunimentError(Code.DOCUMENT_ALTERED, document=NAME)
    return document


def _names(state: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: digest for digest, names in state.items() for name in names}
