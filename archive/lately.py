"""What was done lately and need not be done again for a while: in memory, bounded, and gone with the process."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from archive.database.catalogue import Clock

_LASTS: Final = timedelta(hours=2)
_MOST: Final = 10_000  # that are remembered

T = TypeVar("T")


@dataclass(slots=True)
class Lately(Generic[T]):
    """Thread-safe. ``T`` says all that what was done depends on."""

    clock: Clock
    _until: dict[T, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def knows(self, done: T) -> bool:
        now = self.clock()
        with self._lock:
            return self._until.get(done, now) > now

    def add(self, done: T) -> None:
        now = self.clock()
        with self._lock:
            self._until = {each: until for each, until in self._until.items() if until > now}
            if len(self._until) >= _MOST:
                self._until.clear()  # what is forgotten is done again
            self._until[done] = now + _LASTS
