"""Words with letters that no font here has: their pages show a mark instead, and yet they are to be found.

They ride on the page that they belong to, between the parts of a conversion only: no PDF is kept with them.
"""

from collections.abc import Iterable, Iterator

import pikepdf
from pikepdf import Name, String

_KEY = Name("/MunimentUnprinted")
_MOST = 200_000  # characters: a text in a script without a font is not kept twice


def lines(texts: Iterable[str], letters: frozenset[str]) -> Iterator[str]:
    """The lines that have one of these letters, each once."""
    found = (line for text in texts for line in text.splitlines() if not letters.isdisjoint(line))
    return iter(dict.fromkeys(found))


def put(page: pikepdf.Page, words: Iterable[str]) -> None:
    page.obj[_KEY] = String("\n".join(words)[:_MOST])


def take(pdf: pikepdf.Pdf) -> dict[int, str]:
    """By page, from 0; they are not in the document any more."""
    found = {}
    for number, page in enumerate(pdf.pages):
        if _KEY in page.obj:
            found[number] = str(page.obj[_KEY])
            del page.obj[_KEY]
    return found
