"""``muniment keys``: what it answers, and how it stops."""

import json
from pathlib import Path

import click
import pytest

from archive.errors import Exit
from web.cli import cli
from web.cli.frame import answering, typed


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command on an archive of its own: exit code and standard output."""
    monkeypatch.setenv("MUNIMENT_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("LANG", "C")

    def command(*arguments: str) -> tuple[int, str]:
        code = answering(cli, arguments)
        return code, capsys.readouterr().out

    assert command("init")[0] == Exit.OK
    return command


def test_status_says_what_each_version_wraps(run, tmp_path) -> None:
    code, said = run("keys", "status", "--json")
    assert code == Exit.OK
    assert json.loads(said) == {
        "key_file": str(tmp_path / "var.key"),
        "kind": "file",
        "current": 1,
        "rotating": False,
        "versions": [{"version": 1, "file_keys": 0, "secrets": 3}],
        "journal": {
            "path": str(tmp_path / "var.keys"),
            "file_keys": 0,
            "missing": 0,
            "unreadable_lines": 0,
            "other_keys": 0,
            "mended": False,
            "whole": True,
        },
    }


def test_rotate_says_what_it_did_and_the_archive_opens_afterwards(run) -> None:
    code, said = run("keys", "rotate", "--json")
    assert code == Exit.OK
    assert json.loads(said) == {"version": 2, "retired": [1], "rewrapped": 0, "resumed": False}
    assert json.loads(run("keys", "status", "--json")[1])["current"] == 2


@pytest.mark.parametrize("command", [("keys", "status"), ("keys", "rotate"), ("sweep",)])
def test_without_its_key_every_command_stops_with_9_and_makes_none(run, tmp_path, command) -> None:
    (tmp_path / "var.key").unlink()
    code, said = run(*command, "--json")
    assert code == Exit.KEY
    assert json.loads(said)["error"] == "key-missing"
    assert not (tmp_path / "var.key").exists()


@pytest.mark.parametrize("name", ["KEY_FILE", "PASSPHRASE_FILE", "KEY_JOURNAL"])
def test_a_key_inside_the_archive_is_refused(run, tmp_path, monkeypatch, name) -> None:
    monkeypatch.setenv(f"MUNIMENT_{name}", str(tmp_path / "var" / "inside"))
    assert run("keys", "status")[0] == Exit.USAGE


@pytest.mark.parametrize("value", ["fil", "aws-kms://", "pkcs11:token=a", "pkcs11:pin-value=1"])
def test_a_guard_that_is_none_is_refused(run, monkeypatch, value) -> None:
    monkeypatch.setenv("MUNIMENT_MASTER_KEY", value)
    assert run("keys", "status")[0] == Exit.USAGE


def test_a_setting_that_would_take_the_guard_away_is_refused(run, tmp_path, monkeypatch) -> None:
    secret: Path = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    monkeypatch.setenv("MUNIMENT_PASSPHRASE_FILE", str(secret))
    assert run("keys", "rotate")[0] == Exit.OK
    assert json.loads(run("keys", "status", "--json")[1])["kind"] == "argon2id"
    monkeypatch.delenv("MUNIMENT_PASSPHRASE_FILE")
    assert run("keys", "rotate")[0] == Exit.KEY


def test_an_end_of_file_that_nobody_typed_is_a_fault_that_is_told(capsys) -> None:
    def fails() -> None:
        raise EOFError

    assert answering(click.Command("index", callback=fails), []) == Exit.FAULT
    assert "muniment: " in capsys.readouterr().err


def test_an_end_of_file_at_a_prompt_gives_the_command_up(monkeypatch, capsys) -> None:
    def fails(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("web.cli.frame.getpass", fails)
    assert answering(click.Command("index", callback=lambda: typed("?")), []) == 130
    assert capsys.readouterr().err.strip() == ""
