"""Cover pages: what stands for evidence that has no pages of its own, or not yet."""

from archive.evidence import presenting
from archive.evidence.blocks import Sheet
from archive.evidence.kinds import EvidenceKind

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
}
_WAITING = (
    "入库时本机没有可用的 {program}，因此内容暂未转换为页面。原件完整附于本文档内，可随时取出；"
    "安装 {program} 后运行 muniment convert-pending，即补上可阅读的页面，本封面作为旧版本保留。"
)


def waiting(kind: EvidenceKind, size: int, sha256: str, program: str) -> Sheet:
    """The cover of a document whose converter is absent."""
    title, subtitle = _NAMES[kind]
    facts = [("类型", f".{kind.extension}"), ("大小", presenting.size(size)), ("SHA-256", sha256)]
    return Sheet(title, subtitle, facts, notes=[_WAITING.format(program=program)])
