"""The help of every command, in one language at a time: ours, and the words that click adds."""

import copy
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

import click
import pytest

import web.cli
from tests.serving import muniment
from web.cli import cli, speak
from web.wording import Language

CHINESE, LATIN = re.compile(r"[\u3400-\u9fff]"), re.compile("[A-Za-z]{2}")
LOCALE = Path(web.cli.__file__).parent / "locale/zh/LC_MESSAGES"


def every(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for below, each in command.commands.items():
            yield from every(each, f"{name} {below}")


def helps() -> list[tuple[str, str]]:
    found = []
    for name, command in every(cli, "muniment"):
        found.append((name, command.help or ""))
        found += [
            (f"{name} {each.opts[0]}", each.help or "")
            for each in command.params
            if isinstance(each, click.Option)
        ]
    return found


def test_every_command_and_every_option_is_explained_in_both_languages():
    wrong = []
    for name, text in helps():
        english, separator, chinese = " ".join(text.split()).rpartition(" · ")
        if not separator or not LATIN.search(english) or not CHINESE.search(chinese):
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("wanted", Language)
def test_help_is_in_the_language_of_the_terminal_alone(wanted: Language):
    spoken = copy.deepcopy(cli)
    speak(spoken, wanted)
    for name, command in every(spoken, "muniment"):
        options = [each for each in command.params if isinstance(each, click.Option)]
        for text in (command.help or "", *(each.help or "" for each in options)):
            assert text, name
            assert " · " not in text, name
            assert wanted is Language.EN or CHINESE.search(text), (name, text)


def test_no_half_of_english_is_left_in_chinese_help():
    for command in ((), ("search",), ("file",), ("people", "add")):
        said = muniment(*command, "--help", LC_ALL="zh_CN.UTF-8").stdout
        assert not re.search("Usage|Options|Commands|default|required|Show", said), said
        assert "用法" in said
    wrong = muniment("search", "x", "--sort", "colour", LC_ALL="zh_CN.UTF-8").stderr
    assert "'--sort' 的值无效" in wrong
    assert "Error" not in wrong


def test_what_is_compiled_is_what_is_written():
    """``msgfmt messages.po -o messages.mo`` was run."""
    with (LOCALE / "messages.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    written = (LOCALE / "messages.po").read_text("utf-8")
    pairs = re.findall(
        r'^msgid "(.+)"\n(?:msgid_plural ".+"\n)?msgstr(?:\[0\])? "(.+)"$', written, re.MULTILINE
    )
    assert len(pairs) == written.count("\nmsgid ") - written.count('msgid ""')
    unescaped = [
        [each.encode().decode("unicode_escape").encode("latin-1").decode() for each in pair] for pair in pairs
    ]
    for said, meant in unescaped:
        assert meant in (compiled.gettext(said), compiled.ngettext(said, said, 2))
