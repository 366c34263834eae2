"""Repair from a backup that the settings do not name."""

from secrets import token_bytes

from archive.backup.copies import BackupCopies
from archive.backup.places import Place, open_place
from archive.fixity.repairing import Repairing
from web.wiring import House


def mending(house: House, kept: Place) -> Repairing:
    return Repairing(
        house.catalogue,
        house.case_files,
        house.founded.vault,
        house.sandbox,
        house.recording,
        lambda: BackupCopies(kept.store, open_place(kept, house.founded.keyring, token_bytes)[1]),
    )
