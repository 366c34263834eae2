"""Finding files, what is known of one, and the index."""

from typing import TYPE_CHECKING, Any

import click

from archive.database.schema import text_of
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, Detail
from web.cli.frame import Frame, framed

if TYPE_CHECKING:
    from access.viewing import CaseFileDetails
    from archive.casefile.reading import CaseFile
    from web.wiring import House

_LIMIT = 200


@click.command()
@click.option("--limit", type=click.IntRange(1, _LIMIT), default=50, show_default=True)
@click.argument("query")
@framed
def search(frame: Frame, *, limit: int, query: str) -> None:
    """Find files by their words, "phrases" or codes; recorded · 全文检索（留有记录）."""
    with frame.house() as house:
        found = house.index.search(query, limit=limit)
        with house.catalogue.unit(CONSOLE) as unit:
            detail: Detail = {"query": query, "hits": len(found.files), "more": found.more}
            unit.record(Act.SEARCHED, "search", detail=detail)
        hits = [{**_facts(each), "snippet": house.index.snippet(each, query).text} for each in found.files]
    count = frame.words("cli.found_more" if found.more else "cli.found", count=len(hits))
    frame.give(
        {"query": query, "hits": hits, "more": found.more, "behind": found.behind},
        (*(f"{each['reference']}  {each['snippet']}" for each in hits), count),
    )


@click.command()
@click.argument("reference")
@framed
def show(frame: Frame, *, reference: str) -> None:
    """What is kept of one file, masked; a look-up like any other, recorded · 查看档案（脱敏，留有记录）."""
    with frame.house() as house:
        details = house.viewing.details_at_console(reference)
        document = _described(house, details)
    frame.give(document, _told(document))


@click.group()
def index() -> None:
    """The full-text index · 全文索引."""


@index.command()
@framed
def status(frame: Frame) -> None:
    """How far the index followed the ledger · 索引状态."""
    with frame.house() as house:
        found = house.index.status()
    frame.give(
        {"engine": "whoosh", "lag": found.lag, "files": found.files, "position": found.position},
        (frame.words("cli.index", files=found.files, lag=found.lag),),
    )


@index.command()
@framed
def rebuild(frame: Frame) -> None:
    """Throw the index away and build it anew · 重建索引."""
    with frame.house() as house:
        count = house.index.rebuild(actor=CONSOLE)
    frame.give({"files": count}, (frame.words("cli.index_rebuilt", files=count),))


def _facts(file: "CaseFile") -> dict[str, Any]:
    """What the catalogue says of a file: nothing of a customer."""
    return {
        "reference": file.reference,
        "state": file.state.value,
        "level": file.level,
        "category": file.category,
        "store": file.store,
        "script": file.script,
        "channel": file.channel,
        "received_at": text_of(file.received_at),
        "filed_at": text_of(file.filed_at),
        "completed_on": file.completed_on.isoformat() if file.completed_on else None,
        "permanent": file.permanent,
    }


def _described(house: "House", details: "CaseFileDetails") -> dict[str, Any]:
    from retention.schedule import Schedule  # noqa: PLC0415

    file = details.case_file
    due_on = Schedule(house.scheme, house.settings.zone).due_on(file)
    return {
        **_facts(file),
        "due_on": due_on.isoformat() if due_on else None,
        "voided_at": text_of(file.voided_at) if file.voided_at else None,
        "filed_by": file.filed_by,
        "department": file.department,
        "headcount": file.headcount,
        "version": file.version,
        "holds": [{"hold": each.id, "reason": each.reason} for each in house.holds.active(file.reference)],
        "documents": [
            {
                "name": each.name,
                "title": each.title,
                "kind": each.kind,
                "pages": each.pages,
                "size": each.size,
            }
            for each in details.documents
        ],
        "voucher": details.voucher,
    }


def _told(document: dict[str, Any]) -> list[str]:
    lines = [
        f"{key}: {value}"
        for key, value in document.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    ]
    lines += [f"  {each['name']}  {each['pages']}p  {each['title']}" for each in document["documents"]]
    return lines


COMMANDS = (search, show, index)
