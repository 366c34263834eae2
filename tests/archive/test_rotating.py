"""Rotating the master key: everything is readable at any moment, whatever is killed, and nothing old stays behind."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from signal import SIGKILL
from threading import Thread
from uuid import UUID

import pytest
import sqlalchemy as sa

from archive import checksummed, rotating
from archive.casefile import tables
from archive.description import NAME as DESCRIPTION
from archive.errors import Code, Exit, MunimentError
from archive.founding import Founded, found, open_archive
from archive.journalling import Journalling
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.journal import KeyJournal
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Wrapped
from archive.keys.passphrase import Passphrase
from archive.keys.versions import wrapping_version
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.rotating import Rotating
from archive.vault.locks import alone

MOMENT = datetime(2026, 11, 24, tzinfo=UTC)
FILES = 7

# Rotates in batches of two and is killed at the Nth thing that touches the disk.
_ROTATE = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
import sqlalchemy as sa
from archive import checksummed, rotating
from archive.founding import open_archive
from archive.journalling import Journalling
from archive.keys.journal import KeyJournal
from archive.keys.keyfile import KeyFile
from archive.ledger.entries import CONSOLE

home, fatal, seen = Path(sys.argv[1]), int(sys.argv[2]), 0
rotating._BATCH = 2
kept = KeyFile(home.with_name("var.key"))
founded = open_archive(home, kept.open(), lambda: datetime(2026, 11, 24, tzinfo=UTC), token_bytes)

def step(*_):
    global seen
    seen += 1
    if seen == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

def before(name, plain):
    def run(*args, **kwargs):
        step()
        return plain(*args, **kwargs)
    return run

os.fsync = before("fsync", os.fsync)
Path.replace = before("replace", Path.replace)
sa.event.listen(founded.catalogue.database.engine, "commit", step)
sa.event.listen(founded.catalogue.database.engine, "before_cursor_execute", step)
journalling = Journalling(home, founded.catalogue, founded.keyring, KeyJournal(home.with_name("var.keys")))
rotating.Rotating(home, founded.catalogue, founded.keyring, kept, token_bytes, journalling).rotate(CONSOLE)
print(seen)
"""


@contextmanager
def opened(home: Path, *guards: Passphrase) -> Iterator[tuple[Founded, Rotating]]:
    kept = KeyFile(home.with_name("var.key"), guards, guards[0] if guards else None)
    founded = open_archive(home, kept.open(), lambda: MOMENT, token_bytes)
    try:
        journalling = journalling_of(founded, home)
        yield founded, Rotating(home, founded.catalogue, founded.keyring, kept, token_bytes, journalling)
    finally:
        founded.catalogue.database.close()


def journalling_of(founded: Founded, home: Path) -> Journalling:
    return Journalling(home, founded.catalogue, founded.keyring, KeyJournal(home.with_name("var.keys")))


def make(folder: Path, files: int = FILES) -> dict[str, bytes]:
    """An archive in ``folder`` with so many wrapped file keys; the keys by id."""
    kept = KeyFile(folder / "var.key")
    founded = found(folder / "var", lambda: kept.create(token_bytes), lambda: MOMENT, token_bytes)
    keys = {}
    with founded.catalogue.housekeeping() as connection:
        for number in range(1, files + 1):
            key = FileKey.make(CaseFileId(str(UUID(int=number))), token_bytes)
            insert(connection, founded, key, number)
            keys[str(key.case_file)] = key.secret
    journalling_of(founded, folder / "var").renew()
    founded.catalogue.database.close()
    return keys


def insert(connection: sa.Connection, founded: Founded, key: FileKey, number: int) -> None:
    wrapped = founded.keyring.wrap_file_key(key, at_least=wrapping_version(connection))
    connection.execute(
        tables.case_file.insert().values(
            id=key.case_file,
            reference=f"2026-一级-剧本相关-{number:03d}",
            year=2026,
            level="一级",
            category="剧本相关",
            number=number,
            state="filed",
            version=1,
            received_at=MOMENT,
            filed_at=MOMENT,
            filed_by=CONSOLE,
            channel="电话",
            store="春熙路店",
            department="客服部",
            headcount=1,
            voucher=b"sealed",
        )
    )
    connection.execute(
        tables.file_key.insert().values(
            case_file=key.case_file, master_version=wrapped.version, box=wrapped.box
        )
    )


def kept_keys(founded: Founded) -> dict[str, bytes]:
    with founded.catalogue.reading() as connection:
        rows = connection.execute(sa.select(tables.file_key)).all()
    return {
        row.case_file: founded.keyring.file_key(row.case_file, Wrapped(row.master_version, row.box)).secret
        for row in rows
    }


def journalled_keys(founded: Founded, home: Path) -> dict[str, bytes]:
    kept = KeyJournal(home.with_name("var.keys")).read()
    return {
        each: founded.keyring.file_key(CaseFileId(each), wrapped).secret
        for each, wrapped in kept.file_keys.items()
    }


def acts(founded: Founded) -> list[str]:
    with founded.catalogue.reading() as connection:
        query = sa.select(ledger_tables.entry.c.act).order_by(ledger_tables.entry.c.position)
        return list(connection.execute(query).scalars())


def test_after_a_rotation_everything_is_wrapped_with_the_new_version_and_the_old_one_is_gone(
    tmp_path,
) -> None:
    keys = make(tmp_path)
    old = KeyFile(tmp_path / "var.key").open().keys[1]
    with opened(tmp_path / "var") as (founded, rotating_):
        rotated = rotating_.rotate(CONSOLE)
        assert (rotated.version, rotated.retired, rotated.rewrapped, rotated.resumed) == (
            2,
            (1,),
            FILES,
            False,
        )
        assert kept_keys(founded) == journalled_keys(founded, tmp_path / "var") == keys
        assert acts(founded) == [Act.ARCHIVE_CREATED, Act.KEY_ROTATION_BEGUN, Act.KEYS_ROTATED]
    fresh = KeyFile(tmp_path / "var.key").open().keys
    assert list(fresh) == [2]
    assert fresh[2] != old
    with opened(tmp_path / "var") as (founded, rotating_):
        assert kept_keys(founded) == keys
        (version,) = rotating_.status().versions
        assert (version.version, version.file_keys, version.secrets) == (2, FILES, 3)
        assert rotating_.rotate(CONSOLE).version == 3
        assert kept_keys(founded) == keys


def test_a_rotation_killed_at_any_step_loses_nothing_and_is_finished_by_the_next(tmp_path) -> None:
    (tmp_path / "prepared").mkdir()
    keys = make(tmp_path / "prepared")
    step = 0
    while True:
        step += 1
        work = tmp_path / "work"
        shutil.copytree(tmp_path / "prepared", work)
        done = subprocess.run(
            [sys.executable, "-c", _ROTATE, str(work / "var"), str(step)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            break
        assert done.returncode == -SIGKILL, done.stderr
        with opened(work / "var") as (founded, rotating_):
            assert kept_keys(founded) == journalled_keys(founded, work / "var") == keys, step
            before = rotating_.status()
            finished = rotating_.rotate(CONSOLE)
            assert finished.resumed is before.rotating
            assert kept_keys(founded) == keys, step
            assert list(KeyFile(work / "var.key").open().keys) == [finished.version]
            assert not rotating_.status().rotating
        with opened(work / "var") as (founded, rotating_):
            assert kept_keys(founded) == journalled_keys(founded, work / "var") == keys, step
            assert set(rotating_.journalling.status().versions) == {finished.version}
        shutil.rmtree(work)
    print(f"killed at {step - 1} steps")
    assert step > 40


def test_a_process_that_was_open_before_reads_and_files_through_a_rotation(tmp_path) -> None:
    keys = make(tmp_path)
    with opened(tmp_path / "var") as (server, _), opened(tmp_path / "var") as (_, rotating_):
        rotating_.rotate(CONSOLE)
        assert kept_keys(server) == keys
        late = FileKey.make(CaseFileId(str(UUID(int=99))), token_bytes)
        journalling_of(server, tmp_path / "var").keep(late)
        with server.catalogue.housekeeping() as connection:
            insert(connection, server, late, 99)
    with opened(tmp_path / "var") as (founded, _):
        assert kept_keys(founded) == {**keys, str(late.case_file): late.secret}
        assert journalled_keys(founded, tmp_path / "var") == kept_keys(founded)


def test_filings_at_the_same_time_are_all_readable_afterwards(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(rotating, "_BATCH", 5)
    keys = make(tmp_path, 60)
    with opened(tmp_path / "var") as (server, _):

        def file_on() -> None:
            for number in range(100, 140):
                key = FileKey.make(CaseFileId(str(UUID(int=number))), token_bytes)
                journalling_of(server, tmp_path / "var").keep(key)
                with server.catalogue.housekeeping() as connection:
                    insert(connection, server, key, number)
                keys[str(key.case_file)] = key.secret

        filing = Thread(target=file_on)
        filing.start()
        with opened(tmp_path / "var") as (_, rotating_):
            assert rotating_.rotate(CONSOLE).version == 2
        filing.join()
    with opened(tmp_path / "var") as (founded, rotating_):
        assert kept_keys(founded) == journalled_keys(founded, tmp_path / "var") == keys
        assert [each.version for each in rotating_.status().versions] == [2]


def test_only_one_rotation_runs_at_a_time(tmp_path) -> None:
    make(tmp_path)
    with opened(tmp_path / "var") as (_, second), alone(tmp_path / "var" / "locks" / "rotation.lock"):
        with pytest.raises(MunimentError) as caught:
            second.rotate(CONSOLE)
        assert caught.value.code is Code.ARCHIVE_BUSY


def test_a_rotation_keeps_the_passphrase_and_can_bring_one(tmp_path) -> None:
    make(tmp_path)
    secret = Passphrase("correct horse")
    with opened(tmp_path / "var", secret) as (_, rotating_):
        assert rotating_.status().kind == "file"
        rotating_.rotate(CONSOLE)
        assert rotating_.status().kind == "argon2id"
    with pytest.raises(MunimentError) as caught, opened(tmp_path / "var"):
        pass
    assert caught.value.code is Code.PASSPHRASE_WRONG
    with opened(tmp_path / "var", secret) as (_, rotating_):
        assert rotating_.rotate(CONSOLE).version == 3


@pytest.mark.parametrize("damage", ["lost", "another", "altered", "description"])
def test_a_lost_or_wrong_key_is_a_clear_stop_and_never_a_new_key(tmp_path, damage) -> None:
    make(tmp_path)
    key_file, description = tmp_path / "var.key", tmp_path / "var" / DESCRIPTION
    if damage == "lost":
        key_file.unlink()
    elif damage == "another":
        key_file.unlink()
        KeyFile(key_file).create(token_bytes)
    elif damage == "altered":
        text = key_file.read_text()
        middle = len(text) // 2
        key_file.write_text(text[:middle] + ("B" if text[middle] != "B" else "C") + text[middle + 1 :])
    else:
        document = json.loads(description.read_text())
        document.pop("sha256")
        description.write_bytes(checksummed.dump({**document, "master_version": 3}))
    before = sorted((str(each), each.stat().st_mtime_ns) for each in tmp_path.iterdir())
    with pytest.raises(MunimentError) as caught, opened(tmp_path / "var"):
        pass
    assert caught.value.meaning.exit is Exit.KEY
    assert sorted((str(each), each.stat().st_mtime_ns) for each in tmp_path.iterdir()) == before


def test_an_old_copy_of_the_key_file_is_a_wrong_key(tmp_path) -> None:
    make(tmp_path)
    old = (tmp_path / "var.key").read_bytes()
    with opened(tmp_path / "var") as (_, rotating_):
        rotating_.rotate(CONSOLE)
    (tmp_path / "var.key").write_bytes(old)
    with pytest.raises(MunimentError) as caught, opened(tmp_path / "var"):
        pass
    assert (caught.value.code, caught.value.meaning.exit) == (Code.KEY_WRONG, Exit.KEY)


def test_a_damaged_wrapped_key_stops_the_rotation_and_the_old_version_stays(tmp_path) -> None:
    keys = make(tmp_path)
    victim = str(UUID(int=3))
    with opened(tmp_path / "var") as (founded, rotating_):
        with founded.catalogue.housekeeping() as connection:
            connection.execute(
                sa.update(tables.file_key)
                .where(tables.file_key.c.case_file == victim)
                .values(box=b"\x01" * 61)
            )
        with pytest.raises(MunimentError) as caught:
            rotating_.rotate(CONSOLE)
        assert caught.value.code is Code.KEY_WRONG
        assert rotating_.status().rotating
        with founded.catalogue.reading() as connection:
            rows = connection.execute(
                sa.select(tables.file_key).where(tables.file_key.c.case_file != victim)
            ).all()
        for row in rows:
            key = founded.keyring.file_key(row.case_file, Wrapped(row.master_version, row.box))
            assert key.secret == keys[row.case_file]


def test_what_lies_elsewhere_is_seen_to_before_the_old_version_is_retired(tmp_path) -> None:
    keys = make(tmp_path)
    seen = []

    def elsewhere(actor) -> None:
        seen.append((actor, sorted(KeyFile(tmp_path / "var.key").open().keys)))
        if len(seen) == 1:
            raise MunimentError(Code.DISK_FULL)

    with opened(tmp_path / "var") as (founded, plain):
        rotating_ = replace(plain, before_retiring=elsewhere)
        with pytest.raises(MunimentError):
            rotating_.rotate(CONSOLE)
        assert rotating_.status().rotating
        assert kept_keys(founded) == keys
        assert rotating_.rotate(CONSOLE).resumed
    assert seen == [(CONSOLE, [1, 2])] * 2
    assert list(KeyFile(tmp_path / "var.key").open().keys) == [2]
