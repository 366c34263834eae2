"""What an entry is: canonical JSON in the leaf, the detail sealed beside it.

The leaf holds index, time, actor, act, subject and a salted hash of the detail: never personal data of a customer.
The salt (32 random bytes, kept inside the sealed detail) stops anyone from guessing the detail from its hash, and
lets the detail be shredded without breaking the tree.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NewType

import rfc8785

from archive.database.schema import text_of
from archive.keys.filekey import FileKey
from archive.ledger.acts import Act

Actor = NewType("Actor", str)  # a person's number (P0007), or "console", "system", "nobody"

CONSOLE = Actor("console")
SYSTEM = Actor("system")
NOBODY = Actor("nobody")
PERSON = re.compile(r"P\d{4,9}")

Detail = Mapping[str, "str | int | bool | list[str] | list[int] | None"]
SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Record:
    """An act on its way into the ledger. ``subject`` is a reference code, request, person or other number."""

    act: Act
    subject: str
    detail: Detail | None
    key: FileKey | None  # seals the detail when it belongs to a case file


def leaf(position: int, at: datetime, actor: Actor, record: Record, salted_hash: str | None) -> bytes:
    """RFC 8785."""
    return rfc8785.dumps(
        {
            "index": position,
            "at": text_of(at),
            "actor": actor,
            "act": record.act.value,
            "subject": record.subject,
            "detail": salted_hash,
        }
    )


def detail_bytes(detail: Detail, salt: bytes) -> bytes:
    """What is sealed: the salt, then the canonical detail."""
    if len(salt) != SALT_BYTES:
        raise ValueError("the salt must be 32 bytes")
    return salt + rfc8785.dumps(dict(detail))


def salted_hash(opened: bytes) -> str:
    """SHA-256 in hex over salt and canonical detail."""
    return sha256(opened).hexdigest()


def read_detail(opened: bytes) -> dict[str, object]:
    document: dict[str, object] = json.loads(opened[SALT_BYTES:])
    return document
