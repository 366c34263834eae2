"""The table of errors: every code has its entry, both languages say the same facts, every raise fills them."""

import ast
from errno import EDQUOT, EFBIG, EIO, ENOSPC
from pathlib import Path
from string import Formatter

import pytest

from archive.errors import TABLE, Code, Exit, MunimentError, refusal_of, say_kept

ROOT = Path(__file__).parents[2]
PACKAGES = ("archive", "indexer", "retention", "access", "web")


def facts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def raised() -> list[tuple[str, str, set[str], bool]]:
    """Each ``MunimentError(Code.X, …)``: where, which code, which facts, and whether more come by ``**``."""
    found = []
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name, first = getattr(node.func, "id", ""), node.args[0]
            if (
                name in ("MunimentError", "Refused")
                and isinstance(first, ast.Attribute)
                and first.attr.isupper()
            ):
                given = {each.arg for each in node.keywords if each.arg}
                more = any(each.arg is None for each in node.keywords)
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                # what the worker refuses is given its file's name by the sandbox
                found.append((place, first.attr, given | ({"name"} if name == "Refused" else set()), more))
    return found


def test_every_code_has_its_entry_and_no_entry_is_without_a_code():
    assert set(TABLE) == set(Code)


def test_the_codes_stand_in_order_and_are_named_after_themselves():
    assert [each.name for each in Code] == sorted(each.name for each in Code)
    assert [each.name for each in TABLE] == [each.name for each in Code]
    assert [each for each in Code if each.value != each.name.lower().replace("_", "-")] == []


@pytest.mark.parametrize("code", Code)
def test_both_languages_say_the_same_facts_and_end_as_sentences(code):
    meaning = TABLE[code]
    assert facts(meaning.zh) == facts(meaning.en)
    assert meaning.zh.rstrip("{}abcdefghijklmnopqrstuvwxyz_")[-1:] in "。？！：）”" or facts(meaning.zh)
    assert any("\u4e00" <= each <= "\u9fff" for each in meaning.zh)
    assert meaning.en.isascii() or facts(meaning.en) or "“" in meaning.en or "’" in meaning.en
    assert meaning.exit is not Exit.OK
    assert 400 <= meaning.http <= 599


def test_whoever_raises_gives_every_fact():
    short = [
        (place, wanted - given)
        for place, code, given, more in raised()
        if not more and (wanted := facts(TABLE[Code[code]].zh)) - given
    ]
    assert short == []


def test_every_code_is_raised_by_somebody():
    sources = "\n".join(
        path.read_text("utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.name != "errors.py"
    )
    unused = [each for each in Code if f"Code.{each.name}" not in sources]
    assert unused == []


def test_an_error_says_its_code_and_its_sentence():
    error = MunimentError(Code.LEVEL_UNKNOWN, given="九级", known="一级")
    assert str(error).startswith("level-unknown: ")
    assert "九级" in error.say("zh")
    assert "九级" in error.say("en")
    assert error.say("zh") != error.say("en")


def test_a_fact_with_words_of_its_own_is_said_in_the_language_asked_for():
    class Both:
        def say(self, language: str) -> str:
            return {"zh": "中文", "en": "English"}[language]

    error = MunimentError(Code.SETTING_INVALID, key="port", problem=Both())
    assert "中文" in error.say("zh")
    assert "English" in error.say("en")


@pytest.mark.parametrize("number", [ENOSPC, EDQUOT, EFBIG])
def test_a_disk_without_room_is_a_refusal_and_any_other_fault_a_defect(number):
    assert refusal_of(OSError(number, "")).code is Code.DISK_FULL
    assert refusal_of(OSError(EIO, "")) is None
    assert refusal_of(ValueError()) is None


def test_a_code_that_was_kept_alone_is_said_as_far_as_it_can_be():
    assert say_kept("conversion-crashed", "zh").startswith("“PDF”无法安全转换")
    assert say_kept("conversion-timeout", "en").startswith("Converting “PDF” took more than –")
    assert say_kept("evidence-too-many-pages", "zh") == "evidence-too-many-pages"  # its figures were not kept
    assert say_kept("of a later version", "zh") == "of a later version"
