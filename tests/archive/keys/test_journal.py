"""The key journal: every line that was acknowledged is there, whatever is torn, replaced or written at once."""

import os
import signal
import subprocess
import sys
from itertools import count
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.causes import NO_PLAIN_FILE
from archive.errors import Code, MunimentError
from archive.keys.journal import Kept, KeyJournal
from archive.keys.keyring import Wrapped
from archive.vault import durable
from tests.striking import Counted, in_a_child, strike

ARCHIVE = {"format": 1, "archive": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "master_version": 1, "key": "AUBB"}
SECRETS = {"ledger-signing": Wrapped(1, b"s"), "ledger-details": Wrapped(1, b"d")}
WHOLE = Kept(ARCHIVE, SECRETS, {"a": Wrapped(1, b"box a")})


@pytest.fixture
def journal(tmp_path) -> KeyJournal:
    made = KeyJournal(tmp_path / "var.keys")
    made.rewrite(lambda _: WHOLE)
    return made


def add(journal: KeyJournal, name: str, version: int = 1) -> None:
    journal.append(name, lambda: Wrapped(version, f"box {name}".encode()))


def test_what_was_appended_is_read_and_the_later_line_counts(journal):
    add(journal, "b")
    add(journal, "a", 2)
    kept = journal.read()
    assert (kept.archive, kept.secrets, kept.torn) == (ARCHIVE, WHOLE.secrets, 0)
    assert kept.file_keys == {"a": Wrapped(2, b"box a"), "b": Wrapped(1, b"box b")}
    assert journal.archive() == ARCHIVE["archive"]


def test_where_there_is_none_nothing_is_kept(tmp_path):
    journal = KeyJournal(tmp_path / "nowhere" / "var.keys")
    assert journal.read() == Kept()
    assert journal.archive() is None
    with pytest.raises(MunimentError) as caught:
        add(journal, "a")
    assert caught.value.code is Code.PATH_UNUSABLE


def test_nobody_else_may_read_it(journal):
    assert journal.path.stat().st_mode & 0o777 == 0o600
    journal.path.unlink()
    add(journal, "a")
    assert journal.path.stat().st_mode & 0o777 == 0o600


@given(cut=st.integers(1, 40))
def test_a_line_torn_by_a_power_cut_is_passed_over_and_the_next_begins_afresh(tmp_path_factory, cut):
    journal = KeyJournal(tmp_path_factory.mktemp("torn") / "var.keys")
    journal.rewrite(lambda _: WHOLE)
    add(journal, "torn")
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    add(journal, "b")
    kept = journal.read()
    assert {"a", "b"} <= kept.file_keys.keys()
    assert kept.torn == (0 if "torn" in kept.file_keys else 1)


def test_a_block_of_zeros_where_a_line_should_be_is_passed_over(journal):
    with journal.path.open("ab") as file:
        file.write(bytes(512))
    add(journal, "b")
    assert journal.read().file_keys.keys() == {"a", "b"}


def test_a_flipped_bit_costs_that_line_and_no_other(journal):
    add(journal, "b")
    content = journal.path.read_bytes()
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1
        journal.path.write_bytes(altered)
        kept = journal.read()
        whole = (kept.archive == ARCHIVE) + (kept.secrets == WHOLE.secrets) + len(kept.file_keys)
        assert whole >= 2, place  # a lost line end costs two
        assert kept.torn >= 1
        lost = kept.archive is None or kept.secrets != WHOLE.secrets
        assert not lost or journal.archive() is None, place  # the next opening makes it whole


def test_what_is_forgotten_is_nowhere_in_it(journal):
    add(journal, "b")
    journal.forget(["a"])
    assert journal.read() == Kept(ARCHIVE, WHOLE.secrets, {"b": Wrapped(1, b"box b")})
    assert b'"a"' not in journal.path.read_bytes()


def test_no_room_leaves_it_as_it_was(small_disk):
    journal = KeyJournal(small_disk / "var.keys")
    journal.rewrite(lambda _: WHOLE)
    state = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(bytes(state.f_bavail * state.f_frsize))
    added = []

    def fill() -> None:
        for number in count():
            add(journal, str(number))
            added.append(str(number))

    with pytest.raises(MunimentError) as caught:
        fill()
    assert caught.value.code is Code.DISK_FULL
    kept = journal.read()
    assert (kept.torn, kept.file_keys.keys()) == (0, {"a", *added})
    with pytest.raises(MunimentError):
        journal.rewrite(lambda kept: kept)
    assert journal.read() == kept
    assert [each.name for each in small_disk.iterdir() if each.name.startswith(".")] == []


def test_killed_at_any_step_of_writing_it_anew_it_is_the_old_one_or_the_new_one(journal):
    step, new = 0, Kept(ARCHIVE, WHOLE.secrets, {"z": Wrapped(2, b"z")})
    while True:
        step += 1
        journal.rewrite(lambda _: WHOLE)

        def work(step=step) -> None:
            with pytest.MonkeyPatch.context() as patch:
                strike(patch, Counted(lambda: os.kill(os.getpid(), signal.SIGKILL), step))
                journal.rewrite(lambda _: new)

        status = in_a_child(work)
        assert journal.read() in (WHOLE, new)
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert step > 3
    journal.rewrite(lambda kept: kept)
    assert [each.name for each in journal.path.parent.iterdir()] == [journal.path.name]


def test_appending_and_writing_anew_at_once_lose_nothing(journal):
    """Four appenders, two of them other processes, while the journal is replaced again and again."""
    script = (
        "import sys; from pathlib import Path\n"
        "from archive.keys.journal import KeyJournal; from archive.keys.keyring import Wrapped\n"
        "for n in range(60): KeyJournal(Path(sys.argv[1])).append(f'{sys.argv[2]}{n}', lambda: Wrapped(1, b'x'))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(journal.path), name]) for name in ("p", "q")
    ]
    threads = [
        Thread(target=lambda name=name: [add(journal, f"{name}{n}") for n in range(60)])
        for name in ("r", "s")
    ]
    for each in threads:
        each.start()
    while any(each.poll() is None for each in processes) or any(each.is_alive() for each in threads):
        journal.rewrite(lambda kept: kept)
    assert [each.wait() for each in processes] == [0, 0]
    expected = {f"{name}{n}" for name in "pqrs" for n in range(60)} | {"a"}
    assert journal.read().file_keys.keys() == expected


def test_nobody_appends_to_a_journal_whose_name_is_not_on_the_disk_yet(journal, monkeypatch):
    """Else a power cut brings back the one before it, without the key that was acknowledged."""
    appender, early, sync = Thread(target=lambda: add(journal, "b")), [], durable.sync_folder

    def syncing(folder) -> None:
        appender.start()
        appender.join(0.3)
        early.append(not appender.is_alive())
        sync(folder)

    with monkeypatch.context() as patch:
        patch.setattr("archive.keys.journal.durable.sync_folder", syncing)
        journal.rewrite(lambda kept: kept)
    appender.join()
    assert early == [False]
    assert journal.read().file_keys.keys() == {"a", "b"}


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path):
        with pytest.raises(MunimentError) as caught:
            add(KeyJournal(path), "a")
        assert caught.value.code is Code.PATH_UNUSABLE


def test_what_is_no_file_is_not_read_either(journal, tmp_path):
    """A pipe would be waited for for ever; behind a link lies what the next rewriting would replace."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(journal.path)
    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path):
        for reads in (KeyJournal(path).read, KeyJournal(path).archive):
            with pytest.raises(MunimentError) as caught:
                reads()
            assert caught.value.code is Code.PATH_UNUSABLE
            assert caught.value.facts["problem"] == NO_PLAIN_FILE
