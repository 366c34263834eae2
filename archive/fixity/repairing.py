"""Repairing: a damaged file is replaced by another copy, only where SHA-512 and HMAC say that it is the one filed.

Inventories mend themselves where they can: the newest stands in an object twice, sidecars and declarations follow
from it. What was damaged is kept aside, never deleted: it may tell what happened.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha512
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from archive.casefile.documents import Content
from archive.casefile.reading import CaseFiles
from archive.casefile.recording import Recorded, Recording
from archive.casefile.reference import Reference
from archive.database.catalogue import Catalogue
from archive.errors import MunimentError
from archive.evidence.sandbox import Sandbox
from archive.fixity.copies import Copies
from archive.fixity.examining import Examiner
from archive.fixity.held import Held, held_at
from archive.fixity.inventories import says_what_it_must
from archive.fixity.pace import Pace
from archive.fixity.report import Fault, Finding, Report
from archive.keys.filekey import FileKey
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.vault.inventory import NAME, OBJECT_DECLARATION, SIDECAR, sidecar
from archive.vault.port import Vault

_REPLACED = frozenset({Fault.ALTERED, Fault.MISSING, Fault.UNREADABLE})
_MENDED = frozenset({Fault.INVENTORY_ALTERED, Fault.INVENTORY_MISSING})
_IN_MEMORY = 16 << 20  # bytes of ciphertext; longer copies pass through a temporary file


@dataclass(frozen=True, slots=True)
class Repair:
    """One case file: what was put right, and what is still wrong with it."""

    reference: str
    replaced: tuple[str, ...]
    left: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Repairing:
    catalogue: Catalogue
    case_files: CaseFiles
    vault: Vault
    sandbox: Sandbox
    recording: Recording
    open_copies: Callable[[], Copies]  # at each repair: the other copy may not be there at the start

    def repair(self, actor: Actor, report: Report) -> tuple[Repair, ...]:
        """Every case file that the report names. What another copy cannot mend is left as it is and named."""
        copies = self.open_copies() if report.damaged else None
        return tuple(self._repair_file(actor, each, copies) for each in report.damaged if copies)

    def _repair_file(self, actor: Actor, text: str, copies: Copies) -> Repair:
        reference = Reference.parse(text)
        with self.vault.locked(str(reference.series)):
            with self.catalogue.reading() as connection:
                known = held_at(connection, reference.folder)
            if known is None:  # the number itself is missing
                return Repair(text, (), (Finding(Fault.NUMBER_MISSING, text, ""),))
            examiner = Examiner(
                self.vault, self.sandbox, self.case_files.file_key, Pace(None), self.recording
            )
            replaced = tuple(self._replaced(known, examiner.examine(known), copies))
            left = examiner.examine(known)
            if replaced:
                with self.catalogue.unit(actor) as unit:
                    detail = {"documents": list(replaced), "result": "damaged" if left else "whole"}
                    unit.record(Act.REPAIRED, text, detail=detail)
        return Repair(text, replaced, left)

    def _replaced(self, known: Held, findings: tuple[Finding, ...], copies: Copies) -> Iterator[str]:
        key = self.case_files.file_key(known.id)
        wanted = {each.name for each in findings if each.fault in _REPLACED}
        for content in known.everything():
            if content.name in wanted and key is not None:
                yield from self._content(known, content, key, copies)
        if any(each.fault in _MENDED for each in findings):
            yield from self._inventories(known, copies)

    def _content(
        self, known: Held, content: Content | Recorded, key: FileKey, copies: Copies
    ) -> Iterator[str]:
        """An older version of a document bears the same name: only the one whose bytes are wrong is replaced."""
        path = f"{known.folder}/{content.path}"
        if self._has(path, content.sha512):
            return
        with SpooledTemporaryFile(_IN_MEMORY) as copy:
            digest = sha512()
            for piece in copies.pieces(path, content.sha512):
                digest.update(piece)
                copy.write(piece)
            if not content.authentic(key, digest.digest()):
                return
            copy.seek(0)
            self.vault.replace(path, cast("BinaryIO", copy))
        yield content.name

    def _has(self, path: str, digest: str) -> bool:
        try:
            with self.vault.open_path(path) as stream:
                return self.vault.sha512(stream).hex() == digest
        except (MunimentError, OSError):
            return False

    def _inventories(self, known: Held, copies: Copies) -> Iterator[str]:
        for version in range(1, known.version + 1):
            folder = f"{known.folder}/v{version}"
            places = [f"{folder}/{NAME}", *([f"{known.folder}/{NAME}"] if version == known.version else [])]
            good = next(self._good(known, version, places, copies), None)
            if good is None:
                continue
            for place in places:
                yield from self._put(place, good)
                yield from self._put(place.removesuffix(NAME) + SIDECAR, sidecar(good))
        name, declaration = OBJECT_DECLARATION
        yield from self._put(f"{known.folder}/{name}", declaration)

    def _good(self, known: Held, version: int, places: list[str], copies: Copies) -> Iterator[bytes]:
        """Inventories that say what the catalogue says: those that stand here, then the other copy's. One whose
        sidecar confirms it comes first: the other may have been altered where the catalogue is no witness.
        """
        here = [(self._read(each), self._read(each.removesuffix(NAME) + SIDECAR)) for each in places]
        there = [
            (
                b"".join(copies.pieces(each, "0" * 128)),
                b"".join(copies.pieces(f"{each}.sha512", "0" * 128)),
            )
            for each in places
        ]
        candidates = [(content, beside) for content, beside in (*here, *there) if content]
        fitting = [each for each in candidates if says_what_it_must(known, version, each[0])]
        yield from (content for content, beside in fitting if beside == sidecar(content))
        yield from (content for content, _ in fitting)

    def _put(self, path: str, content: bytes) -> Iterator[str]:
        if self._read(path) != content:
            self.vault.replace(path, io.BytesIO(content))
            yield path.rpartition("/")[2]

    def _read(self, path: str) -> bytes:
        try:
            with self.vault.open_path(path) as stream:
                return stream.read()
        except (MunimentError, OSError):
            return b""
