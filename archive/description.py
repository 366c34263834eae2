"""``archive.json`` in the home folder: which archive this is, and its root key, wrapped by the master key."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive import checksummed
from archive.errors import Code, MunimentError
from archive.keys.keyring import Wrapped
from archive.vault import durable

NAME = "archive.json"
_FORMAT = 1
_FIELDS = frozenset({"format", "archive", "master_version", "key"})


@dataclass(frozen=True, slots=True)
class Description:
    archive: str  # a UUID
    wrapped: Wrapped  # the root key, from which the catalogue's and the index's are derived

    def to_json(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "archive": self.archive,
            "master_version": self.wrapped.version,
            "key": b64encode(self.wrapped.box).decode(),
        }


def place_of_archive(identifier: str) -> str:
    """What the box of the root key is bound to."""
    return f"archive:{identifier}"


def read_description(home: Path) -> Description:
    """Raises ARCHIVE_MISSING, ARCHIVE_DAMAGED."""
    try:
        document = checksummed.load((home / NAME).read_bytes(), _FIELDS)
    except (FileNotFoundError, NotADirectoryError):
        if (home / "catalogue.db").exists():
            raise MunimentError(Code.ARCHIVE_DAMAGED, path=NAME) from None
        raise MunimentError(Code.ARCHIVE_MISSING, home=str(home)) from None
    except ValueError:
        raise MunimentError(Code.ARCHIVE_DAMAGED, path=NAME) from None
    return described(document)


def described(document: Any) -> Description:
    """From what was made of ``to_json``. Raises ARCHIVE_DAMAGED."""
    try:
        known = document["format"] == _FORMAT
        wrapped = Wrapped(document["master_version"], b64decode(document["key"]))
        description = Description(str(document["archive"]), wrapped)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise MunimentError(Code.ARCHIVE_DAMAGED, path=NAME)
    return description


def write_description(home: Path, description: Description) -> None:
    """At once or not at all, on the disk."""
    durable.replace(home / NAME, checksummed.dump(description.to_json()))
