"""The database itself refuses to alter the ledger, on any connection that has the key."""

import pytest
from sqlcipher3 import dbapi2

INSERTS = {
    "ledger_entry": ("position, leaf", "?, '{}'"),
    "ledger_detail": ("position, box", "?, x'00'"),
    "ledger_node": ("level, position, hash", "0, ?, x'00'"),
    "ledger_checkpoint": ("size, note", "?, ''"),
}
KEYS = {table: "size" if table == "ledger_checkpoint" else "position" for table in INSERTS}


@pytest.fixture(params=[True, False], ids=["recursive triggers", "no recursive triggers"])
def raw(archive, request):
    """As a system administrator would open it, past everything of ours."""
    database = archive.founded.catalogue.database
    connection = dbapi2.connect(str(database.path), isolation_level=None)
    connection.execute(database._pragma_key)
    connection.execute(f"PRAGMA recursive_triggers = {int(request.param)}")
    yield connection
    connection.close()


def content(raw) -> dict[str, list[tuple]]:
    return {table: raw.execute(f"SELECT * FROM {table}").fetchall() for table in INSERTS}


def refused(raw, statement: str, *values: object) -> None:
    before = content(raw)
    with pytest.raises(dbapi2.IntegrityError, match="append-only"):
        raw.execute(statement, values)
    assert content(raw) == before


def last(raw, table: str) -> int:
    where = " WHERE level = 0" if table == "ledger_node" else ""
    return raw.execute(f"SELECT max({KEYS[table]}) FROM {table}{where}").fetchone()[0]


@pytest.mark.parametrize("table", INSERTS)
def test_update_is_refused(raw, table):
    key = KEYS[table]
    refused(raw, f"UPDATE {table} SET {key} = {key} + 100")
    refused(raw, f"UPDATE OR REPLACE {table} SET {key} = {key}")


@pytest.mark.parametrize("table", INSERTS)
def test_delete_is_refused_of_all_and_of_one(raw, table):
    refused(raw, f"DELETE FROM {table}")
    refused(raw, f"DELETE FROM {table} WHERE {KEYS[table]} = ?", last(raw, table))


@pytest.mark.parametrize("table", INSERTS)
@pytest.mark.parametrize("verb", ["REPLACE", "INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT"])
def test_replacing_what_is_there_is_refused(raw, table, verb):
    columns, values = INSERTS[table]
    refused(raw, f"{verb} INTO {table} ({columns}) VALUES ({values})", last(raw, table))


@pytest.mark.parametrize("table", INSERTS)
def test_an_upsert_is_refused(raw, table):
    columns, values = INSERTS[table]
    key = "level, position" if table == "ledger_node" else KEYS[table]
    changed = columns.split(", ")[-1]
    statement = (
        f"INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {changed} = 0"
    )
    refused(raw, statement, last(raw, table))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_node"])
@pytest.mark.parametrize("ahead", [2, 100])
def test_a_hole_is_refused(raw, table, ahead):
    columns, values = INSERTS[table]
    refused(raw, f"INSERT INTO {table} ({columns}) VALUES ({values})", last(raw, table) + ahead)


@pytest.mark.parametrize("table", INSERTS)
def test_an_earlier_place_is_refused(raw, table):
    columns, values = INSERTS[table]
    refused(raw, f"INSERT INTO {table} ({columns}) VALUES ({values})", -1)
    refused(raw, f"INSERT INTO {table} ({columns}) VALUES ({values})", 0)


@pytest.mark.parametrize("table", INSERTS)
def test_the_next_place_is_free(raw, table):
    columns, values = INSERTS[table]
    raw.execute("BEGIN")
    raw.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", (last(raw, table) + 1,))
    raw.execute("ROLLBACK")
