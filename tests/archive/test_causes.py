"""Causes: half a sentence in each language, and what the operating system answers with its name beside it."""

import ast
import errno
import re
from pathlib import Path

import pytest

from archive.causes import Cause, Unfit, no_toml, of_system
from archive.errors import Code, MunimentError

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u3400-\u9fff]")


def written(*names: str) -> list[tuple[str, ast.Call]]:
    """Every call of these names in the sources, with where it stands."""
    paths = [
        path
        for package in ("archive", "indexer", "retention", "access", "web")
        for path in (ROOT / package).rglob("*.py")
    ]
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def text(node: ast.expr) -> str | None:
    """What is written there outright; for an f-string without what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    return None


def test_no_reason_is_given_in_one_language_only():
    """A name that a machine gave may come as text; a sentence of ours may not."""
    found = [
        place
        for place, call in written("MunimentError")
        for given in call.keywords
        if given.arg == "problem"
        and (
            " " in (text(given.value) or "")
            or (isinstance(given.value, ast.Call) and ast.unparse(given.value.func) == "str")
            or ast.unparse(given.value).endswith(".strerror")
        )
    ]
    assert found == []


def test_a_cause_is_chinese_first_and_english_second():
    found = [
        place
        for place, call in written("Cause", "Unfit")
        if (said := [text(each) for each in call.args])
        and None not in said
        and re.search(r"\w", "".join(map(str, said)))  # else everything is filled in
        and (not CHINESE.search(said[0] or "") or CHINESE.search(said[1] or ""))
    ]
    assert found == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EADDRINUSE, errno.EIO])
def test_what_the_system_answers_is_said_in_both_languages_with_its_name(number: int):
    cause, name = of_system(number), errno.errorcode[number]
    assert cause.zh.endswith(f"，{name}")
    assert cause.en.endswith(f", {name}")
    assert not re.search("[a-z]{3}", cause.zh)


@pytest.mark.parametrize(("number", "name"), [(errno.EXDEV, "EXDEV"), (None, "OSError"), (9999, "OSError")])
def test_an_answer_without_words_of_ours_is_named(number: int | None, name: str):
    assert of_system(number).say("zh") == f"操作系统报错 {name}"
    assert of_system(number).say("en") == f"the system says {name}"


def test_a_cause_stands_in_the_sentence_of_its_language():
    error = MunimentError(
        Code.SETTING_INVALID, key="vault", problem=Unfit("不是目录", "it is no folder").cause
    )
    assert error.say("zh") == "设置 vault 的值无效：不是目录。"
    assert str(error).endswith("The setting vault is not valid: it is no folder.")


def test_a_line_that_is_no_toml_is_said_by_its_number():
    assert no_toml(ValueError("Expected '=' (at line 3, column 5)")) == Cause(
        "第 3 行不是有效的 TOML", "line 3 is no valid TOML"
    )
    assert CHINESE.search(no_toml(ValueError("invalid start byte")).zh)
