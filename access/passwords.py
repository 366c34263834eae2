"""Passwords: what is good enough, and how it is kept (argon2id, RFC 9106, at the figures OWASP
recommends).
"""

import secrets
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from archive.errors import Code, MunimentError

SHORTEST: Final = 10  # code points
LONGEST: Final = 256  # more would only make the server work

# The usual first guesses that are long enough to pass; compared without case, and without digits and signs at
# the end.
_COMMON: Final = frozenset(
    [
        "1234567890",
        "0123456789",
        "12345678910",
        "123456789a",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "9876543210",
        "0987654321",
        "11111111111",
        "abcdefghij",
        "abc1234567",
        "abcd123456",
        "a123456789",
        "administrator",
        "asdfghjkl",
        "asdfghjkl;",
        "changeme",
        "changemenow",
        "iloveyou",
        "iloveyou520",
        "letmein",
        "letmeinplease",
        "muniment",
        "mima",
        "mimamima",
        "motdepasse",
        "passw0rd",
        "password",
        "passwordpassword",
        "p@ssw0rd",
        "p@ssword",
        "qazwsxedc",
        "qwerty",
        "qwertyuiop",
        "qwertyuiop[]",
        "secret",
        "secretsecret",
        "superman",
        "trustno1",
        "welcome",
        "welcomehome",
        "woaini",
        "woaini1314",
        "woaini5201314",
        "woainiwoaini",
        "zxcvbnm",
        "zxcvbnmasdf",
        "卷宗",
        "密码",
        "我的密码",
        "我爱你",
    ]
)


# No letter or figure that is taken for another when it is read out.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def initial_password() -> str:
    """Sixteen characters in groups of four (79 bits): to be told once, and changed by its owner."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


@dataclass(frozen=True)
class Passwords:
    """Argon2id figures: passes, KiB and lanes (OWASP: 2 passes over 19 MiB, one lane). Tests take smaller
    ones.
    """

    time_cost: int = 2
    memory_kib: int = 19_456
    parallelism: int = 1

    @cached_property
    def _hasher(self) -> PasswordHasher:
        return PasswordHasher(
            time_cost=self.time_cost,
            memory_cost=self.memory_kib,
            parallelism=self.parallelism,
            type=Type.ID,
        )

    @cached_property
    def _nobodys(self) -> str:
        return self.hash("a password that nobody has")

    def check(self, password: str, name: str) -> None:
        """Raises MunimentError(PASSWORD_WEAK)."""
        plain = _normal(password).casefold()
        stem = plain.rstrip("0123456789!@#$%^&*.,?+-_~ ！。")
        repeated = len(set(plain)) < 4
        named = _normal(name).casefold() in (plain, stem)
        fits = SHORTEST <= len(_normal(password)) <= LONGEST
        if not fits or named or repeated or plain in _COMMON or stem in _COMMON:
            raise MunimentError(Code.PASSWORD_WEAK, length=SHORTEST)

    def hash(self, password: str) -> str:
        """A PHC string."""
        return self._hasher.hash(_bytes(password))

    def matches(self, kept: str | None, password: str) -> bool:
        """``None`` takes as long as a wrong password does, so that the time does not tell which names
        exist.
        """
        try:
            right = self._hasher.verify(kept or self._nobodys, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        return right and kept is not None

    def outdated(self, kept: str) -> bool:
        """Made with other figures: hash again when the password is next at hand."""
        return self._hasher.check_needs_rehash(kept)


def _normal(text: str) -> str:
    # NFKC: the same characters may be typed wide or narrow, whole or combined.
    return unicodedata.normalize("NFKC", text.strip())


def _bytes(password: str) -> bytes:
    # A form may bring lone surrogates or megabytes: neither may crash or stall the hash.
    return _normal(password[: LONGEST * 4]).encode("utf-8", "surrogatepass")
