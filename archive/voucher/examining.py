"""Examining a document against the form: all problems at once, so that it is corrected in one go (P9)."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Final

from archive.voucher.form import (
    COMPLAINANT,
    FORM,
    MOMENT,
    UNFIT_IN_A_LINE,
    UNFIT_IN_LINES,
    Field,
    Group,
    Items,
    Kind,
    Moment,
    Text,
    Whole,
    YesNo,
    needed_of_complainant,
)
from archive.voucher.problems import Fault, Problem

_UNFIT: Final = {False: re.compile(UNFIT_IN_A_LINE), True: re.compile(UNFIT_IN_LINES)}
_MOMENT: Final = re.compile(MOMENT)
_LOOKS_LIKE_A_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
_KEY_SHOWN: Final = 40


def examine(document: object) -> tuple[Problem, ...]:
    """All that keeps ``document`` (as ``json.loads`` gives it) from being a voucher; empty if nothing."""
    return tuple(_kind(FORM, document, _Place("", "登记凭证", "the voucher")))


def shown(key: str) -> str:
    """A key as it may stand in a message: short, and without what could disturb a terminal or a log."""
    clean = "".join(letter if letter.isprintable() else "�" for letter in key)
    return clean if len(clean) <= _KEY_SHOWN else clean[:_KEY_SHOWN] + "…"


class _Place:
    """Where the examination is: the path in JSON and what people call it."""

    __slots__ = ("en", "path", "zh")

    def __init__(self, path: str, zh: str, en: str) -> None:
        self.path, self.zh, self.en = path, zh, en

    def field(self, key: str, field: Field) -> "_Place":
        if not self.path:
            return _Place(key, field.zh, field.en)
        return _Place(f"{self.path}.{key}", f"{self.zh}·{field.zh}", f"{self.en}: {field.en}")

    def item(self, index: int) -> "_Place":
        return _Place(f"{self.path}[{index}]", f"{self.zh}第 {index + 1} 项", f"{self.en} no. {index + 1}")

    def problem(self, fault: Fault, zh: str, en: str) -> Problem:
        """``{}`` in the sentences stands for the field: its name and, in brackets, its JSON path."""
        path = f"（{self.path}）" if self.path else ""
        path_en = f" ({self.path})" if self.path not in {"", self.en} else ""
        return Problem(
            fault,
            self.path,
            zh.replace("{}", f"“{self.zh}”{path}"),
            en.replace("{}", f"“{self.en}”{path_en}"),
        )


def _kind(kind: Kind, value: object, at: _Place) -> Iterator[Problem]:
    match kind:
        case Text():
            yield from _text(kind, value, at)
        case Moment():
            yield from _moment(value, at)
        case Whole():
            yield from _whole(kind, value, at)
        case YesNo():
            if not isinstance(value, bool):
                yield at.problem(Fault.TYPE, "{}应为 true 或 false", "{} must be true or false")
        case Items():
            yield from _items(kind, value, at)
        case Group():
            yield from _group(kind, value, at)


def _text(kind: Text, value: object, at: _Place) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield at.problem(Fault.TYPE, "{}应为文字", "{} must be text")
    elif kind.choices:
        if value not in kind.choices:
            yield at.problem(
                Fault.CHOICE,
                f"{{}}只能是：{'、'.join(kind.choices)}",
                f"{{}} must be one of: {', '.join(kind.choices)}",
            )
    elif len(value) > kind.longest:
        yield at.problem(
            Fault.LONG,
            f"{{}}超过 {kind.longest} 字（现有 {len(value)} 字）",
            f"{{}} is longer than {kind.longest} characters ({len(value)})",
        )
    elif unfit := _UNFIT[kind.lines].search(value):
        code, position = f"U+{ord(unfit.group()):04X}", unfit.start() + 1
        yield at.problem(
            Fault.CHARACTERS,
            f"{{}}第 {position} 个字符（{code}）不可用",
            f"character {position} of {{}} ({code}) cannot be used",
        )


def _moment(value: object, at: _Place) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield at.problem(Fault.TYPE, "{}应为文字", "{} must be text")
    elif _LOOKS_LIKE_A_MOMENT.match(value):
        if not _MOMENT.match(value):
            yield at.problem(
                Fault.DATE, "{}的日期或时间不存在", "{} is a date or time that does not exist (2000 to 2099)"
            )
    else:
        yield at.problem(
            Fault.DATE,
            "{}应写成 2026-02-27T20:15+08:00（到分钟，带时区）",
            "{} must be written like 2026-02-27T20:15+08:00 (to the minute, with the offset)",
        )


def _whole(kind: Whole, value: object, at: _Place) -> Iterator[Problem]:
    # JSON knows one kind of number: 2.0 is the integer 2 (JSON Schema core, 6.3); true is none.
    if isinstance(value, bool) or not (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    ):
        yield at.problem(Fault.TYPE, "{}应为整数", "{} must be a whole number")
    elif not kind.least <= value <= kind.most:
        yield at.problem(
            Fault.RANGE,
            f"{{}}应在 {kind.least} 至 {kind.most} 之间",
            f"{{}} must be from {kind.least} to {kind.most}",
        )


def _items(kind: Items, value: object, at: _Place) -> Iterator[Problem]:
    if not isinstance(value, list | tuple):
        yield at.problem(Fault.TYPE, "{}应为列表", "{} must be a list")
        return
    if len(value) < kind.least:
        yield at.problem(Fault.FEW, f"{{}}至少要有 {kind.least} 项", f"{{}} needs at least {kind.least}")
    if len(value) > kind.most:
        yield at.problem(Fault.MANY, f"{{}}超过 {kind.most} 项", f"{{}} has more than {kind.most}")
    for index, item in enumerate(value[: kind.most]):
        if isinstance(item, str) and not item.strip():
            yield at.item(index).problem(Fault.MISSING, "{}未填写", "{} is blank")
        else:
            yield from _kind(kind.kind, item, at.item(index))


def _group(kind: Group, value: object, at: _Place) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield at.problem(Fault.TYPE, "{}应为 JSON 对象", "{} must be a JSON object")
        return
    needed = {key for key, field in kind.fields.items() if field.required}
    if kind is COMPLAINANT:
        needed |= needed_of_complainant(value)
    for key in value:
        if key not in kind.fields:
            yield _unknown(key, kind, at)
    for key, field in kind.fields.items():
        place = at.field(key, field)
        held = value.get(key)
        if key in needed and (key not in value or (isinstance(held, str) and not held.strip())):
            yield place.problem(Fault.MISSING, "缺少{}", "{} is missing")
        elif key in value:
            yield from _kind(field.kind, held, place)


def _unknown(key: object, kind: Group, at: _Place) -> Problem:
    names = {name: name for name in kind.fields} | {field.zh: name for name, field in kind.fields.items()}
    near = difflib.get_close_matches(str(key), names, n=1, cutoff=0.5)
    name = shown(str(key))
    path = f"{at.path}.{name}" if at.path else name
    zh, en = f"没有字段“{path}”", f"there is no field “{path}”"
    if near:
        return Problem(
            Fault.UNKNOWN,
            path,
            f"{zh}（是否想写 {names[near[0]]}？）",
            f"{en} (did you mean {names[near[0]]}?)",
        )
    known = "、".join(kind.fields), ", ".join(kind.fields)
    return Problem(Fault.UNKNOWN, path, f"{zh}（可用的有：{known[0]}）", f"{en} (known: {known[1]})")
