"""The words of a PDF's annotations and form fields: notes that are closed, values that no page shows (ISO 32000-2, 12.5
and 12.7). What has a drawing of its own is on the page as well, and is told by the words there.
"""

import re
from collections.abc import Iterator
from itertools import islice

from pikepdf import Array, Dictionary, Name, Object, Pdf, String

from archive.evidence.asides import Aside

_MOST = 5000
_DEEPEST = 30  # fields within fields
_PASSWORD = 1 << 13  # a field's flag (table 231): its value is nobody's to read
_TAG = re.compile(r"<[^<>]*>")
# Whose contents are by a program and not by a reader (12.5.6; of links they say where they lead), or another's.
_SILENT = frozenset([Name.Popup, Name.Widget, Name.Link, Name.PrinterMark, Name.TrapNet, Name.Watermark])
_NAMES = {
    Name.Text: "批注",
    Name.FreeText: "文字注释",
    Name.Highlight: "高亮批注",
    Name.Underline: "下划线批注",
    Name.StrikeOut: "删除线批注",
    Name.Caret: "插入批注",
    Name.Stamp: "图章",
    Name.FileAttachment: "附件说明",
}


def read(pdf: Pdf) -> list[Aside]:
    """At most some thousand, annotations before fields."""
    return list(islice(_all(pdf), _MOST))


def on(page: Dictionary) -> list[Dictionary]:
    """The annotations of a page, whatever else stands in its list."""
    held = page.get("/Annots")
    return [each for each in held if isinstance(each, Dictionary)] if isinstance(held, Array) else []


def text(value: Object | None) -> str:
    """Of a text string or a stream of one (7.9.2.2, 12.7.5.3), and of several; of anything else nothing."""
    if isinstance(value, String):
        return str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
    if isinstance(value, Array):
        return "\n".join(filter(None, (text(each) for each in value if isinstance(each, String))))
    return ""


def _all(pdf: Pdf) -> Iterator[Aside]:
    places: dict[tuple[int, int], int] = {}
    for number, page in enumerate(pdf.pages):
        for annotation in on(page.obj):
            if annotation.get("/Subtype") == Name.Widget:
                places[annotation.objgen] = number
            elif found := _annotation(annotation, number):
                yield found
    form = pdf.Root.get("/AcroForm")
    fields = form.get("/Fields") if isinstance(form, Dictionary) else None
    if isinstance(fields, Array):
        yield from _fields(fields, places)


def _annotation(annotation: Dictionary, page: int) -> Aside | None:
    kind = annotation.get("/Subtype")
    said = text(annotation.get("/Contents")) or _TAG.sub("", text(annotation.get("/RC"))).strip()
    if kind in _SILENT or not said:
        return None
    # A sticky note is never on the page; others repeat what they were put on, or bring a drawing of their words.
    name = _NAMES.get(kind, "批注") if isinstance(kind, Name) else "批注"
    by = text(annotation.get("/T")).strip(" ,，")
    return Aside(name, said, by, page=page, perhaps_shown=kind != Name.Text)


def _fields(fields: Array, places: dict[tuple[int, int], int]) -> Iterator[Aside]:
    """No recursion: the author chooses how deep they nest, and whether they end."""
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[Object, str, Object | None, Object | None, int]]
    waiting = [(each, "", None, None, 0) for each in reversed(list(fields))]
    while waiting:
        field, above, kind, flags, depth = waiting.pop()
        if not isinstance(field, Dictionary) or field.objgen in seen or depth > _DEEPEST:
            continue
        if field.is_indirect:
            seen.add(field.objgen)
        name = ".".join(filter(None, (above, text(field.get("/T")))))
        kind, flags = field.get("/FT", kind), field.get("/Ff", flags)
        kids = [each for each in field.get("/Kids", ()) if isinstance(each, Dictionary)]
        if said := _value(field, kind, flags):
            page = next((places[each.objgen] for each in (field, *kids) if each.objgen in places), None)
            yield Aside("表单字段", said, name, page=page, where="表单", perhaps_shown=True)
        waiting += [(each, name, kind, flags, depth + 1) for each in reversed(kids)]


def _value(field: Dictionary, kind: Object | None, flags: Object | int | None) -> str:
    """Buttons have states and signatures have bytes: neither are words."""
    if kind not in (Name.Tx, Name.Ch) or (isinstance(flags, int) and flags & _PASSWORD):
        return ""
    said = text(field.get("/V"))
    options = field.get("/Opt")
    if kind == Name.Ch and isinstance(options, Array):  # pairs of what is sent and what is shown
        for each in options:
            if isinstance(each, Array) and len(each) == 2 and text(each[0]) == said:
                return text(each[1])
    return said
