"""The file that keeps the master keyring, beside the archive and never in it.

JSON, mode 0600. Plain: ``{"muniment-key": 1, "keys": {"1": "<base64, 32 bytes>"}}``. Guarded: ``keys`` is replaced by a
box of the same object (``sealed``) and, under the name of its guard, what the guard needs to make the box's key anew:
``argon2id``, ``aws-kms`` or ``pkcs11``. A file is opened by the guard it names and written by the guard that the
settings ask for, so that a rotation moves it from one to the other. A checksum tells decay from a wrong passphrase.
"""

import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Protocol

from archive import checksummed
from archive.errors import Code, MunimentError
from archive.keys.keyring import Keyring
from archive.keys.passphrase import KIND as PASSPHRASE
from archive.keys.sealing import KEY_BYTES, BoxError, Randomness, seal, unseal
from archive.vault import durable

PLAIN = "file"  # the kind of a file that nothing guards but its mode
_FORMAT = 1
_FRAME = frozenset({"muniment-key", "sealed"})
_PLAIN_FRAME = {"muniment-key", "keys"}
_PLACE = "keyring"

Figures = Mapping[str, Any]  # JSON


class Guard(Protocol):
    """Holds the key of the box that the keyring lies in: in a head, a cloud service, a token."""

    @property
    def kind(self) -> str: ...

    def lock(self, randomness: Randomness) -> tuple[bytes, Figures]:
        """A fresh key of 32 bytes, and what to keep in the file so that it can be had again."""

    def unlock(self, figures: Figures) -> bytes:
        """The key. Raises MunimentError (exit 9 when it is refused or wrong, 8 when nobody answers), ValueError,
        KeyError or TypeError for figures that are none.
        """


@dataclass(frozen=True, slots=True)
class KeyFile:
    """``guards`` open; ``writes`` is the one that new content is sealed with (none: it stays plain)."""

    path: Path
    guards: Sequence[Guard] = ()
    writes: Guard | None = None

    def create(self, randomness: Randomness) -> Keyring:
        """Writes a new key, durably; refuses to touch a file that is there."""
        keys = {1: randomness(KEY_BYTES)}
        _write(self.path, self._encoded(keys, randomness))
        return self._keyring(keys)

    def open(self) -> Keyring:
        """Raises MunimentError: KEY_MISSING, KEY_PERMISSIONS, KEY_WRONG, PASSPHRASE_WRONG, KEY_GUARDED, KEY_REFUSED,
        KEY_UNREACHABLE. Never makes a key.
        """
        return self._keyring(self._read())

    def replace(self, keys: Mapping[int, bytes], randomness: Randomness) -> None:
        """The file holds ``keys``, at once or not at all. Raises KEY_GUARDED rather than take its guard away."""
        if self.writes is None and (kind := self.kind()) != PLAIN:
            raise MunimentError(Code.KEY_GUARDED, path=str(self.path), kind=kind)
        for left in self.path.parent.glob(f".{self.path.name}-*"):  # by a replacement that was killed
            left.unlink()
        _fresh(self.path, self._encoded(keys, randomness)).replace(self.path)
        durable.sync_folder(self.path.parent)

    def kind(self) -> str:
        """How the file on the disk is guarded: ``file`` or the kind of a guard."""
        return _kind(self._document())

    def _keyring(self, keys: Mapping[int, bytes]) -> Keyring:
        return Keyring(keys, str(self.path), self._read)

    def _read(self) -> dict[int, bytes]:
        document = self._document()
        try:
            plain = document["keys"] if _kind(document) == PLAIN else self._unsealed(document)
            keys = {int(version): b64decode(key, validate=True) for version, key in plain.items()}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            raise self._wrong() from None
        if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
            raise self._wrong()
        return keys

    def _document(self) -> dict[str, Any]:
        try:
            mode = self.path.stat().st_mode
            if not stat.S_ISREG(mode):  # a device or a pipe would be read for ever
                raise self._wrong()
            content = self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise MunimentError(Code.KEY_MISSING, path=str(self.path)) from None
        except PermissionError:
            raise MunimentError(Code.KEY_PERMISSIONS, path=str(self.path)) from None
        except IsADirectoryError:
            raise self._wrong() from None
        if mode & 0o077:
            raise MunimentError(Code.KEY_PERMISSIONS, path=str(self.path))
        try:
            document = checksummed.load(content)
            plain = "keys" in document
            if document["muniment-key"] != _FORMAT or (plain and document.keys() != _PLAIN_FRAME):
                raise self._wrong()
        except (KeyError, TypeError, ValueError, RecursionError):
            raise self._wrong() from None
        return document

    def _unsealed(self, document: dict[str, Any]) -> dict[str, str]:
        kind = _kind(document)
        guard = next((each for each in self.guards if each.kind == kind), None)
        if guard is None:
            if kind == PASSPHRASE:
                raise MunimentError(Code.PASSPHRASE_WRONG)
            raise MunimentError(Code.KEY_GUARDED, path=str(self.path), kind=kind)
        try:
            opened = unseal(guard.unlock(document[kind]), b64decode(document["sealed"]), _PLACE)
        except BoxError:
            if kind == PASSPHRASE:
                raise MunimentError(Code.PASSPHRASE_WRONG) from None
            raise self._wrong() from None
        plain: dict[str, str] = json.loads(opened)
        return plain

    def _encoded(self, keys: Mapping[int, bytes], randomness: Randomness) -> bytes:
        plain = {str(version): b64encode(key).decode() for version, key in keys.items()}
        document: dict[str, Any] = {"muniment-key": _FORMAT}
        if self.writes is None:
            document["keys"] = plain
        else:
            key, figures = self.writes.lock(randomness)
            document[self.writes.kind] = figures
            document["sealed"] = b64encode(seal(key, json.dumps(plain).encode(), _PLACE)).decode()
        return checksummed.dump(document)

    def _wrong(self) -> MunimentError:
        return MunimentError(Code.KEY_WRONG, path=str(self.path))


def _kind(document: Mapping[str, Any]) -> str:
    """Raises ValueError when it does not say one."""
    if "keys" in document:
        return PLAIN
    (kind,) = document.keys() - _FRAME
    return kind


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: half a key file would pass for a wrong one. Raises FileExistsError."""
    fresh = _fresh(path, content)
    try:
        path.hardlink_to(fresh)
    finally:
        fresh.unlink()
    durable.sync_folder(path.parent)


def _fresh(path: Path, content: bytes) -> Path:
    """A file beside ``path`` with the content, on the disk; nobody else may read it, from its first byte on."""
    descriptor, name = mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)
