"""Examining one case file: documents and records read again and opened, inventories compared, nothing else there."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha512
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol

from archive.casefile.documents import Content, Document
from archive.casefile.record import unseal
from archive.casefile.recording import Recorded, Recording
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Sandbox
from archive.fixity.held import Held
from archive.fixity.inventories import check_inventories
from archive.fixity.pace import Pace
from archive.fixity.report import Fault, Finding
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.sealing import BoxError
from archive.keys.streaming import open_anywhere
from archive.vault.inventory import LONGEST

_BLOCK = 1 << 20
_AES_256 = 6  # ISO 32000-2, 7.6.4: the revision


class Files(Protocol):
    """What is asked of the vault. Paths are from its root, with ``/``."""

    def paths(self, below: str = "") -> Iterator[str]:
        """Every file at or below a folder, folder by folder, and ``a/b/`` for a folder that is empty."""

    def open_path(self, path: str) -> BinaryIO:
        """Raises MunimentError(DOCUMENT_MISSING)."""


@dataclass(frozen=True, slots=True)
class Examiner:
    files: Files
    sandbox: Sandbox
    file_key: Callable[[CaseFileId], FileKey | None]
    pace: Pace
    recording: Recording

    def examine(self, held: Held) -> tuple[Finding, ...]:
        """Everything that is wrong with the case file; empty when it is whole. Raises SANDBOX_UNAVAILABLE."""
        known = {*held.paths()}
        ours = known | {f"{folder}/" for path in known for folder in PurePosixPath(path).parents}
        foreign = (
            Finding.foreign(held.reference, path)
            for path in self.files.paths(held.folder)
            if path.removeprefix(f"{held.folder}/") not in ours
        )
        return (*(Finding(fault, held.reference, name) for fault, name in self._faults(held)), *foreign)

    def _faults(self, held: Held) -> Iterator[tuple[Fault, str]]:
        key = self._key(held)
        if key is None:
            yield Fault.KEY_MISSING, ""
        pages = {each.content: each for each in held.documents}
        contents = {each.path for each in held.everything()}
        for each in held.contents():
            fault = self._document(held, each, pages.get(each), key)
            if fault is not None:
                yield fault, each.name
        for record in held.records:
            fault = self._record(held, record, key)
            if fault is not None:
                yield fault, record.name
        named = {path: self._small(held, path) for path in held.paths() if path not in contents}
        yield from check_inventories(held, named)

    def _key(self, held: Held) -> FileKey | None:
        """None when there is none, or only one that was altered: the master key itself has opened the archive."""
        try:
            return self.file_key(held.id)
        except MunimentError as error:
            if error.code is not Code.KEY_WRONG:
                raise
            return None

    def _document(
        self, held: Held, content: Content, document: Document | None, key: FileKey | None
    ) -> Fault | None:
        """``document`` is the one whose PDF this is; none: it is a recording that lies beside one."""

        def opened(stream: BinaryIO, digest: bytes) -> Fault | None:
            return None if key is None else self._opened(stream, digest, content, document, key)

        return self._content(held, content, opened)

    def _record(self, held: Held, record: Recorded, key: FileKey | None) -> Fault | None:
        """The newest must say what the catalogue says; an older one only be what it was."""

        def opened(stream: BinaryIO, _: bytes) -> Fault | None:
            if key is None or record != held.records[-1]:
                return None
            try:
                said = unseal(stream.read(), key, record.version, self.recording.others)
            except BoxError:
                return Fault.UNAUTHENTIC
            except ValueError:  # of a newer form
                return Fault.UNREADABLE
            now = self.recording.of(held.id)
            return None if now is None or said.agrees_with(now) else Fault.RECORD_STALE

        return self._content(held, record, opened)

    def _content(
        self, held: Held, content: Content | Recorded, opened: Callable[[BinaryIO, bytes], Fault | None]
    ) -> Fault | None:
        try:
            with self.files.open_path(f"{held.folder}/{content.path}") as stream:
                digest = self._digest(stream)
                return Fault.ALTERED if digest.hex() != content.sha512 else opened(stream, digest)
        except MunimentError as error:
            if error.code is Code.DOCUMENT_UNREADABLE:  # a service answers, but does not give it
                return Fault.UNREADABLE
            if error.code is not Code.DOCUMENT_MISSING:
                raise
            return Fault.MISSING
        except OSError:  # a bad sector, a link, a folder in its place
            return Fault.UNREADABLE

    def _digest(self, stream: BinaryIO) -> bytes:
        digest = sha512()
        while block := stream.read(_BLOCK):
            digest.update(block)
            self.pace.spend(len(block))
        stream.seek(0)
        return digest.digest()

    def _opened(
        self, stream: BinaryIO, digest: bytes, content: Content, document: Document | None, key: FileKey
    ) -> Fault | None:
        if not content.authentic(key, digest):
            return Fault.UNAUTHENTIC
        return _played(stream, content, key) if document is None else self._shown(stream, document, key)

    def _shown(self, stream: BinaryIO, document: Document, key: FileKey) -> Fault | None:
        try:
            opened = self.sandbox.verify(stream, key.pdf_password(document.content.bound_to))
        except MunimentError as error:
            if error.code is Code.SANDBOX_UNAVAILABLE:
                raise
            return Fault.UNREADABLE
        if opened.revision != _AES_256:
            return Fault.UNENCRYPTED
        return None if opened.pages == document.pages else Fault.PAGES_DIFFER

    def _small(self, held: Held, path: str) -> bytes | None:
        """The bytes of an inventory; none where there is no such file that can be read."""
        try:
            with self.files.open_path(f"{held.folder}/{path}") as stream:
                content = stream.read(LONGEST)
        except (MunimentError, OSError):
            return None
        self.pace.spend(len(content))
        return content


def _played(stream: BinaryIO, content: Content, key: FileKey) -> Fault | None:
    """Whether its first and its last byte can be heard: the bytes between are those of which the digest is known."""

    def fetch(start: int, count: int) -> bytes:
        stream.seek(start)
        return stream.read(count)

    try:
        opened = open_anywhere(key.stream_key(content.bound_to), fetch, content.size, content.bound_to)
        opened.read(1)
        opened.seek(-1, os.SEEK_END)
        opened.read()
    except BoxError:
        return Fault.UNREADABLE
    return None
