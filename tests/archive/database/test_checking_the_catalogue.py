"""No page of the catalogue decays unseen, whether a query leads to it or not."""

import os
import random
import threading

import pytest

from archive.database.checking import damage
from archive.database.engine import Database
from archive.errors import Code, MunimentError

PAGE = 4096  # bytes, SQLCipher's
KEY = bytes(range(32))
HEADER, FRAME = 32, 24 + PAGE  # bytes, of the write-ahead log (sqlite.org/fileformat2.html, 4.1)


@pytest.fixture
def catalogue(house, filed, tmp_path):
    """That of an archive, with pages that are free, and those of a full-text index."""
    with house.catalogue.housekeeping() as connection:
        connection.exec_driver_sql("CREATE VIRTUAL TABLE words USING fts5(word, content='')")
        connection.exec_driver_sql("INSERT INTO words (rowid, word) VALUES (1, 'one')")
        connection.exec_driver_sql("CREATE TABLE gone AS SELECT hex(randomblob(9000)) AS name")
        connection.exec_driver_sql("DROP TABLE gone")
    copy = tmp_path / "copy.db"
    house.catalogue.database.copy_to(copy)
    return Database(copy, house.founded.catalogue_key)


def flip(path, page: int, place: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE + place)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1 << bit]))


def test_a_bit_flipped_in_any_page_is_found_and_the_page_named(catalogue, record_property):
    assert not list(damage(catalogue))
    dice, pages = random.Random(7), catalogue.path.stat().st_size // PAGE
    for page in range(2, pages + 1):
        place, bit = dice.randrange(PAGE), dice.randrange(8)
        flip(catalogue.path, page, place, bit)
        assert list(damage(catalogue)) == [f"HMAC verification failed for page {page}"], place
        flip(catalogue.path, page, place, bit)
    assert not list(damage(catalogue))
    assert pages > 70
    record_property("faults", (pages, "a bit flipped in a page of the catalogue"))


def test_a_page_that_was_put_back_as_it_was_is_found(tmp_path):
    """Its HMAC is right. What it says fits no more."""
    database = Database(tmp_path / "catalogue.db", KEY)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE thing (name TEXT)")
        connection.exec_driver_sql("CREATE INDEX named ON thing (name)")
        connection.exec_driver_sql("INSERT INTO thing VALUES ('one')")
    database.truncate_log()
    before = database.path.read_bytes()
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO thing VALUES ('two')")
    database.close()
    now = bytearray(database.path.read_bytes())
    now[PAGE : 2 * PAGE] = before[PAGE : 2 * PAGE]  # the table's; its index was not put back
    database.path.write_bytes(now)
    assert any("named" in said for said in damage(database))
    database.close()


def test_what_is_altered_in_the_log_of_a_running_server_is_found(tmp_path):
    """A checkpoint copies what stands there, whatever it is."""
    for number in range(6):
        database = Database(tmp_path / f"{number}.db", KEY)
        with database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE thing (name TEXT)")
        database.truncate_log()
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO thing VALUES (hex(randomblob(9000)))")
        log = database.path.with_name(f"{database.path.name}-wal")
        assert log.stat().st_size >= HEADER + 6 * FRAME
        with log.open("r+b") as file:
            file.seek(HEADER + number * FRAME + 1000)
            file.write(b"altered")
        if number:
            assert list(damage(database))
        else:  # the first page: nothing can be asked without it
            with pytest.raises(MunimentError) as caught:
                list(damage(database))
            assert caught.value.code is Code.ARCHIVE_DAMAGED
        database.close()


def test_who_writes_meanwhile_is_no_damage(tmp_path):
    database, done = Database(tmp_path / "catalogue.db", KEY), threading.Event()
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE thing (name TEXT)")
        for _ in range(50):
            connection.exec_driver_sql("INSERT INTO thing VALUES (hex(randomblob(3000)))")

    def write() -> None:
        while not done.is_set():
            with database.writing() as connection:
                connection.exec_driver_sql("UPDATE thing SET name = hex(randomblob(3000))")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert [list(damage(database)) for _ in range(20)] == [[]] * 20
    finally:
        done.set()
        writer.join()
        database.close()
