"""The events of one case file with what proves them: leaves, salts, inclusion proofs and the checkpoint.

A third party checks it without us: the salted hash of salt and detail stands in the leaf (SHA-256), the proof leads
from the leaf to the root (RFC 9162, 2.1.3), the checkpoint is a C2SP signed note over that root.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from archive.casefile.reading import CaseFile
from archive.keys.filekey import FileKey
from archive.keys.sealing import BoxError
from archive.ledger import tables
from archive.ledger.entries import SALT_BYTES, detail_bytes, salted_hash
from archive.ledger.log import Ledger, latest_checkpoint, read_node, size
from archive.ledger.merkle import Hash, inclusion_proof, leaf_hash, verify_inclusion
from archive.ledger.notes import Verifier, open_note

PROOF = "export-proof.json"  # of a package: the entries of its export


def positions(connection: sa.Connection, case_file: CaseFile) -> list[int]:
    """Of every entry about the case file, in order: by its reference, or sealed under its key."""
    entry, detail = tables.entry.c, tables.detail.c
    by_name = sa.select(entry.position).where(entry.subject == case_file.reference)
    by_key = sa.select(detail.position).where(detail.case_file == case_file.id)
    return sorted(connection.execute(by_name.union(by_key)).scalars())


def proven(connection: sa.Connection, ledger: Ledger, key: FileKey, wanted: Sequence[int]) -> dict[str, Any]:
    """The entries as JSON values, each with its proof, under the newest checkpoint."""
    total = size(connection)
    return {
        "checkpoint": latest_checkpoint(connection),
        "key": ledger.verifier.to_text(),
        "events": [_event(connection, ledger, key, position, total) for position in wanted],
    }


def checked(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events, after each was proven against the checkpoint and the checkpoint against the key that stands beside
    it. Raises ValueError (NoteError, ProofError), KeyError, TypeError.
    """
    checkpoint = open_note(document["checkpoint"], [Verifier.from_text(document["key"])])
    for event in document["events"]:
        leaf, proof = event["leaf"], [Hash(b64decode(each)) for each in event["proof"]]
        hashed = leaf_hash(leaf.encode())
        verify_inclusion(hashed, event["index"], checkpoint.size, proof, checkpoint.root)
        if event["detail"] is not None:
            opened = detail_bytes(event["detail"], b64decode(event["salt"]))
            if salted_hash(opened) != json.loads(leaf)["detail"]:
                raise ValueError("a detail is not the one of its entry")
    return list(document["events"])


def _event(
    connection: sa.Connection, ledger: Ledger, key: FileKey, position: int, total: int
) -> dict[str, Any]:
    query = (
        sa.select(tables.entry.c.leaf, tables.detail.c.case_file, tables.detail.c.box)
        .outerjoin(tables.detail, tables.detail.c.position == tables.entry.c.position)
        .where(tables.entry.c.position == position)
    )
    row = connection.execute(query).one()
    opened = None
    if row.box is not None:
        try:
            opened = ledger.open_detail(position, row.case_file, row.box, lambda _: key)
        except BoxError:
            opened = None  # verification names it; the leaf and its proof still stand
    return {
        "index": position,
        "leaf": row.leaf,
        "detail": None if opened is None else json.loads(opened[SALT_BYTES:]),
        "salt": None if opened is None else b64encode(opened[:SALT_BYTES]).decode(),
        "proof": [
            b64encode(each).decode() for each in inclusion_proof(position, total, read_node(connection))
        ],
    }
