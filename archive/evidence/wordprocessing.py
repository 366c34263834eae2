"""What a Word document holds back from its pages (ISO/IEC 29500-1, 17): hidden words, deleted ones, comments."""

import re
from collections.abc import Iterator

from archive.evidence.asides import Aside
from archive.evidence.packages import Element, Package, attribute, local, named, parsed

_STORY = re.compile(r"word/(document|header|footer|footnotes|endnotes)\d*\.xml")
_TELLING = (b"vanish", b"delText")
_OFF = ("false", "0", "off")
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n"}


def asides(package: Package) -> Iterator[Aside]:
    hidden = _hidden_styles(package.bytes("word/styles.xml"))
    for name in sorted(filter(_STORY.fullmatch, package.names)):
        data = package.bytes(name)
        if hidden or any(each in data for each in _TELLING):
            for paragraph in named(parsed(data), "p"):
                yield from _held_back(paragraph, hidden)
    for comment in named(package.tree("word/comments.xml"), "comment"):
        said = "\n".join(_words(each) for each in named(comment, "p"))
        yield Aside("批注", said, attribute(comment, "author"))


def _hidden_styles(data: bytes) -> frozenset[str]:
    """The styles that hide what is written in them, also those based on such a one (17.7.4.3)."""
    if b"vanish" not in data:
        return frozenset()
    found, based = set(), {}
    for style in named(parsed(data), "style"):
        based[attribute(style, "styleId")] = attribute(next(named(style, "basedOn"), style), "val")
        if _vanishes(style):
            found.add(attribute(style, "styleId"))
    while more := {style for style, above in based.items() if above in found and style not in found}:
        found |= more
    return frozenset(found)


def _held_back(paragraph: Element, styles: frozenset[str]) -> Iterator[Aside]:
    """Both may be on the page, by the settings of the document."""
    hidden, deleted, by = "", "", ""
    whole = any(attribute(each, "val") in styles for each in _near(paragraph, "pStyle"))
    for run, remover in _runs(paragraph):
        if remover is not None:
            deleted, by = deleted + _words(run), by or attribute(remover, "author")
        elif (
            whole or _vanishes(run) or any(attribute(each, "val") in styles for each in _near(run, "rStyle"))
        ):
            hidden += _words(run)
    if hidden:
        yield Aside("隐藏的文字", hidden, perhaps_shown=True)
    if deleted:
        yield Aside("修订中删去的文字", deleted, by, perhaps_shown=True)


def _runs(paragraph: Element) -> Iterator[tuple[Element, Element | None]]:
    """The runs of a paragraph, each with who took it out; what stands in frames has paragraphs of its own."""
    waiting: list[tuple[Element, Element | None]] = [(each, None) for each in reversed(paragraph)]
    while waiting:
        element, remover = waiting.pop()
        name = local(element)
        if name == "r":
            yield element, remover
        elif name != "p":
            within = element if name in ("del", "moveFrom") else remover
            waiting += [(each, within) for each in reversed(element)]


def _near(element: Element, name: str) -> Iterator[Element]:
    """Properties of that name: they lie two deep."""
    return (each for child in element for each in child if local(each) == name)


def _vanishes(element: Element) -> bool:
    return any(attribute(each, "val") not in _OFF for each in _near(element, "vanish"))


def _words(element: Element) -> str:
    return "".join(
        (each.text or "") if local(each) in ("t", "delText") else _BREAKS.get(local(each), "")
        for each in element.iter()
    )
