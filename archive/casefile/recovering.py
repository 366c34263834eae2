"""After a fault: the vault is brought back to what the catalogue knows. The catalogue is the truth, never the vault."""

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue
from archive.vault.port import Vault


def settle(catalogue: Catalogue, vault: Vault, reference: Reference) -> None:
    """Removes what the vault holds of this file beyond its row. The caller holds the series' lock.

    Asks the catalogue first: a commit may have succeeded although its caller was interrupted.
    """
    query = sa.select(tables.case_file.c.version).where(tables.case_file.c.reference == str(reference))
    with catalogue.reading() as connection:
        known = connection.execute(query).scalar() or 0
    vault.roll_back(reference.folder, known)


def recover(catalogue: Catalogue, vault: Vault) -> int:
    """At start: clears what a crash left behind. Returns how many unfinished acts were cleared."""

    def settle_named(name: str) -> None:
        reference = Reference.parse(name)
        with vault.locked(str(reference.series)):
            settle(catalogue, vault, reference)

    return vault.recover(settle_named)
