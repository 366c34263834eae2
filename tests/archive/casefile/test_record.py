"""The sealed record: what goes in comes out, column by column, and only for its file, its version and its key."""

from datetime import UTC, date, datetime
from secrets import token_bytes

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from archive.casefile import tables
from archive.casefile.record import Record, seal, unseal
from archive.database.schema import Moment
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.sealing import BoxError
from retention.tables import hold

ID = CaseFileId("0f8fad5b-d9cb-469f-a165-70867728950e")
KEY = FileKey(ID, bytes(range(32)))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def values(column: sa.Column):
    kind = column.type
    if isinstance(kind, Moment):
        given = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
    elif isinstance(kind, sa.Date):
        given = st.dates()
    elif isinstance(kind, sa.LargeBinary):
        given = st.binary(max_size=40)
    elif isinstance(kind, sa.Boolean):
        given = st.booleans()
    else:
        given = st.integers(0, 2**40) if isinstance(kind, sa.Integer) else WORDS
    return st.none() | given if column.nullable else given


def rows(table: sa.Table, **fixed):
    return st.fixed_dictionaries(
        {c.name: st.just(fixed[c.name]) if c.name in fixed else values(c) for c in table.c}
    )


records = st.builds(
    Record,
    rows(tables.case_file, id=ID, version=3),
    st.lists(rows(tables.document), max_size=3),
    st.fixed_dictionaries({"hold": st.lists(rows(hold), max_size=3)}),
    st.none() | WORDS,
)


@given(records)
def test_every_column_of_every_type_comes_back_as_it_was(record):
    again = unseal(seal(record, KEY), KEY, 3, [hold])
    assert again.agrees_with(record)
    assert again.checkpoint == record.checkpoint
    for name, value in record.case_file.items():
        assert again.case_file.get(name) == value


@given(records, st.sampled_from([c.name for c in tables.case_file.c if c.nullable]))
def test_a_column_that_differs_is_a_disagreement(record, name):
    changed = {**record.case_file, name: "other" if record.case_file[name] != "other" else None}
    assert not Record(changed, record.documents, record.rows).agrees_with(record)


RECORD = Record(
    {"id": ID, "reference": "2026-一级-剧本相关-001", "version": 1, "completed_on": date(2026, 3, 1)}, []
)


def test_it_opens_for_its_own_version_file_and_key_only():
    box = seal(RECORD, KEY)
    assert unseal(box, KEY, 1, []).agrees_with(RECORD)
    other = CaseFileId("7c9e6679-7425-40de-944b-e07fc1f90ae7")
    for key, version in ((KEY, 2), (FileKey(other, KEY.secret), 1), (FileKey(ID, token_bytes(32)), 1)):
        with pytest.raises(BoxError):
            unseal(box, key, version, [])


def test_any_flipped_bit_is_noticed():
    box = seal(RECORD, KEY)
    for place in range(len(box)):
        altered = bytearray(box)
        altered[place] ^= 1
        with pytest.raises(BoxError):
            unseal(bytes(altered), KEY, 1, [])


def test_nothing_of_it_is_readable():
    assert "剧本".encode() not in seal(RECORD, KEY)


@pytest.mark.parametrize("text", [
    '{"muniment-record":2,"case_file":{},"documents":[],"rows":{},"checkpoint":null}',
    '{"muniment-record":1,"case_file":{"unheard_of":1},"documents":[],"rows":{},"checkpoint":null}',
    '{"muniment-record":1,"case_file":{},"documents":[],"rows":{"unheard_of":[]},"checkpoint":null}',
])  # fmt: skip
def test_a_record_of_a_newer_form_is_refused_and_not_read_in_part(text):
    with pytest.raises(ValueError):
        unseal(KEY.seal(text.encode(), "record:1"), KEY, 1, [])
