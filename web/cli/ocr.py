"""Reading what stands in pictures: how far it is, and doing it now."""

from typing import TYPE_CHECKING, Any

import click

from archive.errors import Code, MunimentError, say_kept
from archive.evidence.transcribing import INSTALL
from web.cli.frame import Frame, framed

if TYPE_CHECKING:
    from indexer.recognising import RecognitionStatus


@click.group()
def ocr() -> None:
    """Text in photos, screenshots and scans · 图片文字识别."""


@ocr.command()
@framed
def status(frame: Frame) -> None:
    """What was read, what waits, what failed · 已识别、等待、失败各多少."""
    with frame.house() as house:
        house.recognition.follow()
        found = house.recognition.status()
    frame.give(_document(found), _told(frame, found))


@ocr.command()
@click.option("--again", is_flag=True, help="Also what failed before · 以前未能识别的也重试.")
@framed
def run(frame: Frame, *, again: bool) -> None:
    """Read all pictures that wait, now · 立即识别所有等待的图片."""
    with frame.house() as house:
        if not house.recognition.available:
            raise MunimentError(Code.OCR_MISSING, command=INSTALL)
        if again:
            house.recognition.retry()
        house.recognition.follow()
        with frame.bar(house.recognition.status().waiting) as progress:
            read = house.recognition.run(progress)
        found = house.recognition.status()
    frame.give(
        {"read": read, **_document(found)},
        (frame.words("cli.ocr_read", count=read), *_told(frame, found)),
    )


def _document(found: "RecognitionStatus") -> dict[str, Any]:
    return {
        "available": found.available,
        "install": None if found.available else INSTALL,
        "waiting": found.waiting,
        "running": found.running,
        "done": found.done,
        "failed": [
            {"reference": each.reference, "document": each.ordinal, "error": each.problem}
            for each in found.failures
        ],
        "unread": [{"reference": each.reference, "document": each.ordinal} for each in found.unread],
        "pages": found.pages,
        "unread_documents": found.unsearchable.documents,
        "unread_pages": found.unsearchable.pages,
        "lag": found.lag,
    }


def _told(frame: Frame, found: "RecognitionStatus") -> tuple[str, ...]:
    words = frame.words
    told = [
        words(
            "cli.ocr",
            done=found.done,
            pages=found.pages,
            waiting=found.waiting + found.running,
            unread=found.unsearchable.pages,
            failed=len(found.failures),
        )
    ]
    if not found.available:
        told.append(words("cli.ocr_missing", count=found.waiting, command=INSTALL))
    told += [
        f"{_place(frame, each.reference, each.ordinal)}  {words('cli.ocr_waits')}" for each in found.unread
    ]
    told += [
        f"{_place(frame, each.reference, each.ordinal)}  {say_kept(each.problem or '', words.language)}"
        for each in found.failures
    ]
    return tuple(told)


def _place(frame: Frame, reference: str, ordinal: int) -> str:
    return f"  {reference}  {frame.words('case.evidence', number=ordinal)}"


COMMANDS = (ocr,)
