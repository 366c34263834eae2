"""Texts of every kind as sheets: the words as they stand, or as the table, page or conversation they are."""

from archive.errors import Code
from archive.evidence import blocks, chats, tabulating, webpages
from archive.evidence.blocks import Block, Sheet
from archive.evidence.decoding import Text, decode
from archive.evidence.kinds import EvidenceKind
from archive.evidence.refusing import Refused

_TITLES = {
    EvidenceKind.TEXT: ("文本文件", "Text file"),
    EvidenceKind.CSV: ("数据表", "Table (CSV)"),
    EvidenceKind.HTML: ("网页", "Web page"),
    EvidenceKind.CHAT: ("聊天记录", "Chat record"),
    EvidenceKind.MAIL: ("电子邮件", "E-mail"),
}
_DOUBTFUL = "有 {count} 处字节无法识别为文字，以 \N{REPLACEMENT CHARACTER} 表示；原件不变。"
_WEB_NOTE = "本页只显示网页中的文字与链接去向；图片、脚本和远程内容均不加载。网页原件完整附于本文档内。"


def title(kind: EvidenceKind) -> tuple[str, str]:
    """In Chinese and English."""
    return _TITLES[kind]


def present(data: bytes, kind: EvidenceKind, sha256: str) -> Sheet:
    """:raises Refused: EVIDENCE_UNREADABLE when the whole is no text although its beginning was."""
    text = decode(data)
    if text is None:
        raise Refused(Code.EVIDENCE_UNREADABLE)
    shown, landscape, more = _shown(text, kind)
    notes = [_DOUBTFUL.format(count=text.doubtful)] if text.doubtful else []
    if kind is EvidenceKind.HTML:
        notes.append(_WEB_NOTE)
    facts = [("编码", text.encoding), *more, ("大小", size(len(data))), ("SHA-256", sha256)]
    return Sheet(*title(kind), facts, shown, notes, landscape)


def size(count: int) -> str:
    """Bytes, and what that is in KB or MB."""
    exact = f"{count:,} 字节"
    if count < 1000:
        return exact
    return f"{count / 1e6:,.1f} MB（{exact}）" if count >= 1_000_000 else f"{count / 1e3:,.1f} KB（{exact}）"


def conversation(messages: list[chats.Message]) -> list[Block]:
    """Each speaker keeps a colour."""
    tints: dict[str, int] = {}
    shown: list[Block] = []
    for each in messages:
        if not each.who and not any(line.strip() for line in each.lines):
            shown.append(blocks.day(each.when))
            continue
        lines = [piece for line in _trimmed(each.lines) for piece in blocks.cut(line)]
        tint = tints.setdefault(each.who, len(tints)) if each.who else 0
        shown.append(blocks.message(each.who, each.when, lines, tint))
    return shown


def _trimmed(lines: list[str]) -> list[str]:
    """Without the empty lines at both ends, which only separate messages."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _shown(text: Text, kind: EvidenceKind) -> tuple[list[Block], bool, list[tuple[str, str]]]:
    content = text.content
    if kind is EvidenceKind.CSV and (rows := tabulating.split(content)):
        columns = max(len(row) for row in rows)
        facts = [("行 × 列", f"{len(rows)} × {columns}")]
        return tabulating.tabulated(rows, head=True), tabulating.is_broad(rows), facts
    if kind is EvidenceKind.CHAT and (messages := chats.parse(content)):
        spoken = [each for each in messages if each.who]
        speakers = list(dict.fromkeys(each.who for each in spoken))
        facts = [
            ("消息", f"{len(spoken)} 条"),
            ("发言人", "、".join(speakers[:20]) + ("…" if len(speakers) > 20 else "")),
        ]
        return conversation(messages), False, facts
    if kind is EvidenceKind.HTML:
        return webpages.read(content), False, []
    return blocks.lines(content.strip("\n")), False, [("行数", f"{content.count(chr(10)) + 1:,}")]
