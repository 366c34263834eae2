"""The ways through the house, each shown only to those it leads somewhere."""

from dataclasses import dataclass, replace

from flask import request, url_for

from access.permissions import Permission
from web.visit import Visit


@dataclass(frozen=True, slots=True)
class Way:
    key: str  # of its words: nav.<key>
    endpoint: str
    icon: str
    permissions: tuple[Permission, ...] = ()  # any of them; none: everybody


@dataclass(frozen=True, slots=True)
class Link:
    """A way as it is drawn for this visit."""

    key: str
    address: str
    icon: str
    current: bool
    count: int  # things that wait there


_WAYS = (
    Way("home", "home.home", "home"),
    Way("find", "finding.find", "search", (Permission.BROWSE,)),
    Way("file", "filing.form", "tray", (Permission.FILE,)),
    Way("inbox", "requests.inbox", "check", (Permission.APPROVE, Permission.PROVIDE)),
    Way("requests", "requests.mine", "request", (Permission.REQUEST, Permission.READ_REQUESTS)),
    Way("lookups", "lookups.register", "register", (Permission.READ_LOOKUPS, Permission.REQUEST)),
    Way("retention", "retention.due", "clock", (Permission.SWEEP,)),
    Way("pictures", "pictures.overview", "eye", (Permission.RECOGNISE,)),
    Way("numbers", "numbers.series", "numbers", (Permission.SWEEP, Permission.READ_LEDGER)),
    Way("fixity", "fixity.overview", "shield", (Permission.CHECK,)),
    Way("state", "state.overview", "pulse", (Permission.OVERSEE,)),
    Way("ledger", "ledger.overview", "ledger", (Permission.READ_LEDGER,)),
    Way("people", "people.everybody", "people", (Permission.MANAGE_PEOPLE,)),
)


def navigation(visit: Visit) -> tuple[Link, ...]:
    blueprint = request.blueprint
    links = []
    for way in _WAYS:
        if way.permissions and not visit.may(*way.permissions):
            continue
        current = request.endpoint == way.endpoint or (
            blueprint == way.endpoint.partition(".")[0] and not _is_other_way(request.endpoint)
        )
        count = len(visit.house.requests.inbox(visit.person)) if way.key == "inbox" else 0
        links.append(Link(way.key, url_for(way.endpoint), way.icon, current, count))
    # Two ways lie in one blueprint; a page beneath them belongs to the first of its own only.
    first = next((link.key for link in links if link.current), None)
    return tuple(replace(each, current=each.key == first) for each in links)


def _is_other_way(endpoint: str | None) -> bool:
    return any(way.endpoint == endpoint for way in _WAYS)
