"""Objects in the vault for case files whose rows a test wrote by hand."""

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from archive.casefile.reference import Reference
from archive.vault.inventory import Change
from archive.vault.port import Vault


def place(vault: Vault, row: Mapping[str, Any], at: datetime) -> None:
    """One version that holds one small file."""
    reference = Reference.parse(row["reference"])
    with vault.staging() as staging:
        stored = staging.put(reference.document(0), io.BytesIO(b"sealed"))
        change = Change(at, "filed", "P0001", {reference.document(0): stored.sha512.hex()})
        vault.place(staging, reference.folder, f"urn:uuid:{row['id']}", change)
