"""The place of a backup: whose it is, and its key, wrapped by the master key and kept with the other keys, apart."""

import json
from dataclasses import dataclass

from archive.backup.sealing import Sealer
from archive.backup.stores import Store
from archive.errors import Code, MunimentError
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.sealing import KEY_BYTES, Randomness

_FORMAT = 1
_DESCRIPTION = "muniment-backup.json"
_KEY = "backup-key.json"


@dataclass(frozen=True, slots=True)
class Place:
    """``keys`` is another store where the wrapped keys lie in a place of their own, else the same.

    ``said`` names it in messages.
    """

    store: Store
    keys: Store
    said: str


def open_place(place: Place, keyring: Keyring, randomness: Randomness) -> tuple[str, Sealer]:
    """The archive whose backup this is, and its sealer. Raises BACKUP_MISSING, BACKUP_DAMAGED, KEY_WRONG."""
    if not place.store.has(_DESCRIPTION):
        raise MunimentError(Code.BACKUP_MISSING, place=place.said)
    archive = _archive(place)
    secret = keyring.unwrap(_wrapped(place), f"backup:{archive}")
    return archive, Sealer(secret, randomness)


def prepare_place(place: Place, archive: str, keyring: Keyring, randomness: Randomness) -> Sealer:
    """The sealer for this archive's backup, whose key is made when there is none and follows the master key's
    rotation. Raises BACKUP_OF_OTHER, BACKUP_DAMAGED, KEY_WRONG.
    """
    if not place.keys.has(_KEY):
        if place.store.has(_DESCRIPTION):  # a key is never made anew over objects that it does not open
            raise MunimentError(Code.BACKUP_DAMAGED, path=_KEY, problem="the key of the backup is missing")
        _put_key(place, archive, keyring, randomness(KEY_BYTES))
    if not place.store.has(_DESCRIPTION):
        document = json.dumps({"muniment-backup": _FORMAT, "archive": archive}, indent=1)
        place.store.put(_DESCRIPTION, [document.encode()])
    if _archive(place) != archive:
        raise MunimentError(Code.BACKUP_OF_OTHER, place=place.said)
    wrapped = _wrapped(place)
    secret = keyring.unwrap(wrapped, f"backup:{archive}")
    if wrapped.version != keyring.current:
        _put_key(place, archive, keyring, secret)
    return Sealer(secret, randomness)


def _put_key(place: Place, archive: str, keyring: Keyring, secret: bytes) -> None:
    wrapped = keyring.wrap(secret, f"backup:{archive}")
    document = {"master_version": wrapped.version, "key": wrapped.box.hex()}
    place.keys.put(_KEY, [json.dumps(document, indent=1).encode()])


def _archive(place: Place) -> str:
    with place.store.open(_DESCRIPTION) as file:
        try:
            document = json.loads(file.read())
            if document["muniment-backup"] == _FORMAT:
                return str(document["archive"])
        except (ValueError, KeyError, TypeError):
            pass
    raise MunimentError(Code.BACKUP_DAMAGED, path=_DESCRIPTION, problem="it cannot be read")


def _wrapped(place: Place) -> Wrapped:
    with place.keys.open(_KEY) as file:
        try:
            document = json.loads(file.read())
            return Wrapped(int(document["master_version"]), bytes.fromhex(document["key"]))
        except (ValueError, KeyError, TypeError):
            raise MunimentError(Code.BACKUP_DAMAGED, path=_KEY, problem="it cannot be read") from None
