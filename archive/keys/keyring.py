"""The master keyring: versioned keys that wrap every other key, kept in a file beside the archive, never in it.

The file is JSON, mode 0600: ``{"muniment-key": 1, "keys": {"1": "<base64, 32 bytes>"}}``. Under a passphrase, ``keys``
is replaced by ``argon2id`` parameters (RFC 9106) and a sealed box of the same object.
"""

import json
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.sealing import KEY_BYTES, BoxError, Randomness, seal, unseal
from archive.vault import durable

_FORMAT = 1
_ARGON2 = {"time_cost": 3, "memory_kib": 65536, "parallelism": 1}
_MOST_KIB = 4 << 20  # 4 GiB: a damaged figure must not eat the machine


@dataclass(frozen=True, slots=True)
class Wrapped:
    version: int  # of the master key
    box: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Master keys by version; the highest wraps, every one unwraps."""

    keys: dict[int, bytes]
    source: str  # the file it came from, for messages

    @property
    def current(self) -> int:
        return max(self.keys)

    def wrap(self, secret: bytes, place: str) -> Wrapped:
        return Wrapped(self.current, seal(self.keys[self.current], secret, f"{place}:v{self.current}"))

    def unwrap(self, wrapped: Wrapped, place: str) -> bytes:
        """Raises MunimentError(KEY_WRONG)."""
        master = self.keys.get(wrapped.version)
        if master is None:
            raise MunimentError(Code.KEY_WRONG, path=self.source)
        try:
            return unseal(master, wrapped.box, f"{place}:v{wrapped.version}")
        except BoxError:
            raise MunimentError(Code.KEY_WRONG, path=self.source) from None

    def wrap_file_key(self, key: FileKey) -> Wrapped:
        return self.wrap(key.secret, f"file:{key.case_file}")

    def file_key(self, case_file: CaseFileId, wrapped: Wrapped) -> FileKey:
        return FileKey(case_file, self.unwrap(wrapped, f"file:{case_file}"))


def create_key_file(path: Path, randomness: Randomness, passphrase: str | None = None) -> Keyring:
    """Writes a new key file, durably; refuses to touch one that is there."""
    keys = {1: randomness(KEY_BYTES)}
    plain = {str(version): b64encode(key).decode() for version, key in keys.items()}
    document: dict[str, object] = {"muniment-key": _FORMAT}
    if passphrase is None:
        document["keys"] = plain
    else:
        salt = randomness(16)
        box = seal(_stretch(passphrase, salt, _ARGON2), json.dumps(plain).encode(), "keyring")
        document["argon2id"] = {**_ARGON2, "salt": b64encode(salt).decode()}
        document["sealed"] = b64encode(box).decode()
    _write(path, json.dumps(document, indent=1).encode())
    return Keyring(keys, str(path))


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: half a key file would pass for a wrong one. Raises FileExistsError."""
    descriptor, fresh = mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(fresh)
    finally:
        Path(fresh).unlink()
    durable.sync_folder(path.parent)


def open_key_file(path: Path, passphrase: str | None = None) -> Keyring:
    """Raises MunimentError: KEY_MISSING, KEY_PERMISSIONS, KEY_WRONG, PASSPHRASE_WRONG. Never makes a key."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise MunimentError(Code.KEY_MISSING, path=str(path)) from None
    except PermissionError:
        raise MunimentError(Code.KEY_PERMISSIONS, path=str(path)) from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise MunimentError(Code.KEY_WRONG, path=str(path)) from None
    if mode & 0o077:
        raise MunimentError(Code.KEY_PERMISSIONS, path=str(path))
    try:
        document = json.loads(text)
        if document["muniment-key"] != _FORMAT:
            raise MunimentError(Code.KEY_WRONG, path=str(path))
        plain = document["keys"] if "keys" in document else _open_sealed(document, passphrase)
        keys = {int(version): b64decode(key, validate=True) for version, key in plain.items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, HashingError):
        raise MunimentError(Code.KEY_WRONG, path=str(path)) from None
    if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise MunimentError(Code.KEY_WRONG, path=str(path))
    return Keyring(keys, str(path))


def _open_sealed(document: dict[str, dict[str, object] | str], passphrase: str | None) -> dict[str, str]:
    if passphrase is None:
        raise MunimentError(Code.PASSPHRASE_WRONG)
    figures = document["argon2id"]
    if not isinstance(figures, dict):
        raise TypeError("argon2id")
    stretched = _stretch(passphrase, b64decode(str(figures["salt"])), figures)
    try:
        opened = unseal(stretched, b64decode(str(document["sealed"])), "keyring")
    except BoxError:
        raise MunimentError(Code.PASSPHRASE_WRONG) from None
    plain: dict[str, str] = json.loads(opened)
    return plain


def _stretch(passphrase: str, salt: bytes, figures: dict[str, object] | dict[str, int]) -> bytes:
    if int(str(figures["memory_kib"])) > _MOST_KIB:
        raise ValueError("memory_kib")
    return hash_secret_raw(
        passphrase.encode(),
        salt,
        time_cost=int(str(figures["time_cost"])),
        memory_cost=int(str(figures["memory_kib"])),
        parallelism=int(str(figures["parallelism"])),
        hash_len=KEY_BYTES,
        type=Type.ID,
    )
