"""What the virus scanner found: listed, and taken out again for an investigation."""

from pathlib import Path

import click

from archive.errors import Code, MunimentError
from archive.ledger.entries import CONSOLE
from archive.vault import durable
from web.cli.frame import Frame, framed


@click.group()
def quarantine() -> None:
    """Infected files, sealed away and not filed · 病毒隔离区."""


@quarantine.command("list")
@framed
def list_(frame: Frame) -> None:
    """What was found, when, and who handed it in · 隔离清单：何时、何人、何种病毒."""
    with frame.house() as house:
        found = list(house.quarantine.isolated())
    frame.give(
        {
            "isolated": [
                {
                    "number": each.number,
                    "at": each.at.isoformat(),
                    "actor": each.actor,
                    "virus": each.virus,
                    "sha256": each.sha256,
                    "size": each.size,
                }
                for each in found
            ]
        },
        [f"{each.number}  {each.at:%Y-%m-%d %H:%M}  {each.actor}  {each.virus}" for each in found]
        or [frame.words("cli.quarantine_empty")],
    )


@quarantine.command()
@click.option(
    "--to", "path", required=True, type=click.Path(path_type=Path), help="A new file · 尚不存在的文件."
)
@click.argument("number")
@framed
def take(frame: Frame, *, path: Path, number: str) -> None:
    """Write an infected file as it came in; recorded · 原样取出一个染毒文件（留有记录）."""
    with frame.house() as house:
        if path.exists():
            raise MunimentError(Code.OUTPUT_EXISTS, path=str(path))
        durable.write(path, house.quarantine.take(CONSOLE, number), mode=0o600)
    frame.give({"number": number, "path": str(path)}, (str(path),))


COMMANDS = (quarantine,)
