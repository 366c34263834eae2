"""Where the vault lies, and moving it."""

from dataclasses import replace

import click

from archive.ledger.entries import CONSOLE
from web.cli.frame import Frame, framed
from web.settings import check_vault


@click.group()
def vault() -> None:
    """The vault: where it lies, moving it · 库：位置、迁移."""


@vault.command()
@framed
def status(frame: Frame) -> None:
    """Say where the vault lies, and how much of it is locked as it must be · 库在何处，有多少已按要求锁定."""
    locks: dict[str, object] = {}
    with frame.house() as house:
        where, places = house.founded.vault.where(), house.founded.vault.places
        if house.founded.vault.protecting:
            files = house.case_files.select()
            others = [
                each for each in frame.progress(files, len(files)) if not house.protecting.is_protected(each)
            ]
            weaker = sum(house.protecting.is_protected(each, weakly=True) for each in others)
            locks = {"files": len(files), "locked": len(files) - len(others), "weaker": weaker}
    moving_to = None if where.moving_to is None else places.shown(where.moving_to)
    lines = [places.shown(where.place)]
    if locks:
        lines.append(frame.words("cli.vault_locked", **locks))
        if locks["weaker"]:
            lines.append(frame.words("cli.vault_weaker", **locks))
    if moving_to is not None:
        lines.append(frame.words("cli.vault_moving", place=moving_to))
    frame.give({"place": places.shown(where.place), "moving_to": moving_to, **locks}, lines)


@vault.command()
@click.option(
    "--to",
    required=True,
    metavar="PLACE",
    help="s3://bucket/prefix, or an empty folder · s3://存储桶/前缀，或空目录.",
)
@framed
def move(frame: Frame, *, to: str) -> None:
    """Copy the vault to another place while it is in use, read back all of it, and use it there ·
    迁移库：照常使用，逐一读回核对.
    """
    check_vault(replace(frame.settings, vault=to))
    with frame.house() as house:
        total = house.case_files.count()
        with frame.bar(total) as progress:
            moved = house.moving.move(CONSOLE, to, progress)
        if house.founded.vault.protecting:  # killed before the end, the server's watch does it
            with frame.bar(total) as progress:
                house.protecting.settle(CONSOLE, lambda done, _total: progress(done))
    frame.give(
        {
            "from": moved.came_from,
            "place": moved.place,
            "files": moved.files,
            "copied": moved.copied,
            "bytes": moved.bytes,
        },
        (
            frame.words("cli.vault_moved", place=moved.place, files=moved.files),
            frame.words("cli.vault_left", place=moved.came_from),
            *(() if frame.settings.vault is None else (frame.words("cli.vault_setting", place=moved.place),)),
        ),
    )


COMMANDS = (vault,)
