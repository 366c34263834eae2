"""The voucher as a PDF/A-3b page (ISO 19005-3): typst sets the form, voucher.json rides inside as its source.

Everything written by people goes in as data, never as typst source, so nothing in it can act. The compiler
sees only this folder, knows no packages, and uses no font but the named ones.
"""

import io
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Final

import pylopdf_fonts_zh_cn
import segno
import typst

from archive.errors import Code, MunimentError
from archive.voucher.glyphs import Coverage, coverage, lacking, written_out

_TEMPLATE: Final = Path(__file__).with_name("voucher.typ")

# Debian's fonts-noto-cjk has 14,000 rare characters more; face 2 of its collections is Simplified Chinese.
FULLER: Final = Path("/usr/share/fonts/opentype/noto")
FULLER_FACES: Final = (("NotoSansCJK-Regular.ttc", 2), ("NotoSerifCJK-Regular.ttc", 2))
_SANS: Final = ("Noto Sans SC", "Noto Serif SC")
_SERIF: Final = ("Noto Serif SC", "Noto Sans SC")
_FULLER_FAMILIES: Final = ("Noto Sans CJK SC", "Noto Serif CJK SC")

_one_at_a_time: Final = Lock()  # a compiler serves one thread


def render(
    sheet: Mapping[str, object],
    *,
    attachment: bytes,
    void: Mapping[str, str] | None = None,
    fuller: Path | None = FULLER,
) -> bytes:
    """An unencrypted PDF/A-3b; the same input gives the same bytes.

    ``sheet`` is what ``archive.voucher.sheet.sheet`` makes; ``attachment`` the voucher.json as it came;
    ``void`` (``date``, ``reason``, ``by``) stamps 作废 on every page (P9). ``fuller`` is the folder of a
    fuller font, used only for characters the bundled ones lack. Raises ``Code.GLYPH_MISSING`` naming the
    characters that no font has.
    """
    shown = {"sheet": sheet, "void": void}
    rare = _missing(shown, _bundled())
    missing = _missing(shown, (*_bundled(), *_fuller_faces(fuller))) if rare and fuller else rare
    wanted = fuller if rare - missing else None
    printed = _printable(shown, missing)
    inputs = {
        **printed,
        "replaced": bool(missing),
        "sans": [*_SANS, *(_FULLER_FAMILIES if wanted else ())],
        "serif": [*_SERIF, *(_FULLER_FAMILIES if wanted else ())],
        "qr": _qr(str(sheet["reference"])),
        "attachment": _attached(attachment),
    }
    # The time of filing, not the clock: the same sheet gives the same file.
    dated = datetime.fromisoformat(str(sheet["dated"]))
    with _one_at_a_time:
        made = _compiler(wanted).compile(
            format="pdf",
            sys_inputs={"voucher": json.dumps(inputs, ensure_ascii=False)},
            pdf_standards=["a-3b"],
            timestamp=int(dated.timestamp()),
        )
    if not isinstance(made, bytes):
        raise TypeError("typst gave pages where one PDF was asked for")
    return made


@cache
def _compiler(fuller: Path | None) -> typst.Compiler:
    bundled = pylopdf_fonts_zh_cn.sans_path().parent
    return typst.Compiler(
        input=str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        font_paths=[str(bundled), *([str(fuller)] if fuller else [])],
        ignore_system_fonts=True,
        # The template imports no package; were one ever named, it must be looked for here only.
        package_path=str(_TEMPLATE.parent),
        package_cache_path=str(_TEMPLATE.parent),
    )


def _bundled() -> tuple[Coverage, ...]:
    return coverage(pylopdf_fonts_zh_cn.sans_path()), coverage(pylopdf_fonts_zh_cn.serif_path())


def _fuller_faces(folder: Path) -> tuple[Coverage, ...]:
    return tuple(coverage(folder / name, face) for name, face in FULLER_FACES if (folder / name).is_file())


def _missing(value: object, fonts: tuple[Coverage, ...]) -> frozenset[str]:
    return lacking(written_out("".join(_strings(value)), frozenset()), fonts)


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _strings(inner)]
    return []


def _printable(shown: Mapping[str, object], missing: frozenset[str]) -> dict[str, object]:
    """``shown`` as the fonts can print it: pictures written out, ``Code.GLYPH_MISSING`` for letters."""

    def walk(value: object) -> object:
        if isinstance(value, str):
            return written_out(value, missing)
        if isinstance(value, Mapping):
            return {key: walk(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [walk(inner) for inner in value]
        return value

    printed = {key: walk(value) for key, value in shown.items()}
    still = missing & frozenset("".join(_strings(printed)))
    if still:
        # Single characters, sorted and without their surroundings, tell nobody's name.
        named = "、".join(f"{letter}（U+{ord(letter):04X}）" for letter in sorted(still))
        raise MunimentError(Code.GLYPH_MISSING, characters=named)
    return printed


def _qr(reference: str) -> str:
    drawn = io.BytesIO()
    segno.make(reference, error="m", micro=False, encoding="utf-8").save(drawn, kind="svg", border=0)
    return drawn.getvalue().decode()


def _attached(attachment: bytes) -> str | list[int]:
    """Sources reach typst as text; bytes that are not UTF-8 go as numbers, so that all arrive unchanged."""
    try:
        return attachment.decode()
    except UnicodeDecodeError:
        return list(attachment)
