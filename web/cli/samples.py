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
@click.option("--count", type=click.IntRange(1, 1_000_000), default=40, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.argument("directory", type=click.Path(path_type=Path))
@framed
def write(frame: Frame, *, count: int, seed: int, directory: Path) -> None:
    """Write so many case files to a new folder, for muniment import · 生成示例文件夹."""
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
    """Make a sample archive with people, files and requests, unless there is one · 载入示例档案."""
    from web.sample.loading import load as fill  # noqa: PLC0415

    fill(frame)


COMMANDS = (sample,)
