"""What office documents hold back from their pages: hidden words, rows, sheets and slides, speaker notes, comments.

Read in the document itself, where its format can be read here. Of older formats LibreOffice alone tells: it gives their
comments and hidden slides.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from archive.evidence import opendocuments, presentations, spreadsheets, wordprocessing
from archive.evidence.asides import Aside
from archive.evidence.kinds import EvidenceKind
from archive.evidence.packages import FAULTS, Package

_MOST = 5000  # of one document
_UNREAD = "没有读取"

_READERS: Mapping[EvidenceKind, Callable[[Package], Iterator[Aside]]] = {
    EvidenceKind.DOCX: wordprocessing.asides,
    EvidenceKind.XLSX: spreadsheets.asides,
    EvidenceKind.PPTX: presentations.asides,
    EvidenceKind.ODT: opendocuments.asides,
    EvidenceKind.ODS: opendocuments.asides,
    EvidenceKind.ODP: opendocuments.asides,
}


def read(data: bytes, kind: EvidenceKind) -> list[Aside]:
    """In the order in which they stand. From where the document is damaged no more is read, and that is told last."""
    found: list[Aside] = []
    reader = _READERS.get(kind)
    if reader is None:
        return found
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            package = Package(opened)
            for each in islice((each for each in reader(package) if each.words.strip()), _MOST):
                found.append(each)  # noqa: PERF402 -- those before a fault are kept
            found += [Aside(_UNREAD, f"{each}：过大") for each in package.unread]
    except FAULTS:
        found.append(Aside(_UNREAD, "其余部分：文件受损，无法读取"))
    return found
