"""The master key: what it wraps, and a new version of it."""

import click

from archive.ledger.entries import CONSOLE
from web.cli.frame import Frame, framed


@click.group()
def keys() -> None:
    """The master key: status, rotation · 主密钥：状态、更换."""


@keys.command()
@framed
def status(frame: Frame) -> None:
    """Say where the master key is kept and what each version wraps · 主密钥存放何处、各版保护多少密钥."""
    with frame.house() as house:
        found = house.rotating.status()
    lines = [f"{found.path}  {frame.words.of('key_kind', found.kind)}"]
    lines += [
        frame.words("cli.key_version", version=each.version, files=each.file_keys, secrets=each.secrets)
        for each in found.versions
    ]
    journal = found.journal
    lines.append(frame.words("cli.journal", path=journal.path, count=journal.file_keys))
    if not journal.whole:
        lines.append(frame.words("cli.journal_lacking", count=len(journal.missing)))
    if journal.mended:
        lines.append(frame.words("cli.journal_mended"))
    if journal.torn:
        lines.append(frame.words("cli.journal_torn", count=journal.torn))
    if found.rotating:
        lines.append(frame.words("cli.rotating"))
    frame.give(found.to_json(), lines)


@keys.command()
@framed
def rotate(frame: Frame) -> None:
    """Wrap every key anew under a new master key; finishes a rotation that was cut off · 更换主密钥，中断后可续."""
    with frame.house() as house:
        waiting = house.rotating.status().file_keys
        with frame.bar(waiting) as progress:
            rotated = house.rotating.rotate(CONSOLE, progress)
    frame.give(
        {
            "version": rotated.version,
            "retired": list(rotated.retired),
            "rewrapped": rotated.rewrapped,
            "resumed": rotated.resumed,
        },
        (
            frame.words("cli.rotated", version=rotated.version, count=rotated.rewrapped),
            frame.words("cli.key", path=frame.settings.key_path),
        ),
    )


COMMANDS = (keys,)
