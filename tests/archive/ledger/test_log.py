"""The log: canonical leaves, details sealed beside them, checkpoints that others can verify."""

import json
from hashlib import sha256

import pytest
import rfc8785
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Record, detail_bytes, leaf, read_detail, salted_hash
from archive.ledger.log import entries, follow, latest_checkpoint, read_frontier, read_node, size
from archive.ledger.merkle import consistency_proof, inclusion_proof, leaf_hash, verify_consistency
from archive.ledger.merkle import verify_inclusion as verify_in
from archive.ledger.notes import Verifier, open_note

ACTOR = Actor("P0001")
FIRST = "2026-一级-剧本相关-001"
PERSONAL = ("王小明", "13800138000", "道具缺失", "李莉", "028-88886666", "照片.jpg", "重复登记", "律师")


@pytest.fixture
def catalogue(archive):
    return archive.founded.catalogue


@pytest.fixture
def record(catalogue):
    def write(*subjects: str, **detail: object) -> None:
        with catalogue.unit(ACTOR) as unit:
            for subject in subjects:
                unit.record(Act.SWEPT, subject, detail=detail or None)

    return write


def leaves(catalogue) -> list[str]:
    with catalogue.reading() as connection:
        query = sa.select(tables.entry.c.leaf).order_by(tables.entry.c.position)
        return list(connection.execute(query).scalars())


def test_a_leaf_is_canonical_and_says_who_did_what_when_to_what(catalogue, record):
    record("all", count=3)
    text = leaves(catalogue)[-1]
    document = json.loads(text)
    assert rfc8785.dumps(document).decode() == text
    assert {key: document[key] for key in ("act", "actor", "at", "subject")} == {
        "act": "swept",
        "actor": "P0001",
        "at": "2026-11-24T01:00:00.000000Z",
        "subject": "all",
    }
    assert document["index"] == len(leaves(catalogue)) - 1


@given(subject=st.text(max_size=40), number=st.integers(0, 2**53 - 1))
def test_any_leaf_is_its_own_canonical_form(subject, number):
    from datetime import UTC, datetime

    try:
        text = leaf(
            number, datetime(2026, 1, 1, tzinfo=UTC), ACTOR, Record(Act.SWEPT, subject, None, None), None
        )
    except ValueError:  # half a surrogate pair is no text
        assert any(0xD800 <= ord(each) < 0xE000 for each in subject)
        return
    assert rfc8785.dumps(json.loads(text)) == text
    assert json.loads(text)["subject"] == subject


def test_a_detail_is_found_again_and_its_hash_is_salted(catalogue, archive, record):
    record("one", reason="不可外传", count=3)
    record("two", reason="不可外传", count=3)
    first, second = (json.loads(text) for text in leaves(catalogue)[-2:])
    assert first["detail"] != second["detail"]
    assert first["detail"] != sha256(rfc8785.dumps({"reason": "不可外传", "count": 3})).hexdigest()
    with catalogue.reading() as connection:
        last = sa.select(tables.entry.c.position).where(tables.entry.c.subject == "one")
        (entry,) = entries(connection, catalogue.ledger, last, archive.case_files.file_key)
    assert entry.detail == {"reason": "不可外传", "count": 3}


def test_an_opened_detail_gives_its_hash_and_its_words():
    opened = detail_bytes({"reason": "理由"}, b"s" * 32)
    assert read_detail(opened) == {"reason": "理由"}
    assert salted_hash(opened) == sha256(b"s" * 32 + '{"reason":"理由"}'.encode()).hexdigest()


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_of_another_length_is_refused(length):
    with pytest.raises(ValueError):
        detail_bytes({}, bytes(length))


def test_a_detail_of_a_shredded_key_leaves_a_readable_entry(catalogue, archive):
    with catalogue.reading() as connection:
        everything = sa.select(tables.entry.c.position).order_by(tables.entry.c.position)
        found = list(entries(connection, catalogue.ledger, everything, lambda _: None))
    assert [each.act for each in found] == [Act.ARCHIVE_CREATED, Act.FILED]
    assert found[-1].detail is None


def test_no_personal_data_of_a_customer_is_in_a_leaf_after_a_whole_story(catalogue, archive):
    archive.voiding.void(ACTOR, FIRST, "重复登记，王小明 13800138000 已联系律师")
    text = "\n".join(leaves(catalogue))
    assert [each for each in PERSONAL if each in text] == []
    assert FIRST in text


def test_no_personal_data_of_a_customer_lies_readable_on_the_disk_after_a_whole_story(archive):
    archive.voiding.void(ACTOR, FIRST, "重复登记，王小明 13800138000 已联系律师")
    files = [path for path in archive.home.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        assert [word for word in PERSONAL if word.encode() in path.read_bytes() or word in path.name] == [], (
            path
        )


def test_the_log_is_followed_by_position(catalogue, record):
    with catalogue.reading() as connection:
        before = size(connection)
    record(*(str(each) for each in range(5)))
    with catalogue.reading() as connection:
        assert [each.subject for each in follow(connection, before)] == ["0", "1", "2", "3", "4"]
        assert [each.subject for each in follow(connection, before + 3, limit=1)] == ["3"]
        assert follow(connection, before + 5) == []


def test_the_newest_checkpoint_is_signed_and_covers_everything(catalogue, record):
    record("a", "b", "c")
    with catalogue.reading() as connection:
        note, frontier = latest_checkpoint(connection), read_frontier(connection)
    verifier = Verifier.from_text(catalogue.ledger.verifier.to_text())
    checkpoint = open_note(note, [verifier])
    assert (checkpoint.origin, checkpoint.size) == (catalogue.ledger.origin, frontier.size)
    assert checkpoint.root == frontier.root()


def test_proofs_from_the_stored_nodes_verify(catalogue, record):
    record(*(str(each) for each in range(9)))
    with catalogue.reading() as connection:
        frontier, node = read_frontier(connection), read_node(connection)
        texts = leaves(catalogue)
        for index in range(frontier.size):
            proof = inclusion_proof(index, frontier.size, node)
            verify_in(leaf_hash(texts[index].encode()), index, frontier.size, proof, frontier.root())
        old = frontier.read(4, node)
        verify_consistency(
            4, frontier.size, consistency_proof(4, frontier.size, node), old.root(), frontier.root()
        )


def test_the_same_entry_in_another_archive_has_another_signature(catalogue, archive):
    other = Verifier("muniment/other", catalogue.ledger.verifier.public_key)
    with catalogue.reading() as connection, pytest.raises(ValueError):
        open_note(latest_checkpoint(connection), [other])
