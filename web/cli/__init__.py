"""The command line ``muniment``: one module a subject, every command on the same frame.

Standard output carries the answer (one JSON document under ``--json``), standard error everything else. Exit codes are
those of the table in ``archive.errors``.
"""

import os
import sys
from pathlib import Path

import click

from web.cli import (
    backup,
    filing,
    finding,
    fixity,
    founding,
    keys,
    ledger,
    ocr,
    packages,
    people,
    quarantine,
    rebuilding,
    retention,
    samples,
    serving,
    vault,
)
from web.cli.frame import answering, language
from web.wording import Language


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), help="The archive's folder · 档案库目录.")
@click.version_option(package_name="muniment", prog_name="muniment")
def cli(home: Path | None) -> None:
    """Muniment 卷宗: the archive of complaint case files · 顾客投诉登记档案库."""


for subject in (
    founding,
    filing,
    finding,
    ocr,
    people,
    retention,
    ledger,
    fixity,
    packages,
    quarantine,
    backup,
    rebuilding,
    keys,
    vault,
    samples,
    serving,
):
    for command in subject.COMMANDS:
        cli.add_command(command)


def summarise(commands: click.Group, wanted: Language) -> None:
    """In a list of commands each has one line: with both languages in it, the second would be cut off."""
    for each in commands.commands.values():
        english, _, chinese = " ".join((each.help or "").split()).removesuffix(".").rpartition(" · ")
        each.short_help = chinese if wanted is Language.ZH else english
        if isinstance(each, click.Group):
            summarise(each, wanted)


def main() -> None:
    """The entry point. Ends the process with the exit code of what happened."""
    summarise(cli, language(os.environ))
    sys.exit(answering(cli, sys.argv[1:]))
