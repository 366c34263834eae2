"""The kinds of evidence that are taken, and how each becomes pages."""

from enum import StrEnum


class Family(StrEnum):
    """How a kind becomes pages."""

    PICTURE = "picture"
    DOCUMENT = "document"  # PDF
    WRITING = "writing"  # set here from its text


class EvidenceKind(StrEnum):
    """The kinds that become pages."""

    JPEG = "jpeg"
    PNG = "png"
    TIFF = "tiff"
    GIF = "gif"
    WEBP = "webp"
    HEIC = "heic"
    AVIF = "avif"
    BMP = "bmp"
    PDF = "pdf"
    TEXT = "text"
    CSV = "csv"
    HTML = "html"
    CHAT = "chat"
    MAIL = "mail"

    @property
    def extension(self) -> str:
        return _EXTENSIONS.get(self, self.value)

    @property
    def family(self) -> Family:
        return _FAMILIES.get(self, Family.PICTURE)


_EXTENSIONS = {
    EvidenceKind.JPEG: "jpg",
    EvidenceKind.TIFF: "tif",
    EvidenceKind.TEXT: "txt",
    EvidenceKind.CHAT: "txt",
    EvidenceKind.MAIL: "eml",
}
_FAMILIES = {
    EvidenceKind.PDF: Family.DOCUMENT,
    EvidenceKind.TEXT: Family.WRITING,
    EvidenceKind.CSV: Family.WRITING,
    EvidenceKind.HTML: Family.WRITING,
    EvidenceKind.CHAT: Family.WRITING,
    EvidenceKind.MAIL: Family.WRITING,
}
