"""The kinds of evidence that are taken, and how each becomes pages."""

from enum import StrEnum


class Family(StrEnum):
    """How a kind becomes pages."""

    PICTURE = "picture"
    DOCUMENT = "document"  # PDF
    WRITING = "writing"  # set here from its text
    OFFICE = "office"  # LibreOffice makes a PDF of it, where it is installed
    SOUND = "sound"  # behind a cover, which ffmpeg helps to write
    FILM = "film"


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
    MP3 = "mp3"
    WAV = "wav"
    M4A = "m4a"
    AAC = "aac"
    AMR = "amr"
    SILK = "silk"  # WeChat's voice messages
    OGG = "ogg"
    FLAC = "flac"
    MP4 = "mp4"
    MOV = "mov"
    AVI = "avi"
    MKV = "mkv"  # and WebM
    FLV = "flv"
    WMV = "wmv"  # any Advanced Systems Format
    MPEG = "mpeg"
    TS = "ts"

    @property
    def extension(self) -> str:
        return _EXTENSIONS.get(self, self.value)

    @property
    def wants_aid(self) -> bool:
        """Whether a program outside the worker must help before there are pages."""
        return self.family in (Family.OFFICE, Family.SOUND, Family.FILM)

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
    EvidenceKind.MP3: Family.SOUND,
    EvidenceKind.WAV: Family.SOUND,
    EvidenceKind.M4A: Family.SOUND,
    EvidenceKind.AAC: Family.SOUND,
    EvidenceKind.AMR: Family.SOUND,
    EvidenceKind.SILK: Family.SOUND,
    EvidenceKind.OGG: Family.SOUND,
    EvidenceKind.FLAC: Family.SOUND,
    EvidenceKind.MP4: Family.FILM,
    EvidenceKind.MOV: Family.FILM,
    EvidenceKind.AVI: Family.FILM,
    EvidenceKind.MKV: Family.FILM,
    EvidenceKind.FLV: Family.FILM,
    EvidenceKind.WMV: Family.FILM,
    EvidenceKind.MPEG: Family.FILM,
    EvidenceKind.TS: Family.FILM,
}
