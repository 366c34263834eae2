"""Which large files of the vault were read to their end and found as they were filed, so that a recording that is
played piece by piece is read whole once, and not for each piece. What is remembered counts for a while only, and only
as long as the disk says the same of the file.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from archive.database.catalogue import Clock

_LASTS: Final = timedelta(hours=2)  # as long as an opening of a recording
_MOST: Final = 10_000  # files that are remembered

Stamp = tuple[int, ...]  # what a disk says of a file without reading it
Proof = tuple[str, str, Stamp | None]  # path, SHA-512 that was found, and the stamp from before it was read


@dataclass(slots=True)
class Proven:
    clock: Clock
    until: dict[Proof, datetime] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def knows(self, proof: Proof) -> bool:
        now = self.clock()
        with self.lock:
            return self.until.get(proof, now) > now

    def add(self, proof: Proof) -> None:
        now = self.clock()
        with self.lock:
            self.until = {each: until for each, until in self.until.items() if until > now}
            if len(self.until) >= _MOST:
                self.until.clear()  # what is forgotten is read again
            self.until[proof] = now + _LASTS
