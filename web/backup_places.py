"""Where backups and other copies lie, from the settings and the words of a person."""

from pathlib import Path
from secrets import token_bytes

from archive.backup.copies import BackupCopies
from archive.backup.places import Place, check_apart, named_place, open_place, same_place
from archive.backup.remembering import PlaceKeys
from archive.causes import Unfit
from archive.errors import Code, MunimentError
from archive.fixity.copies import BucketCopies, Copies, MirrorCopies
from archive.founding import Founded, is_founded
from archive.vault.bucket import Bucket
from archive.vault.connection import bucket_of
from archive.vault.placing import PlacedVault
from web.settings import Settings


def place(settings: Settings, to: str, keys_to: str = "") -> Place:
    """Where a backup lies, from the words of a person: folders or ``s3://``; where the settings speak of that backup,
    they say where its keys are. Raises SETTING_INVALID for what is no place, BACKUP_KEYS_TOGETHER.
    """
    try:
        return named_place(to, _keys(settings, to, keys_to), settings.backup_service, _scratch(settings))
    except Unfit as error:
        raise MunimentError(Code.SETTING_INVALID, key="backup_to", problem=error.cause) from None


def _keys(settings: Settings, to: str, keys_to: str) -> str:
    same = settings.backup_to and same_place(to, settings.backup_to)
    return keys_to or (settings.backup_keys_to if same else "")


def _scratch(settings: Settings) -> Path:
    """For encrypted files on their way; beside the archive where there is none yet."""
    home = settings.home.absolute()
    return home / "staging" if is_founded(home) else home.parent


def copies(mirror: str, settings: Settings, founded: Founded) -> Copies:
    """A backup, else a plain copy of the vault; one that is not mounted just now has nothing to give. A bucket is the
    backup of the settings, whose keys they name, or a plain copy.
    """
    if bucket_of(mirror) and not same_place(mirror, settings.backup_to):
        return BucketCopies(Bucket(mirror, settings.backup_service, _scratch(settings)))
    backup = place(settings, mirror)
    kept = PlaceKeys(founded.catalogue, founded.keyring)
    try:
        return BackupCopies(backup.store, open_place(backup, founded.keyring, token_bytes, kept)[1])
    except MunimentError as error:
        if error.code is not Code.BACKUP_MISSING:
            raise
        return MirrorCopies(Path(mirror).absolute())


def backup_place(settings: Settings, vault: PlacedVault, to: str, keys_to: str = "") -> Place:
    """As ``place``, for what is put there: not where the vault lies or moves to. Raises BACKUP_IN_VAULT too."""
    wanted, where = place(settings, to, keys_to), vault.where()
    check_apart(to, _keys(settings, to, keys_to), (where.place, where.moving_to or ""))
    return wanted
