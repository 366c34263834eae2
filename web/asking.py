"""What is asked for on the page to find files, and how it travels: sealed, for the words name customers.

The words of a search must not stand in an address: browsers keep those, and so do proxies. A form sends them by POST;
what goes back into the address, so that reloading, going back and turning pages work, is a token that only the server
can open and only for the person who asked. Nothing is kept for it on the server.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from archive.casefile.counting import Facet
from archive.keys.sealing import BoxError, derive, seal, unseal
from indexer.query.parsing import LONGEST
from indexer.searching import Sort

_NUMBER = re.compile("[0-9]{1,9}")
_LONGEST_FACT = 120  # characters: no column holds more
_LONGEST = 10_000  # characters of a token: all that can be asked for, each character written as an escape


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty strings ask for nothing. ``page`` is from 1."""

    q: str = ""
    year: str = ""
    level: str = ""
    category: str = ""
    store: str = ""
    status: str = ""
    sort: str = Sort.DATE.value
    page: str = "1"

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Wanted":
        """From a form or a token; what is not understood asks for nothing."""
        values = {
            each.name: _cut(each.name, str(given[each.name])) for each in fields(cls) if given.get(each.name)
        }
        wanted = cls(**values)
        return replace(
            wanted,
            sort=wanted.sort if wanted.sort in set(Sort) else Sort.DATE.value,
            page=wanted.page if _NUMBER.fullmatch(wanted.page) else "1",
        )

    @property
    def facets(self) -> dict[Facet, str]:
        return {each: value for each in Facet if (value := getattr(self, each.value))}

    @property
    def is_empty(self) -> bool:
        return not self.q and not self.facets


def _cut(name: str, given: str) -> str:
    """What is too long stays too long, to be refused or to match nothing; but not longer, so that every token is short
    enough to be opened again: a query that was dropped would be answered with every file.
    """
    text, most = given.strip(), LONGEST if name == "q" else _LONGEST_FACT
    return text if len(text) <= most else text[:most] + "…"


class Asking:
    """Tokens for addresses, made under a key of the archive."""

    def __init__(self, key: bytes) -> None:
        self._key = derive(key, "searches in addresses")

    def hide(self, person: str, wanted: Wanted) -> str:
        given = {name: value for name, value in asdict(wanted).items() if value}
        box = seal(self._key, json.dumps(given, ensure_ascii=False).encode(), f"found:{person}")
        return urlsafe_b64encode(box).decode().rstrip("=")

    def reveal(self, person: str, token: str) -> Wanted:
        """Nothing asked for, when the token is another's, of another archive, or no token."""
        if not token or len(token) > _LONGEST:
            return Wanted()
        try:
            box = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return Wanted.of(json.loads(unseal(self._key, box, f"found:{person}")))
        except (BoxError, ValueError):
            return Wanted()
