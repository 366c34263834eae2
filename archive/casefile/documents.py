"""What a document is in the catalogue, and which files of the vault are its own: the PDF, and for a recording that is
too large for it the sealed stream beside it.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.streaming import plain_size
from archive.vault.staging import Stored

_SUFFIX = ".sealed"


@dataclass(frozen=True, slots=True)
class Content:
    """A file of the vault that a row knows."""

    name: str
    version: int  # the OCFL version that brought it
    size: int  # bytes
    sha512: str
    authentication: bytes
    bound_to: str  # what its HMAC, and its password or key, are derived for

    @property
    def path(self) -> str:
        """From the folder of the object."""
        return f"v{self.version}/content/{self.name}"

    def authentic(self, key: FileKey, sha512: bytes) -> bool:
        return sha512.hex() == self.sha512 and key.authentic(sha512, self.bound_to, self.authentication)

    def vouched(self, key: FileKey) -> bool:
        """Whether the row says of the file what was said when it was filed; the file itself is not looked at."""
        return self.authentic(key, bytes.fromhex(self.sha512))


@dataclass(frozen=True, slots=True)
class Stream:
    """The original of a recording, sealed, beside its cover. A cover made anew keeps the stream of the one before."""

    version: int  # the OCFL version that brought it
    plain_size: int  # bytes of the original
    size: int  # bytes as sealed
    sha512: str
    authentication: bytes

    @classmethod
    def of(cls, stored: Stored, key: FileKey, ordinal: int, version: int) -> "Stream":
        """One that was just sealed."""
        code = key.authentication(stored.sha512, stream_place(ordinal, version))
        return cls(version, plain_size(stored.size), stored.size, stored.sha512.hex(), code)


@dataclass(frozen=True, slots=True)
class Document:
    """A document in one version; ordinal 0 is the voucher."""

    case_file: CaseFileId
    ordinal: int
    version: int
    name: str
    kind: str
    pages: int
    size: int  # bytes of the PDF
    sha512: str
    authentication: bytes
    original_sha256: str
    pending: bool  # a cover stands for it until its converter is installed
    stream: Stream | None  # none: the original is in the PDF

    @property
    def content(self) -> Content:
        """The PDF."""
        place = place_of(self.ordinal, self.version)
        return Content(self.name, self.version, self.size, self.sha512, self.authentication, place)

    @property
    def stream_content(self) -> Content | None:
        stream = self.stream
        if stream is None:
            return None
        place = stream_place(self.ordinal, stream.version)
        name = stream_name(self.name)
        return Content(name, stream.version, stream.size, stream.sha512, stream.authentication, place)

    @property
    def contents(self) -> tuple[Content, ...]:
        beside = self.stream_content
        return (self.content,) if beside is None else (self.content, beside)

    @property
    def whole_size(self) -> int:
        """Bytes of the PDF and of the recording beside it."""
        return self.size + (0 if self.stream is None else self.stream.plain_size)


def document_of(row: Any) -> Document:
    """From a row's columns, as a mapping."""
    values = {name: value for name, value in row.items() if not name.startswith("stream_")}
    given = {name: row[f"stream_{name}"] for name in Stream.__slots__}
    return Document(**values, stream=None if given["version"] is None else Stream(**given))


def stream_columns(stream: Stream | None) -> dict[str, Any]:
    return {f"stream_{name}": None if stream is None else getattr(stream, name) for name in Stream.__slots__}


def place_of(ordinal: int, version: int) -> str:
    """What a document's password and HMAC are derived for. The number may still be open when it is encrypted."""
    return f"{ordinal}:{version}"


def stream_place(ordinal: int, version: int) -> str:
    """The same for the sealed stream beside a document; also what the stream itself is bound to."""
    return f"stream:{place_of(ordinal, version)}"


def stream_name(document: str) -> str:
    """``2026-一级-剧本相关-001-02.pdf`` lies beside ``2026-一级-剧本相关-001-02.sealed``."""
    return PurePosixPath(document).stem + _SUFFIX
