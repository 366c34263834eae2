"""Cover pages: what stands for evidence that has no pages of its own, or not yet."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archive.evidence import blocks, presenting
from archive.evidence.blocks import Sheet
from archive.evidence.kinds import EvidenceKind, Family

_NAMES = {
    EvidenceKind.DOC: ("Word 文档（97–2003）", "Word document"),
    EvidenceKind.DOCX: ("Word 文档", "Word document"),
    EvidenceKind.XLS: ("Excel 工作簿（97–2003）", "Excel workbook"),
    EvidenceKind.XLSX: ("Excel 工作簿", "Excel workbook"),
    EvidenceKind.PPT: ("PowerPoint 演示文稿（97–2003）", "PowerPoint presentation"),
    EvidenceKind.PPTX: ("PowerPoint 演示文稿", "PowerPoint presentation"),
    EvidenceKind.ODT: ("OpenDocument 文本", "OpenDocument text"),
    EvidenceKind.ODS: ("OpenDocument 电子表格", "OpenDocument spreadsheet"),
    EvidenceKind.ODP: ("OpenDocument 演示文稿", "OpenDocument presentation"),
    EvidenceKind.RTF: ("RTF 文档", "Rich text document"),
    EvidenceKind.WPS: ("Works 文档", "Works document"),
    EvidenceKind.SILK: ("微信语音", "WeChat voice message"),
}
_ABSENT = "入库时本机没有可用的 {program}，"
_INSTALL = "安装 {program} 后运行 muniment convert-pending，"
_LATE = "这封邮件的附件较多或较大，入库时留给转换的时间已用完，"
_AGAIN = "运行 muniment convert-pending，"
_WAITING = (
    "{why}因此内容暂未转换为页面。原件完整附于本文档内，可随时取出；"
    "{remedy}即补上可阅读的页面，本封面作为旧版本保留。"
)
_WITHOUT = "{why}因此时长和画面暂缺。{remedy}即补上完整的封面。"
_BEHIND = (
    "本页是封面。{what}原件完整附于本文档内，逐字节与提交时相同，可取出播放；用上面的 SHA-256 可以核对。"
)
_BESIDE = (
    "本页是封面。{what}原件较大，不在本文档内，而是在档案库中单独加密存放，逐字节与提交时相同，可在阅览页播放。"
    "在附有原件的副本中，它是与本文档同名的 .zip 文件，密码相同；由 muniment export 导出时，它在 originals 文件夹内。"
    "用上面的 SHA-256 可以核对。"
)
_APART = "原件不在本文档内，另行存放"
_LOST = (
    "提交的 PDF 已损坏：它称自己有 {count} 页，其中 {lost} 页在文件中缺失或无法读出，各以本页代替。"
    "原件完整附于本文档内，逐字节与提交时相同。"
)
_MOST_RANGES = 40
_NO_LENGTH = "未能从文件中读出时长。"
_NO_PICTURE = "未能从文件中取出画面。"
_SOUND, _FILM = ("录音", "Sound recording"), ("录像", "Film")


Waiting = tuple[str, str]  # the reason, and what to do, as parts of a sentence


def why_waiting(said: Mapping[str, Any]) -> Waiting | None:
    """Of what was said where a program of others had to help."""
    if said.get("late"):
        return _LATE, _AGAIN
    if program := str(said.get("absent", "")):
        return _ABSENT.format(program=program), _INSTALL.format(program=program)
    return None


def waiting(kind: EvidenceKind, size: int, sha256: str, why: Waiting | None) -> Sheet:
    """The cover of a document that was not converted yet."""
    reason, remedy = why or ("", _AGAIN)
    title, subtitle = _NAMES[kind]
    facts = [("类型", f".{kind.extension}"), ("大小", presenting.size(size)), ("SHA-256", sha256)]
    return Sheet(title, subtitle, facts, notes=[_WAITING.format(why=reason, remedy=remedy)])


def unreadable(count: int, lost: Sequence[int]) -> Sheet:
    """What stands in each of the places ``lost`` (from 0) of a PDF that counts ``count`` pages."""
    facts = [("页数", f"{count}"), ("无法读出", f"第 {_ranges(lost)} 页")]
    notes = [_LOST.format(count=count, lost=len(lost))]
    return Sheet("无法读出的页", "Unreadable page", facts, notes=notes, numbered=False)


def _ranges(places: Sequence[int]) -> str:
    """Numbers from 1 of places from 0, in their order: ``2–9、11``."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][1] == place:
            runs[-1][1] = place + 1
        else:
            runs.append([place + 1, place + 1])
    shown = [f"{first}" if first == last else f"{first}–{last}" for first, last in runs[:_MOST_RANGES]]
    return "、".join(shown) + ("…" if len(runs) > _MOST_RANGES else "")


def behind(
    kind: EvidenceKind,
    size: int,
    sha256: str,
    found: Mapping[str, Any],
    poster: bytes | None,
    why: Waiting | None,
    *,
    inside: bool = True,
) -> Sheet:
    """The cover of sound or film. ``found`` is what ``media.describe`` said; nothing where it was not asked, for
    the reason ``why``. ``inside`` says whether the recording rides in the document or lies beside it.
    """
    title, subtitle = _NAMES.get(kind, _FILM if kind.family is Family.FILM else _SOUND)
    streams = [each for each in found.get("streams", ()) if isinstance(each, Mapping)]
    facts = [("格式", " · ".join([kind.value.upper(), *_codecs(streams)]))]
    if found.get("duration") is not None:
        facts.append(("时长", _clock(float(found["duration"]))))
    facts += [
        ("画面", f"{each.get('width', '?')} × {each.get('height', '?')}{_rate(each)}")
        for each in streams
        if each.get("codec_type") == "video" and kind.family is Family.FILM
    ]
    facts += [("大小", presenting.size(size)), ("SHA-256", sha256)]
    notes = [(_BEHIND if inside else _BESIDE).format(what=title)]
    if why is not None:
        notes.append(_WITHOUT.format(why=why[0], remedy=why[1]))
    else:
        notes += [_NO_LENGTH] if found.get("duration") is None else []
        notes += [_NO_PICTURE] if kind.family is Family.FILM and not poster else []
    shown, pictures = ([blocks.picture(0)], [poster]) if poster else ([], [])
    sheet = Sheet(title, subtitle, facts, shown, notes, pictures=pictures)
    return sheet if inside else replace(sheet, foot=_APART)


def _codecs(streams: list[Mapping[str, Any]]) -> list[str]:
    return [str(each["codec_name"]).upper() for each in streams if each.get("codec_name")]


def _clock(seconds: float) -> str:
    """Hours, minutes, seconds and tenths."""
    tenths = round(seconds * 10)
    whole, tenth = divmod(tenths, 10)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{tenth}"


def _rate(stream: Mapping[str, Any]) -> str:
    above, _, below = str(stream.get("avg_frame_rate", "")).partition("/")
    if above.isdigit() and below.isdigit() and int(above) and int(below):
        return f"，每秒 {int(above) / int(below):.4g} 帧"
    return ""
