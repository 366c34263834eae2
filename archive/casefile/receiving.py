"""Receiving: one piece of evidence from the hand of a person to a sealed PDF, scanned on the way (P16)."""

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from archive.casefile.quarantining import Quarantine
from archive.casefile.sources import Source, check_name
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Converted, Sandbox
from archive.ledger.entries import Actor


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

    def receive(self, actor: Actor, source: Source, password: str) -> Converted:
        """Raises MunimentError: EVIDENCE_INFECTED after the file was sealed away; what else may be wrong with it."""
        check_name(source.name)

        def inspect(held: BinaryIO) -> None:
            found = self.scanner.scan(held, source.name) if self.scanner else None
            if found is not None:
                self.quarantine.isolate(actor, held, source.name, found)
                raise MunimentError(Code.EVIDENCE_INFECTED, name=source.name, virus=found)

        return self.sandbox.convert(source.rewound(), source.name, password, inspect=inspect)
