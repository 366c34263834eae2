"""Sheets set as PDF pages by typst. Words go in as data, never as source, so nothing in them can act.

Long documents are set in pieces, so that memory stays bounded and too many pages are noticed early.
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pikepdf
import pylopdf_fonts_zh_cn
import typst

from archive.errors import Code
from archive.evidence import unprinted
from archive.evidence.blocks import Block, Sheet, characters
from archive.evidence.limits import Limits
from archive.evidence.refusing import Refused
from archive.voucher.glyphs import coverage, is_picture, lacking, written_out
from archive.voucher.rendering import FULLER, FULLER_FACES

_TEMPLATE = Path(__file__).with_name("sheet.typ")
_SANS, _SERIF = ("Noto Sans SC", "Noto Serif SC"), ("Noto Serif SC", "Noto Sans SC")
_FULLER = ("Noto Sans CJK SC", "Noto Serif CJK SC")
_PIECE = 60_000  # characters set at once; typst remembers the last ten pieces
_DENSEST, _USUAL = 12_000, 2500  # characters on a page: a bound, to refuse before setting, and what is likely
_GETA = "〓"  # U+3013, the printers' mark for a letter they do not have
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_UNPRINTED = "有 {count} 种字符没有可用的字体，以 〓 代替；原件中的文字不变。"


def typeset(sheet: Sheet, limits: Limits) -> pikepdf.Pdf:
    """A new document with the pages of a sheet; the caller closes it.

    :raises Refused: EVIDENCE_TOO_MANY_PAGES.
    """
    total = sum(characters(block) for block in sheet.blocks)
    if total > limits.pages * _DENSEST:
        raise Refused(Code.EVIDENCE_TOO_MANY_PAGES, pages=total // _USUAL, limit=limits.pages)
    missing, wanted = _missing(sheet)
    notes = list(sheet.notes)
    letters = frozenset(letter for letter in missing if not is_picture(letter))
    if letters:
        notes.append(_UNPRINTED.format(count=len(letters)))
    inputs: dict[str, Any] = {
        "title": sheet.title,
        "subtitle": sheet.subtitle,
        "facts": _printable(sheet.facts, missing),
        "notes": notes,
        "landscape": sheet.landscape,
        "numbered": sheet.numbered,
        "foot": sheet.foot,
        "fonts": [*_SANS, *(_FULLER if wanted else ())],
        "serif": [*_SERIF, *(_FULLER if wanted else ())],
        "pictures": [list(picture) for picture in sheet.pictures],
    }
    whole = pikepdf.Pdf.new()
    done = 0
    for piece in _pieces(sheet.blocks):
        inputs |= {"first": not done, "before": len(whole.pages), "blocks": _printable(piece, missing)}
        with pikepdf.open(io.BytesIO(_compile(inputs, wanted=wanted))) as pages:
            whole.pages.extend(pages.pages)
        done += sum(characters(block) for block in piece)
        if len(whole.pages) > limits.pages:
            guess = len(whole.pages) * total // max(done, 1)
            whole.close()
            raise Refused(Code.EVIDENCE_TOO_MANY_PAGES, pages=guess, limit=limits.pages)
    if letters:
        unprinted.put(whole.pages[0], unprinted.lines(_strings((sheet.facts, sheet.blocks)), letters))
    return whole


def _pieces(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """At least one, however little there is to set."""
    piece: list[Block] = []
    size = 0
    for block in blocks:
        piece.append(block)
        size += characters(block)
        if size > _PIECE:
            yield piece
            piece, size = [], 0
    if piece or not blocks:
        yield piece


def _compile(inputs: dict[str, Any], *, wanted: bool) -> bytes:
    made = _compiler(wanted=wanted).compile(
        format="pdf", sys_inputs={"sheet": json.dumps(inputs, ensure_ascii=False)}, pdf_tags=False
    )
    if not isinstance(made, bytes):
        raise TypeError("typst gave pages where one PDF was asked for")
    return made


@cache
def _compiler(*, wanted: bool) -> typst.Compiler:
    bundled = str(pylopdf_fonts_zh_cn.sans_path().parent)
    return typst.Compiler(
        input=str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        font_paths=[bundled, *([str(FULLER)] if wanted else [])],
        ignore_system_fonts=True,
        # The template imports no package; were one ever named, it must be looked for here only.
        package_path=str(_TEMPLATE.parent),
        package_cache_path=str(_TEMPLATE.parent),
    )


def _missing(sheet: Sheet) -> tuple[frozenset[str], bool]:
    """The characters that no font has, and whether the fuller fonts are wanted for the others."""
    used = frozenset(letter for text in _strings((sheet.facts, sheet.blocks)) for letter in text)
    text = written_out(_clean("".join(used)), frozenset())
    bundled = (coverage(pylopdf_fonts_zh_cn.sans_path()), coverage(pylopdf_fonts_zh_cn.serif_path()))
    rare = lacking(text, bundled)
    fuller = [coverage(FULLER / name, face) for name, face in FULLER_FACES if (FULLER / name).is_file()]
    missing = lacking("".join(rare), fuller) if rare else rare
    return missing, bool(rare - missing)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


def _printable(value: Any, missing: frozenset[str]) -> Any:
    if isinstance(value, str):
        text = written_out(_clean(value), missing)
        return "".join(_GETA if letter in missing else letter for letter in text) if missing else text
    if isinstance(value, dict):
        return {key: inner if key == "is" else _printable(inner, missing) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner, missing) for inner in value]
    return value


def _clean(text: str) -> str:
    """Tabs as spaces, and spaces that would collapse kept apart; no control characters."""
    text = _CONTROL.sub("", text.expandtabs(4).replace("\u2028", "\n").replace("\u2029", "\n"))
    return re.sub(r"(?m)^ +|  +", lambda found: "\u00a0" * len(found[0]), text)
