"""The encrypted catalogue: nothing readable on the disk, one writer, snapshots for readers, plain words for trouble."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes

import pytest
import sqlalchemy as sa
from sqlcipher3 import dbapi2

from archive.database import engine
from archive.database.engine import Database
from archive.errors import Code, MunimentError

KEY = bytes(range(32))
PAGE = 4096  # bytes, SQLCipher's


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "catalogue.db", KEY)
    with opened.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE thing (name TEXT)")
        connection.exec_driver_sql("INSERT INTO thing VALUES ('王小明 in the clear')")
    yield opened
    opened.close()


def things(connection) -> int:
    return connection.exec_driver_sql("SELECT count(*) FROM thing").scalar_one()


def pragma(connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def code_of(work) -> Code:
    with pytest.raises(MunimentError) as caught:
        work()
    assert caught.value.say("zh")
    assert caught.value.say("en")
    return caught.value.code


def test_nothing_can_be_read_on_the_disk(database, tmp_path):
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert "王小明".encode() not in content
        assert b"in the clear" not in content
        assert not content.startswith(b"SQLite format")


def test_what_durability_and_the_ledger_rest_on_is_switched_on(database):
    with database.reading() as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2
        assert pragma(connection, "recursive_triggers") == 1
        assert pragma(connection, "foreign_keys") == 1
        assert pragma(connection, "secure_delete") == 1
        assert pragma(connection, "temp_store") == 2


def test_the_library_is_the_encrypted_one_and_has_the_repaired_write_ahead_log():
    """SQLite before 3.51.3 could lose a WAL reset; the sqlite3 of Python 3.11 is never used for the catalogue."""
    with dbapi2.connect(":memory:") as connection:
        assert connection.execute("PRAGMA cipher_version").fetchone() is not None


@pytest.mark.parametrize("content", [b"", None, bytes(4096), os.urandom(8192)])
def test_another_key_or_a_damaged_file_is_said_and_not_opened(database, tmp_path, content):
    database.close()
    path = tmp_path / "catalogue.db"
    if content:
        path.write_bytes(content)
    other = Database(path, token_bytes(32) if content is None else KEY)
    if content == b"":
        return  # an empty file is an empty catalogue: founding refuses it
    assert code_of(lambda: other.reading().__enter__()) is Code.ARCHIVE_DAMAGED
    other.close()


def test_a_page_with_a_flipped_bit_is_said(database, tmp_path):
    with database.writing() as connection:
        for _ in range(50):
            connection.exec_driver_sql("INSERT INTO thing VALUES (hex(randomblob(3000)))")
    database.close()
    path = tmp_path / "catalogue.db"
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(MunimentError) as caught, database.reading() as connection:
        connection.exec_driver_sql("SELECT sum(length(name)) FROM thing").all()
    assert caught.value.code is Code.ARCHIVE_DAMAGED


def pages_of(path) -> int:
    return path.stat().st_size // PAGE


def flip(path, page: int, place: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE + place)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


@pytest.fixture
def damaged(database, tmp_path):
    """A catalogue of which each page but the first was altered: it still opens."""
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE VIRTUAL TABLE words USING fts5(word)")
        connection.exec_driver_sql("INSERT INTO words VALUES ('one')")
        for _ in range(50):
            connection.exec_driver_sql("INSERT INTO thing VALUES (hex(randomblob(3000)))")
    database.close()
    path = tmp_path / "catalogue.db"
    for page in range(2, pages_of(path) + 1):
        flip(path, page, 100)
    return database


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT sum(length(name)) FROM thing",
        "SELECT * FROM words WHERE words MATCH 'one'",
        "INSERT INTO words VALUES ('two')",
        "DROP TABLE words",
    ],
)
def test_whatever_is_asked_of_a_damaged_page_the_archive_is_said_to_be_damaged(damaged, statement):
    for block in (damaged.reading, damaged.writing, damaged.reading):
        with pytest.raises(MunimentError) as caught, block() as connection:
            connection.exec_driver_sql(statement)
        assert caught.value.code is Code.ARCHIVE_DAMAGED


def test_what_came_of_a_damaged_page_is_not_used_even_where_nothing_was_said(damaged):
    with pytest.raises(MunimentError) as caught, damaged.writing() as connection:  # noqa: PT012 - the block goes on
        with suppress(sa.exc.DatabaseError):
            connection.exec_driver_sql("SELECT sum(length(name)) FROM thing").all()
        with suppress(sa.exc.DatabaseError):
            connection.exec_driver_sql("CREATE TABLE other (name TEXT)")
    assert caught.value.code is Code.ARCHIVE_DAMAGED


def test_a_damaged_page_gets_into_no_copy(damaged, tmp_path):
    assert code_of(lambda: damaged.copy_to(tmp_path / "copy.db")) is Code.ARCHIVE_DAMAGED


def test_a_reader_sees_the_moment_it_began(database):
    with database.reading() as reader:
        assert things(reader) == 1
        with database.writing() as writer:
            writer.exec_driver_sql("INSERT INTO thing VALUES ('second')")
        assert things(reader) == 1
    with database.reading() as reader:
        assert things(reader) == 2


def test_a_reader_does_not_see_what_is_not_committed(database):
    with database.writing() as writer:
        writer.exec_driver_sql("INSERT INTO thing VALUES ('second')")
        with database.reading() as reader:
            assert things(reader) == 1


def test_a_failed_block_is_rolled_back(database):
    with pytest.raises(RuntimeError), database.writing() as writer:  # noqa: PT012 - the block fails
        writer.exec_driver_sql("INSERT INTO thing VALUES ('second')")
        raise RuntimeError
    with database.reading() as reader:
        assert things(reader) == 1


def test_a_writer_that_waits_too_long_is_told_that_the_archive_is_busy(database, monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    second = Database(tmp_path / "catalogue.db", KEY)
    with database.writing():
        assert code_of(lambda: second.writing().__enter__()) is Code.ARCHIVE_BUSY
    with second.writing() as writer:  # and may try again
        writer.exec_driver_sql("INSERT INTO thing VALUES ('second')")
    second.close()


def test_the_lock_is_taken_before_the_first_statement(database, monkeypatch, tmp_path):
    """A deferred transaction that turns into a writer would lose to another one that wrote meanwhile."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    second = Database(tmp_path / "catalogue.db", KEY)
    with database.writing() as writer:
        assert things(writer) == 1
        assert code_of(lambda: second.writing().__enter__()) is Code.ARCHIVE_BUSY
    second.close()


def test_a_full_disk_is_said_and_loses_nothing(small_disk):
    database = Database(small_disk / "catalogue.db", KEY)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE thing (name BLOB)")

    def fill() -> None:
        while True:
            with database.writing() as connection:
                connection.exec_driver_sql("INSERT INTO thing VALUES (randomblob(100000))")

    assert code_of(fill) is Code.DISK_FULL
    with database.reading() as connection:
        kept = things(connection)
        assert kept > 0
        assert pragma(connection, "integrity_check") == "ok"
    database.close()
    again = Database(small_disk / "catalogue.db", KEY)
    with again.reading() as connection:
        assert things(connection) == kept
    again.close()


def test_a_defect_of_ours_is_not_dressed_up(database):
    with pytest.raises(sa.exc.OperationalError), database.reading() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")


def _take_away(path: Path) -> None:
    path.rename(path.with_name("away"))


def _swap(path: Path) -> None:
    """Another catalogue under the same key in its place, as one puts back an old one."""
    _take_away(path)
    shutil.copy(path.with_name("away"), path)


@pytest.mark.parametrize("lose", [_take_away, _swap])
def test_a_file_that_was_taken_away_or_swapped_is_neither_written_nor_read_nor_made(database, lose):
    lose(database.path)
    there = sorted(each.name for each in database.path.parent.iterdir())
    assert code_of(lambda: database.writing().__enter__()) is Code.CATALOGUE_LOST
    assert code_of(lambda: database.reading().__enter__()) is Code.CATALOGUE_LOST
    assert code_of(database.truncate_log) is Code.CATALOGUE_LOST
    assert sorted(each.name for each in database.path.parent.iterdir()) == there


@pytest.mark.parametrize("lose", [_take_away, _swap])
def test_a_file_that_goes_while_somebody_writes_is_said_instead_of_success(database, lose):
    def write() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO thing VALUES ('second')")
            lose(database.path)

    assert code_of(write) is Code.CATALOGUE_LOST


def test_a_further_connection_opens_no_other_file(database):
    with database.reading():  # it holds the one that there is
        _swap(database.path)
        assert code_of(database._connect) is Code.CATALOGUE_LOST


def test_one_that_was_put_back_is_used_again(database):
    _take_away(database.path)
    assert code_of(lambda: database.reading().__enter__()) is Code.CATALOGUE_LOST
    database.path.with_name("away").rename(database.path)
    with database.reading() as connection:
        assert things(connection) == 1
