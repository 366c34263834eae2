"""What a document is in the catalogue, and which files of the vault are its own: the PDF, and beside it sealed streams
of a recording that is too large for it and of a text that is too long for the catalogue.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.streaming import plain_size
from archive.vault.staging import Stored

_SUFFIX, _TEXT = ".sealed", ".text"


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
class LongText:
    """The text of a document's pages, sealed, beside its PDF and of the same version."""

    size: int  # bytes as sealed
    sha512: str
    authentication: bytes


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
    wordless: str | None  # pages that have no text of their own, as ``ranges``; none: not looked at yet
    stream: Stream | None  # none: the original is in the PDF
    text: LongText | None  # none: it is in the catalogue

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
    def text_content(self) -> Content | None:
        text = self.text
        if text is None:
            return None
        place = text_place(self.ordinal, self.version)
        name = text_name(self.name)
        return Content(name, self.version, text.size, text.sha512, text.authentication, place)

    @property
    def contents(self) -> tuple[Content, ...]:
        found = (self.content, self.stream_content, self.text_content)
        return tuple(each for each in found if each is not None)

    @property
    def whole_size(self) -> int:
        """Bytes of the PDF and of the recording beside it."""
        return self.size + (0 if self.stream is None else self.stream.plain_size)


def document_of(row: Any) -> Document:
    """From a row's columns, as a mapping."""
    values = {name: value for name, value in row.items() if not name.startswith(("stream_", "text_"))}
    stream = {name: row[f"stream_{name}"] for name in Stream.__slots__}
    text = {name: row[f"text_{name}"] for name in LongText.__slots__}
    return Document(
        **values,
        stream=None if stream["version"] is None else Stream(**stream),
        text=None if text["size"] is None else LongText(**text),
    )


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


def text_place(ordinal: int, version: int) -> str:
    """What the text of a document is bound to, wherever it is kept."""
    return f"text:{place_of(ordinal, version)}"


def text_name(document: str) -> str:
    """``2026-一级-剧本相关-001-02.pdf`` lies beside ``2026-一级-剧本相关-001-02.text``."""
    return PurePosixPath(document).stem + _TEXT
