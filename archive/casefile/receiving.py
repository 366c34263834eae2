"""Receiving: one piece of evidence from the hand of a person to a sealed PDF, scanned on the way (P16)."""

import hashlib
import io
from contextlib import nullcontext
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from archive.casefile.passing import Beside, Pass
from archive.casefile.quarantining import Quarantine
from archive.casefile.sources import Source, check_name
from archive.errors import Code, MunimentError
from archive.evidence.excerpts import Excerpt, windows
from archive.evidence.kinds import EvidenceKind
from archive.evidence.sandbox import Converted, Sandbox
from archive.ledger.entries import Actor

_HEAD = 4096  # bytes that tell a recording from anything else


class Scanner(Protocol):
    """What receiving needs of a virus scanner."""

    def scan(self, source: BinaryIO, name: str) -> str | None:
        """What was found, or none. Raises MunimentError: SCANNER_UNAVAILABLE, EVIDENCE_UNSCANNED."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """``scanner`` is none where none is configured; one that is configured is never passed over."""

    sandbox: Sandbox
    quarantine: Quarantine
    scanner: Scanner | None = None

    def receive(self, actor: Actor, source: Source, password: str, beside: Beside | None = None) -> Converted:
        """A sound or film that is too large for its PDF is sealed ``beside`` it; without a place it is only tried.

        Raises MunimentError: EVIDENCE_INFECTED after the file was sealed away; what else may be wrong with it.
        """
        check_name(source.name)
        size = source.size()
        self.check_size(source.name, size)
        limits = self.sandbox.limits
        if size > min(limits.attached_bytes, limits.source_bytes):  # recordings have a limit of their own
            kind = self.sandbox.recording(source.rewound().read(_HEAD), source.name)
            if kind is not None:
                return self._received_beside(actor, source, size, kind, password, beside)

        def inspect(held: BinaryIO) -> None:
            found = self.scanner.scan(held, source.name) if self.scanner else None
            if found is not None:
                raise self._isolated(actor, held, source.name, found)

        return self.sandbox.convert(source.rewound(), source.name, password, inspect=inspect)

    def check_size(self, name: str, size: int) -> None:
        """What is larger than all that may be kept is not even read. Raises EVIDENCE_TOO_LARGE."""
        most = max(self.sandbox.limits.media_bytes, self.sandbox.limits.source_bytes)
        if size > most:
            raise MunimentError(Code.EVIDENCE_TOO_LARGE, name=name, limit=most // 1_000_000)

    def _received_beside(
        self,
        actor: Actor,
        source: Source,
        size: int,
        kind: EvidenceKind,
        password: str,
        beside: Beside | None,
    ) -> Converted:
        with Excerpt(size, windows(source.stream, size)) as excerpt:
            sha256 = self._passed(actor, source, size, excerpt, beside)
            made = self.sandbox.cover(excerpt.descriptor, source.name, password, kind, size, sha256)
        try:
            if beside is not None:
                beside.prove(sha256, source.name)
        except BaseException:
            made.close()
            raise
        return made

    def _passed(
        self, actor: Actor, source: Source, size: int, excerpt: Excerpt, beside: Beside | None
    ) -> str:
        """The SHA-256, in hex, of the bytes that the scanner passed and that were sealed."""
        digest = hashlib.sha256()
        with nullcontext(lambda _: None) if beside is None else beside.sealing() as seal:
            passed = Pass(source.rewound(), source.name, (digest.update, excerpt.write, seal))
            if self.scanner is not None:
                found = self.scanner.scan(io.BufferedReader(passed), source.name)
                if found is not None:
                    raise self._isolated(actor, source.stream, source.name, found)
                if not passed.ended:  # it called clean what it has not heard to the end
                    raise MunimentError(Code.EVIDENCE_UNSCANNED, name=source.name)
            passed.finish()
        if passed.count != size:  # it grew or shrank meanwhile
            raise MunimentError(Code.EVIDENCE_UNREADABLE, name=source.name)
        return digest.hexdigest()

    def _isolated(self, actor: Actor, held: BinaryIO, name: str, virus: str) -> MunimentError:
        self.quarantine.isolate(actor, held, name, virus)
        return MunimentError(Code.EVIDENCE_INFECTED, name=name, virus=virus)
