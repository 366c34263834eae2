"""Which segments to write anew, so that there are few and none grows past what memory holds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

FAN_IN = 5  # so many segments of like size become one: of 100 files, 500, 2500, ...
MOST_BYTES = 24 << 20  # of segments merged into one: it is in memory three times over before it is written


@dataclass(frozen=True, slots=True)
class SegmentSize:
    live: int
    dead: int  # case files that were replaced or removed since
    purge: bool  # holds words of a file that was removed: they must go, not merely be hidden
    size: int  # bytes


def to_rewrite(sizes: Sequence[SegmentSize]) -> frozenset[int]:
    """The indices of the segments to merge into the one being written."""
    chosen = {at for at, size in enumerate(sizes) if size.purge or size.dead > size.live}
    tiers: dict[int, list[int]] = {}
    for at, size in enumerate(sizes):
        tiers.setdefault(_tier(size.live), []).append(at)
    merged = 0
    for tier in sorted(tiers):
        smallest = sorted(tiers[tier], key=lambda at: sizes[at].live)[:FAN_IN]
        merged += sum(sizes[at].size for at in smallest)
        if len(smallest) == FAN_IN and merged <= MOST_BYTES:
            chosen.update(smallest)
    return frozenset(chosen)


def _tier(live: int) -> int:
    tier = 0
    while live >= FAN_IN:
        live //= FAN_IN
        tier += 1
    return tier
