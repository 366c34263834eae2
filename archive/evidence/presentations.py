"""What a presentation holds back from its slides (ISO/IEC 29500-1, 19): speaker notes, comments. Slides that are passed
over in the show have pages like the others, and are named here.
"""

from collections.abc import Iterator, Mapping

from archive.evidence.asides import Aside
from archive.evidence.packages import Element, Package, attribute, local, named

_PRESENTATION = "ppt/presentation.xml"
_FURNITURE = ("sldNum", "dt", "hdr", "ftr", "sldImg")  # places for what is not the speaker's
_AUTHORS = ("ppt/commentAuthors.xml", "ppt/authors.xml")


def asides(package: Package) -> Iterator[Aside]:
    relations = package.relations(_PRESENTATION)
    authors = {
        attribute(each, "id"): attribute(each, "name")
        for name in _AUTHORS
        for each in named(package.tree(name), "cmAuthor", "author")
    }
    for number, slide in enumerate(named(package.tree(_PRESENTATION), "sldId")):
        relation = relations.get(attribute(slide, "id")) or relations.get(_relation(slide))
        if relation is not None:
            yield from _of_slide(package, relation.target, number, authors)


def _relation(slide: Element) -> str:
    """A slide has two ids: its own and, in another namespace, that of the relation."""
    return next((value for key, value in slide.attrib.items() if key.endswith("}id")), "")


def _of_slide(package: Package, slide: str, number: int, authors: Mapping[str, str]) -> Iterator[Aside]:
    if attribute(package.tree(slide), "show") in ("0", "false"):
        yield Aside("隐藏的幻灯片", "这张幻灯片放映时跳过，但已作为一页列出。", page=number)
    for each in package.relations(slide).values():
        if each.kind == "notesSlide":
            yield Aside("演讲者备注", _notes(package.tree(each.target)), page=number)
        elif each.kind == "comments":
            for comment in named(package.tree(each.target), "cm", "reply"):
                by = authors.get(attribute(comment, "authorId"), "")
                yield Aside("批注", _comment(comment), by, page=number)


def _notes(root: Element) -> str:
    said = []
    for shape in named(root, "sp"):
        if not any(attribute(each, "type") in _FURNITURE for each in named(shape, "ph")):
            said += [_text(each) for each in named(shape, "p")]
    return "\n".join(said)


def _comment(comment: Element) -> str:
    """Its own words: answers to it are comments too."""
    waiting, said = list(reversed(comment)), []
    while waiting:
        each = waiting.pop()
        if local(each) in ("t", "text"):
            said.append(each.text or "")
        elif local(each) not in ("reply", "replyLst"):
            waiting += reversed(each)
    return "".join(said)


def _text(paragraph: Element) -> str:
    return "".join((each.text or "") if local(each) == "t" else "\n" for each in named(paragraph, "t", "br"))
