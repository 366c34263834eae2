"""One pass over a recording too large for memory: scanned, digested, excerpted and sealed from the same bytes.

A file is never read twice and believed to be the same: what the scanner passed is what is sealed and described. What
was sealed is opened again and compared before it counts.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from archive.errors import Code, MunimentError, refusal_of
from archive.keys.sealing import BoxError, Randomness
from archive.keys.streaming import StreamSealer, open_stream
from archive.vault.staging import Staging

_BLOCK = 1 << 20

Taker = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, repr=False)
class Beside:
    """Where a recording goes if it is too large for its PDF: a name in the staging area, under a key of its own."""

    staging: Staging
    name: str
    key: bytes
    place: str
    randomness: Randomness

    @contextmanager
    def sealing(self) -> Iterator[Taker]:
        with self.staging.writing(self.name) as target:
            sealer = StreamSealer(self.key, target, self.place, randomness=self.randomness)
            yield sealer.write
            sealer.close()

    def prove(self, sha256: str, name: str) -> None:
        """Raises CONVERSION_CRASHED where what lies there is not what was meant; it must not be kept. ``name`` is what
        people call it.
        """
        digest = hashlib.sha256()
        try:
            with self.staging.open(self.name) as sealed:
                for piece in open_stream(self.key, sealed, self.place):
                    digest.update(piece)
        except BoxError:
            digest = hashlib.sha256()
        if digest.hexdigest() != sha256:
            raise MunimentError(Code.CONVERSION_CRASHED, name=name)


class Pass(io.RawIOBase):
    """``source``, to be read once from its start by whoever asks first; each taker gets every byte that is read."""

    def __init__(self, source: BinaryIO, name: str, takers: Sequence[Taker]) -> None:
        super().__init__()
        self._source = source
        self._name = name
        self._takers = takers
        self.count = 0  # bytes
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, into: "bytearray | memoryview") -> int:  # type: ignore[override]
        """A fault is said as a refusal: whoever reads here would take an OSError for one of their own."""
        try:
            block = self._source.read(min(len(into), _BLOCK))
            for take in self._takers:
                take(block)
        except OSError as fault:
            raise refusal_of(fault) or MunimentError(Code.EVIDENCE_UNREADABLE, name=self._name) from None
        into[: len(block)] = block
        self.count += len(block)
        self.ended = not block
        return len(block)

    def finish(self) -> None:
        """Reads what nobody has read yet."""
        while self.read(_BLOCK):
            pass
