"""Proofs: that the ledger is whole, and that no number is missing."""

from pathlib import Path

import click

from archive.casefile.numbering import runs
from archive.errors import Code, Exit, MunimentError
from archive.ledger.entries import CONSOLE
from archive.ledger.log import latest_checkpoint, size
from web.cli.frame import Frame, framed

_LONGEST_NOTE = 10_000


@click.command()
@framed
def numbers(frame: Frame) -> Exit:
    """Prove that every series runs without a gap · 核对每个系列编号连续、无缺号."""
    with frame.house() as house, house.catalogue.reading() as connection:
        found = runs(connection)
    whole = all(not each.missing for each in found)
    frame.give(
        {
            "whole": whole,
            "series": [
                {
                    "series": str(each.series),
                    "last": each.last,
                    "files": each.files,
                    "void": each.void,
                    "missing": list(each.missing),
                }
                for each in found
            ],
        },
        (
            *(f"{each.series}  1–{each.last}  {list(each.missing) or '✓'}" for each in found),
            frame.words("cli.numbers_whole" if whole else "cli.numbers_missing"),
        ),
    )
    return Exit.OK if whole else Exit.DAMAGED


@click.group()
def ledger() -> None:
    """The ledger of every act: verification, checkpoints · 存证台账：校验、检查点."""


@ledger.command()
@click.option(
    "--kept",
    type=click.Path(path_type=Path),
    help="A checkpoint that you kept · 以前留存的检查点文件，核对此后未改动.",
)
@framed
def verify(frame: Frame, *, kept: Path | None) -> None:
    """Check every entry, hash and checkpoint; recorded · 校验每条记录、哈希和检查点（留有记录）."""
    from web.auditing import verified  # noqa: PLC0415

    note = None if kept is None else _note(kept)
    with frame.house() as house:
        with house.catalogue.reading() as connection:
            total = size(connection)
        with frame.bar(total) as bar:
            found = verified(house, CONSOLE, note, bar)
    frame.give(
        {
            "whole": True,
            "entries": found.entries,
            "checkpoints": found.checkpoints,
            "details": found.details,
            "shredded": found.shredded,
            "root": found.root,
            "checkpoint": found.checkpoint,
        },
        (frame.words("cli.ledger_whole", entries=found.entries, checkpoints=found.checkpoints), found.root),
    )


@ledger.command()
@framed
def checkpoint(frame: Frame) -> None:
    """Print the newest signed checkpoint, to be kept elsewhere · 输出最新的签名检查点，供另行留存."""
    with frame.house() as house, house.catalogue.reading() as connection:
        note = latest_checkpoint(connection) or ""
        key = house.catalogue.ledger.verifier.to_text()
    frame.give({"checkpoint": note, "key": key}, (note.rstrip("\n"),))


def _note(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_NOTE).decode("utf-8", "replace")
    except OSError:
        raise MunimentError(Code.PATH_NOT_FOUND, path=str(path)) from None


COMMANDS = (numbers, ledger)
