"""What a package says of a case file in ``metadata.json``: written and read back, field by field. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any, get_type_hints

from archive.casefile.reading import CaseFile, FileState
from archive.casefile.reference import Reference
from archive.causes import Cause
from archive.database.schema import moment_of, text_of
from archive.evidence.kinds import EvidenceKind
from archive.packages.bag import damaged

FORMAT = 4
_NO_NUMBERS = 3  # of the holds; 2 had all texts in one file besides
_NO_RECORDINGS = 1  # nor any beside their PDFs
_HIGHEST = 2**31  # number of a hold


@dataclass(frozen=True, slots=True)
class Packaged:
    """A document in one version. Paths are from the case file's folder in the package."""

    ordinal: int  # 0 is the voucher
    version: int
    name: str
    title: str  # the name it came with
    kind: str
    pages: int
    original_sha256: str  # hex
    pending: bool  # a cover stands for it until its converter is installed
    pdf: str
    original: str | None  # of the newest version only
    stream_version: (
        int | None
    )  # that brought a recording too large for the PDF; none: the original is in the PDF
    pdfa: str  # part and level that the PDF claims, ``3B``; empty: none


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold that the case file is under."""

    number: int | None  # none where the package does not tell
    reason: str
    placed_by: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """When, why and by whom a version of the OCFL object was made."""

    version: int
    created: str  # RFC 3339
    message: str
    user: str


@dataclass(frozen=True, slots=True)
class Description:
    case_file: CaseFile
    documents: tuple[Packaged, ...]
    versions: tuple[Made, ...]
    holds: tuple[Standing, ...]


def pdf_path(version: int, name: str) -> str:
    return f"documents/v{version}/{name}"


def text_path(name: str) -> str:
    """Of the newest version of the document of that name."""
    return f"texts/{PurePosixPath(name).stem}.json"


def encode(description: Description) -> bytes:
    document = {
        "format": FORMAT,
        "case_file": _plain(description.case_file),
        "documents": [_plain(each) for each in description.documents],
        "versions": [_plain(each) for each in description.versions],
        "holds": [_plain(each) for each in description.holds],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def decode(content: bytes, path: str) -> Description:
    """Raises MunimentError(PACKAGE_DAMAGED) naming ``path`` and what is wrong."""
    try:
        document = json.loads(content)
        case_file = _typed(CaseFile, document["case_file"])
        documents = tuple(_typed(Packaged, each) for each in _documents(document))
        versions = tuple(_typed(Made, each) for each in document["versions"])
        holds = tuple(_typed(Standing, each) for each in _holds(document))
        _check(document["format"], case_file, documents, versions)
        _check_holds(holds)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged(path, Cause("没有正确描述一份案卷", "it does not describe a case file")) from None
    return Description(case_file, documents, versions, holds)


def _check(
    version: object, case_file: CaseFile, documents: Sequence[Packaged], versions: Sequence[Made]
) -> None:
    """What must hold between the fields, so that nothing is imported that filing could not have made."""
    if version not in range(_NO_RECORDINGS, FORMAT + 1):
        raise ValueError("format")
    reference = Reference.parse(case_file.reference)
    series = reference.series
    own = (series.year, series.level, series.category, reference.number)
    if own != (case_file.year, case_file.level, case_file.category, case_file.number):
        raise ValueError("reference")
    places = [(each.version, each.ordinal) for each in documents]
    # A version may bring no document: a completion, a hold.
    named = all(
        each.name == reference.document(each.ordinal)
        and each.pdf == pdf_path(each.version, each.name)
        and EvidenceKind(each.kind)
        for each in documents
    )
    whole = set(range(1, case_file.version + 1))
    if not named or len(set(places)) != len(places) or not {version for version, _ in places} <= whole:
        raise ValueError("documents")
    if not whole or [each.version for each in versions] != sorted(whole) or (1, 0) not in places:
        raise ValueError("versions")
    _check_recordings(documents)
    if (case_file.state is FileState.VOID) != (case_file.voided_at is not None):
        raise ValueError("state")


def _check_holds(holds: Sequence[Standing]) -> None:
    if not all(each.number is None or 0 < each.number < _HIGHEST for each in holds):
        raise ValueError("holds")


def _check_recordings(documents: Sequence[Packaged]) -> None:
    """One that lies beside its cover came with one, and stays beside every later one."""
    first = {(each.ordinal, each.version): each.stream_version for each in documents}
    newest = {each.ordinal: each for each in sorted(documents, key=lambda each: each.version)}
    for each in documents:
        brought = each.stream_version
        if brought is None:
            continue
        original = newest[each.ordinal].original or ""
        if (
            brought > each.version
            or first.get((each.ordinal, brought)) != brought
            or newest[each.ordinal].stream_version != brought
            or not original.startswith("originals/")
            or original.count("/") != 1
        ):
            raise ValueError("recordings")


def _documents(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    if document["format"] == _NO_RECORDINGS:
        return [{**each, "stream_version": None} for each in document["documents"]]
    return list(document["documents"])


def _holds(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    if document["format"] <= _NO_NUMBERS:
        return [{**each, "number": None} for each in document["holds"]]
    return list(document["holds"])


def _plain(value: Any) -> dict[str, Any]:
    return {name: _text(each) for name, each in asdict(value).items()}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return text_of(value)
    return value.isoformat() if isinstance(value, date) else value


def _typed(kind: Any, given: Mapping[str, Any]) -> Any:
    """Exactly the fields of ``kind``, each of its type. Raises ValueError, KeyError, TypeError."""
    hints = get_type_hints(kind)
    names = [each.name for each in fields(kind)]
    if set(given) != set(names):
        raise KeyError("fields")
    return kind(**{name: _value(hints[name], given[name]) for name in names})


def _value(wanted: Any, given: Any) -> Any:
    if given is None:
        if wanted in (str, int, bool, datetime, FileState):
            raise TypeError("null")
        return None
    if wanted in (int, bool, int | None):
        if type(given) is not (bool if wanted is bool else int):
            raise TypeError("number")
        return given
    if not isinstance(given, str):
        raise TypeError("text")
    if wanted in (datetime, datetime | None):
        return moment_of(given)
    if wanted == date | None:
        return date.fromisoformat(given)
    return FileState(given) if wanted is FileState else given
