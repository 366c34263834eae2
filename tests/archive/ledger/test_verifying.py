"""Verification: whatever is altered past the triggers is found, and named by its place."""

import json

import pytest
import rfc8785
import sqlalchemy as sa
from sqlcipher3 import dbapi2

from archive.errors import Code, MunimentError
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.guarding import unguards
from archive.ledger.log import latest_checkpoint, size
from archive.ledger.merkle import Frontier, Hash, leaf_hash
from archive.ledger.notes import Checkpoint, sign
from archive.ledger.verifying import Verified, verify

ACTOR = Actor("P0001")


@pytest.fixture
def catalogue(archive):
    """A ledger with 12 entries: founding, a filing, and ten that follow, each in a batch of its own."""
    catalogue = archive.founded.catalogue
    for each in range(10):
        with catalogue.unit(ACTOR) as unit:
            detail = None if each % 2 else {"reason": f"理由 {each}"}
            unit.record(Act.SWEPT, f"subject {each}", detail=detail)
    return catalogue


@pytest.fixture
def raw(catalogue):
    """A connection that has the key, with the triggers dropped."""
    connection = dbapi2.connect(str(catalogue.database.path), isolation_level=None)
    connection.execute(catalogue.database._pragma_key)
    for statement in unguards():
        connection.execute(statement)
    yield connection
    connection.close()


@pytest.fixture
def verified(catalogue, archive):
    def run(kept: str | None = None) -> Verified:
        with catalogue.reading() as connection:
            return verify(connection, catalogue.ledger, archive.case_files.file_key, kept=kept)

    return run


@pytest.fixture
def found(verified):
    def run(index: int | None = None) -> None:
        with pytest.raises(MunimentError) as caught:
            verified()
        assert caught.value.code is Code.LEDGER_DAMAGED
        assert caught.value.say("zh")
        if index is not None:
            assert caught.value.facts["index"] == index

    return run


def leaf(raw, position: int) -> dict:
    return json.loads(
        raw.execute("SELECT leaf FROM ledger_entry WHERE position = ?", (position,)).fetchone()[0]
    )


def put(raw, position: int, document: object) -> None:
    text = document if isinstance(document, str) else rfc8785.dumps(document).decode()
    raw.execute("UPDATE ledger_entry SET leaf = ? WHERE position = ?", (text, position))


def test_a_whole_ledger_verifies_and_tells_what_it_saw(verified, catalogue):
    found = verified()
    assert (found.entries, found.checkpoints, found.details, found.shredded) == (12, 12, 6, 0)
    with catalogue.reading() as connection:
        assert found.checkpoint == latest_checkpoint(connection)


def test_progress_is_told_entry_by_entry(catalogue, archive):
    seen = []
    with catalogue.reading() as connection:
        verify(connection, catalogue.ledger, archive.case_files.file_key, progress=seen.append)
    assert seen == list(range(1, 13))


def test_dropping_the_triggers_alone_alters_nothing(raw, verified):
    assert verified().entries == 12


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("subject", "another"),
        ("actor", "P0002"),
        ("act", "voided"),
        ("at", "2020-01-01T00:00:00.000000Z"),
        ("detail", None),
        ("detail", "0" * 64),
        ("index", 6),
    ],
)
def test_an_altered_leaf_is_found(raw, found, key, value):
    put(raw, 4, {**leaf(raw, 4), key: value})
    found(4)


@pytest.mark.parametrize("text", ["[]", "null", "4", '"x"', "{}", '{"index":4}', '{"index": 4}'])
def test_a_leaf_that_is_something_else_is_found(raw, found, text):
    put(raw, 4, text)
    found(4)


def test_a_leaf_written_differently_is_found(raw, found):
    put(raw, 4, json.dumps(leaf(raw, 4)))
    found(4)


@pytest.mark.parametrize("value", [b"7", 7])
def test_a_leaf_of_another_type_is_found(raw, found, value):
    raw.execute("UPDATE ledger_entry SET leaf = ? WHERE position = 4", (value,))
    found(4)


def test_swapped_entries_are_found(raw, found):
    first, second = leaf(raw, 5), leaf(raw, 7)
    put(raw, 5, {**second, "index": 5})
    put(raw, 7, {**first, "index": 7})
    found(5)


@pytest.mark.parametrize("position", [0, 5, 11])
def test_a_deleted_entry_is_found(raw, found, position):
    raw.execute("DELETE FROM ledger_entry WHERE position = ?", (position,))
    found(position)


def test_entries_that_closed_up_after_a_deletion_are_found(raw, found):
    raw.execute("DELETE FROM ledger_entry WHERE position = 5")
    for position in range(6, 12):
        raw.execute("UPDATE ledger_entry SET position = ? WHERE position = ?", (position - 1, position))
        put(raw, position - 1, {**leaf(raw, position - 1), "index": position - 1})
    found(5)


@pytest.mark.parametrize("position", [12, 13, -1])
def test_an_inserted_entry_is_found(raw, found, position):
    document = {**leaf(raw, 5), "index": position}
    raw.execute(
        "INSERT INTO ledger_entry (position, leaf) VALUES (?, ?)",
        (position, rfc8785.dumps(document).decode()),
    )
    found()


def test_an_emptied_ledger_is_found(raw, found):
    for table in ("entry", "detail", "node", "checkpoint"):
        raw.execute(f"DELETE FROM ledger_{table}")
    found(0)


@pytest.mark.parametrize("change", ["hash = zeroblob(32)", "hash = x'00'", "position = position + 1000"])
@pytest.mark.parametrize("level", [0, 1, 3])
def test_an_altered_node_is_found(raw, found, change, level):
    highest = "(SELECT max(position) FROM ledger_node WHERE level = :level)"
    raw.execute(
        f"UPDATE ledger_node SET {change} WHERE level = :level AND position = {highest}", {"level": level}
    )
    found()


def test_a_deleted_and_an_added_node_are_found(raw, found):
    raw.execute("DELETE FROM ledger_node WHERE level = 2 AND position = 1")
    found(7)
    raw.execute("INSERT INTO ledger_node VALUES (2, 1, zeroblob(32))")
    found(7)


@pytest.mark.parametrize("place", [(9, 0), (0, 12), (-1, 0)])
def test_a_node_that_belongs_to_nothing_is_found(raw, found, place):
    raw.execute("INSERT INTO ledger_node VALUES (?, ?, zeroblob(32))", place)
    found()


def test_an_altered_checkpoint_is_found(raw, found):
    (note,) = raw.execute("SELECT note FROM ledger_checkpoint WHERE size = 6").fetchone()
    raw.execute("UPDATE ledger_checkpoint SET note = ? WHERE size = 6", (note.replace("\n6\n", "\n7\n"),))
    found(5)


def test_a_checkpoint_of_another_key_is_found(raw, found, catalogue):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    with catalogue.reading() as connection:
        root = Frontier.read(6, lambda level, index: Hash(_node(connection, level, index))).root()
    origin = catalogue.ledger.origin
    note = sign(Checkpoint(origin, 6, root), origin, Ed25519PrivateKey.generate())
    raw.execute("UPDATE ledger_checkpoint SET note = ? WHERE size = 6", (note,))
    found(5)


def _node(connection, level: int, index: int) -> bytes:
    query = sa.select(tables.node.c.hash).where(tables.node.c.level == level, tables.node.c.position == index)
    return connection.execute(query).scalar_one()


@pytest.mark.parametrize("size", [0, -1, 13])
def test_a_checkpoint_that_covers_nothing_that_is_there_is_found(raw, found, size):
    raw.execute(
        "INSERT INTO ledger_checkpoint SELECT ?, note FROM ledger_checkpoint WHERE size = 12", (size,)
    )
    found()


def test_a_missing_last_checkpoint_is_found(raw, found):
    raw.execute("DELETE FROM ledger_checkpoint WHERE size = 12")
    found(11)


@pytest.mark.parametrize("box", ["x'00'", "''", "7", "'text'", "zeroblob(200)"])
def test_an_altered_detail_is_found(raw, found, box):
    raw.execute(f"UPDATE ledger_detail SET box = {box} WHERE position = 4")
    found(4)


def test_a_detail_with_a_flipped_bit_is_found(raw, found):
    (box,) = raw.execute("SELECT box FROM ledger_detail WHERE position = 4").fetchone()
    raw.execute("UPDATE ledger_detail SET box = ? WHERE position = 4", (box[:-1] + bytes([box[-1] ^ 1]),))
    found(4)


def test_swapped_details_are_found(raw, found):
    boxes = dict(raw.execute("SELECT position, box FROM ledger_detail WHERE position IN (4, 6)").fetchall())
    raw.execute("UPDATE ledger_detail SET box = ? WHERE position = 4", (boxes[6],))
    raw.execute("UPDATE ledger_detail SET box = ? WHERE position = 6", (boxes[4],))
    found(4)


def test_a_deleted_detail_is_found(raw, found):
    raw.execute("DELETE FROM ledger_detail WHERE position = 4")
    found(4)


@pytest.mark.parametrize("position", [5, 12, -1])
def test_an_added_detail_is_found(raw, found, position):
    raw.execute(
        "INSERT INTO ledger_detail SELECT ?, case_file, box FROM ledger_detail WHERE position = 4",
        (position,),
    )
    found()


@pytest.mark.parametrize("owner", [None, "00000000-0000-4000-8000-000000000000"])
def test_a_detail_given_to_another_case_file_is_found(raw, found, owner):
    raw.execute("UPDATE ledger_detail SET case_file = ? WHERE position = 1", (owner,))
    found(1)


def test_a_shredded_detail_is_counted_and_the_ledger_still_verifies(archive, catalogue, verified):
    with catalogue.housekeeping() as connection:
        connection.exec_driver_sql("DELETE FROM file_key")
    assert (verified().details, verified().shredded) == (5, 1)


def test_a_kept_checkpoint_of_any_size_is_of_this_history(catalogue, verified):
    with catalogue.reading() as connection:
        notes = list(connection.execute(sa.select(tables.checkpoint.c.note)).scalars())
    assert len(notes) == 12
    for note in notes:
        assert verified(note).entries == 12


def mismatch(verified, kept: str) -> None:
    with pytest.raises(MunimentError) as caught:
        verified(kept)
    assert caught.value.code is Code.CHECKPOINT_MISMATCH
    assert caught.value.say("zh")


def test_a_ledger_rewritten_with_the_keys_in_hand_does_not_fit_a_kept_checkpoint(raw, catalogue, verified):
    """Who holds every key can forge a ledger that verifies: a kept checkpoint is what gives it away."""
    with catalogue.reading() as connection:
        kept, length = latest_checkpoint(connection), size(connection)
    texts = [rfc8785.dumps({**leaf(raw, at), "actor": "P9999"}) for at in range(length)]
    for table in ("node", "checkpoint"):
        raw.execute(f"DELETE FROM ledger_{table}")
    frontier, origin = Frontier(), catalogue.ledger.origin
    for at, text in enumerate(texts):
        put(raw, at, text.decode())
        frontier, nodes = frontier.append(leaf_hash(text))
        for node in nodes:
            raw.execute("INSERT INTO ledger_node VALUES (?, ?, ?)", (node.level, node.index, node.hash))
    note = sign(Checkpoint(origin, length, frontier.root()), origin, catalogue.ledger.signing_key)
    raw.execute("INSERT INTO ledger_checkpoint VALUES (?, ?)", (length, note))
    assert verified().entries == length
    mismatch(verified, kept)


def test_a_ledger_cut_short_does_not_fit_a_kept_checkpoint(raw, catalogue, verified):
    with catalogue.reading() as connection:
        kept = latest_checkpoint(connection)
    raw.execute("DELETE FROM ledger_entry WHERE position = 11")
    raw.execute("DELETE FROM ledger_detail WHERE position = 11")
    raw.execute("DELETE FROM ledger_checkpoint WHERE size = 12")
    for level, position in ((0, 11), (1, 5), (2, 2)):
        raw.execute("DELETE FROM ledger_node WHERE level = ? AND position = ?", (level, position))
    assert verified().entries == 11
    mismatch(verified, kept)


@pytest.mark.parametrize("kept", ["", "no note", "muniment/x\n3\nAAAA\n\n— x y\n"])
def test_a_kept_text_that_is_no_checkpoint_of_ours_is_said(verified, kept):
    with pytest.raises(MunimentError) as caught:
        verified(kept)
    assert caught.value.code is Code.CHECKPOINT_INVALID
