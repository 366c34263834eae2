"""The kinds of evidence that are taken, and how each becomes pages."""

from enum import StrEnum


class Family(StrEnum):
    """How a kind becomes pages."""

    PICTURE = "picture"
    DOCUMENT = "document"  # PDF
    WRITING = "writing"  # set here from its text
    OFFICE = "office"  # LibreOffice makes a PDF of it, where it is installed


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
    DOC = "doc"
    DOCX = "docx"
    XLS = "xls"
    XLSX = "xlsx"
    PPT = "ppt"
    PPTX = "pptx"
    ODT = "odt"
    ODS = "ods"
    ODP = "odp"
    RTF = "rtf"
    WPS = "wps"  # Microsoft Works; Kingsoft's files of that name are DOC inside

    @property
    def extension(self) -> str:
        return _EXTENSIONS.get(self, self.value)

    @property
    def wants_aid(self) -> bool:
        """Whether a program outside the worker must help before there are pages."""
        return self.family is Family.OFFICE

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
    EvidenceKind.DOC: Family.OFFICE,
    EvidenceKind.DOCX: Family.OFFICE,
    EvidenceKind.XLS: Family.OFFICE,
    EvidenceKind.XLSX: Family.OFFICE,
    EvidenceKind.PPT: Family.OFFICE,
    EvidenceKind.PPTX: Family.OFFICE,
    EvidenceKind.ODT: Family.OFFICE,
    EvidenceKind.ODS: Family.OFFICE,
    EvidenceKind.ODP: Family.OFFICE,
    EvidenceKind.RTF: Family.OFFICE,
    EvidenceKind.WPS: Family.OFFICE,
}
