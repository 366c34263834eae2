"""The standard registration form (P8, P9) as a table: each field with its names and bounds.

``schema.json`` says the same for other programs; a test holds the two together. Lengths count code points.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

# Control characters, line separators, lone surrogates and noncharacters print nothing and hide things.
UNFIT_IN_A_LINE: Final = r"[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufffe\uffff]"
UNFIT_IN_LINES: Final = r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ud800-\udfff\ufffe\uffff]"

# A day that exists from 2000 to 2099, where every fourth year leaps; minutes, seconds if given, the offset.
MOMENT: Final = (
    r"^(?:20[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))|20(?:[02468][048]|[13579][26])-02-29)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$"
)


class Channel(StrEnum):
    """How a complaint may arrive (P7)."""

    IN_STORE = "门店现场"
    PHONE = "电话"
    WECOM = "企业微信"
    EMAIL = "邮件"
    DIANPING = "大众点评"
    MEITUAN = "美团"
    DOUYIN = "抖音"
    XIAOHONGSHU = "小红书"
    WEBSITE = "官网"
    COMMUNITY = "社群"


@dataclass(frozen=True, slots=True)
class Text:
    longest: int
    lines: bool = False  # may run over several lines, with tabs
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Date and time to the minute with the offset from UTC, ISO 8601 (P8)."""


@dataclass(frozen=True, slots=True)
class Whole:
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class YesNo:
    """A JSON boolean."""


@dataclass(frozen=True, slots=True)
class Items:
    kind: "Kind"
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Group:
    fields: Mapping[str, "Field"]


Kind = Text | Moment | Whole | YesNo | Items | Group


@dataclass(frozen=True, slots=True)
class Field:
    zh: str
    en: str
    kind: Kind
    required: bool = False


def _group(**fields: Field) -> Group:
    return Group(MappingProxyType(fields))


# Which of name, contact and other_contact is required hangs on ``refused``: see ``needed_of_complainant``.
COMPLAINANT: Final = _group(
    name=Field("姓名", "name", Text(100)),
    contact=Field("联系方式", "contact", Text(100)),
    refused=Field("顾客拒绝提供", "refused", YesNo()),
    other_contact=Field("其他联系途径", "other way to reach them", Text(200)),
    membership=Field("会员信息", "membership", Text(60)),
    headcount=Field("投诉人数", "head count", Whole(1, 9999)),
)

EVIDENCE: Final = _group(
    kind=Field("佐证种类", "kind of evidence", Text(60), required=True),
    count=Field("件数", "count", Whole(1, 9999), required=True),
)

RECEIVER: Final = _group(
    name=Field("受理人", "receiver", Text(100), required=True),
    department=Field("部门", "department", Text(60), required=True),
    contact=Field("联系方式", "contact", Text(100), required=True),
)

FORM: Final = _group(
    complainant=Field("投诉人", "complainant", COMPLAINANT, required=True),
    received_at=Field("受理时间", "time received", Moment(), required=True),
    channel=Field("受理渠道", "channel", Text(20, choices=tuple(Channel)), required=True),
    store=Field("门店", "store", Text(60), required=True),
    visited_at=Field("到店时间", "time of visit", Moment()),
    script=Field("剧本", "script", Text(100)),
    staff=Field("涉及员工", "staff member", Text(100)),
    details=Field("投诉内容", "details", Text(20_000, lines=True), required=True),
    demands=Field("顾客诉求", "demands", Items(Text(200), 1, 20), required=True),
    evidence=Field("佐证材料", "evidence", Items(EVIDENCE, 0, 50), required=True),
    receiver=Field("受理人", "receiver", RECEIVER, required=True),
    notes=Field("备注", "notes", Text(5_000, lines=True)),
    history=Field("过往记录", "history", Text(5_000, lines=True)),
)


def needed_of_complainant(complainant: Mapping[str, object]) -> frozenset[str]:
    """A customer who refuses personal data leaves another way to be reached instead (P9)."""
    if complainant.get("refused") is True:
        return frozenset({"other_contact"})
    return frozenset({"name", "contact"})
