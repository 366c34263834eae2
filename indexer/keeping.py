"""Taking from a stream of hits those that may be told of, a handful at a time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from archive.keys.filekey import CaseFileId
from indexer.engine import Hits, Keep

_MOST_AT_ONCE = 2000


@dataclass(slots=True)
class Deadline:
    """``missed`` once it was found to be over."""

    until: float  # of the monotonic clock
    missed: bool = False

    @classmethod
    def within(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def is_over(self) -> bool:
        self.missed = self.missed or time.monotonic() > self.until
        return self.missed


def kept(found: Iterator[CaseFileId], keep: Keep | None, limit: int, position: int) -> Hits:
    """The first ``limit`` that are kept; the stream is read no further than that needs."""
    if keep is None:
        ids = tuple(islice(found, limit + 1))
        return Hits(ids[:limit], len(ids) > limit, position)
    kept_ids: list[CaseFileId] = []
    handful = limit + 1
    while len(kept_ids) <= limit and (some := list(islice(found, handful))):
        allowed = keep(some)
        kept_ids += [each for each in some if each in allowed]
        handful = min(2 * handful, _MOST_AT_ONCE)
    return Hits(tuple(kept_ids[:limit]), len(kept_ids) > limit, position)
