"""Finding files, what is known of one, and the index."""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from archive.casefile.reading import FileState
from archive.database.schema import text_of
from archive.errors import MunimentError
from archive.evidence.transcribing import INSTALL
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, Detail
from indexer.choosing import EngineName
from indexer.engine import MOST_HITS
from indexer.following import BATCH_FILES
from indexer.searching import Sort
from web.cli.frame import Frame, framed
from web.formats import Formats

if TYPE_CHECKING:
    from access.viewing import CaseFileDetails
    from archive.casefile.reading import CaseFile
    from web.wiring import House


@click.command(context_settings={"ignore_unknown_options": True})  # a query may begin with a minus
@click.option(
    "--sort",
    type=click.Choice([each.value for each in Sort]),
    default=Sort.DATE.value,
    show_default=True,
    help="Newest filed first, by reference code, or best first · "
    "排序：date 新归档在前，reference 按档号，relevance 按相关程度.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, MOST_HITS),
    default=50,
    show_default=True,
    help="So many files at most · 最多列出的份数.",
)
@click.argument("query")
@framed
def search(frame: Frame, *, sort: str, limit: int, query: str) -> None:
    """Find files by their words, "phrases", codes and fields; recorded · 按字词、“语句”、档号和字段检索（留有记录）."""
    with frame.house() as house:
        _level(frame, house)
        found = house.index.search(query, limit=limit, sort=Sort(sort))
        with house.catalogue.unit(CONSOLE) as unit:
            detail: Detail = {"query": query, "hits": len(found.files), "more": found.more}
            unit.record(Act.SEARCHED, "search", detail=detail)
        hits = [{**_facts(each), "snippet": _snippet(house, each, query)} for each in found.files]
        unread = _unread(frame, house)
    count = frame.words("cli.found_more" if found.more else "cli.found", count=len(hits))
    partly = (frame.words("find.partly"),) if found.partly else ()
    behind = (frame.words("cli.behind", count=found.behind),) if found.behind else ()
    hint = None if hits else house.index.hint(query)
    hinted = [hint.say(frame.words.language)] if hint else []
    frame.give(
        {
            "query": query,
            "hits": hits,
            "more": found.more,
            "partly": found.partly,
            "behind": found.behind,
            "hint": hinted[0] if hinted else None,
            **unread.facts,
        },
        (*(_line(frame, each) for each in hits), count, *hinted, *partly, *behind, *unread.told),
    )


def _line(frame: Frame, hit: dict[str, Any]) -> str:
    void = [frame.words.of("file_state", "void")] if hit["state"] == FileState.VOID else []
    return "  ".join((hit["reference"], *void, hit["snippet"])).rstrip()


def _snippet(house: "House", file: "CaseFile", query: str) -> str:
    found = house.index.snippet(file, query)
    return "" if found is None else found.text


def _level(frame: Frame, house: "House") -> None:
    """Beside no server nobody else follows the ledger. A search answers without that too, of the newest files."""
    behind = house.index.behind()
    if behind > BATCH_FILES:
        with contextlib.suppress(MunimentError), frame.bar(behind) as bar:
            house.index.catch_up(bar)


@dataclass(frozen=True, slots=True)
class _Unread:
    facts: dict[str, Any]
    told: tuple[str, ...]


def _unread(frame: Frame, house: "House") -> _Unread:
    """What no search finds, for it stands in pictures; once, after what was found."""
    with contextlib.suppress(
        MunimentError
    ):  # another process is at it: the newest files are missing in the count
        house.recognition.follow()
    found = house.recognition.unsearchable()
    install = INSTALL if found.documents and not house.recognition.available else None
    told = [frame.words("find.unread", count=found.documents)] if found.documents else []
    if install:
        told.append(frame.words("pictures.file_missing", command=install))
    return _Unread(
        {"unread_documents": found.documents, "unread_pages": found.pages, "install": install}, tuple(told)
    )


@click.command()
@click.argument("reference")
@framed
def show(frame: Frame, *, reference: str) -> None:
    """What is kept of one file, masked; a look-up like any other, recorded ·
    查看一份档案的登记信息（脱敏，留有记录）.
    """
    with frame.house() as house:
        details = house.viewing.details_at_console(reference)
        pages = house.recognition.unread_pages(details.case_file)
        install = INSTALL if pages and not house.recognition.available else None
        document = {**_described(house, details), "unread_pages": pages, "install": install}
        told = _told(frame, house, details, document["due_on"])
    if pages:
        told.append(frame.words("pictures.file_unread", count=pages))
    if install:
        told.append(frame.words("pictures.file_missing", command=install))
    frame.give(document, told)


@click.group()
def index() -> None:
    """The full-text index: status, rebuilding, the engine · 全文索引：状态、重建、引擎."""


@index.command()
@framed
def status(frame: Frame) -> None:
    """Which engine answers, and how far it followed the ledger, and its size · 使用的引擎、进度和大小."""
    with frame.house() as house:
        found = house.index.status()
    fault = found.fault
    faulty = [fault.say(frame.words.language)] if fault else []
    coming = found.coming.value if found.coming else None
    moving = (frame.words("cli.index_coming", engine=coming),) if coming else ()
    frame.give(
        {
            "engine": found.engine.value,
            "coming": coming,
            "lag": found.lag,
            "behind": found.behind,
            "files": found.files,
            "size": found.size,
            "generation": found.generation,
            "position": found.position,
            "fault": {"error": fault.code.value, "message": faulty[0]} if fault else None,
        },
        (
            frame.words("cli.index", engine=found.engine.value, files=found.files, lag=found.behind),
            frame.words(
                "cli.index_kept",
                size=Formats(frame.words.language, frame.settings.zone).size(found.size),
                generation=found.generation,
                position=found.position,
            ),
            *moving,
            *faulty,
        ),
    )


@index.command()
@framed
def rebuild(frame: Frame) -> None:
    """Throw the index away and build it anew · 丢弃现有索引，重新建立."""
    with frame.house() as house, frame.bar(house.case_files.count()) as bar:
        count = house.index.rebuild(bar, CONSOLE)
    frame.give({"files": count}, (frame.words("cli.index_rebuilt", files=count),))


@index.command()
@click.option(
    "--engine",
    type=click.Choice([each.value for each in EngineName]),
    required=True,
    help="whoosh, or fts5 for more than 50,000 files · 检索引擎：whoosh，或 fts5（5 万份以上）.",
)
@framed
def move(frame: Frame, *, engine: str) -> None:
    """Build the other engine's index while this one answers, then change over; goes on where it stopped ·
    更换检索引擎：期间照常检索，中断后可续.
    """
    with frame.house() as house, frame.bar(house.case_files.count()) as bar:
        count = house.index.move(EngineName(engine), bar, CONSOLE)
    frame.give(
        {"engine": engine, "files": count}, (frame.words("cli.index_moved", engine=engine, files=count),)
    )


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


def _told(frame: Frame, house: "House", details: "CaseFileDetails", due_on: str | None) -> list[str]:
    """As on its page: in the words of the reader, at the hours of the house."""
    words, file = frame.words, details.case_file
    at = Formats(words.language, house.settings.zone).stamp
    facts = {
        "reference": file.reference,
        "state": words.of("file_state", file.state),
        "level": file.level,
        "category": file.category,
        "received_at": at(file.received_at),
        "channel": words.of("channel", file.channel),
        "store": file.store,
        "script": file.script,
        "department": file.department,
        "headcount": file.headcount,
        "filed": f"{at(file.filed_at)}  {words.of('actor', file.filed_by)}",
        "voided_at": at(file.voided_at) if file.voided_at else None,
        "completed_on": file.completed_on or words("fact.open"),
        "due_on": due_on,
    }
    colon = words("layout.colon")
    lines = [f"{words(f'fact.{key}')}{colon}{value}" for key, value in facts.items() if value is not None]
    lines += [f"{words('case.on_hold')}{colon}{each.reason}" for each in house.holds.active(file.reference)]
    lines += [
        f"  {each.name}  {words('fact.pages_count', count=each.pages)}  {each.title}"
        for each in details.documents
    ]
    return lines


COMMANDS = (search, show, index)
