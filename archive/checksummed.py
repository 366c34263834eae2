"""Small JSON files that somebody may have to read in ten years, and that say so when a bit of them has flipped.

Their last entry, ``sha256``, is over the text without it. Files of before it have none and are taken at their word.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

_SUM = "sha256"


def dump(document: Mapping[str, Any]) -> bytes:
    """The content of the file."""
    text = json.dumps(document, indent=1)
    return json.dumps({**document, _SUM: sha256(text.encode()).hexdigest()}, indent=1).encode()


def load(content: bytes, fields: frozenset[str] | None = None) -> dict[str, Any]:
    """What was dumped; where ``fields`` are told, no more than these. Raises ValueError for anything else, and
    RecursionError.
    """
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("no object")  # noqa: TRY004 - as what json raises
    checked = document.pop(_SUM, None) is not None
    known = fields is None or set(document) <= fields
    if not known or (checked and dump(document) != content):
        raise ValueError("not as it was written")
    return document
