"""Making an archive, and the schema of what is filed in it."""

import json
import sys
from importlib.resources import files

import click

from archive.errors import Code, MunimentError
from web.cli.frame import Frame, attended, framed, typed


@click.command()
@click.option(
    "--passphrase",
    "protected",
    is_flag=True,
    help="Protect the master key with a passphrase · 用口令保护主密钥.",
)
@framed
def init(frame: Frame, *, protected: bool) -> None:
    """Make an archive and its master key · 新建档案库和主密钥."""
    from web.wiring import init as found  # noqa: PLC0415

    found(frame.settings, _new_passphrase(frame) if protected else None)
    home, key = frame.settings.home.absolute(), frame.settings.key_path
    frame.give(
        {"home": str(home), "key_file": str(key), "key_journal": str(frame.settings.journal_path)},
        (
            frame.words("cli.founded", home=home),
            frame.words("cli.key", path=key),
            frame.words("cli.journal_kept", path=frame.settings.journal_path),
        ),
    )


def _new_passphrase(frame: Frame) -> str | None:
    """Typed twice at a terminal; elsewhere a line of standard input. None where the settings name a file of it."""
    if frame.settings.passphrase_file is not None:
        return None
    if not attended():
        return _filled(sys.stdin.readline().rstrip("\r\n"))
    first = _filled(typed(frame.words("cli.passphrase")))
    if typed(frame.words("cli.passphrase_again")) != first:
        raise MunimentError(Code.PASSPHRASE_WRONG)
    return first


def _filled(passphrase: str) -> str:
    if not passphrase:
        raise MunimentError(Code.PASSPHRASE_WRONG)
    return passphrase


@click.command()
@click.argument("form", type=click.Choice(["voucher"]))
def schema(form: str) -> None:
    """Print the JSON Schema of voucher.json · 输出登记凭证的 JSON Schema."""
    text = (files(f"archive.{form}") / "schema.json").read_text("utf-8")
    click.echo(json.dumps(json.loads(text), ensure_ascii=False, indent=2))


COMMANDS = (init, schema)
