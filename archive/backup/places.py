"""The place of a backup: whose it is, and its key, wrapped by the master key and kept with the other keys, apart."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archive import checksummed
from archive.backup.remembering import PlaceKeys, identified
from archive.backup.s3 import S3Store
from archive.backup.sealing import Sealer
from archive.backup.stores import FolderStore, Store
from archive.causes import ALTERED, UNREADABLE, Cause, Unfit
from archive.errors import Code, MunimentError
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.sealing import KEY_BYTES, Randomness
from archive.vault.bucket import Bucket
from archive.vault.connection import SCHEME, Service, bucket_of

_FORMAT = 1
_DESCRIPTION = "muniment-backup.json"
_DESCRIPTION_FIELDS = frozenset({"muniment-backup", "archive"})
_KEY = "backup-key.json"
_KEY_FIELDS = frozenset({"master_version", "key", "id"})
_KEYS_BUCKET = "-keys"  # behind the name of the backup's


@dataclass(frozen=True, slots=True)
class Place:
    """``keys`` is another store where the wrapped keys lie in a place of their own, else the same.

    ``said`` names it in messages.
    """

    store: Store
    keys: Store
    said: str


@dataclass(frozen=True, slots=True)
class _Key:
    """Of a backup, as it lies there. ``identifier`` is as ``identified``; empty in older ones."""

    wrapped: Wrapped
    identifier: str


def named_place(to: str, keys_to: str, service: Service, scratch: Path) -> Place:
    """The place that somebody means: a folder or ``s3://bucket/prefix``, and another for the keys or ``""``. What goes
    to a bucket never takes its keys along: whoever opens that bucket must not have both.

    Raises Unfit for what can be none, BACKUP_KEYS_TOGETHER.
    """
    store, apart = _store(to, service, scratch), keys_place(to, keys_to)
    if bucket_of(to) and bucket_of(to) == bucket_of(apart):
        raise MunimentError(Code.BACKUP_KEYS_TOGETHER, place=to)
    if apart == to:
        return Place(store, store, to)
    return Place(store, _store(apart, service, scratch, ours=not keys_to), to)


def keys_place(to: str, keys_to: str) -> str:
    """Where the keys of a backup go: where somebody says, else with it, or beside its bucket ``b`` to ``b-keys``."""
    bucket = bucket_of(to)
    if keys_to or not bucket:
        return keys_to or to
    return f"{SCHEME}{bucket}{_KEYS_BUCKET}{to.removeprefix(SCHEME + bucket)}"


def same_place(one: str, other: str) -> bool:
    """Whether two texts name the same place."""
    return _named(one) == _named(other)


def check_apart(to: str, keys_to: str, vaults: Iterable[str]) -> None:
    """Neither a backup nor its keys go to the bucket of the vault: who can delete the one must not have the other.
    Names decide, whatever the services: their addresses may have several spellings. Raises BACKUP_IN_VAULT.
    """
    taken = {bucket_of(each) for each in vaults if bucket_of(each)}
    for each in (to, keys_place(to, keys_to)):
        if bucket_of(each) in taken:
            raise MunimentError(Code.BACKUP_IN_VAULT, place=each)


def _named(text: str) -> str:
    return text.rstrip("/") if bucket_of(text) else str(Path(text).absolute())


def _store(text: str, service: Service, scratch: Path, *, ours: bool = False) -> Store:
    if text.startswith(SCHEME):
        return S3Store(Bucket(text, service, scratch), scratch, ours=ours)
    if "://" in text:
        raise Unfit(
            f"“{text}”既不是文件夹，也不是 {SCHEME}存储桶/前缀",
            f"{text!r} is neither a folder nor like {SCHEME}bucket/prefix",
        )
    return FolderStore(Path(text).absolute())


def open_place(
    place: Place, keyring: Keyring, randomness: Randomness, kept: PlaceKeys | None = None
) -> tuple[str, Sealer]:
    """The archive whose backup this is, and its sealer. Raises BACKUP_MISSING, BACKUP_DAMAGED, BACKUP_KEY_VERSION,
    KEY_WRONG.
    """
    if not place.store.has(_DESCRIPTION):
        raise MunimentError(Code.BACKUP_MISSING, place=place.said)
    archive = _archive(place)
    return archive, Sealer(_opened(place, _wrapped(place), archive, keyring, kept), randomness)


def prepare_place(
    place: Place, archive: str, keyring: Keyring, randomness: Randomness, kept: PlaceKeys
) -> Sealer:
    """The sealer for this archive's backup, whose key is made when there is none, is kept by the archive, and follows
    the master key's rotation. Raises BACKUP_OF_OTHER, BACKUP_DAMAGED, BACKUP_KEY_VERSION, KEY_WRONG.
    """
    if not place.keys.has(_KEY):
        if place.store.has(_DESCRIPTION):  # a key is never made anew over objects that it does not open
            raise MunimentError(
                Code.BACKUP_DAMAGED,
                path=_KEY,
                problem=Cause("备份的密钥缺失", "the key of the backup is missing"),
            )
        _put_key(place, archive, keyring, randomness(KEY_BYTES))
    if not place.store.has(_DESCRIPTION):
        document = {"muniment-backup": _FORMAT, "archive": archive}
        place.store.put(_DESCRIPTION, [checksummed.dump(document)])
    if _archive(place) != archive:
        raise MunimentError(Code.BACKUP_OF_OTHER, place=place.said)
    found = _wrapped(place)
    secret = _opened(place, found, archive, keyring, kept)
    kept.keep(secret)
    if (found.wrapped.version, found.identifier) != (keyring.current, identified(secret)):
        _put_key(place, archive, keyring, secret)
    return Sealer(secret, randomness)


def _opened(place: Place, found: _Key, archive: str, keyring: Keyring, kept: PlaceKeys | None) -> bytes:
    """By the master key; where it is of another time, as this archive has kept it. Raises BACKUP_DAMAGED,
    BACKUP_KEY_VERSION, KEY_WRONG.
    """
    secret: bytes | None
    try:
        secret = keyring.unwrap(found.wrapped, f"backup:{archive}")
    except MunimentError as error:
        if error.code is not Code.KEY_WRONG or found.wrapped.version in keyring.keys:
            raise
        secret = None if kept is None else kept.of(found.identifier)
        if secret is None:
            facts = {"place": place.said, "version": found.wrapped.version}
            raise MunimentError(Code.BACKUP_KEY_VERSION, **facts) from None
    if found.identifier not in ("", identified(secret)):
        raise MunimentError(Code.BACKUP_DAMAGED, path=_KEY, problem=ALTERED)
    return secret


def _put_key(place: Place, archive: str, keyring: Keyring, secret: bytes) -> None:
    wrapped = keyring.wrap(secret, f"backup:{archive}")
    document = {"master_version": wrapped.version, "key": wrapped.box.hex(), "id": identified(secret)}
    place.keys.put(_KEY, [checksummed.dump(document)])


def _archive(place: Place) -> str:
    with place.store.open(_DESCRIPTION) as file:
        try:
            document = checksummed.load(file.read(), _DESCRIPTION_FIELDS)
            if document["muniment-backup"] == _FORMAT:
                return str(document["archive"])
        except (ValueError, KeyError, TypeError):
            pass
    raise MunimentError(Code.BACKUP_DAMAGED, path=_DESCRIPTION, problem=UNREADABLE)


def _wrapped(place: Place) -> _Key:
    with place.keys.open(_KEY) as file:
        content = file.read()
    try:
        document = checksummed.load(content, _KEY_FIELDS)
        version, box = int(document["master_version"]), bytes.fromhex(document["key"])
    except (ValueError, KeyError, TypeError):
        raise MunimentError(Code.BACKUP_DAMAGED, path=_KEY, problem=UNREADABLE) from None
    return _Key(Wrapped(version, box), str(document.get("id", "")))  # older ones have none
