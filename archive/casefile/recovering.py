"""After a fault: the vault is brought back to what the catalogue knows, as far as that is sure to be all.

The catalogue is the truth, never the vault, while it is the one that the vault was filled with. An older one that was
put back does not know what was acknowledged since. So what lies beyond its rows is removed only where a staging folder
that nobody holds says that an act was cut off there; anything else is left, and nothing is put over it.
"""

import logging

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.numbering import last_number
from archive.casefile.reference import Reference, Series
from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.vault.port import Vault
from archive.vault.staging import Staging

_UNSURE = frozenset({Code.CATALOGUE_LOST, Code.DISK_FULL})
_logger = logging.getLogger("muniment")


def make_way(catalogue: Catalogue, vault: Vault, reference: Reference, version: int) -> None:
    """Before the version after ``version`` is put there: clears what an act left that was cut off. The caller holds
    the series' lock. Raises CATALOGUE_OLDER for what nobody was cut off at, ARCHIVE_BUSY where a start is clearing it.
    """
    clear(catalogue, vault, reference)
    if vault.holds(reference.folder, version):
        if vault.marked(str(reference)):
            raise MunimentError(Code.ARCHIVE_BUSY)
        raise MunimentError(Code.CATALOGUE_OLDER, reference=str(reference))


def clear(catalogue: Catalogue, vault: Vault, reference: Reference) -> None:
    """What an act left at this file that was cut off, and the folder that is the proof of it: no later act is to be
    taken for that one. The caller holds the series' lock. Raises as ``settle``.
    """
    vault.recover(lambda _: settle(catalogue, vault, reference), of=str(reference))


def settle(catalogue: Catalogue, vault: Vault, reference: Reference) -> None:
    """Removes what the vault holds of this file beyond its row. The caller holds the series' lock and knows that
    somebody was cut off there.

    Asks the catalogue first: a commit may have succeeded although its caller was interrupted. One act leaves one
    version, or an object at the end of its series: raises CATALOGUE_OLDER where there is more.
    """
    known, following = _version(catalogue, reference), Reference(reference.series, reference.number + 1)
    if known:
        more = vault.holds(reference.folder, known + 1)
    else:
        more = vault.holds(following.folder) and not _version(catalogue, following)
    if more:
        raise MunimentError(Code.CATALOGUE_OLDER, reference=str(reference))
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
            try:
                settle(catalogue, vault, reference)
            except MunimentError as error:
                if error.code not in (Code.CATALOGUE_OLDER, Code.DOCUMENT_MISSING):  # damage stops no start
                    raise
                _warn(error.code, reference)

    cleared = vault.recover(settle_named)
    for series in filter(None, map(_series, vault.series())):
        if vault.holds(_following(catalogue, series).folder):
            with vault.locked(str(series)):  # a filing may be at work there
                following = _following(catalogue, series)
                if vault.holds(following.folder):
                    _warn(Code.CATALOGUE_OLDER, following)
    return cleared


def _warn(code: Code, reference: Reference) -> None:
    _logger.warning("%s: what the vault holds of %s beyond the catalogue is left as it is", code, reference)


def _following(catalogue: Catalogue, series: Series) -> Reference:
    with catalogue.reading() as connection:
        return Reference(series, last_number(connection, series) + 1)


def _version(catalogue: Catalogue, reference: Reference) -> int:
    """That the catalogue knows; 0 for a file that it does not."""
    query = sa.select(tables.case_file.c.version).where(tables.case_file.c.reference == str(reference))
    with catalogue.reading() as connection:
        return connection.execute(query).scalar() or 0


def _series(folder: str) -> Series | None:
    """None for a folder that is none's: a check names it, and it stops no start."""
    try:
        first = Reference.parse(f"{folder.replace('/', '-')}-001")
    except MunimentError:
        return None
    return first.series if first.folder.startswith(f"{folder}/") else None
