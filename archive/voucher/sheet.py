"""The sheet: what the printed voucher shows, as plain JSON values that may cross into another process."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from archive.voucher.fields import Complainant, Evidence, Voucher

_HOUSE_OFFSET: Final = timedelta(hours=8)  # times of China need no offset beside them

_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MAIL: Final = re.compile(r"([^\s@:：,，;；/]{1,64})@([A-Za-z0-9.-]+)")
_NUMBER: Final = re.compile(
    r"(?<![0-9A-Za-z])(\+86[ -]?)?\+?[0-9](?:[ \-()（）]?[0-9]){4,}[Xx]?(?![0-9A-Za-z])"
)
_ACCOUNT: Final = re.compile(
    r"(?<![0-9A-Za-z*@.])(?=[0-9_\-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9_\-]{4,}(?![0-9A-Za-z*@.])"
)
_DOOR: Final = re.compile(r"[0-9A-Za-z]+(?=\s?[号栋幢座室楼层弄单])|[0-9]+-[0-9]+(?:-[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Kept:
    """One document of the evidence as it is kept: its name there, what it is, pages, SHA-256 in hex."""

    name: str
    kind: str
    pages: int
    sha256: str


def sheet(
    voucher: Voucher,
    *,
    reference: str,
    level: str,
    category: str,
    completed_on: date | None,
    period: str,
    due: date | None,
    filed_at: datetime,
    evidence: Sequence[Kept] = (),
) -> dict[str, object]:
    """What the form shows (P8, P10, P13.3), ready for ``rendering.render``.

    The contact is masked here already (P16): the full one is only in the attached voucher.json. ``period`` is
    worded by the caller (``2 年``, ``永久``); the receiver signs electronically (P9) at ``filed_at``.
    """
    return {
        "reference": reference,
        "level": level,
        "category": category,
        "complainant": _complainant(voucher.complainant),
        "received_at": clock(voucher.received_at),
        "channel": voucher.channel.value,
        "store": voucher.store,
        "visited_at": clock(voucher.visited_at) if voucher.visited_at else "",
        "script": voucher.script or "",
        "staff": voucher.staff or "",
        "details": _paragraphs(voucher.details),
        "history": _paragraphs(voucher.history),
        "notes": _paragraphs(voucher.notes),
        "demands": list(voucher.demands),
        "evidence": "、".join(_counted(one) for one in voucher.evidence),
        "kept": [
            {"name": one.name, "kind": one.kind, "pages": one.pages, "digest": one.sha256[:16]}
            for one in evidence
        ],
        "receiver": {
            "name": voucher.receiver.name,
            "department": voucher.receiver.department,
            "contact": voucher.receiver.contact,
        },
        "signed_at": clock(filed_at),
        "dated": filed_at.isoformat(),
        "completed_on": day(completed_on) if completed_on else "",
        "period": period,
        "due": day(due) if due else "",
    }


def day(value: date) -> str:
    return f"{value.year}年{value.month}月{value.day}日"


def clock(value: datetime) -> str:
    """To the minute (P8); the offset is said where it is not that of China."""
    offset = value.utcoffset()
    elsewhere = "" if offset in {None, _HOUSE_OFFSET} else f"（UTC{value:%z}）"
    return f"{day(value)} {value:%H:%M}{elsewhere}"


def mask_contact(contact: str) -> str:
    """Hide what would let a reader reach or find the customer (P8, P16).

    Of a number the first three and last four digits stay (fewer of a short one), of a mail address the
    first letter and the host, of an account name the first two letters; house and room numbers go.
    """
    clean = _INVISIBLE.sub("", contact)
    clean = _MAIL.sub(lambda m: f"{m[1][0]}***@{m[2]}", clean)
    clean = _NUMBER.sub(_mask_number, clean)
    clean = _ACCOUNT.sub(lambda m: f"{m[0][:2]}***", clean)
    return _DOOR.sub("**", clean)


def _mask_number(found: re.Match[str]) -> str:
    country = found[1] or ""
    digits = re.sub(r"[^0-9Xx]", "", found[0][len(country) :])
    first, last = (3, 4) if len(digits) >= 10 else (2, 2) if len(digits) >= 7 else (1, 1)
    return f"{country}{digits[:first]}****{digits[-last:]}"


def _complainant(complainant: Complainant) -> dict[str, object]:
    return {
        "name": complainant.name or "",
        "contact": mask_contact(complainant.contact or ""),
        "refused": complainant.refused,
        "other_contact": mask_contact(complainant.other_contact or ""),
        "membership": complainant.membership or "",
        "headcount": complainant.headcount,
    }


def _paragraphs(text: str | None) -> list[str]:
    return [line.strip().replace("\t", " ") for line in (text or "").splitlines() if line.strip()]


def _counted(one: Evidence) -> str:
    return f"{one.kind} {one.count} 件"
