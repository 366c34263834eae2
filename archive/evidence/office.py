"""Office documents through LibreOffice: a PDF of the document as it prints, macros off and links left alone.

LibreOffice would fetch pictures from the network and follow links to files; the cage leaves it neither.
"""

import os
import shutil
from pathlib import Path

import pylopdf_fonts_zh_cn

from archive.errors import Code, MunimentError
from archive.evidence import scratch
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.programs import Errand, Running, copied

_ELSEWHERE = ("/usr/lib/libreoffice/program", "/usr/lib64/libreoffice/program", "/opt/libreoffice/program")
_PROGRAM = "soffice.bin"
_SHARED = tuple(
    Path(each)
    for each in (
        "/etc/fonts",
        "/etc/libreoffice",
        "/var/lib/libreoffice",
        "/var/spool/libreoffice",
        "/var/cache/fontconfig",
    )
)
_FRESH_PROFILE = 81  # exit code: the profile was made, start me again
_CHUNK = 1 << 20

_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
{items}</oor:items>
"""
_ITEM = (
    '<item oor:path="/org.openoffice.Office.{path}"><prop oor:name="{name}" oor:op="fuse">'
    "<value>{value}</value></prop></item>\n"
)
_SETTINGS = (
    ("Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Common/Misc", "FirstRun", "false"),
    ("Java/VirtualMachine", "Enable", "false"),
    ("Writer/Content/Update", "Link", "0"),  # never
    ("Calc/Content/Update", "Link", "2"),  # never
    # What the pages would leave out: comments become annotations, for whoever takes the PDF apart.
    ("Common/Filter/PDF/Export", "ExportNotes", "true"),
    ("Common/Filter/PDF/Export", "ExportHiddenSlides", "true"),
)
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<dir>{bundled}</dir>
<cachedir>{cache}</cachedir>
</fontconfig>
"""


def find() -> Path | None:
    """The program itself: the scripts around it start other processes, which the cage forbids."""
    named = shutil.which("soffice") or shutil.which("libreoffice")
    folders = [Path(named).resolve().parent] if named else []
    for folder in (*folders, *map(Path, _ELSEWHERE)):
        if (folder / _PROGRAM).is_file():
            return folder / _PROGRAM
    return None


def to_pdf(
    programs: Running, soffice: Path, source: int, target: int, kind: EvidenceKind, name: str, limits: Limits
) -> None:
    """Write a PDF of the document in ``source`` to ``target``; both are descriptors of memory files.

    :raises MunimentError: EVIDENCE_UNREADABLE, CONVERSION_TIMEOUT, SANDBOX_UNAVAILABLE.
    :raises Uncaged: it cannot be caged here.
    """
    with scratch.folder() as room:
        given = room / f"source.{kind.extension}"
        with given.open("xb") as file:
            os.lseek(source, 0, os.SEEK_SET)
            while piece := os.read(source, _CHUNK):
                file.write(piece)
        _furnish(room)
        errand = _errand(soffice, room, given)
        if programs.run(errand, name) == _FRESH_PROFILE:
            programs.run(errand, name)
        # It ends well whatever happened: what counts is whether there is a PDF.
        if not copied(room / "out" / "source.pdf", target, limits.output_bytes):
            raise MunimentError(Code.EVIDENCE_UNREADABLE, name=name)


def _errand(soffice: Path, room: Path, given: Path) -> Errand:
    return Errand(
        soffice,
        [
            f"-env:UserInstallation=file://{room}/profile",
            *("--headless", "--nologo", "--norestore", "--nolockcheck", "--nodefault"),
            *("--convert-to", "pdf", "--outdir", f"{room}/out", str(given)),
        ],
        {
            "PATH": os.defpath,
            "HOME": str(room),
            "TMPDIR": str(room / "temporary"),
            "OSL_SOCKET_PATH": str(room / "temporary"),
            "LANG": "zh_CN.UTF-8",
            "FONTCONFIG_FILE": f"{room}/fonts.conf",
            "SAL_USE_VCLPLUGIN": "svp",  # without a screen
            "MALLOC_ARENA_MAX": "2",
        },
        readable=(soffice.parents[1], pylopdf_fonts_zh_cn.sans_path().parent, *_SHARED),
        writable=room,
    )


def _furnish(room: Path) -> None:
    for each in ("profile/user", "temporary", "out", "cache"):
        (room / each).mkdir(parents=True)
    items = "".join(_ITEM.format(path=path, name=name, value=value) for path, name, value in _SETTINGS)
    (room / "profile/user/registrymodifications.xcu").write_text(_PROFILE.format(items=items), "utf-8")
    bundled = pylopdf_fonts_zh_cn.sans_path().parent
    (room / "fonts.conf").write_text(_FONTS.format(bundled=bundled, cache=room / "cache"), "utf-8")
