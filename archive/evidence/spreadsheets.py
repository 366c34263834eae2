"""What a workbook holds back from its pages (ISO/IEC 29500-1, 18): hidden sheets, rows and columns, cells outside the
area that is printed, comments. Numbers stand as they are kept, without their formats.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from archive.evidence.asides import MOST_CHARACTERS, Aside
from archive.evidence.packages import Element, Package, attribute, local, named, parsed

_CELL = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})")
_AREA = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?\s*(?:,|$)")
_TRUE = ("1", "true")
_WORKBOOK = "xl/workbook.xml"

Place = tuple[int, int]  # row and column, from 1
Area = tuple[int, int, int, int]  # first row and column, last row and column


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    entry: str
    hidden: bool
    printed: Sequence[Area]  # nothing where all of it is


def lines(cells: Iterable[tuple[str, str]]) -> str:
    """Cells of a row, named and told apart so that the figures of two are not taken for one number."""
    return " ｜ ".join(f"{name}：{said}" for name, said in cells)


def asides(package: Package) -> Iterator[Aside]:
    shared: list[str] | None = None

    def text(number: int) -> str:
        nonlocal shared
        if shared is None:  # most workbooks hide nothing
            shared = [_text(each) for each in package.tree("xl/sharedStrings.xml")]
        return shared[number]

    for sheet in _sheets(package):
        where = f"工作表“{sheet.name}”"
        data = package.bytes(sheet.entry)
        if sheet.hidden or sheet.printed or b'hidden="1"' in data or b'hidden="true"' in data:
            yield from _cells(parsed(data), sheet, where, text)
        yield from _comments(package, sheet.entry, where)


def _sheets(package: Package) -> Iterator[_Sheet]:
    book, relations = package.tree(_WORKBOOK), package.relations(_WORKBOOK)
    printed = {
        int(attribute(each, "localSheetId") or -1): _areas(each.text or "")
        for each in named(book, "definedName")
        if attribute(each, "name") == "_xlnm.Print_Area"
    }
    for number, sheet in enumerate(named(book, "sheet")):
        relation = relations.get(attribute(sheet, "id"))
        if relation is not None:
            hidden = attribute(sheet, "state") in ("hidden", "veryHidden")
            yield _Sheet(attribute(sheet, "name"), relation.target, hidden, printed.get(number, ()))


def _areas(formula: str) -> list[Area]:
    """``'a sheet'!$A$1:$C$9,'a sheet'!$E$1``; nothing where any of it is written in another way."""
    bare = re.sub(r"(?:'(?:[^']|'')*'|[^'!,]+)!", "", formula)
    found = [
        (int(each[2]), column(each[1]), int(each[4] or each[2]), column(each[3] or each[1]))
        for each in _AREA.finditer(bare)
    ]
    return found if len(found) == bare.count(",") + 1 else []


def column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _cells(root: Element, sheet: _Sheet, where: str, text: Callable[[int], str]) -> Iterator[Aside]:
    columns = sorted(
        (int(attribute(each, "min")), int(attribute(each, "max")))
        for each in named(root, "col")
        if attribute(each, "hidden") in _TRUE
    )
    hidden: list[str] = []
    outside: list[str] = []
    room = MOST_CHARACTERS
    for row in named(root, "row"):
        whole = sheet.hidden or attribute(row, "hidden") in _TRUE
        held, beyond = [], []
        for cell in row:
            place = _place(attribute(cell, "r"))
            if whole or (place is not None and _within(place[1], columns)):
                held.append((attribute(cell, "r"), _value(cell, text)))
            elif (
                sheet.printed
                and place is not None
                and not any(_inside(place, each) for each in sheet.printed)
            ):
                beyond.append((attribute(cell, "r"), _value(cell, text)))
        for found, rows in ((held, hidden), (beyond, outside)):
            if said := lines((name, value) for name, value in found if value):
                rows.append(said)
                room -= len(said)
        if room < 0:
            break
    yield Aside("隐藏的工作表" if sheet.hidden else "隐藏的行和列", "\n".join(hidden), where=where)
    yield Aside("打印区域之外", "\n".join(outside), where=where)


def _place(reference: str) -> Place | None:
    found = _CELL.fullmatch(reference)
    return (int(found[2]), column(found[1])) if found else None


def _within(number: int, ranges: Sequence[Place]) -> bool:
    at = bisect_right(ranges, (number, 1 << 30)) - 1
    return at >= 0 and ranges[at][0] <= number <= ranges[at][1]


def _inside(place: Place, area: Area) -> bool:
    return area[0] <= place[0] <= area[2] and area[1] <= place[1] <= area[3]


def _value(cell: Element, text: Callable[[int], str]) -> str:
    kind = attribute(cell, "t")
    if kind == "inlineStr":
        return _text(cell)
    value = next((each.text or "" for each in cell if local(each) == "v"), "")
    return text(int(value)) if kind == "s" and value.isdigit() else value


def _text(element: Element) -> str:
    """Without how it is pronounced (18.4.6)."""
    spoken = {each for run in named(element, "rPh") for each in run}
    return "".join(each.text or "" for each in named(element, "t") if each not in spoken)


def _comments(package: Package, sheet: str, where: str) -> Iterator[Aside]:
    for relation in package.relations(sheet).values():
        if relation.kind == "comments":
            root = package.tree(relation.target)
            authors = [each.text or "" for each in named(root, "author")]
            for each in named(root, "comment"):
                by = attribute(each, "authorId")
                who = authors[int(by)] if by.isdigit() and int(by) < len(authors) else ""
                yield Aside("批注", _text(each), who, f"{where} {attribute(each, 'ref')}")
        elif relation.kind == "threadedComment":
            for each in named(package.tree(relation.target), "threadedComment"):
                yield Aside("批注", _text_of(each), "", f"{where} {attribute(each, 'ref')}")


def _text_of(element: Element) -> str:
    return "".join(each.text or "" for each in named(element, "text"))
