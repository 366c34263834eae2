"""What a file is, judged by its content alone; names and declared types are never looked at."""

import re

from archive.evidence import chats, containers, decoding, mails, tabulating
from archive.evidence.kinds import EvidenceKind, Family

HEAD = 4096  # bytes in which a signature stands
_MARKUP = ("<!doctype html", "<html", "<head>", "<body")
_TELLING = 1 << 20  # bytes of a text that tell what kind of text it is

_PAGES: tuple[tuple[bytes, EvidenceKind], ...] = (
    (b"\xff\xd8\xff", EvidenceKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", EvidenceKind.PNG),
    (b"II*\x00", EvidenceKind.TIFF),
    (b"MM\x00*", EvidenceKind.TIFF),
    (b"II+\x00", EvidenceKind.TIFF),  # BigTIFF
    (b"MM\x00+", EvidenceKind.TIFF),
    (b"GIF87a", EvidenceKind.GIF),
    (b"ID3", EvidenceKind.MP3),
    (b"\xff\xfb", EvidenceKind.MP3),  # MPEG audio frames without a tag (ISO/IEC 11172-3, 2.4.1.3)
    (b"\xff\xfa", EvidenceKind.MP3),
    (b"\xff\xf3", EvidenceKind.MP3),
    (b"\xff\xf2", EvidenceKind.MP3),
    (b"\xff\xf1", EvidenceKind.AAC),
    (b"\xff\xf9", EvidenceKind.AAC),
    (b"#!AMR", EvidenceKind.AMR),
    (b"#!SILK", EvidenceKind.SILK),
    (b"\x02#!SILK", EvidenceKind.SILK),
    (b"OggS", EvidenceKind.OGG),
    (b"fLaC", EvidenceKind.FLAC),
    (b"\x1aE\xdf\xa3", EvidenceKind.MKV),
    (b"FLV\x01", EvidenceKind.FLV),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", EvidenceKind.WMV),
    (b"\x00\x00\x01\xba", EvidenceKind.MPEG),
    (b"GIF89a", EvidenceKind.GIF),
    (b"{\\rtf", EvidenceKind.RTF),
)

_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"\xffWPC", "WordPerfect"),
    (b"%!PS", "PostScript"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x1f\x8b", "gzip"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"SQLite format 3\x00", "SQLite"),
)

_OBJECT = re.compile(rb"\b\d+\s+\d+\s+obj\b")
_FIRST_OBJECT = re.compile(rb"\s*(?:%[^\r\n]*[\r\n]\s*)*\d+\s+\d+\s+obj\b")  # after comments

_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))
_BRANDS = {b"qt  ": EvidenceKind.MOV, b"M4A ": EvidenceKind.M4A, b"M4B ": EvidenceKind.M4A}
_RIFF = {b"WEBP": EvidenceKind.WEBP, b"WAVE": EvidenceKind.WAV, b"AVI ": EvidenceKind.AVI}


def recognise(data: bytes) -> EvidenceKind | str:
    """The kind of a file; of kinds not taken, a name for a human.

    A signature at the very start of the file goes before a PDF header further on.

    :raises Refused: EVIDENCE_ENCRYPTED, EVIDENCE_UNREADABLE, CONVERSION_TOO_LARGE, for office documents.
    """
    head = data[:HEAD]
    if head.startswith(containers.ZIP):
        return containers.in_zip(data)
    if head.startswith(containers.COMPOUND):
        return containers.in_compound(data)
    found = _signed(head) or _container(head)
    if found is None and _is_document(data):
        found = EvidenceKind.PDF
    return found or _writing(data)


def recording(head: bytes) -> EvidenceKind | None:
    """The kind of a sound or film, which its first ``HEAD`` bytes tell; none for anything else."""
    found = _signed(head) or _container(head)
    if isinstance(found, EvidenceKind) and found.family in (Family.SOUND, Family.FILM):
        return found
    return None


def _is_document(data: bytes) -> bool:
    """A PDF header may stand anywhere in the first 1024 bytes (ISO 32000-1 Annex H, note 13).

    Where it is damaged, viewers go by what follows; so does this, from both ends.
    """
    head = data[:1024]
    if b"%PDF-" in head:
        return True
    begun = _OBJECT.search(head) if b"%PDF" in head else _FIRST_OBJECT.match(head)
    return begun is not None and b"startxref" in data[-1024:]


def _signed(head: bytes) -> EvidenceKind | str | None:
    for magic, kind in _PAGES:
        if head.startswith(magic):
            return _raw_photo(head) or kind if kind is EvidenceKind.TIFF else kind
    if _is_bitmap(head):
        return EvidenceKind.BMP
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] == b"G":  # ISO/IEC 13818-1, 2.4.3.2
        return EvidenceKind.TS
    return next((name for magic, name in _FOREIGN if head.startswith(magic)), None)


def _raw_photo(head: bytes) -> str | None:
    """Canon's raw photos wear a TIFF header; their first frame is only a preview."""
    return "camera raw" if head[8:10] == b"CR" else None


def _is_bitmap(head: bytes) -> bool:
    """``BM`` alone also begins texts; the size of the header behind it is one of a few."""
    header = int.from_bytes(head[14:18], "little")
    return head.startswith(b"BM") and header in (12, 16, 40, 52, 56, 64, 108, 124)


def _container(head: bytes) -> EvidenceKind | str | None:
    if head[4:8] == b"ftyp":
        return _branded(head)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return EvidenceKind.MOV
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], "RIFF")
    return None


def _branded(head: bytes) -> EvidenceKind | str:
    """ISO/IEC 14496-12, 4.3: the major brand may say no more than ``mif1``, "some picture"."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, length, 4))}
    major = head[8:12]
    if major in _AVIF_BRANDS or (major in (b"mif1", b"msf1") and brands & _AVIF_BRANDS):
        return EvidenceKind.AVIF
    if major in _HEIC_BRANDS or major in (b"mif1", b"msf1"):
        return EvidenceKind.HEIC
    return _BRANDS.get(major, EvidenceKind.MP4)


def _writing(data: bytes) -> EvidenceKind | str:
    """Which kind of text; a telling part of it is enough."""
    if mails.is_mail(data[:_TELLING]):
        return EvidenceKind.MAIL
    text = decoding.decode(data[:_TELLING])
    if text is None or not text.content.strip():
        return "unknown"
    opening = text.content[:2000].lstrip().lower()
    if opening.startswith("<") and any(mark in opening for mark in _MARKUP):
        return EvidenceKind.HTML
    if chats.parse(text.content) is not None:
        return EvidenceKind.CHAT
    if tabulating.split(text.content) is not None:
        return EvidenceKind.CSV
    return EvidenceKind.TEXT
