"""What comes in: evidence as a name and a stream, its name checked, refusals gathered so that each file is named."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from archive.errors import Code, Exit, MunimentError

LONGEST_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of evidence as it was handed in. ``stream`` is read from its start; the caller closes it."""

    name: str
    stream: BinaryIO

    def rewound(self) -> BinaryIO:
        """Whoever looked at it before, it is read from its start."""
        self.stream.seek(0)
        return self.stream

    def size(self) -> int:
        """In bytes."""
        return self.stream.seek(0, os.SEEK_END)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Which files were refused and why, one sentence each."""

    refused: tuple[tuple[str, MunimentError], ...]

    def say(self, language: str) -> str:
        return "\n".join(error.say(language) for _, error in self.refused)

    def __str__(self) -> str:
        return self.say("en")


def check_name(name: str) -> None:
    """A plain file name: no folder, no control or direction mark, 255 bytes at most. Raises EVIDENCE_NAME."""
    try:
        fits = 0 < len(name.encode()) <= LONGEST_NAME_BYTES
    except UnicodeEncodeError:
        fits = False
    unsafe = name in (".", "..") or any(
        each in "/\\" or (unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") and each != "\u200d")
        for each in name
    )
    if unsafe or not fits:
        raise MunimentError(Code.EVIDENCE_NAME, name=printable(name[:60]))


def printable(name: str) -> str:
    """A name of which nobody knows what it holds, fit for a sentence on any screen."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in name)


def refuse_all(refused: Sequence[tuple[str, MunimentError]]) -> None:
    """Raises the one refusal, or EVIDENCE_REFUSED that names each file; nothing when there is none.

    What ails the machine is said alone: trying again may be all that is needed.
    """
    for _, error in refused:
        if error.meaning.exit is Exit.UNAVAILABLE:
            raise error
    if len(refused) == 1:
        raise refused[0][1]
    if refused:
        raise MunimentError(Code.EVIDENCE_REFUSED, problems=Refusals(tuple(refused)), count=len(refused))
