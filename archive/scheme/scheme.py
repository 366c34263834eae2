"""The scheme an organisation files by: levels, categories, retention periods, approvers, purposes (P10, P13.3, P14)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, NewType

from archive.causes import Cause, Unfit, no_toml
from archive.errors import Code, MunimentError

LevelName = NewType("LevelName", str)
CategoryName = NewType("CategoryName", str)
_LONGEST_NAME = 20  # characters


@dataclass(frozen=True, slots=True)
class Title:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Level:
    number: int  # 1 is the lightest
    name: LevelName  # as it stands in reference codes: 一级
    title: Title
    retention_years: int
    permanent: tuple[str, ...]  # grounds on which a file of this level is kept for ever
    approvers: tuple[str, ...]  # roles, in order (P14.1)


@dataclass(frozen=True, slots=True)
class Category:
    name: CategoryName
    title: Title


@dataclass(frozen=True, slots=True)
class Scheme:
    levels: tuple[Level, ...]
    categories: tuple[Category, ...]
    longest_period_days: int
    purposes: tuple[str, ...]

    def level(self, given: str) -> Level:
        """By name (一级) or number (1). Raises MunimentError(LEVEL_UNKNOWN)."""
        for level in self.levels:
            if given in (level.name, str(level.number)):
                return level
        known = "、".join(level.name for level in self.levels)
        raise MunimentError(Code.LEVEL_UNKNOWN, given=given, known=known)

    def category(self, given: str) -> Category:
        """By name (剧本相关) or English title. Raises MunimentError(CATEGORY_UNKNOWN)."""
        for category in self.categories:
            if given in (category.name, category.title.en):
                return category
        known = "、".join(category.name for category in self.categories)
        raise MunimentError(Code.CATEGORY_UNKNOWN, given=given, known=known)

    def check_permanent(self, level: Level, ground: str | None) -> None:
        """P13.3: for ever only where the level allows this ground. Raises MunimentError(PERMANENT_NOT_ALLOWED)."""
        if ground is not None and ground not in level.permanent:
            allowed = "、".join(each.name for each in self.levels if each.permanent)
            raise MunimentError(Code.PERMANENT_NOT_ALLOWED, levels=allowed or "-")


def load_scheme(path: Path | None = None) -> Scheme:
    """The scheme at ``path``, or the default one. Raises MunimentError(SCHEME_INVALID)."""
    try:
        text = (path or files(__package__) / "default.toml").read_text("utf-8")
        return _read(tomllib.loads(text))
    except FileNotFoundError:
        raise MunimentError(Code.PATH_NOT_FOUND, path=str(path)) from None
    except Unfit as error:
        raise MunimentError(Code.SCHEME_INVALID, problem=error.cause) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MunimentError(Code.SCHEME_INVALID, problem=no_toml(error)) from None
    except KeyError as error:
        lacks = Cause(f"缺少 {error.args[0]}", f"{error.args[0]} is missing")
        raise MunimentError(Code.SCHEME_INVALID, problem=lacks) from None
    except (TypeError, ValueError) as error:
        wrong = Cause(f"有值的类型不对：{error}", f"a value is of the wrong type: {error}")
        raise MunimentError(Code.SCHEME_INVALID, problem=wrong) from None


def _read(document: Mapping[str, Any]) -> Scheme:
    levels = tuple(
        Level(
            number=position,
            name=LevelName(_part_of_a_name(each["name"])),
            title=Title(**each["title"]),
            retention_years=int(each["retention_years"]),
            permanent=tuple(each["permanent"]),
            approvers=tuple(each["approvers"]),
        )
        for position, each in enumerate(document["level"], start=1)
    )
    categories = tuple(
        Category(CategoryName(_part_of_a_name(each["name"])), Title(**each["title"]))
        for each in document["category"]
    )
    if not levels or not categories:
        raise Unfit("没有等级或没有类别", "no level or no category")
    if len({each.name for each in levels}) < len(levels) or len({c.name for c in categories}) < len(
        categories
    ):
        raise Unfit("有两个等级或两个类别同名", "two levels or two categories have the same name")
    if any(level.retention_years < 1 or not level.approvers for level in levels):
        raise Unfit(
            "每个等级须有至少一年的保管期限和审批人",
            "a level needs a period of at least a year and an approver",
        )
    access = document["access"]
    return Scheme(levels, categories, int(access["longest_period_days"]), tuple(access["purposes"]))


def _part_of_a_name(name: str) -> str:
    """Levels and categories become folder names and parts of reference codes, see ``Reference.parse``."""
    if not 0 < len(name) <= _LONGEST_NAME or not all(character.isalnum() for character in name):
        raise Unfit(
            f"名称“{name}”须为 1 至 {_LONGEST_NAME} 个文字或数字",
            f"the name {name!r} must be 1 to {_LONGEST_NAME} letters and digits",
        )
    return name
