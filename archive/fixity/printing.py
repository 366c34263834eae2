"""The report of a check as a PDF/A-2b page or more (ISO 19005-2), set by typst. Runs inside the sandbox.

Everything goes in as data, never as typst source; no font but the bundled ones is used, and a character that they
lack (in the name of a foreign file) is printed as its code point.
"""

import json
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

import pylopdf_fonts_zh_cn
import typst

from archive.fixity.report import Finding, Report, Scope, Trait
from archive.voucher.glyphs import coverage, lacking

_TEMPLATE: Final = Path(__file__).with_name("report.typ")
_MOST: Final = 2000  # findings on paper; the browser and --json name every one
_CHECKED: Final[Mapping[Trait, tuple[str, str]]] = {
    Trait.AUTHENTICITY: (
        "SHA-512、HMAC-SHA256 与登记一致；OCFL 清单与目录一致；目录数据库每一页的 HMAC 相符",
        "SHA-512 and HMAC-SHA256 as catalogued; OCFL inventories as catalogued; the HMAC of each page of the catalogue",
    ),
    Trait.INTEGRITY: (
        "编号连续；每份文件及其清单都在；页数与登记一致",
        "numbers without gap; every document and inventory present; page counts as catalogued",
    ),
    Trait.USABILITY: (
        "每份文件可读取并能用其密钥打开；主密钥文件、密钥日志与档案库说明完好",
        "every document can be read and opened with its key; key file, key journal and the archive's description whole",
    ),
    Trait.SECURITY: (
        "每份文件均为 AES-256 加密；案卷目录中没有外来文件",
        "every document is encrypted with AES-256; no foreign file among them",
    ),
}
# What only a check of all can say.
_OF_ALL: Final[Mapping[Trait, tuple[str, str]]] = {
    Trait.AUTHENTICITY: ("；台账 Merkle 树完好", "; the ledger's Merkle tree whole"),
    Trait.USABILITY: ("；隔离区完好", "; the quarantine whole"),
    Trait.SECURITY: ("；库中其他位置也没有", ", nor anywhere else in the vault"),
}


def sheet(report: Report, archive: str, zone: tzinfo) -> dict[str, object]:
    """What the page shows, as plain JSON values that may cross into another process."""
    return {
        "number": report.number,
        "archive": archive,
        "scope": "全库检测 · all of it" if report.scope is Scope.ALL else "滚动抽检 · a rolling sample",
        "actor": report.actor,
        "started_at": _clock(report.started_at, zone),
        "ended_at": _clock(report.ended_at, zone),
        "dated": int(report.ended_at.timestamp()),
        "files": report.files,
        "documents": report.documents,
        "size": f"{report.size / 1_000_000:,.1f} MB",
        "whole": report.whole,
        "traits": [_trait(report, trait) for trait in Trait],
        "findings": [_finding(each) for each in report.findings[:_MOST]],
        "more": max(0, len(report.findings) - _MOST),
    }


def render(shown: Mapping[str, object]) -> bytes:
    """An unencrypted PDF/A-2b of what ``sheet`` made; the same input gives the same bytes."""
    fonts = pylopdf_fonts_zh_cn.sans_path()
    given = json.dumps(shown, ensure_ascii=False)
    for letter in lacking(given, (coverage(fonts),)):
        given = given.replace(letter, f"〔U+{ord(letter):04X}〕")
    compiler = typst.Compiler(
        input=str(_TEMPLATE),
        root=str(_TEMPLATE.parent),
        font_paths=[str(fonts.parent)],
        ignore_system_fonts=True,
        package_path=str(_TEMPLATE.parent),
        package_cache_path=str(_TEMPLATE.parent),
    )
    dated = int(str(shown["dated"]))
    made = compiler.compile(
        format="pdf", sys_inputs={"report": given}, pdf_standards=["a-2b"], timestamp=dated
    )
    if not isinstance(made, bytes):
        raise TypeError("typst gave pages where one PDF was asked for")
    return made


def _trait(report: Report, trait: Trait) -> dict[str, object]:
    (zh, en), more = _CHECKED[trait], ("", "")
    if report.scope is Scope.ALL:
        more = _OF_ALL.get(trait, more)
    return {
        "name": [trait.say("zh"), trait.say("en")],
        "checked": [zh + more[0], en + more[1]],
        "findings": len(report.of(trait)),
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "reference": finding.reference,
        "name": finding.name,
        "trait": finding.trait.say("zh"),
        "problem": [finding.fault.say("zh"), finding.fault.say("en")],
    }


def _clock(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
