"""The lookup ledger 档案查阅登记台账 (P14.5): a register to read, to filter and to print."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, render_template, request

from access.lookups import Lookup
from access.permissions import Permission
from access.viewing import RECORDING
from archive.days import parse_day
from archive.errors import Code, MunimentError
from web.admitting import admits
from web.visit import Visit, visit

pages = Blueprint("lookups", __name__)

_LIMIT = 200
_EARLIEST, _LATEST = 1900, 2999  # the first and last year have instants that no clock can say in UTC


@dataclass(frozen=True, slots=True)
class Pages:
    """What was seen of one document: ``1–3, 5``."""

    reference: str
    document: int
    numbers: str
    heard: bool  # its recording


def pages_seen(lookup: Lookup) -> list[Pages]:
    """By file and document; the description of a file (page 0 of its voucher) is no page."""
    found: dict[tuple[str, int], list[int]] = {}
    for seen in lookup.pages:
        if seen.page or seen.document:
            found.setdefault((seen.reference, seen.document), []).append(seen.page)
    return [
        Pages(
            reference, document, _runs([each for each in numbers if each != RECORDING]), RECORDING in numbers
        )
        for (reference, document), numbers in found.items()
    ]


def _runs(numbers: list[int]) -> str:
    """``[1, 2, 3, 5]`` becomes ``1–3, 5``; the numbers come in order, each once."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


@pages.get("/lookups")
@admits(Permission.READ_LOOKUPS, Permission.REQUEST)
def register() -> str:
    here, given = visit(), request.args
    everybody = here.may(Permission.READ_LOOKUPS)
    people = here.house.people.list() if everybody else []
    reader = given.get("reader", "") if everybody else ""
    refusal, found = None, []
    try:
        found = here.house.lookups.register(
            here.person,
            reference=given.get("reference", "").strip() or None,
            reader=reader or None,
            since=_start(here, given.get("since", "")),
            until=_end(here, given.get("until", "")),
            limit=_LIMIT,
        )
    except MunimentError as error:
        refusal = error.say(here.language)
    return render_template(
        "lookups.html",
        lookups=found,
        refusal=refusal,
        everybody=everybody,
        people=people,
        given=given,
        limit=_LIMIT,
        pages_seen=pages_seen,
    )


def _start(here: Visit, text: str) -> datetime | None:
    """The first instant of that day here."""
    if not text.strip():
        return None
    day = parse_day(text)
    if not _EARLIEST <= day.year <= _LATEST:
        raise MunimentError(Code.DATE_INVALID, given=text.strip())
    return datetime.combine(day, time.min, here.house.settings.zone).astimezone(UTC)


def _end(here: Visit, text: str) -> datetime | None:
    """The first instant after that day."""
    start = _start(here, text)
    return None if start is None else start + timedelta(days=1)
