"""Founding an archive in an empty folder, and opening the one that is there.

``archive.json`` in the home folder names the archive and holds its root key, wrapped by the master key, which itself
lies beside the home folder, never in it.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from errno import EEXIST, ENOTDIR, ENOTEMPTY
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.causes import of_system
from archive.database.catalogue import Catalogue, Clock
from archive.database.engine import Database
from archive.database.migrating import migrate, revision
from archive.description import NAME as DESCRIPTION
from archive.description import Description, place_of_archive, read_description, write_description
from archive.errors import Code, MunimentError
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.sealing import KEY_BYTES, Randomness, derive
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import Ledger
from archive.vault import durable
from archive.vault.connection import AMAZON, Service
from archive.vault.placing import HOME, PlacedVault, Places, Where, read_where, write_where

_CATALOGUE = "catalogue.db"


@dataclass(frozen=True, slots=True, repr=False)
class Founded:
    """An open archive: its catalogue, its vault, and the keys of what lies beside them."""

    catalogue: Catalogue
    vault: PlacedVault
    keyring: Keyring
    catalogue_key: bytes
    index_key: bytes
    fingerprint_key: bytes
    quarantine_key: bytes


def is_founded(home: Path) -> bool:
    return (home / DESCRIPTION).exists()


def found(
    home: Path,
    keyring_of: Callable[[], Keyring],
    clock: Clock,
    randomness: Randomness,
    place: str = HOME,
    service: Service = AMAZON,
) -> Founded:
    """Makes an archive in ``home``, which must be missing or empty, and its vault at ``place``, likewise. It is built
    beside and moved there in one step, so that there is a whole archive or none.

    Raises ARCHIVE_EXISTS, VAULT_OCCUPIED, VAULT_UNREACHABLE, VAULT_REFUSED.
    """
    if home.exists() and not home.is_dir():
        raise MunimentError(Code.PATH_UNUSABLE, path=str(home), problem=of_system(ENOTDIR))
    if home.exists() and any(home.iterdir()):
        raise MunimentError(Code.ARCHIVE_EXISTS, home=str(home))
    home.parent.mkdir(parents=True, exist_ok=True)
    keyring = keyring_of()
    built = Path(mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        _build(Places(built, service), place, keyring, clock, randomness)
        built.rename(home)
        durable.sync_folder(home.parent)
    except BaseException as error:
        shutil.rmtree(built, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (ENOTEMPTY, EEXIST):
            # somebody founded one meanwhile
            raise MunimentError(Code.ARCHIVE_EXISTS, home=str(home)) from None
        raise
    return open_archive(home, keyring, clock, randomness, service)


def _build(places: Places, place: str, keyring: Keyring, clock: Clock, randomness: Randomness) -> None:
    home = places.home
    identifier = str(UUID(bytes=randomness(16), version=4))
    root = randomness(KEY_BYTES)
    places.vault(place).create()
    database = Database(home / _CATALOGUE, derive(root, "catalogue"))
    migrate(database)
    signing = Ed25519PrivateKey.from_private_bytes(randomness(KEY_BYTES)).private_bytes_raw()
    with database.writing() as connection:
        for name, value in (("ledger-signing", signing), ("ledger-details", randomness(KEY_BYTES))):
            kept = keyring.wrap(value, name)
            connection.execute(
                tables.secret.insert().values(name=name, master_version=kept.version, box=kept.box)
            )
        write_where(connection, Where(place, None))
    database.close()
    wrapped = keyring.wrap(root, place_of_archive(identifier))
    write_description(home, Description(identifier, wrapped))
    founded = open_archive(home, keyring, clock, randomness)
    with founded.catalogue.unit(CONSOLE) as unit:
        unit.record(Act.ARCHIVE_CREATED, f"archive:{identifier}")
    founded.catalogue.database.close()


def open_archive(
    home: Path, keyring: Keyring, clock: Clock, randomness: Randomness, service: Service = AMAZON
) -> Founded:
    """Raises ARCHIVE_MISSING, ARCHIVE_DAMAGED, KEY_WRONG."""
    description = read_description(home)
    identifier = description.archive
    root = _root(description, keyring)
    if not (home / _CATALOGUE).exists():
        raise MunimentError(Code.ARCHIVE_DAMAGED, path=_CATALOGUE)
    catalogue_key = derive(root, "catalogue")
    database = Database(home / _CATALOGUE, catalogue_key)
    try:
        _check_begun(database)
        migrate(database)
        ledger = open_ledger(database, keyring, identifier, randomness)
    except BaseException:
        database.close()
        raise

    def where() -> Where:
        with database.reading() as connection:
            return read_where(connection)

    return Founded(
        Catalogue(database, ledger, clock),
        PlacedVault(where, Places(home, service)),
        keyring,
        catalogue_key=catalogue_key,
        index_key=derive(root, "index"),
        fingerprint_key=derive(root, "fingerprint"),
        quarantine_key=derive(root, "quarantine"),
    )


def describe_again(
    home: Path,
    keyring: Keyring,
    kept: Description | None,
    clock: Clock,
    randomness: Randomness,
    service: Service = AMAZON,
) -> bool:
    """``archive.json``, where it is gone or altered, is made again from what the key journal has of it, once that has
    opened the catalogue. Whether it was; the ledger says so. Raises as ``open_archive`` where it cannot be.
    """
    try:
        _root(read_description(home), keyring)
    except MunimentError:
        if kept is None or not (home / _CATALOGUE).exists():
            raise
    else:
        return False
    database = Database(home / _CATALOGUE, catalogue_key_of(kept, keyring))
    try:
        _check_begun(database)
    finally:
        database.close()
    write_description(home, kept)
    founded = open_archive(home, keyring, clock, randomness, service)
    try:
        with founded.catalogue.unit(CONSOLE) as unit:
            subject, restored = f"archive:{kept.archive}", [DESCRIPTION]
            unit.record(Act.REPAIRED, subject, detail={"documents": restored, "result": "whole"})
    finally:
        founded.catalogue.database.close()
    return True


def catalogue_key_of(description: Description, keyring: Keyring) -> bytes:
    """Raises KEY_WRONG."""
    return derive(_root(description, keyring), "catalogue")


def _root(description: Description, keyring: Keyring) -> bytes:
    """The key that the archive's other keys are derived from."""
    return keyring.unwrap(description.wrapped, place_of_archive(description.archive))


def _check_begun(database: Database) -> None:
    """An emptied catalogue is damage: it is not for us to begin anew."""
    with database.reading() as connection:
        if revision(connection) is None:
            raise MunimentError(Code.ARCHIVE_DAMAGED, path=database.path.name)


def open_ledger(database: Database, keyring: Keyring, identifier: str, randomness: Randomness) -> Ledger:
    """With the secrets that lie in the catalogue. Raises KEY_WRONG."""
    with database.reading() as connection:
        rows = connection.execute(tables.secret.select()).all()
    secrets = {row.name: keyring.unwrap(Wrapped(row.master_version, row.box), row.name) for row in rows}
    signing_key = Ed25519PrivateKey.from_private_bytes(secrets["ledger-signing"])
    return Ledger(f"muniment/{identifier}", signing_key, secrets["ledger-details"], randomness)
