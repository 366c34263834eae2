"""What every command shares: settings and house, words in the reader's language, the answer, and how errors end."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from errno import EACCES, EEXIST, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS
from functools import wraps
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

import click

from archive.casefile.sources import printable
from archive.causes import of_system
from archive.errors import Code, Exit, MunimentError, refusal_of
from web.settings import Settings, load_settings
from web.tracing import PlacesOnly, incident
from web.wording import Language, Wording, wording

if TYPE_CHECKING:  # a help text needs no archive
    from web.wiring import House

P = ParamSpec("P")
T = TypeVar("T")
_UNUSABLE = (EACCES, EEXIST, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS)
_INTERRUPTED = 128 + signal.SIGINT
_JSON = "--json"
_LOG = logging.getLogger("muniment")


@dataclass(frozen=True, slots=True)
class Frame:
    """One run of a command."""

    settings: Settings
    json: bool
    words: Wording

    @contextmanager
    def house(self) -> Iterator["House"]:
        """The archive, opened."""
        from web.wiring import opened  # noqa: PLC0415

        with ExitStack() as stack:
            yield self.unlocked(lambda passphrase: stack.enter_context(opened(self.settings, passphrase)))

    def unlocked(self, work: Callable[[str | None], T]) -> T:
        """What needs the master key, done with the passphrase that somebody types where one is needed."""
        try:
            return work(None)
        except MunimentError as error:
            if error.code is not Code.PASSPHRASE_WRONG or self.settings.passphrase_file or not attended():
                raise
        return work(typed(self.words("cli.passphrase")))

    def give(self, document: Mapping[str, Any], lines: Iterable[str]) -> None:
        """The answer: the document under ``--json``, else the lines."""
        if self.json:
            click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        else:
            for line in lines:
                click.echo(line)

    def tell(self, text: str) -> None:
        """A message beside the answer."""
        click.echo(text, err=True)

    @contextmanager
    def bar(self, total: int) -> Iterator["Bar"]:
        """Told how far a piece of work has come, it shows that on a terminal and nothing elsewhere."""
        from tqdm import tqdm  # noqa: PLC0415

        with tqdm(total=total, file=sys.stderr, disable=None, leave=False) as shown:
            yield lambda done, of=None: None if shown.disable else _advance(shown, done, of)

    def progress(self, steps: Iterable[T], total: int) -> Iterator[T]:
        """The steps, with a bar on a terminal and none elsewhere."""
        from tqdm import tqdm  # noqa: PLC0415

        yield from tqdm(steps, total=total, file=sys.stderr, disable=None, unit="", leave=False)


class Bar(Protocol):
    def __call__(self, done: int, of: int | None = None, /) -> None:
        """So much is done, of so much, where that was not known before."""


def _advance(shown: Any, done: int, of: int | None) -> None:
    if of is not None:
        shown.total = of
    shown.update(done - shown.n)


def attended() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def typed(prompt: str) -> str:
    """What somebody types unseen; the end of the input gives the command up."""
    try:
        return getpass(prompt)
    except EOFError:
        raise click.Abort from None


def framed(view: Callable[Concatenate[Frame, P], Exit | None]) -> Callable[P, Exit | None]:
    """Gives the view its frame, and the command ``--home`` and ``--json``."""

    @click.option("--home", type=click.Path(path_type=Path), help="The archive's folder · 档案库目录.")
    @click.option(
        _JSON, "as_json", is_flag=True, help="One JSON document on standard output · 在标准输出给出一份 JSON."
    )
    @wraps(view)
    def run(*args: P.args, **kwargs: P.kwargs) -> Exit | None:
        home, as_json = kwargs.pop("home"), bool(kwargs.pop("as_json"))
        wanted = home or click.get_current_context().find_root().params.get("home")
        settings = load_settings(os.environ, home=wanted if isinstance(wanted, Path) else None)
        return view(Frame(settings, as_json, wording(language(os.environ))), *args, **kwargs)

    return run


def answering(command: click.Command, arguments: Sequence[str]) -> int:
    """Runs the command and says how it ended: the exit code. No trace and no value of ours reaches the terminal."""
    said = logging.StreamHandler(sys.stderr)
    said.setFormatter(PlacesOnly("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[said])
    try:
        ended = command.main(list(arguments), prog_name="muniment", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        if _JSON in arguments:
            answer = {"error": "usage", "message": error.format_message()}
            click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        error.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):  # click takes one from anywhere for somebody who gives up
            return _refused(incident(error.__cause__, _LOG), as_json=_JSON in arguments)
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read the answer has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:  # noqa: BLE001 - the last place where anything can be said
        return _refused(
            refusal_of(error) or _unusable(error) or incident(error, _LOG), as_json=_JSON in arguments
        )
    return int(ended) if isinstance(ended, int) else Exit.OK


def language(environment: Mapping[str, str]) -> Language:
    """Of the terminal (POSIX locale variables): Chinese where it is Chinese, else English."""
    spoken = next(
        (value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), ""
    )
    return Language.ZH if spoken.lower().startswith("zh") else Language.EN


def _refused(error: MunimentError, *, as_json: bool) -> int:
    sentence = error.say(language(os.environ))
    if as_json:
        click.echo(json.dumps({"error": error.code.value, "message": sentence}, ensure_ascii=False, indent=1))
    click.echo(f"muniment: {sentence}", err=True)
    return error.meaning.exit


def _unusable(error: Exception) -> MunimentError | None:
    """A place named by whoever types, or the archive's own: said by its name, which nobody else reads here."""
    if isinstance(error, OSError) and error.errno in _UNUSABLE and isinstance(error.filename, str):
        return MunimentError(
            Code.PATH_UNUSABLE, path=printable(error.filename), problem=of_system(error.errno)
        )
    return None
