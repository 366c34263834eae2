"""Other people's software, asked in this process: as programs of their own they take a second each to start."""

from pathlib import Path

import ocfl


def ocfl_refuses(root: Path) -> list[str]:
    """What ocfl-py finds wrong in a storage root and in each of its objects."""
    store = ocfl.StorageRoot(root=str(root))
    whole = store.validate(log_errors=False, log_warnings=False)  # of the tree alone: objects are counted
    if whole and store.good_objects == store.num_objects:
        return []
    return [f"ocfl-py refuses the vault: {store.errors}"]
