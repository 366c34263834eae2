"""Office documents told apart by what lies in their package: a ZIP file, or an OLE2 compound file."""

import io
import struct
import zipfile
from collections.abc import Iterator

from archive.errors import Code
from archive.evidence.kinds import EvidenceKind
from archive.evidence.refusing import Refused

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MOST_ENTRIES = 20_000
_UNFOLDED = (
    400_000_000  # bytes of all entries, as the package claims; the converter's own limits bound the lie
)
_SMALL = 1 << 20  # bytes of an entry that is read here
_MAIN_PARTS = (
    ("word/document", EvidenceKind.DOCX),
    ("xl/workbook", EvidenceKind.XLSX),
    ("ppt/presentation", EvidenceKind.PPTX),
)
_OPEN_DOCUMENT = {
    "application/vnd.oasis.opendocument.text": EvidenceKind.ODT,
    "application/vnd.oasis.opendocument.spreadsheet": EvidenceKind.ODS,
    "application/vnd.oasis.opendocument.presentation": EvidenceKind.ODP,
}
_STREAMS = {
    "WordDocument": EvidenceKind.DOC,  # also Kingsoft's .wps
    "Workbook": EvidenceKind.XLS,  # also .et
    "Book": EvidenceKind.XLS,
    "PowerPoint Document": EvidenceKind.PPT,  # also .dps
    "MatOST": EvidenceKind.WPS,
    "MN0": EvidenceKind.WPS,
}
_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_ROOT = 5  # type of the first directory entry


def in_zip(data: bytes) -> EvidenceKind | str:
    """The kind of document in a ZIP file; of other contents, a name for a human.

    :raises Refused: EVIDENCE_ENCRYPTED, EVIDENCE_UNREADABLE, CONVERSION_TOO_LARGE (a bomb, by its own account).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _in_package(package)
    except (zipfile.BadZipFile, struct.error, ValueError, OSError, EOFError, NotImplementedError) as fault:
        # The last one is what zipfile raises for a compression or an encryption that it does not know.
        raise Refused(Code.EVIDENCE_UNREADABLE) from fault


def _in_package(package: zipfile.ZipFile) -> EvidenceKind | str:
    names = set(package.namelist())
    if len(names) > _MOST_ENTRIES or sum(each.file_size for each in package.infolist()) > _UNFOLDED:
        raise Refused(Code.CONVERSION_TOO_LARGE)
    kind: EvidenceKind | str = "ZIP"
    if "mimetype" in names:
        kind = _OPEN_DOCUMENT.get(
            _read(package, "mimetype").strip().removesuffix("-template"), "OpenDocument"
        )
        if "<manifest:encryption-data" in _read(package, "META-INF/manifest.xml"):
            raise Refused(Code.EVIDENCE_ENCRYPTED)
    elif "[Content_Types].xml" in names:
        kind = next(
            (found for part, found in _MAIN_PARTS if any(name.startswith(part) for name in names)), "Office"
        )
    elif "OFD.xml" in names:
        kind = "OFD"
    if isinstance(kind, EvidenceKind) and any(each.flag_bits & 1 for each in package.infolist()):
        raise Refused(Code.EVIDENCE_ENCRYPTED)
    return kind


def _read(package: zipfile.ZipFile, name: str) -> str:
    """The beginning of an entry, however much it unfolds to; nothing when it is not there."""
    if name not in package.namelist():
        return ""
    try:
        with package.open(name) as entry:
            return entry.read(_SMALL).decode("utf-8", "replace")
    except RuntimeError as fault:  # what zipfile raises for a password
        raise Refused(Code.EVIDENCE_ENCRYPTED) from fault


def in_compound(data: bytes) -> EvidenceKind | str:
    """The kind of document in a compound file ([MS-CFB]); of other contents, a name for a human.

    :raises Refused: EVIDENCE_ENCRYPTED (a package of Office 2007 and later under a password).
    """
    names = set(_streams(data))
    if "EncryptedPackage" in names:
        raise Refused(Code.EVIDENCE_ENCRYPTED)
    kind = next((found for name, found in _STREAMS.items() if name in names), None)
    if kind is None and "__properties_version1.0" in names:
        return "Outlook"
    return kind or "Office 97-2003"


def _streams(data: bytes) -> Iterator[str]:
    """The names at the root of a compound file. Damaged chains end early."""
    try:
        directory = b"".join(_chain(data))
    except (struct.error, IndexError):
        return
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    if not entries or entries[0][66] != _ROOT:
        return
    seen: set[int] = set()
    waiting = [struct.unpack_from("<I", entries[0], 76)[0]]
    while waiting:
        number = waiting.pop()
        if number >= len(entries) or number in seen:
            continue
        seen.add(number)
        entry = entries[number]
        length = struct.unpack_from("<H", entry, 64)[0]
        yield entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        waiting += struct.unpack_from(
            "<II", entry, 68
        )  # its siblings; the children of folders are not asked for


def _chain(data: bytes) -> Iterator[bytes]:
    """The sectors of the directory, in their order; none twice."""
    shift = struct.unpack_from("<H", data, 30)[0]
    if shift not in (9, 12):
        return
    size = 1 << shift
    table = struct.unpack_from("<109I", data, 76)  # the sectors of the allocation table that the header names
    each = size // 4
    sector = struct.unpack_from("<I", data, 48)[0]
    seen: set[int] = set()
    while sector not in (_END, _FREE) and sector not in seen and len(seen) < 4096:
        seen.add(sector)
        yield data[(sector + 1) * size : (sector + 2) * size]
        where = table[sector // each] if sector // each < len(table) else _FREE
        if where == _FREE:
            return
        (sector,) = struct.unpack_from("<I", data, (where + 1) * size + sector % each * 4)
