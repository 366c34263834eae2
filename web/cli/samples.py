"""The sample archive: invented complaints, to try the archive with."""

from datetime import datetime
from pathlib import Path

import click

from archive.errors import Code, MunimentError
from web.cli.frame import Frame, framed


@click.group()
def sample() -> None:
    """Invented complaints to try the archive with · 示例档案."""


@sample.command()
@click.option(
    "--count",
    type=click.IntRange(1, 1_000_000),
    default=40,
    show_default=True,
    help="So many case files · 份数.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="The same seed writes the same files · 种子相同则内容相同.",
)
@click.argument("directory", type=click.Path(path_type=Path))
@framed
def write(frame: Frame, *, count: int, seed: int, directory: Path) -> None:
    """Write so many case files to a new folder, for muniment import · 在新目录中生成示例，供 muniment import 归档."""
    from web.sample import cases, write_folder  # noqa: PLC0415

    if directory.exists():
        raise MunimentError(Code.OUTPUT_EXISTS, path=str(directory))
    today = datetime.now(frame.settings.zone).date()
    for number, case in enumerate(frame.progress(cases(seed, count, today), count), start=1):
        write_folder(case, directory / f"{number:06d}")
    frame.give({"directory": str(directory), "count": count}, (str(directory),))


@sample.command()
@framed
def load(frame: Frame) -> None:
    """Make a sample archive with people, files and requests, unless there is one ·
    建立示例档案库：人员、档案、申请（已有则不动）.
    """
    from web.sample.loading import load as fill  # noqa: PLC0415

    fill(frame)


COMMANDS = (sample,)
