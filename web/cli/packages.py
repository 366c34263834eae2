"""Preservation packages: case files out of the archive, readable without it, and into a new one."""

from pathlib import Path

import click

from archive.errors import Exit
from archive.ledger.entries import CONSOLE
from web.cli.frame import Frame, framed


@click.command()
@click.option(
    "--to", "directory", required=True, type=click.Path(path_type=Path), help="A new folder · 尚不存在的目录."
)
@click.argument("references", nargs=-1, required=True)
@framed
def export(frame: Frame, *, directory: Path, references: tuple[str, ...]) -> None:
    """Write case files into a preservation package (BagIt), decrypted; recorded ·
    导出长期保存包（BagIt，未加密，留有记录）.
    """
    with frame.house() as house, frame.bar(len(references)) as bar:
        made = house.exporting.export(CONSOLE, references, directory, house.people.names(), bar)
    frame.give(
        {
            "package": str(made.folder),
            "references": list(made.references),
            "documents": made.documents,
            "manifest": made.manifest,
        },
        (str(made.folder), frame.words("cli.exported", files=len(made.references), documents=made.documents)),
    )


def import_package(frame: Frame, directory: Path) -> Exit:
    """``muniment import --package``."""
    with frame.house() as house, frame.bar(0) as bar:
        brought = list(house.packages.import_all(CONSOLE, directory, bar))
    imported = [each.reference for each in brought if each.imported]
    known = [each.reference for each in brought if not each.imported]
    renumbered = [
        {"object": each.reference, "what": "hold", "was": was, "now": now}
        for each in brought
        for was, now in each.renumbered.items()
    ]
    said = [
        frame.words("cli.rebuilt_renumbered", reference=each["object"], was=each["was"], now=each["now"])
        for each in renumbered
    ]
    frame.give(
        {"imported": imported, "known": known, "renumbered": renumbered},
        (*imported, *said, frame.words("cli.package_imported", imported=len(imported), known=len(known))),
    )
    return Exit.OK


COMMANDS = (export,)
