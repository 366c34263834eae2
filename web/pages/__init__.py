"""The pages, one module a subject."""

from web.pages import (
    casefiles,
    entrance,
    filing,
    finding,
    fixity,
    home,
    ledger,
    lookups,
    numbers,
    people,
    pictures,
    reading,
    recordings,
    requests,
    retention,
    state,
)

BLUEPRINTS = tuple(
    module.pages
    for module in (
        casefiles,
        entrance,
        filing,
        finding,
        fixity,
        home,
        ledger,
        lookups,
        numbers,
        people,
        pictures,
        reading,
        recordings,
        requests,
        retention,
        state,
    )
)
