"""Reading no faster than asked, so that a check does not get in the way of those who work."""

import threading
import time
from collections.abc import Callable


class Pace:
    """``rate`` in MB/s (of 1,000,000 bytes), none: as fast as it goes. Thread-safe."""

    def __init__(
        self,
        rate: float | None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._now, self._sleep = now, sleep
        self._free_at = now()
        self._lock = threading.Lock()
        self.size = 0  # bytes so far

    def spend(self, count: int) -> None:
        """Called after reading ``count`` bytes: waits until as much may have been read."""
        with self._lock:
            self.size += count
            if self._rate is None:
                return
            at = self._now()
            self._free_at = max(self._free_at, at) + count / (self._rate * 1_000_000)
            wait = self._free_at - at
        self._sleep(wait)
