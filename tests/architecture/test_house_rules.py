"""The rules of the house that no linter knows: arrows point down, and what users rely on is written down."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from archive.errors import Code
from web.cli import cli
from web.settings import KEYS

ROOT = Path(__file__).parents[2]
PACKAGES = ("archive", "indexer", "retention", "access", "web")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def sources() -> Iterator[tuple[Path, str]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            yield path.relative_to(ROOT), path.read_text("utf-8")


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name)


def test_imports_go_down_only():
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_catalogue_is_never_opened_with_another_sqlite():
    """The stock SQLite of Python 3.11 has the WAL-reset bug; pysqlite3 and sqlcipher3-binary shadow ours."""
    forbidden = re.compile(r"^\s*(?:import|from)\s+(?:sqlite3|pysqlite3)\b", re.MULTILINE)
    assert [str(path) for path, text in sources() if forbidden.search(text)] == []
    assert [
        each for each in dependencies() if each.startswith("pysqlite3") or each == "sqlcipher3-binary"
    ] == []


def test_only_the_unit_of_work_and_housekeeping_write():
    """``writing()`` by itself is for the unit of work, housekeeping, migrations and founding; and for the copies of
    a catalogue that a backup makes and a restore or a rebuild builds, which nobody works in yet.
    """
    allowed = {
        "catalogue.py",
        "migrating.py",
        "founding.py",
        "engine.py",
        "keeping_apart.py",
        "restoring.py",
        "rebuilding.py",
    }
    found = [str(path) for path, text in sources() if ".writing()" in text and path.name not in allowed]
    assert found == []


def dependencies() -> list[str]:
    project = PROJECT["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    return [re.split(r"[<>=!~\[; ]", each)[0].lower() for each in wanted]


@pytest.mark.parametrize("name", sorted(set(dependencies())))
def test_every_dependency_has_its_reason(name):
    line = re.search(
        rf"^\|[^|]*\b{re.escape(name)}\b[^|]*\|([^|]+)\|", document("dependencies.md"), re.MULTILINE
    )
    assert line is not None, f"{name} has no line in docs/dependencies.md"
    assert len(line[1].strip()) > 10


def test_no_reason_is_kept_for_what_is_not_used():
    rows = re.findall(r"^\| ([a-z0-9][\w.-]*(?:, [\w.-]+)*) \|", document("dependencies.md"), re.MULTILINE)
    named = {name for row in rows for name in row.split(", ")} - {"package"}
    assert named - set(dependencies()) == set()


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_documented(key):
    assert re.search(rf"^\| `{key}` \|", document("operations.md"), re.MULTILINE)


def test_no_setting_is_documented_that_is_none():
    told = document("operations.md").partition("## Settings")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)) == set(KEYS)


@pytest.mark.parametrize("code", Code)
def test_every_error_code_is_documented(code):
    assert f"`{code.value}`" in document("errors.md")


@pytest.mark.parametrize("command", sorted(commands(cli)), ids=" ".join)
def test_every_command_is_documented(command):
    *group, name = command
    told = document("commands.md")
    whole = " ".join(["muniment", *command])
    lines = [line for line in told.splitlines() if line.startswith("|")]
    beside = [
        line for line in lines if group and f"`muniment {' '.join(group)} " in line and f"`{name}" in line
    ]
    assert beside or any(f"`{whole}" in line for line in lines), f"{whole} is not in docs/commands.md"


def test_modules_are_named_by_the_domain():
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"}
    assert [str(path) for path, _ in sources() if vague & {*path.parts, path.stem}] == []
