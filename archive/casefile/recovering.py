"""After a fault: the vault is brought back to what the catalogue knows. The catalogue is the truth, never the vault."""

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.numbering import last_number
from archive.casefile.reference import Reference, Series
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.vault.port import Vault
from archive.vault.staging import Staging

_UNSURE = frozenset({Code.CATALOGUE_LOST, Code.DISK_FULL})


def settle(catalogue: Catalogue, vault: Vault, reference: Reference) -> None:
    """Removes what the vault holds of this file beyond its row. The caller holds the series' lock.

    Asks the catalogue first: a commit may have succeeded although its caller was interrupted.
    """
    query = sa.select(tables.case_file.c.version).where(tables.case_file.c.reference == str(reference))
    with catalogue.reading() as connection:
        known = connection.execute(query).scalar() or 0
    vault.roll_back(reference.folder, known)


def undo(
    catalogue: Catalogue, vault: Vault, reference: Reference, staging: Staging, error: BaseException
) -> None:
    """After an act that failed with ``error``: settles, unless the catalogue failed it.

    A commit whose fsync failed is reported as failed, yet its pages may be in the write-ahead log: if all processes
    end before the next commit, the next start finds it committed. Nor does a catalogue that was taken away know what
    others filed since. So nothing is removed until ``recover`` has looked.
    """
    if isinstance(error, MunimentError) and error.code in _UNSURE:
        return
    settle(catalogue, vault, reference)
    staging.settled = True


def recover(catalogue: Catalogue, vault: Vault) -> int:
    """At start: clears what a crash left behind. Returns how many unfinished acts were cleared."""

    def settle_named(name: str) -> None:
        reference = Reference.parse(name)
        with vault.locked(str(reference.series)):
            settle(catalogue, vault, reference)

    cleared = vault.recover(settle_named)
    for series in filter(None, map(_series, vault.series())):
        with catalogue.reading() as connection:
            following = Reference(series, last_number(connection, series) + 1)
        if vault.holds(following.folder):  # the one place where a filing cut off leaves an object
            settle_named(str(following))
            cleared += 1
    return cleared


def _series(folder: str) -> Series | None:
    """None for a folder that is none's: a check names it, and it stops no start."""
    try:
        first = Reference.parse(f"{folder.replace('/', '-')}-001")
    except MunimentError:
        return None
    return first.series if first.folder.startswith(f"{folder}/") else None
