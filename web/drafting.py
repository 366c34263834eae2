"""From the fields of the page to voucher.json: pure, no judge. The voucher's reader finds what is wrong."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from archive.voucher.form import FORM, Field, Group

COMMON_DEMANDS: Final = ("道歉", "退费", "赔偿", "更换剧本", "改进服务")  # P8
COMMON_EVIDENCE: Final = (
    "消费凭证",
    "照片",
    "视频",
    "聊天记录",
    "监控截图",
    "员工工作记录",
)  # P12, words of the policy

_COMPLAINANT: Final = ("name", "contact", "other_contact", "membership")
_TEXTS: Final = ("channel", "store", "script", "staff", "details", "notes", "history")
_MOMENTS: Final = ("received_at", "visited_at")

Given = MultiDict[str, str]


def draft(given: Given, zone: tzinfo) -> bytes:
    """voucher.json in UTF-8 as the page describes it. Times without an offset are those of ``zone``."""
    return json.dumps(document(given, zone), ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def document(given: Given, zone: tzinfo) -> dict[str, Any]:
    """Fields left blank are left out."""
    found: dict[str, Any] = {"complainant": _complainant(given)}
    found |= {key: _with_offset(text, zone) for key in _MOMENTS if (text := _text(given, key))}
    found |= {key: text for key in _TEXTS if (text := _text(given, key))}
    found["demands"] = _demands(given)
    found["evidence"] = _evidence(given)
    found["receiver"] = _some(given, "receiver", ("name", "department", "contact"))
    return found


def label(path: str) -> tuple[str, str]:
    """What the field at ``complainant.name`` is called, in Chinese and English."""
    field = _field(path)
    return field.zh, field.en[:1].upper() + field.en[1:]


def longest(path: str) -> int:
    """In code points, for the browser's own check."""
    return getattr(_field(path).kind, "longest", 200)


def labels(language: str) -> Callable[[str], str]:
    return lambda path: label(path)[0 if language == "zh" else 1]


def _field(path: str) -> Field:
    fields: Mapping[str, Field] = FORM.fields
    *groups, last = path.split(".")
    for group in groups:
        kind = fields[group].kind
        kind = getattr(kind, "kind", kind)  # the form of one item
        if not isinstance(kind, Group):
            raise KeyError(path)
        fields = kind.fields
    return fields[last]


def _complainant(given: Given) -> dict[str, Any]:
    found: dict[str, Any] = _some(given, "complainant", _COMPLAINANT)
    if given.get("complainant.refused"):
        found = {key: value for key, value in found.items() if key not in ("name", "contact")}
        found["refused"] = True
    else:
        found.pop("other_contact", None)
    if count := _text(given, "complainant.headcount"):
        found["headcount"] = _whole(count)
    return found


def _demands(given: Given) -> list[str]:
    others = _text(given, "other_demands").replace("；", "\n").replace(";", "\n").splitlines()
    all_of_them = [*given.getlist("demands"), *others]
    return list(dict.fromkeys(each.strip() for each in all_of_them if each.strip()))


def _evidence(given: Given) -> list[dict[str, Any]]:
    pairs = zip(given.getlist("evidence.kind"), given.getlist("evidence.count"), strict=False)
    return [
        {"kind": kind.strip(), "count": _whole(count.strip() or "1")} for kind, count in pairs if kind.strip()
    ]


def _some(given: Given, group: str, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: text for key in keys if (text := _text(given, f"{group}.{key}"))}


def _text(given: Given, key: str) -> str:
    # Browsers send line ends as CR LF; the voucher's own are LF.
    return given.get(key, "").replace("\r\n", "\n").strip()


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _with_offset(text: str, zone: tzinfo) -> str:
    """``2026-02-27T20:15`` of a date-and-time field, with the offset that ``zone`` has then."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.isoformat(timespec="minutes")
