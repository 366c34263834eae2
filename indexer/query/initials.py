"""The initials of a name in pinyin, as they are typed for it: ``bjcy`` for 北京朝阳店. Pure.

A character that is read in several ways has several initials, and any of them is right: 重庆 is ``cq`` and ``zq``.
Nobody's typing should depend on which reading a table of words holds for the one that is meant. Letters and digits
of a name stand for themselves.
"""

import os
import re
from collections.abc import Sequence
from functools import cache

_TYPED = re.compile("(?=[0-9]*[a-z])[a-z0-9]{2,}", re.ASCII)


def has_initials(name: str, typed: str) -> bool:
    """Whether ``typed`` is a row of at least two initials anywhere in ``name``. Both are folded."""
    if not _TYPED.fullmatch(typed):
        return False
    row = [_initials(each) for each in name if each.isalnum()]
    return any(_begins(row[start:], typed) for start in range(len(row) - len(typed) + 1))


def _begins(row: Sequence[frozenset[str]], typed: str) -> bool:
    return all(letter in each for letter, each in zip(typed, row, strict=False))


@cache
def _initials(character: str) -> frozenset[str]:
    if character.isascii():
        return frozenset(character)
    # Imported by the first who asks. Without its table of words, of no use for single characters, that takes 50 ms
    # and 11 MB, and not 230 ms and 54 MB.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    from pypinyin import Style, pinyin  # noqa: PLC0415

    return frozenset(pinyin(character, style=Style.FIRST_LETTER, heteronym=True)[0])
