"""Migrations: up, down, up with data; and what they make is what the packages declare."""

from importlib import import_module
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from archive.database import migrating
from archive.database.engine import Database
from archive.database.migrating import NOTHING, migrate, revision
from archive.database.schema import metadata
from archive.ledger.guarding import guards

ROOT = Path(__file__).parents[3]
for path in sorted(ROOT.glob("[ari]*/**/tables.py")):  # each declares its tables on the one metadata
    import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "catalogue.db", bytes(32))
    yield opened
    opened.close()


def shape(database) -> dict[str, str]:
    """Every table, index and trigger as its statement."""
    with database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {row.name: " ".join(row.sql.split()) for row in rows}


def test_an_empty_catalogue_is_brought_to_the_newest_form(database):
    migrate(database)
    with database.reading() as connection:
        assert revision(connection) == migrating.HEAD
    names = set(shape(database))
    assert {each.split()[2] for each in guards()} <= names
    assert set(metadata.tables) <= names


def test_the_migrated_tables_are_the_declared_ones(database):
    migrate(database)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    assert [each for each in differences if "alembic_version" not in str(each)] == []


def test_the_migrated_columns_keys_and_checks_are_the_declared_ones(database, tmp_path):
    """Column by column: autogeneration passes over primary keys, computed columns and WITHOUT ROWID."""
    migrate(database)
    declared = Database(tmp_path / "declared.db", bytes(32))
    with declared.writing() as connection:
        metadata.create_all(connection)
    wanted, made = shape(declared), shape(database)
    declared.close()
    for name in metadata.tables:
        assert columns(made[name]) == columns(wanted[name]), name


def columns(statement: str) -> list[str]:
    """The parts of a CREATE TABLE, in no order."""
    start, end = statement.index("("), statement.rindex(")")
    parts, depth, begun = [], 0, start + 1
    for place in range(start + 1, end + 1):
        depth += {"(": 1, ")": -1}.get(statement[place], 0)
        if (statement[place] == "," and depth == 0) or place == end:
            parts.append(statement[begun:place].strip())
            begun = place + 1
    return sorted([*parts, statement[end + 1 :].strip()])


def test_down_leaves_nothing_and_up_again_makes_the_same(database):
    migrate(database)
    before = shape(database)
    migrate(database, NOTHING)
    assert set(shape(database)) <= {"alembic_version"}
    migrate(database)
    assert shape(database) == before


def test_down_and_up_with_data_ends_in_a_working_empty_catalogue(archive):
    database = archive.founded.catalogue.database
    assert archive.references() != []
    migrate(database, NOTHING)
    migrate(database)
    assert archive.references() == []
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_catalogue_in_its_newest_form_is_left_alone(database):
    migrate(database)
    with database.reading() as connection:
        before = connection.exec_driver_sql("PRAGMA schema_version").scalar()
    migrate(database)
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA schema_version").scalar() == before


def test_a_migration_that_fails_changes_nothing(database, monkeypatch):
    monkeypatch.setattr("archive.ledger.guarding._TABLES", {"no_such_table": "1"})
    with pytest.raises(sa.exc.OperationalError):
        migrate(database)
    assert shape(database) == {}
