"""The command line ``muniment``: one module a subject, every command on the same frame.

Standard output carries the answer (one JSON document under ``--json``), standard error everything else. Exit codes are
those of the table in ``archive.errors``.
"""

import gettext
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
@click.version_option(package_name="muniment", prog_name="muniment", help="Show the version · 显示版本.")
def cli(home: Path | None) -> None:
    """Muniment: the archive of complaint case files · Muniment 卷宗：顾客投诉登记档案库."""


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


def speak(command: click.Command, wanted: Language) -> None:
    """Command, options and what is below them in one language: each help is written as ``English · 中文.``"""
    command.help = command.short_help = _in(command.help, wanted)
    for each in command.params:
        if isinstance(each, click.Option):
            each.help = _in(each.help, wanted)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            speak(below, wanted)


def _in(text: str | None, wanted: Language) -> str:
    english, _, chinese = " ".join((text or "").split()).removesuffix(".").rpartition(" · ")
    return chinese if wanted is Language.ZH else english


def main() -> None:
    """The entry point. Ends the process with the exit code of what happened."""
    wanted = language(os.environ)
    if wanted is Language.ZH:  # click's own words, which it asks gettext for
        gettext.bindtextdomain("messages", str(Path(__file__).parent / "locale"))
    speak(cli, wanted)
    sys.exit(answering(cli, sys.argv[1:]))
