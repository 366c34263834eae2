"""When the catalogue is lost: made ready for, and made anew."""

from typing import TYPE_CHECKING, Any

import click

from archive.errors import Exit
from archive.ledger.entries import CONSOLE
from web.cli.frame import Frame, framed

if TYPE_CHECKING:
    from archive.fixity.report import Report
    from archive.rebuild.rebuilding import Rebuilt


@click.command()
@framed
def safeguard(frame: Frame) -> Exit:
    """Make archive.json, key journal and sealed records whole, so that rebuild brings everything back ·
    补全 archive.json、密钥日志与封存记录.
    """
    from web.wiring import describe_again  # noqa: PLC0415

    described = frame.unlocked(lambda passphrase: describe_again(frame.settings, passphrase))
    with frame.house() as house:
        keys = house.safeguarding.journal()
        outcomes = list(frame.progress(house.safeguarding.record_all(CONSOLE), house.case_files.count()))
    recorded = [each.reference for each in outcomes if each.recorded]
    refused = [(each.reference, each.refusal) for each in outcomes if each.refusal is not None]
    language = frame.words.language
    frame.give(
        {
            "journal": str(frame.settings.journal_path),
            "described": described,
            "keys": keys,
            "recorded": recorded,
            "refused": [
                {"reference": reference, "error": error.code.value, "message": error.say(language)}
                for reference, error in refused
            ],
        },
        (
            *(f"{reference}  {error.say(language)}" for reference, error in refused),
            *([frame.words("cli.described")] if described else []),
            frame.words("cli.safeguarded", keys=keys, records=len(recorded)),
        ),
    )
    return Exit.DAMAGED if refused else Exit.OK


@click.command()
@click.option(
    "--vault", help="Where the vault lies; default: the setting vault · 库的位置，默认取设置 vault."
)
@framed
def rebuild(frame: Frame, *, vault: str | None) -> Exit:
    """Make a lost catalogue anew from vault, master key and key journal, and check all of it ·
    目录丢失后，凭库、主密钥和密钥日志重建并核验.
    """
    from web.wiring import rebuild as rebuild_archive  # noqa: PLC0415

    with frame.bar(0) as bar:
        rebuilt = frame.unlocked(
            lambda passphrase: rebuild_archive(frame.settings, passphrase, vault=vault, progress=bar)
        )
    with frame.house() as house, frame.bar(house.case_files.count()) as bar:
        renumbered = dict.fromkeys(each.object for each in rebuilt.renumbered)
        for _ in house.safeguarding.record(CONSOLE, renumbered):  # their records still say the old number
            pass
        report = house.fixity.check(CONSOLE, progress=bar)
    frame.give(_document(frame, rebuilt, report), _lines(frame, rebuilt, report))
    return Exit.OK if report.whole and not rebuilt.unfit else Exit.DAMAGED


def _lines(frame: Frame, rebuilt: "Rebuilt", report: "Report") -> list[str]:
    language, words = frame.words.language, frame.words
    lines = [f"{each.object}  {each.reason.say(language)}" for each in rebuilt.unfit]
    lines += [f"{each.name or each.reference}  {each.fault.say(language)}" for each in report.findings]
    lines.append(words("cli.rebuilt", place=rebuilt.place, files=rebuilt.files, documents=rebuilt.documents))
    if rebuilt.unfit:
        lines.append(words("cli.rebuilt_unfit", count=len(rebuilt.unfit)))
    if rebuilt.missing:
        lines.append(words("cli.rebuilt_missing", numbers=", ".join(rebuilt.missing)))
    lines += [
        words("cli.rebuilt_renumbered", reference=each.object, was=each.was, now=each.now)
        for each in rebuilt.renumbered
    ]
    if rebuilt.unsettled:
        lines.append(words("cli.rebuilt_settled", references=", ".join(rebuilt.unsettled)))
    if rebuilt.known is not None:
        root = rebuilt.known.root.hex()
        lines.append(words("cli.rebuilt_known", entries=rebuilt.known.size, root=root))
    return [*lines, words("cli.rebuilt_lost")]


def _document(frame: Frame, rebuilt: "Rebuilt", report: "Report") -> dict[str, Any]:
    known = rebuilt.known
    return {
        "home": str(frame.settings.home.absolute()),
        "vault": rebuilt.place,
        "files": rebuilt.files,
        "documents": rebuilt.documents,
        "not_rebuilt": [{"object": each.object, "reason": each.reason.value} for each in rebuilt.unfit],
        "missing_numbers": list(rebuilt.missing),
        "renumbered": [
            {"object": each.object, "what": each.table, "was": each.was, "now": each.now}
            for each in rebuilt.renumbered
        ],
        "settled": list(rebuilt.unsettled),
        "unused_keys": rebuilt.unused_keys,
        "former_ledger": None if known is None else {"entries": known.size, "root": known.root.hex()},
        "report": report.number,
        "whole": report.whole and not rebuilt.unfit,
        "damaged": [
            {"reference": each.reference or None, "document": each.name or None, "problem": each.fault.value}
            for each in report.findings
        ],
    }


COMMANDS = (safeguard, rebuild)
