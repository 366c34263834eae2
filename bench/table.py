"""A row of the table, and the table."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """``ratio`` compares with ``peer``, measured in the same run."""

    what: str
    value: float
    unit: str
    ratio: float | None = None
    peer: str = ""


def show(rows: Iterable[Row]) -> None:
    """Prints each row as it comes."""
    print(f"{'':52}{'':>12}  {'':14}")
    for row in rows:
        beside = "" if row.ratio is None else f"{row.ratio:.3g} × {row.peer}"
        print(f"{row.what:52}{row.value:>12,.1f}  {row.unit:14}{beside}", flush=True)
