"""The key journal of an archive: nothing that may still be needed is dropped from it."""

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from errno import ENOSPC
from pathlib import Path
from secrets import token_bytes
from threading import Barrier
from uuid import UUID

import pytest

from archive.errors import Code, MunimentError
from archive.founding import Founded
from archive.journalling import Journalling
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.journal import Kept, KeyJournal
from archive.keys.keyfile import KeyFile
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, SYSTEM
from archive.ledger.log import follow
from tests.archive.test_rotating import journalled_keys, journalling_of, make, opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make(tmp_path)
    return tmp_path


def late_key(number: int) -> FileKey:
    return FileKey.make(CaseFileId(str(UUID(int=number))), token_bytes)


def asides(folder: Path) -> list[Path]:
    return sorted(folder.glob("var.keys.*"))


@pytest.fixture
def set_back(folder: Path) -> FileKey:
    """Catalogue and key file are those from before a rotation, the journal is not: its newest key is younger."""
    (folder / "before").mkdir()
    shutil.copytree(folder / "var", folder / "before" / "var")
    shutil.copy(folder / "var.key", folder / "before" / "var.key")
    key = late_key(1000)
    with opened(folder / "var") as (founded, rotating):
        rotating.rotate(CONSOLE)
        journalling_of(founded, folder / "var").keep(key)
    shutil.rmtree(folder / "var")
    shutil.copy(folder / "var.key", folder / "later.key")
    for each in ("var", "var.key"):
        (folder / "before" / each).rename(folder / each)
    return key


def test_a_journal_with_keys_that_do_not_open_today_is_kept_aside_and_said_once(folder, set_back, caplog):
    before = (folder / "var.keys").read_bytes()
    with opened(folder / "var") as (founded, _):
        journalling = journalling_of(founded, folder / "var")
        with caplog.at_level(logging.WARNING, "muniment"):
            journalling.renew()
        (aside,) = asides(folder)
        assert aside.name == "var.keys.2026-11-24"
        assert (aside.read_bytes(), aside.stat().st_mode & 0o777) == (before, 0o600)
        assert [str(aside) in each.getMessage() for each in caplog.records] == [True]
        journalling.keep(late_key(1001))  # not to be found in what was kept
        journalling.renew()
        assert asides(folder) == [aside]
        assert aside.read_bytes() == before
        assert len(caplog.records) == 1
    kept = KeyJournal(aside).read()
    keyring = KeyFile(folder / "later.key").open()
    assert keyring.file_key(set_back.case_file, kept.file_keys[set_back.case_file]) == set_back


def test_a_second_one_of_a_day_gets_a_name_of_its_own(folder, set_back):
    journal = folder / "var.keys"
    before = journal.read_bytes()
    with opened(folder / "var") as (founded, _):
        journalling_of(founded, folder / "var").renew()
        journal.write_bytes(before)
        journalling_of(founded, folder / "var").renew()
    assert [each.name for each in asides(folder)] == ["var.keys.2026-11-24", "var.keys.2026-11-24.2"]


def test_another_master_key_of_the_same_number_leaves_no_key_in_the_journal_that_it_does_not_open(
    folder, set_back
):
    """Set back and rotated again there are two second versions, and only one of them is in the key file."""
    with opened(folder / "var") as (founded, rotating):
        assert rotating.rotate(CONSOLE).version == 2
        assert rotating.journalling.status().whole
        assert len(journalled_keys(founded, folder / "var")) == 7
    assert len(asides(folder)) == 1


def test_a_journal_whose_first_line_is_torn_is_kept_aside_too(folder):
    """It may be that of another archive."""
    journal = folder / "var.keys"
    torn = journal.read_bytes()[5:]
    journal.write_bytes(torn)
    with opened(folder / "var") as (_, rotating):
        rotating.journalling.begin()
        assert rotating.journalling.status().whole
    assert [each.read_bytes() for each in asides(folder)] == [torn]


def repairs(founded: Founded) -> list[str]:
    with founded.catalogue.reading() as connection:
        return [each.actor for each in follow(connection, 0) if each.act is Act.REPAIRED]


def test_a_journal_that_is_mended_is_in_the_ledger_though_the_mending_be_cut_off(folder, monkeypatch, caplog):
    journal = folder / "var.keys"
    torn = journal.read_bytes()[5:]
    journal.write_bytes(torn)
    with opened(folder / "var") as (founded, rotating):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(ENOSPC, "full")))
            with pytest.raises(MunimentError):
                rotating.journalling.begin()
        assert journal.read_bytes() == torn
        assert repairs(founded) == [SYSTEM]
        with caplog.at_level(logging.WARNING, "muniment"):
            rotating.journalling.begin()
        assert "was damaged" in caplog.text
        assert repairs(founded) == [SYSTEM] * 2
        assert rotating.journalling.status().mended
        assert rotating.journalling.status().whole


def test_of_two_who_open_a_damaged_journal_one_mends_it(folder, monkeypatch):
    journal = folder / "var.keys"
    journal.write_bytes(journal.read_bytes()[5:])
    with opened(folder / "var") as (founded, rotating):
        journalling, looked = rotating.journalling, Barrier(2)
        plain = Journalling._renew

        def both_saw_it(self, tell):
            looked.wait(60)
            return plain(self, tell)

        monkeypatch.setattr(Journalling, "_renew", both_saw_it)
        with ThreadPoolExecutor(2) as pool:
            for each in [pool.submit(journalling.begin) for _ in range(2)]:
                each.result(60)
        assert repairs(founded) == [SYSTEM]


@pytest.mark.parametrize("content", [None, b""])
def test_a_journal_that_is_missing_is_made_and_only_the_log_says_so(folder, content, caplog):
    journal = folder / "var.keys"
    journal.unlink()
    if content is not None:
        journal.write_bytes(content)
    with opened(folder / "var") as (founded, rotating):
        with caplog.at_level(logging.WARNING, "muniment"):
            rotating.journalling.begin()
        assert ("is made" in caplog.text, "was damaged" in caplog.text) == (True, False)
        assert repairs(founded) == []
        assert not rotating.journalling.status().mended


def test_the_damaged_journal_of_another_archive_is_neither_mended_nor_recorded(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    make(other)
    first, *more = (other / "var.keys").read_bytes().splitlines(keepends=True)
    (folder / "var.keys").write_bytes(first + b"".join(more)[5:])
    before = (folder / "var.keys").read_bytes()
    with opened(folder / "var") as (founded, rotating):
        with pytest.raises(MunimentError) as caught:
            rotating.journalling.begin()
        assert caught.value.code is Code.KEY_JOURNAL_OF_OTHER
        assert repairs(founded) == []
    assert (folder / "var.keys").read_bytes() == before


def test_what_is_whole_is_written_anew_without_a_second_file(folder):
    with opened(folder / "var") as (founded, rotating):
        rotating.rotate(CONSOLE)
        (folder / "var.keys").unlink()
        rotating.journalling.begin()
        assert len(journalled_keys(founded, folder / "var")) == 7
    assert KeyJournal(folder / "var.keys").read() != Kept()
    assert asides(folder) == []


def test_a_journal_deleted_under_a_running_server_is_made_whole_before_the_next_key_goes_in(folder, caplog):
    with opened(folder / "var") as (founded, rotating):
        (folder / "var.keys").unlink()
        with caplog.at_level(logging.WARNING, "muniment"):
            rotating.journalling.keep(late_key(1000))
        assert len(journalled_keys(founded, folder / "var")) == 8
        assert len(caplog.records) == 1
    assert KeyJournal(folder / "var.keys").archive() is not None


def test_the_journal_of_another_archive_put_in_its_place_is_not_written_to(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    make(other)
    with opened(folder / "var") as (_, rotating):
        shutil.copy(other / "var.keys", folder / "var.keys")
        before = (folder / "var.keys").read_bytes()
        with pytest.raises(MunimentError) as caught:
            rotating.journalling.keep(late_key(1000))
    assert caught.value.code is Code.KEY_JOURNAL_OF_OTHER
    assert (folder / "var.keys").read_bytes() == before
