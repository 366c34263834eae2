"""Finding what must not be read in full: telephone numbers, ID numbers, e-mail addresses (P16).

Pure: text in, positions out. Over-masking is the safe side; what is masked stays whole in the record.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Secret(StrEnum):
    """What a span hides."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    IDENTITY = "identity"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters ``start`` up to ``end`` of a text, to be hidden."""

    start: int
    end: int
    secret: Secret


@dataclass(frozen=True, slots=True)
class _Number:
    secret: Secret
    pattern: re.Pattern[str]  # group 1 is the number
    fits: Callable[[list[str]], bool]  # given its groups of digits, as written


_HEAD, _TAIL = 3, 4  # digits of a number that stay readable

# What people and typesetters put between digits. Line breaks count, since a number may run over the line's
# end.
_GAP = r"[\s\-_.·•/()（）\u00a0\u00ad\u2000-\u2015\u2060\u2212\u3000\ufeff\uff0d]{0,3}"
_BREAK = r"(?:\r?\n)?"
_LEFT, _RIGHT = r"(?<!\d)", r"(?!\d)"
_COUNTRY = rf"(?:(?:\+|00)?86{_GAP})?"
_ABROAD = rf"(?:\+|00)86{_GAP}"


def _digits(least: int, most: int, between: str) -> str:
    return rf"(?:{between}\d){{{least},{most}}}"


_AREA = rf"0{_digits(2, 3, _BREAK)}"
_FIRST_RUN, _LAST_RUN = rf"\d{_digits(2, 3, _BREAK)}", rf"\d{_digits(3, 3, _BREAK)}"


def _as_telephone(groups: list[str]) -> bool:
    """Tables are full of digits; a number is written in few groups, or letter-spaced throughout."""
    spaced = all(len(group) == 1 for group in groups)
    return spaced or len(groups) <= 2 or (len(groups) <= 5 and len(groups[0]) >= 3)


def _as_identity(groups: list[str]) -> bool:
    """Eighteen digits in a row always count; in groups only with a date of birth (GB 11643)."""
    if len(groups) == 1:
        return True
    born = re.match(r".{6}(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", "".join(groups))
    return born is not None and (len(groups) <= 4 or all(len(group) == 1 for group in groups))


def _always(_: list[str]) -> bool:
    return True


# In order of precedence: where two overlap, the first one counts.
_NUMBERS = (
    _Number(
        Secret.IDENTITY,
        re.compile(rf"{_LEFT}([1-9]{_digits(16, 16, _GAP)}{_GAP}[\dXx]){_RIGHT}", re.ASCII),
        _as_identity,
    ),
    _Number(
        Secret.MOBILE,
        re.compile(rf"{_LEFT}{_COUNTRY}(1{_GAP}[3-9]{_digits(9, 9, _GAP)}){_RIGHT}", re.ASCII),
        _as_telephone,
    ),
    _Number(  # area code 010, 02x or 0xxx, then seven or eight digits, in one run or in two
        Secret.LANDLINE,
        re.compile(rf"{_LEFT}({_AREA}{_GAP}{_FIRST_RUN}{_GAP}{_LAST_RUN}){_RIGHT}", re.ASCII),
        _always,
    ),
    _Number(
        Secret.LANDLINE,
        re.compile(rf"{_LEFT}{_ABROAD}([1-9]{_digits(8, 10, _GAP)}){_RIGHT}", re.ASCII),
        _always,
    ),
)
# The part before @ has at most 64 characters (RFC 5321 4.5.3.1.1); the bound also keeps the search linear.
_EMAIL = re.compile(r"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~\-]{1,64})\s?@\s?[\w\-]+(?:\.[\w\-]+)+")

# Full-width forms read the same and are one character each, so positions stay.
_NARROW = {0xFF10 + value: 0x30 + value for value in range(10)} | {
    ord(wide): narrow for wide, narrow in zip("＠＋Ｘｘ．", "@+Xx.", strict=True)
}

_LOOKALIKES = str.maketrans("OoQD〇lI|iZSB", "000001111258")
_MISREAD = re.compile(r"[0-9０-９OoQD〇lI|iZSB][0-9０-９OoQD〇lI|iZSB\s\-.]{5,}")
_STRETCH = 50_000  # characters of a text that are masked at once
AROUND = 200  # characters: more than a number or an address takes
_CERTAIN = 6  # digits, from which a run of digits and their look-alikes may be a number


def spans(text: str) -> tuple[Span, ...]:
    """What to hide, in order and without overlap.

    Of a number the first three and last four digits stay readable, of an address what follows the @.
    """
    plain = text.translate(_NARROW)
    taken = [match.span() for match in _EMAIL.finditer(plain)]
    found = [Span(*match.span(1), Secret.EMAIL) for match in _EMAIL.finditer(plain)]
    for number in _NUMBERS:
        for start, end in _matches(number, plain):
            if all(end <= left or right <= start for left, right in taken):
                taken.append((start, end))
                found.append(_middle(plain, start, end, number.secret))
    return tuple(sorted(found))


def digits_read_right(text: str) -> str:
    """What a machine read in a picture, with the letters it takes for digits put right. Same length."""
    letters = list(text)
    for run in _MISREAD.finditer(text):
        if sum(letter.isdigit() for letter in run[0]) >= _CERTAIN:
            letters[run.start() : run.end()] = run[0].translate(_LOOKALIKES)
    return "".join(letters)


def mask_text(text: str, digits: str = "") -> str:
    """The text with an asterisk for each hidden letter: 13800138000 becomes 138****8000. Same length.

    ``digits`` is the text as numbers are looked for in it, if that differs: as long, letter by letter.
    """
    read = digits or text
    return "".join(_masked(text, read, start) for start in range(0, len(text), _STRETCH))


def hide(text: str, read: str, found: Iterable[Span]) -> str:
    """The text with an asterisk for each letter of what was ``found`` in it as it is ``read``. Same length."""
    letters = list(text)
    for span in found:
        for at in range(span.start, span.end):
            if read[at].isalnum() or span.secret is Secret.EMAIL:
                letters[at] = "*"
    return "".join(letters)


def _masked(text: str, read: str, start: int) -> str:
    """A stretch of the text, with what stands around it: a longer one would take memory and time out of proportion."""
    first, end = max(start - AROUND, 0), start + _STRETCH
    seen = read[first : end + AROUND]
    return hide(text[first : end + AROUND], seen, spans(seen))[start - first : end - first]


def _matches(number: _Number, text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while match := number.pattern.search(text, at):
        start, end = match.span(1)
        groups = re.findall(r"[0-9Xx]+", re.sub(r"(?<=\d)\r?\n(?=[\dXx])", "", match[1]))
        if number.fits(groups):
            yield start, end
            at = end
        else:
            at = start + 1


def _middle(text: str, start: int, end: int, secret: Secret) -> Span:
    digits = [at for at in range(start, end) if text[at].isalnum()]
    return Span(digits[_HEAD], digits[-_TAIL - 1] + 1, secret)
