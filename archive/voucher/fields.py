"""The voucher 顾客投诉登记凭证 (P8, P9): from voucher.json to values that hold, or to all that is wrong."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn, cast

from archive.errors import Code, MunimentError
from archive.voucher.examining import examine, shown
from archive.voucher.form import Channel
from archive.voucher.problems import Fault, Problem, Problems

MOST_BYTES: Final = 256 * 1024
DEEPEST: Final = 8  # the form itself needs three


@dataclass(frozen=True, slots=True)
class Complainant:
    """Who complains; of a group the lead complainant and the head count (P8).

    ``name`` and ``contact`` may be None only where ``refused``; then ``other_contact`` is there (P9).
    """

    name: str | None
    contact: str | None
    refused: bool = False
    other_contact: str | None = None
    membership: str | None = None
    headcount: int = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the customer handed in, by kind and count (P8)."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who received the complaint; signs the voucher (P9)."""

    name: str
    department: str
    contact: str


@dataclass(frozen=True, slots=True)
class Voucher:
    """One registered complaint. Texts have no outer blanks, blank ones are None, times know their offset."""

    complainant: Complainant
    received_at: datetime
    channel: Channel
    store: str
    details: str
    demands: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    receiver: Receiver
    visited_at: datetime | None = None
    script: str | None = None
    staff: str | None = None
    notes: str | None = None
    history: str | None = None


def parse(text: bytes) -> Voucher:
    """Read voucher.json: UTF-8 (a byte order mark is passed over), at most 256 KB.

    Raises ``Code.VOUCHER_INVALID`` also for what JSON readers differ on: repeated keys, NaN and Infinity
    (RFC 8259, 4 and 6).
    """
    if len(text) > MOST_BYTES:
        _refuse(
            Problem(
                Fault.SIZE,
                "",
                f"文件超过 {MOST_BYTES // 1024} KB",
                f"the file is over {MOST_BYTES // 1024} KB",
            )
        )
    try:
        document = json.loads(
            text.decode("utf-8-sig"), object_pairs_hook=_without_repeats, parse_constant=_no_constant
        )
    except UnicodeDecodeError as error:
        _refuse(_not_json(f"第 {error.start + 1} 字节不是 UTF-8", f"byte {error.start + 1} is not UTF-8"))
    except json.JSONDecodeError as error:
        line, column = error.lineno, error.colno
        _refuse(_not_json(f"第 {line} 行第 {column} 列有误", f"line {line}, column {column}"))
    except RecursionError:
        _refuse(_too_deep())
    except ValueError:  # int() refuses thousands of digits
        _refuse(_not_json("数字过长", "a number is too long"))
    if _deeper_than(DEEPEST, document):
        _refuse(_too_deep())
    return read(document)


def read(document: Mapping[str, object]) -> Voucher:
    """The voucher in a JSON document; raises ``Code.VOUCHER_INVALID`` with all ``problems`` found."""
    problems = examine(document)
    if problems:
        _refuse(*problems)
    held = cast("Mapping[str, Any]", document)  # examine has looked at every value
    return Voucher(
        complainant=_complainant(held["complainant"]),
        received_at=datetime.fromisoformat(held["received_at"]),
        channel=Channel(held["channel"]),
        store=held["store"].strip(),
        details=held["details"].strip(),
        demands=tuple(demand.strip() for demand in held["demands"]),
        evidence=tuple(Evidence(one["kind"].strip(), int(one["count"])) for one in held["evidence"]),
        receiver=_receiver(held["receiver"]),
        visited_at=datetime.fromisoformat(held["visited_at"]) if "visited_at" in held else None,
        **{key: _filled(held, key) for key in ("script", "staff", "notes", "history")},
    )


def _complainant(held: Mapping[str, Any]) -> Complainant:
    return Complainant(
        refused=held.get("refused", False),
        headcount=int(held.get("headcount", 1)),
        name=_filled(held, "name"),
        contact=_filled(held, "contact"),
        other_contact=_filled(held, "other_contact"),
        membership=_filled(held, "membership"),
    )


def _receiver(held: Mapping[str, Any]) -> Receiver:
    return Receiver(held["name"].strip(), held["department"].strip(), held["contact"].strip())


def _filled(held: Mapping[str, Any], key: str) -> str | None:
    return held.get(key, "").strip() or None


def _refuse(*problems: Problem) -> NoReturn:
    # "from None": the cause would carry the document, with a customer's data, into logs.
    raise MunimentError(Code.VOUCHER_INVALID, problems=Problems(problems)) from None


def _without_repeats(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            name = shown(key)
            _refuse(
                Problem(Fault.DUPLICATE, name, f"“{name}”出现了不止一次", f"“{name}” is there more than once")
            )
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    _refuse(_not_json(f"不能使用 {name}", f"{name} is not a JSON number"))


def _not_json(zh: str, en: str) -> Problem:
    return Problem(Fault.JSON, "", f"不是有效的 JSON（{zh}）", f"this is not JSON ({en})")


def _too_deep() -> Problem:
    return Problem(Fault.DEPTH, "", "嵌套层数过多", "it is nested too deeply")


def _deeper_than(limit: int, document: object) -> bool:
    level = [document]
    for _ in range(limit):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True
