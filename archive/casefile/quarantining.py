"""Quarantine: what a scanner found infected is sealed away, not filed, and told to the ledger.

A sealed file lies in a folder beside the vault under a name that tells nothing; the same file handed in twice is kept
once and recorded twice. Taking one out again, for an investigation, is recorded before it is given.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hmac import new as hmac_new
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import sqlalchemy as sa

from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.keys.sealing import BoxError, Randomness, derive
from archive.keys.streaming import open_stream, seal_stream
from archive.ledger import log
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Detail
from archive.ledger.tables import entry as entry_table
from archive.vault import durable

FOLDER = "quarantine"  # in the archive's
_CHUNK = 1 << 20
_FINDINGS = (
    sa.select(entry_table.c.position)
    .where(entry_table.c.act == Act.QUARANTINED.value)
    .order_by(entry_table.c.position)
)


@dataclass(frozen=True, slots=True)
class Isolated:
    """One finding. ``name`` is what the customer called the file."""

    number: str
    at: datetime
    actor: Actor
    name: str
    virus: str
    sha256: str
    size: int  # bytes


@dataclass(frozen=True, slots=True, repr=False)
class Quarantine:
    """``folder`` is made when it is first needed."""

    folder: Path
    key: bytes
    catalogue: Catalogue
    randomness: Randomness

    def isolate(self, actor: Actor, source: BinaryIO, name: str, virus: str) -> str:
        """Seal the bytes of ``source``, read from its start, and record it; the number under which they are kept."""
        digest, size = hashlib.sha256(), 0
        source.seek(0)
        while piece := source.read(_CHUNK):
            digest.update(piece)
            size += len(piece)
        number = hmac_new(self.key, digest.digest(), hashlib.sha256).hexdigest()[:32]
        if not self._path(number).exists():
            source.seek(0)
            self._keep(source, number)
        with self.catalogue.unit(actor) as unit:
            detail: Detail = {"name": name, "virus": virus, "sha256": digest.hexdigest(), "size": size}
            unit.record(Act.QUARANTINED, f"quarantine:{number}", detail=detail)
        return number

    def isolated(self) -> Iterator[Isolated]:
        """All findings, oldest first."""
        with self.catalogue.reading() as connection:
            for entry in log.entries(connection, self.catalogue.ledger, _FINDINGS, lambda _: None):
                detail = entry.detail or {}
                yield Isolated(
                    entry.subject.partition(":")[2],
                    entry.at,
                    entry.actor,
                    str(detail.get("name", "")),
                    str(detail.get("virus", "")),
                    str(detail.get("sha256", "")),
                    int(str(detail.get("size", 0))),
                )

    def kept(self) -> Iterator[tuple[str, Path | None]]:
        """Each number once, with its sealed file, read to its end; none where that is missing or does not open."""
        for number in dict.fromkeys(each.number for each in self.isolated()):
            path = self._path(number)
            try:
                for _ in self._opened(number):
                    pass
            except (MunimentError, OSError):
                yield number, None
            else:
                yield number, path

    def take(self, actor: Actor, number: str) -> Iterator[bytes]:
        """The bytes as they came in, recorded first.

        Raises MunimentError: QUARANTINE_UNKNOWN; DOCUMENT_ALTERED, then what was given is not to be trusted.
        """
        if not any(each.number == number for each in self.isolated()) or not self._path(number).exists():
            raise MunimentError(Code.QUARANTINE_UNKNOWN, number=number)
        with self.catalogue.unit(actor) as unit:
            unit.record(Act.QUARANTINE_OPENED, f"quarantine:{number}")
        return self._opened(number)

    def _opened(self, number: str) -> Iterator[bytes]:
        with self._path(number).open("rb") as file:
            try:
                yield from open_stream(self._key(number), file, number)
            except BoxError:
                raise MunimentError(Code.DOCUMENT_ALTERED, document=number) from None

    def _keep(self, source: BinaryIO, number: str) -> None:
        """At its place whole, or not at all."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        fresh = self.folder / f"{uuid4()}.new"
        try:
            with fresh.open("xb") as file:
                seal_stream(self._key(number), source, file, number, randomness=self.randomness)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path(number))
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        durable.sync_folder(self.folder)

    def _key(self, number: str) -> bytes:
        return derive(self.key, f"quarantine:{number}")

    def _path(self, number: str) -> Path:
        return self.folder / f"{number}.sealed"
