"""Whoever steals the index, at any moment and in any way, reads no word of what is in it."""

import base64
import os
import sys
import tempfile
import threading

import pytest

from archive.backup.keeping_apart import strip
from archive.database.engine import Database
from indexer.choosing import EngineName

DATABASE_KEY = b"d" * 32
WORDS = ["退款", "书面道歉", "欧阳娜娜", "绝无仅有", "refundable", "zhangsanfeng", "13800138000", "88482039"]
TEXT = "顾客欧阳娜娜要求书面道歉并退款88482039元，绝无仅有。Refundable, ZhangSanFeng 13800138000."


def forms(word):
    """How a word may stand on a disk: also as pairs of characters, and as old pickles write bytes (as Latin-1 text)."""
    pieces = {word, word.upper()} | {word[at : at + 2] for at in range(len(word) - 1) if not word.isascii()}
    for piece in pieces:
        plain = piece.encode()
        yield from (plain, piece.encode("utf-16-le"), piece.encode("utf-16-be"), piece.encode("utf-32-le"))
        yield plain.decode("latin-1").encode()
        yield repr(plain)[2:-1].encode()
        yield base64.b64encode(plain)[:-4]
        yield plain.hex().encode()
        yield piece.encode("unicode-escape")
        yield piece.encode("gb18030")


# Fewer bytes than this come about by chance in what is encrypted.
LOOKED_FOR = sorted({form for word in WORDS for form in forms(word) if len(form) >= 6})


def leaks(folder):
    found = []
    for path in [each for each in folder.rglob("*") if each.is_file()]:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # it was there a moment ago
            continue
        found += [(path.name, form) for form in LOOKED_FOR if form in content]
    return found


def test_the_search_for_leaks_finds_each_form(tmp_path):
    for form in LOOKED_FOR:
        (tmp_path / "file").write_bytes(b"\x00" + form + b"\x00")
        assert leaks(tmp_path)


class Opened:
    """Every file that this process opens to write, while it is watched. An audit hook cannot be taken away again."""

    def __init__(self):
        self.paths = None
        sys.addaudithook(self._hear)

    def _hear(self, event, arguments):
        if event == "open" and self.paths is not None:
            path, _, flags = arguments
            if isinstance(path, str | bytes | os.PathLike) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self.paths.add(os.fsdecode(path))


OPENED = Opened()


@pytest.fixture
def opened():
    OPENED.paths = set()
    yield OPENED.paths
    OPENED.paths = None


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where anything would go that asks for a temporary file."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.mark.parametrize("engine", list(EngineName))
def test_no_word_is_on_the_disk_before_while_or_after_indexing(archive, indexer, engine, opened, temporary):
    indexer.move(engine)
    assert leaks(archive.folder) == []
    for number in range(60):
        archive.file(TEXT + f" {number}", title="欧阳娜娜.pdf", voucher={"name": "欧阳娜娜"})
    seen, done = [], threading.Event()

    def watch():
        while not done.is_set():
            seen.extend(leaks(archive.folder))

    watcher = threading.Thread(target=watch)
    watcher.start()
    opened.clear()
    try:
        for _ in range(3):
            indexer.rebuild()
            for number in range(8):
                archive.file(TEXT + f" {number}")
                indexer.catch_up()
            assert len(indexer.search("书面道歉").files) > 8
    finally:
        done.set()
        watcher.join()
    assert seen == []
    assert leaks(archive.folder) == []
    assert list(temporary.iterdir()) == []
    strangers = [path for path in opened if not path.startswith(str(archive.folder)) and path != os.devnull]
    assert strangers == []


def test_no_word_is_on_the_disk_after_a_crash(archive, indexer, killed, temporary):
    for number in range(30):
        archive.file(TEXT + f" {number}")
    for seconds in (0.1, 0.4, 0.9):
        killed(seconds)
        assert leaks(archive.folder) == []
    assert len(indexer.search("书面道歉").files) == 30
    assert leaks(archive.folder) == []


def test_a_backup_of_the_catalogue_holds_no_words_and_its_index_is_built_anew(archive, indexer, tmp_path):
    """They would outlive a key that is shredded later."""
    indexer.move(EngineName.FTS5)
    reference = archive.file(TEXT)
    indexer.catch_up()
    archive.catalogue.database.copy_to(tmp_path / "copy.db")
    copy = Database(tmp_path / "copy.db", DATABASE_KEY)
    try:
        asked = "SELECT count(*) FROM fts5_words WHERE fts5_words MATCH '\"绝无\"'"
        with copy.reading() as connection:
            assert connection.exec_driver_sql(asked).scalar_one() == 1
        strip(copy)
        with copy.reading() as connection:
            left = connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE name LIKE 'fts5_words%'")
            assert left.scalars().all() == []
    finally:
        copy.close()
    with archive.catalogue.housekeeping() as connection:
        connection.exec_driver_sql("DROP TABLE fts5_words")  # as a restored catalogue has it
    assert [each.reference for each in indexer.search("绝无仅有").files] == [reference]


def test_no_word_of_a_query_or_a_file_is_in_the_log(archive, indexer, caplog):
    archive.file(TEXT)
    indexer.search("欧阳娜娜 OR 绝无仅有")
    indexer.rebuild()
    assert not [word for word in WORDS if word in caplog.text]
