"""The sealed record of a case file: all that the catalogue knows of it, inside its object in the vault.

JSON, sealed under the file key for its version: the rows of ``case_file`` and ``document`` column by column (so a new
column rides along; let it be nullable), the rows of other tables that belong to the case file, and the newest
checkpoint of the ledger when it was made. What is sealed in the rows (voucher, titles, texts) is sealed in it once
more, box for box. What can be read again from the documents is left out: what was recognised in pictures.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.database.schema import Moment, moment_of, text_of
from archive.keys.filekey import FileKey
from archive.keys.sealing import BoxError

FORMAT = 1

Row = Mapping[str, Any]  # column -> value
Rows = Mapping[str, Sequence[Row]]  # table -> rows


@dataclass(frozen=True, slots=True)
class Record:
    """``case_file`` holds at least ``id``, ``reference`` and ``version``. Columns that are null may be left out."""

    case_file: Row
    documents: Sequence[Row]  # every version of each
    rows: Rows = field(default_factory=dict)  # of other tables
    checkpoint: str | None = None  # a signed note

    def agrees_with(self, other: "Record") -> bool:
        """Whether both say the same, whenever they were made."""
        return _said(self) == _said(other)


def seal(record: Record, key: FileKey) -> bytes:
    document = {
        "muniment-record": FORMAT,
        "checkpoint": record.checkpoint,
        "case_file": _plain(record.case_file),
        "documents": [_plain(each) for each in record.documents],
        "rows": {name: [_plain(each) for each in rows] for name, rows in record.rows.items() if rows},
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return key.seal(text.encode(), _place(record.case_file["version"]))


def unseal(box: bytes, key: FileKey, version: int, others: Iterable[sa.Table]) -> Record:
    """Of that version of the object. Raises BoxError for what is not its record, ValueError for one of a newer form."""
    document = json.loads(key.unseal(box, _place(version)))
    if document["muniment-record"] != FORMAT:
        raise ValueError(f"a record of form {document['muniment-record']}")
    by_name = {each.name: each for each in others}
    if unknown := document["rows"].keys() - by_name.keys():
        raise ValueError(f"rows of {', '.join(sorted(unknown))}")
    record = Record(
        _typed(tables.case_file, document["case_file"]),
        [_typed(tables.document, each) for each in document["documents"]],
        {name: [_typed(by_name[name], each) for each in rows] for name, rows in document["rows"].items()},
        document["checkpoint"],
    )
    if (record.case_file["id"], record.case_file["version"]) != (key.case_file, version):
        raise BoxError("the record of another case file or version")
    return record


def _place(version: int) -> str:
    """What the box is bound to, beside the case file."""
    return f"record:{version}"


def _said(record: Record) -> object:
    return (
        _filled(record.case_file),
        sorted(map(_filled, record.documents), key=repr),
        {name: sorted(map(_filled, rows), key=repr) for name, rows in record.rows.items() if rows},
    )


def _filled(row: Row) -> dict[str, Any]:
    return {name: value for name, value in sorted(row.items()) if value is not None}


def _plain(row: Row) -> dict[str, Any]:
    return {name: _text(value) for name, value in row.items() if value is not None}


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        return text_of(value)
    return value.isoformat() if isinstance(value, date) else value


def _typed(table: sa.Table, given: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := given.keys() - table.c.keys():
        raise ValueError(f"{table.name} has no {', '.join(sorted(unknown))}")
    return {name: _value(table.c[name].type, value) for name, value in given.items()}


def _value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if isinstance(kind, Moment):
        return moment_of(value)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    return b64decode(value) if isinstance(kind, sa.LargeBinary) else value
