"""Fixity 四性检测: that everything kept is authentic, whole, usable and safe."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive.errors import Code, Exit, MunimentError
from archive.ledger.entries import CONSOLE
from archive.vault import durable
from web.cli.frame import Frame, framed

if TYPE_CHECKING:
    from archive.fixity.repairing import Repair
    from archive.fixity.report import Report
    from web.wiring import House


@click.command()
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="MB/s at most · 每秒最多读取的 MB 数.")
@click.option(
    "--sample",
    type=click.IntRange(1),
    help="Only so many files, longest unchecked first · 只抽检这么多份，最久未检的在前.",
)
@click.option("--all", "everything", is_flag=True, help="All of the vault; the default · 检测全库（默认）.")
@click.option("--pdf", type=click.Path(path_type=Path), help="Write the report as PDF too · 报告另存为 PDF.")
@click.option(
    "--repair",
    is_flag=True,
    help="Mend damage from the copy that the setting mirror names · 用设置 mirror 所指的副本修复损坏.",
)
@framed
def fixity(
    frame: Frame,
    *,
    rate: float | None,
    sample: int | None,
    everything: bool,
    pdf: Path | None,
    repair: bool,
) -> Exit:
    """Read the vault again and check every document; recorded · 四性检测：重读全库逐份核对（留有记录）."""
    from archive.fixity.pace import Pace  # noqa: PLC0415

    if everything and sample is not None:
        raise click.UsageError(frame.words("cli.all_or_sample"))
    if pdf is not None and pdf.exists():
        raise MunimentError(Code.OUTPUT_EXISTS, path=str(pdf))
    with frame.house() as house, frame.bar(house.fixity.count(sample)) as bar:
        repairing = house.repairing
        if repair and repairing is None:  # said before all of the vault is read
            raise MunimentError(Code.SETTING_INVALID, key="mirror", problem=frame.words("cli.no_mirror"))
        report = house.fixity.check(CONSOLE, sample, pace=Pace(rate), progress=bar)
        if pdf is not None:
            _write(pdf, house, report)
        repairs: tuple[Repair, ...] = ()
        if repair and repairing is not None and not report.whole:
            repairs = repairing.repair(CONSOLE, report)
        unrecorded = house.safeguarding.unrecorded()
    if unrecorded:  # no damage: they are from before there were records
        frame.tell(frame.words("cli.unrecorded", count=unrecorded))
    mended = {each.reference for each in repairs if not each.left}
    whole = all(each.reference in mended for each in report.findings)
    _give(frame, report, repairs, whole=whole)
    return Exit.OK if whole else Exit.DAMAGED


def _give(frame: Frame, report: "Report", repairs: "tuple[Repair, ...]", *, whole: bool) -> None:
    """``whole`` is what the archive is now, after the repairs; the report tells of what was found before them."""
    language = frame.words.language
    found = [
        f"{each.reference or '—'}  {each.name or '—'}  {each.fault.trait.say(language)}: {each.fault.say(language)}"
        for each in report.findings
    ]
    said = frame.words(
        "cli.fixity_whole" if report.whole else "cli.fixity_damaged",
        number=report.number,
        files=report.files,
        documents=report.documents,
        count=len(report.findings),
    )
    replaced = [name for each in repairs for name in each.replaced]
    lines = [*found, said]
    if repairs:
        lines.append(frame.words("cli.repaired", count=len(replaced)))
    repaired = [
        {"reference": each.reference, "replaced": list(each.replaced), "whole": not each.left}
        for each in repairs
    ]
    frame.give({"whole": whole, **_described(report), "repaired": repaired}, lines)


def _described(report: "Report") -> dict[str, Any]:
    from archive.fixity.report import Trait  # noqa: PLC0415

    return {
        "report": report.number,
        "scope": report.scope.value,
        "files": report.files,
        "documents": report.documents,
        "size": report.size,
        "seconds": round((report.ended_at - report.started_at).total_seconds(), 3),
        "traits": {trait.value: len(report.of(trait)) for trait in Trait},
        "damaged": [
            {
                "reference": each.reference or None,
                "document": each.name or None,
                "trait": each.trait.value,
                "problem": each.fault.value,
            }
            for each in report.findings
        ],
    }


def _write(path: Path, house: "House", report: "Report") -> None:
    from archive.fixity.printing import sheet  # noqa: PLC0415

    shown = sheet(report, house.catalogue.ledger.origin, house.settings.zone)
    with house.sandbox.report(shown) as printed:
        try:
            durable.write(path, printed.read())
        except FileExistsError:
            raise MunimentError(Code.OUTPUT_EXISTS, path=str(path)) from None
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            raise MunimentError(Code.PATH_NOT_FOUND, path=str(path)) from None


COMMANDS = (fixity,)
