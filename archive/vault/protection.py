"""What a vault is asked to keep from deletion, whoever asks for it: S3 Object Lock, where it is used.

An object is locked for a short time when it is put. ``Protection`` says what it needs later: until when, and whether it
is held besides. What is locked cannot be deleted before; deleting and overwriting only hide it behind a newer version.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class LockMode(StrEnum):
    OFF = "off"
    GOVERNANCE = "governance"  # who has a special right may take the lock away
    COMPLIANCE = "compliance"  # nobody may


@dataclass(frozen=True, slots=True)
class Protection:
    """``until`` is the moment from which on nothing is to be kept back any more; none where that is not known yet."""

    until: datetime | None
    held: bool


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Locking:
    """``clock`` is that of the machine: the service compares with its own."""

    mode: LockMode
    days: int  # for which each object is locked when it is put
    clock: Callable[[], datetime] = _now

    @property
    def first(self) -> datetime:
        return self.clock() + timedelta(days=self.days)
