"""What a sweep finds: values, and the same as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

from archive.database.schema import text_of
from archive.keys.filekey import CaseFileId
from retention.holds import Hold


class Ground(StrEnum):
    """What the period counts from."""

    COMPLETED = "counted-from-completion"
    VOIDED = "counted-from-voiding"


@dataclass(frozen=True, slots=True)
class Due:
    """A file and the first day on which it may be disposed of."""

    case_file: CaseFileId
    reference: str
    level: str
    completed_on: date | None
    due_on: date
    ground: Ground

    def to_json(self) -> dict[str, object]:
        return {
            "reference": self.reference,
            "level": self.level,
            "completed_on": None if self.completed_on is None else self.completed_on.isoformat(),
            "due_on": self.due_on.isoformat(),
            "ground": self.ground.value,
        }


@dataclass(frozen=True, slots=True)
class Held(Due):
    """A file that is due and must stay for now: ``holds`` or ``in_use`` is not empty."""

    holds: tuple[Hold, ...]
    in_use: tuple[str, ...]  # numbers of the requests and readings open on it

    @classmethod
    def back(cls, due: Due, holds: tuple[Hold, ...], in_use: Sequence[str]) -> "Held":
        return cls(
            due.case_file,
            due.reference,
            due.level,
            due.completed_on,
            due.due_on,
            due.ground,
            holds,
            tuple(in_use),
        )

    def to_json(self) -> dict[str, object]:
        holds = [
            {
                "hold": each.id,
                "reason": each.reason,
                "placed_by": each.placed_by,
                "placed_at": text_of(each.placed_at),
            }
            for each in self.holds
        ]
        return {**Due.to_json(self), "holds": holds, "in_use": list(self.in_use)}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many files a plan does not name, by why."""

    permanent: int = 0
    not_completed: int = 0
    later: int = 0  # due after the upcoming ones
    unscheduled: int = 0  # of a level that the scheme does not have: somebody must look

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.permanent + other.permanent,
            self.not_completed + other.not_completed,
            self.later + other.later,
            self.unscheduled + other.unscheduled,
        )


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """Every file is in one place: ``due``, ``held``, ``upcoming`` or counted. By due date, then code."""

    as_of: date
    due: tuple[Due, ...]
    held: tuple[Held, ...]
    upcoming: tuple[Due, ...]  # due within 90 days after ``as_of``
    rest: Tally

    def counts(self) -> dict[str, int]:
        listed = {"due": len(self.due), "held": len(self.held), "upcoming": len(self.upcoming)}
        return {**listed, **asdict(self.rest)}

    def to_json(self) -> dict[str, object]:
        """Plain JSON values; dates as in ISO 8601."""
        return {
            "as_of": self.as_of.isoformat(),
            "counts": self.counts(),
            "due": [each.to_json() for each in self.due],
            "held": [each.to_json() for each in self.held],
            "upcoming": [each.to_json() for each in self.upcoming],
        }
