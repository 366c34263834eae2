"""Chat records saved as text, as WeChat, WeCom and QQ export or copy them: who said what, and when.

Known forms, each on a line of its own before the words, or in one line with them:
``张三 2026-03-01 12:00:00``, ``2026-03-01 12:00:00 张三``, ``[2026/3/1 12:00] 张三: …``, ``张三:`` and the lines of
dashes around a date that begin a day.
"""

import re
from dataclasses import dataclass, field

_DATE = r"\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}日?"
_TIME = r"(?:[上下中凌早晚][午晨上]\s?)?\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?:\s?[AaPp][Mm])?"
_MOMENT = rf"{_DATE}[,，\sT]*(?:星期.|周.)?\s*{_TIME}"
_NAME = r"[^\n:：]{1,40}?"
_DAY = re.compile(rf"[—\-─=＝\s]*({_DATE})(?:\s*(?:星期|周).)?[—\-─=＝\s]*")
# What stands around the words: a name and a time in either order, then perhaps the words after a colon.
_HEADS = (
    re.compile(rf"(?P<who>{_NAME})[\s　]+[(（\[]?(?P<when>{_MOMENT})[)）\]]?\s*[:：]?\s*(?P<said>)"),
    re.compile(rf"[\[(（]?(?P<when>{_MOMENT})[\])）]?\s*[-–—,，]?\s*(?P<who>{_NAME})\s*[:：]\s?(?P<said>.*)"),
    re.compile(rf"[\[(（]?(?P<when>{_MOMENT})[\])）]?\s*[-–—,，]?\s*(?P<who>[^\n:：]{{1,40}})(?P<said>)"),
    re.compile(rf"(?P<who>{_NAME})[\s　]+(?P<when>{_TIME})(?P<said>)"),
    re.compile(rf"(?P<who>{_NAME})\s*[(（\[](?P<when>{_TIME})[)）\]]\s*[:：]\s?(?P<said>.*)"),
)
_COPIED = re.compile(r"(?P<who>[^\n:：，。！？,.!?]{1,24})[:：](?P<when>)(?P<said>)")
_LEAST_MESSAGES = 3
_MOST_SPEAKERS = 500  # a chat group's limit
_LONGEST_LINE = 400  # characters of a line that could still be a head


@dataclass(slots=True)
class Message:
    """``who`` is empty for what stands before the first message; a day's line has no words."""

    who: str
    when: str
    lines: list[str] = field(default_factory=list)


def parse(text: str) -> list[Message] | None:
    """The messages in their order, with nothing left out; None when it is no chat record."""
    lines = text.split("\n")
    for head in _candidates(lines):
        messages = _messages(lines, head)
        spoken = [each for each in messages if each.who]
        speakers = {each.who for each in spoken}
        answered = sum(any(line.strip() for line in each.lines) for each in spoken)
        if (
            len(spoken) >= _LEAST_MESSAGES
            and len(speakers) <= min(_MOST_SPEAKERS, len(spoken) - 1)
            and answered > len(spoken) * 0.7
        ):
            return messages
    return None


def _candidates(lines: list[str]) -> list[re.Pattern[str]]:
    """The forms that occur, the most frequent first; the form with a bare name last, since prose has it too."""
    sample = [line.strip() for line in lines[:2000] if len(line) <= _LONGEST_LINE]
    counted = [(sum(head.fullmatch(line) is not None for line in sample), head) for head in _HEADS]
    found = [head for count, head in sorted(counted, key=lambda each: -each[0]) if count >= _LEAST_MESSAGES]
    copied = sum(_COPIED.fullmatch(line) is not None for line in sample)
    return [*found, _COPIED] if copied >= _LEAST_MESSAGES else found


def _messages(lines: list[str], head: re.Pattern[str]) -> list[Message]:
    messages: list[Message] = []
    for line in lines:
        plain = line.strip()
        if len(plain) > _LONGEST_LINE:
            found = day = None
        else:
            day = _DAY.fullmatch(plain)
            found = None if day else head.fullmatch(plain)
        if day:
            messages.append(Message("", day[1]))
        elif found:
            said = found["said"]
            messages.append(Message(found["who"].strip(), found["when"] or "", [said] if said else []))
        elif messages:
            messages[-1].lines.append(line)
        elif plain:
            messages.append(Message("", "", [line]))
    return messages
