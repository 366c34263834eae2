"""What an OpenDocument text, spreadsheet or presentation holds back from its pages (ISO/IEC 26300): comments, notes,
hidden words, rows, columns, sheets and slides, deletions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.evidence.asides import MOST_CHARACTERS, Aside
from archive.evidence.packages import Element, Package, attribute, local, named
from archive.evidence.spreadsheets import lines

_UNSEEN = ("collapse", "filter")
_MOST_COLUMNS = 20_000
_APART = ("annotation", "notes", "tracked-changes")  # within others, but no part of their words


@dataclass(frozen=True, slots=True)
class _Styles:
    """Names of the styles that hide what has them."""

    words: frozenset[str]
    tables: frozenset[str]
    slides: frozenset[str]


def asides(package: Package) -> Iterator[Aside]:
    content = package.tree("content.xml")
    styles = _styles(content, package.tree("styles.xml"))
    for change in named(content, "changed-region"):
        for deletion in named(change, "deletion"):
            yield Aside("修订中删去的文字", _paragraphs(deletion), _by(deletion), perhaps_shown=True)
    slides = {each: number for number, each in enumerate(named(content, "page"))}
    for page, number in slides.items():
        yield from _of_slide(page, number, styles)
    for table in named(content, "table"):
        yield from _of_table(table, styles)
    within = {each for page in slides for each in named(page, "annotation")}
    for annotation in named(content, "annotation"):
        if annotation not in within:
            yield Aside("批注", _paragraphs(annotation), _by(annotation))
    yield from _hidden(content, styles)


def _styles(*roots: Element) -> _Styles:
    words, tables, slides, above = set(), set(), set(), {}
    for root in roots:
        for style in named(root, "style"):
            name = attribute(style, "name")
            above[name] = attribute(style, "parent-style-name")
            for each in style:
                kind = local(each)
                if kind == "text-properties" and attribute(each, "display") == "none":
                    words.add(name)
                elif kind == "table-properties" and attribute(each, "display") == "false":
                    tables.add(name)
                elif kind == "drawing-page-properties" and attribute(each, "visibility") == "hidden":
                    slides.add(name)
    while more := {each for each, parent in above.items() if parent in words and each not in words}:
        words |= more
    return _Styles(frozenset(words), frozenset(tables), frozenset(slides))


def _of_slide(page: Element, number: int, styles: _Styles) -> Iterator[Aside]:
    if attribute(page, "style-name") in styles.slides:
        yield Aside("隐藏的幻灯片", "这张幻灯片放映时跳过，但已作为一页列出。", page=number)
    for each in named(page, "notes"):
        yield Aside("演讲者备注", _paragraphs(each), page=number)
    for each in named(page, "annotation"):
        yield Aside("批注", _paragraphs(each), _by(each), page=number)


def _of_table(table: Element, styles: _Styles) -> Iterator[Aside]:
    all_hidden = attribute(table, "style-name") in styles.tables
    columns = _hidden_columns(table)
    rows, room, at = [], MOST_CHARACTERS, 1
    for row in _rows(table):
        whole = all_hidden or attribute(row, "visibility") in _UNSEEN
        if whole or columns:
            said = lines(_cells(row, at, columns, whole=whole))
            rows += [said] if said else []
            room -= len(said)
        at += _repeated(row, "number-rows-repeated")
        if room < 0:
            break
    what = "隐藏的工作表" if all_hidden else "隐藏的行和列"
    yield Aside(what, "\n".join(rows), where=f"工作表“{attribute(table, 'name')}”")


def _rows(table: Element) -> Iterator[Element]:
    """Its own, in groups or not; those of a table in a cell are told with that one."""
    waiting = list(reversed(table))
    while waiting:
        each = waiting.pop()
        if local(each) == "table-row":
            yield each
        elif local(each) not in ("table", "shapes"):
            waiting += reversed(each)


def _hidden_columns(table: Element) -> frozenset[int]:
    found: set[int] = set()
    at = 0
    for each in named(table, "table-column"):
        count = _repeated(each)
        if attribute(each, "visibility") in _UNSEEN:
            found.update(range(at, min(at + count, _MOST_COLUMNS)))
        at += count
    return frozenset(found)


def _cells(row: Element, number: int, columns: frozenset[int], *, whole: bool) -> Iterator[tuple[str, str]]:
    at = 0
    for each in row:
        if local(each) in ("table-cell", "covered-table-cell"):
            if (whole or at in columns) and (said := _paragraphs(each)):
                yield f"{_letters(at)}{number}", said
            at += _repeated(each)


def _repeated(element: Element, name: str = "number-columns-repeated") -> int:
    said = attribute(element, name)
    return int(said) if said.isdigit() else 1


def _letters(number: int) -> str:
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _hidden(content: Element, styles: _Styles) -> Iterator[Aside]:
    """What may be on the page all the same, by the settings of the document."""
    for each in content.iter():
        kind = local(each)
        if kind == "hidden-text":
            yield Aside("隐藏的文字", attribute(each, "string-value"), perhaps_shown=True)
        elif kind == "section" and attribute(each, "display") in ("none", "condition"):
            yield Aside("隐藏的文字", _paragraphs(each), perhaps_shown=True)
        elif kind in ("span", "p", "h"):
            styled = attribute(each, "style-name") in styles.words
            if styled or (kind == "p" and any(local(inner) == "hidden-paragraph" for inner in each)):
                yield Aside("隐藏的文字", _words(each), perhaps_shown=True)


def _by(element: Element) -> str:
    return next((each.text or "" for each in named(element, "creator")), "")


def _paragraphs(element: Element) -> str:
    return "\n".join(filter(None, (_words(each) for each in _outermost(element))))


def _outermost(element: Element) -> Iterator[Element]:
    waiting = list(reversed(element))
    while waiting:
        each = waiting.pop()
        if local(each) in ("p", "h"):
            yield each
        elif local(each) not in _APART:
            waiting += reversed(each)


def _words(element: Element) -> str:
    """In their order, with the tails of what stands between them. No recursion: the author chooses the depth."""
    said: list[str] = []
    waiting: list[Element | str] = [element]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            said.append(each)
            continue
        inner: list[Element | str] = [each.text or ""]
        for child in each:
            if local(child) in ("tab", "s", "line-break"):
                inner.append("\n" if local(child) == "line-break" else " ")
            elif local(child) not in _APART:
                inner.append(child)
            inner.append(child.tail or "")
        waiting += reversed(inner)
    return "".join(said)
