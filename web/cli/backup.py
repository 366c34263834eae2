"""Backups: taken, restored onto an empty machine, rehearsed."""

from typing import TYPE_CHECKING

import click

from archive.errors import Code, Exit, MunimentError
from archive.ledger.entries import CONSOLE
from web.cli.frame import Frame, framed

if TYPE_CHECKING:
    from archive.backup.restoring import Restored
    from archive.fixity.report import Report

_PLACE = (
    "A folder or s3://bucket/prefix; default: the setting backup_to · "
    "目录或 s3://存储桶/前缀，默认取设置 backup_to."
)
_TO = click.option("--to", help=_PLACE)
_KEYS_TO = click.option(
    "--keys-to",
    help="Another place for the wrapped keys; of a backup in a bucket by default BUCKET-keys · "
    "密钥部分另存的位置；备份在存储桶时默认为“存储桶名-keys”.",
)
_FROM = click.option("--from", "source", help=_PLACE)
_KEYS_FROM = click.option(
    "--keys-from", help="Where the wrapped keys lie, if apart · 密钥部分所在的位置（如分开存放）."
)


@click.command()
@_TO
@_KEYS_TO
@framed
def backup(frame: Frame, *, to: str | None, keys_to: str | None) -> Exit:
    """Take a snapshot: encrypted, incremental, while the archive is in use · 备份：加密、增量，不停用."""
    from web.backup_places import backup_place, place  # noqa: PLC0415

    places = _places(frame, to, keys_to)
    place(frame.settings, *places)  # what is no place is said before a passphrase is asked for
    with frame.house() as house, frame.bar(house.case_files.count()) as bar:
        wanted = backup_place(frame.settings, house.founded.vault, *places)
        taken = house.backups.take(CONSOLE, wanted, keep=frame.settings.backup_keep, progress=bar)
    lines = [frame.words("cli.backed_up", **_counts(taken, "snapshot", "files", "documents", "copied"))]
    if taken.damaged:
        lines = [*taken.damaged, *lines, frame.words("cli.backup_damaged", count=len(taken.damaged))]
    frame.give(
        {
            **_counts(taken, "snapshot", "files", "documents", "size", "copied", "copied_size"),
            "damaged": list(taken.damaged),
        },
        lines,
    )
    return Exit.DAMAGED if taken.damaged else Exit.OK


@click.command()
@_FROM
@_KEYS_FROM
@click.option("--snapshot", help="Not the newest but this one · 不取最新快照，用指定的快照.")
@framed
def restore(frame: Frame, *, source: str | None, keys_from: str | None, snapshot: str | None) -> Exit:
    """Restore the archive into an empty --home, and check all of it · 从备份恢复到空的 --home，并全部核验."""
    from archive.backup.restoring import record_restored  # noqa: PLC0415
    from web.backup_places import place  # noqa: PLC0415
    from web.wiring import restore as restore_archive  # noqa: PLC0415

    wanted = place(frame.settings, *_places(frame, source, keys_from))
    with frame.bar(0) as bar:
        restored = frame.unlocked(
            lambda passphrase: restore_archive(
                frame.settings, wanted, passphrase, snapshot=snapshot, progress=bar
            )
        )
    with frame.house() as house, frame.bar(house.case_files.count()) as bar:
        record_restored(house.catalogue, CONSOLE, restored)
        report = house.fixity.check(CONSOLE, progress=bar)
    return _give_restored(frame, restored, report)


def _give_restored(frame: Frame, restored: "Restored", report: "Report") -> Exit:
    language = frame.words.language
    damaged = [
        *restored.damaged,
        *(f"{each.name or each.reference}: {each.fault.say(language)}" for each in report.findings),
    ]
    facts = _counts(restored, "snapshot", "files", "documents")
    lines = list(damaged)
    if restored.gone:
        lines.append(frame.words("cli.gone", count=restored.gone))
    if damaged:
        lines.append(frame.words("cli.restored_damaged", snapshot=restored.snapshot, count=len(damaged)))
    else:
        lines.append(frame.words("cli.restored", **facts))
    more = {"home": str(restored.home), **_counts(restored, "taken_at", "size", "gone")}
    frame.give({**facts, **more, "report": report.number, "whole": not damaged, "damaged": damaged}, lines)
    return Exit.DAMAGED if damaged else Exit.OK


@click.command()
@_FROM
@_KEYS_FROM
@click.option(
    "--reads",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Documents to read · 试读的文件份数.",
)
@framed
def rehearse(frame: Frame, *, source: str | None, keys_from: str | None, reads: int) -> Exit:
    """Restore into a scratch place and try it there; recorded · 恢复到临时位置演练（留有记录）."""
    from web.backup_places import place  # noqa: PLC0415

    wanted = place(frame.settings, *_places(frame, source, keys_from))
    with frame.house() as house, frame.bar(0) as bar:
        result = house.rehearsing.rehearse(CONSOLE, wanted, reads=reads, progress=bar)
    facts = _counts(result, "snapshot", "files", "documents", "entries", "reads")
    problems = [each.say(frame.words.language) for each in result.problems]
    said = (
        frame.words("cli.rehearsed", **facts)
        if result.whole
        else frame.words("cli.rehearsed_damaged", count=len(result.problems))
    )
    frame.give(
        {**facts, "size": result.size, "whole": result.whole, "problems": problems},
        (*problems, said),
    )
    return Exit.OK if result.whole else Exit.DAMAGED


def _places(frame: Frame, given: str | None, keys: str | None) -> tuple[str, str]:
    """As given, else as the settings say."""
    if given:
        return given, keys or ""
    if not frame.settings.backup_to:
        raise MunimentError(Code.SETTING_INVALID, key="backup_to", problem=frame.words("cli.no_backup_place"))
    return frame.settings.backup_to, keys or frame.settings.backup_keys_to


def _counts(value: object, *names: str) -> dict[str, object]:
    return {name: getattr(value, name) for name in names}


COMMANDS = (backup, restore, rehearse)
