"""The keys of backups, remembered by the archive that made them.

A rotation of the master key does not reach every place: one may be unplugged, another not in the settings. So the key
of each place is also among the secrets of the archive, which a rotation wraps anew, and opens the place when what lies
there is wrapped by a master key that is gone.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from archive.database.catalogue import Catalogue
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.sealing import derive
from archive.keys.versions import wrapping_version
from archive.ledger.tables import secret as secret_table


@dataclass(frozen=True, slots=True)
class PlaceKeys:
    catalogue: Catalogue
    keyring: Keyring

    def of(self, identifier: str) -> bytes | None:
        """As ``identified`` names it; none where no backup of this archive has it."""
        query = sa.select(secret_table).where(secret_table.c.name == _name(identifier))
        with self.catalogue.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else self.keyring.unwrap(Wrapped(row.master_version, row.box), row.name)

    def keep(self, key: bytes) -> None:
        """Before anything is sealed under it."""
        if self.of(identified(key)) is not None:
            return
        name = _name(identified(key))
        with self.catalogue.housekeeping() as connection:
            kept = self.keyring.wrap(key, name, at_least=wrapping_version(connection))
            row = {"name": name, "master_version": kept.version, "box": kept.box}
            connection.execute(insert(secret_table).values(row).on_conflict_do_nothing())


def identified(key: bytes) -> str:
    """16 hex digits that tell the key of a backup and nothing about it."""
    return derive(key, "identifier", 8).hex()


def _name(identifier: str) -> str:
    return f"backup-key:{identifier}"
