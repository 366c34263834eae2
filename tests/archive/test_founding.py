"""Founding and opening an archive: a whole one or none, and a sentence for everything that is amiss."""

import json
import os
import shutil
from datetime import UTC, datetime
from secrets import token_bytes

import pytest

from archive.errors import Code, MunimentError
from archive.founding import found, is_founded, open_archive
from archive.keys.keyring import Keyring
from archive.ledger.acts import Act
from archive.ledger.log import follow

KEYRING = Keyring({1: b"k" * 32}, "test.key")


def now() -> datetime:
    return datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "var"


def make(home, keyring_of=lambda: KEYRING, randomness=token_bytes):
    founded = found(home, keyring_of, now, randomness)
    founded.catalogue.database.close()
    return founded


def open_it(home, keyring=KEYRING):
    return open_archive(home, keyring, now, token_bytes)


def refusal(work) -> Code:
    with pytest.raises(MunimentError) as caught:
        work()
    assert caught.value.say("zh")
    assert caught.value.say("en")
    return caught.value.code


def test_a_new_archive_has_its_first_entry_and_everything_in_its_place(home):
    made = make(home)
    assert is_founded(home)
    assert {each.name for each in home.iterdir()} >= {
        "archive.json",
        "catalogue.db",
        "vault",
        "staging",
        "locks",
    }
    with made.catalogue.reading() as connection:
        (entry,) = follow(connection, 0)
    assert entry.act is Act.ARCHIVE_CREATED
    made.catalogue.database.close()


def test_it_is_opened_again_with_the_same_keys(home):
    made, again = make(home), open_it(home)
    assert (again.index_key, again.fingerprint_key) == (made.index_key, made.fingerprint_key)
    assert again.catalogue.ledger.verifier == made.catalogue.ledger.verifier
    assert len({again.index_key, again.fingerprint_key, again.catalogue.ledger.detail_key}) == 3
    again.catalogue.database.close()


def test_two_archives_share_no_key(tmp_path):
    one, two = make(tmp_path / "one"), make(tmp_path / "two")
    assert one.index_key != two.index_key
    assert one.catalogue.ledger.origin != two.catalogue.ledger.origin


def test_no_key_lies_readable_in_the_home_folder(home):
    made = make(home)
    secrets = (
        KEYRING.keys[1],
        made.index_key,
        made.fingerprint_key,
        made.catalogue.ledger.detail_key,
        made.catalogue.ledger.signing_key.private_bytes_raw(),
    )
    for path in home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert [each for each in secrets if each in content or each.hex().encode() in content] == []


def test_an_empty_folder_is_as_good_as_none(home):
    home.mkdir()
    make(home)
    assert is_founded(home)


@pytest.mark.parametrize("there", ["archive", "file in it", "a file"])
def test_what_is_there_is_never_touched(home, there):
    if there == "archive":
        make(home)
    elif there == "a file":
        home.write_text("mine")
    else:
        home.mkdir()
        (home / "mine").write_text("mine")
    before = [(path, path.is_file() and path.read_bytes()) for path in sorted(home.parent.rglob("*"))]
    asked = []
    said = Code.PATH_UNUSABLE if there == "a file" else Code.ARCHIVE_EXISTS
    assert refusal(lambda: make(home, lambda: asked.append(1))) is said
    assert asked == []  # no key was made for it either
    assert [(path, path.is_file() and path.read_bytes()) for path in sorted(home.parent.rglob("*"))] == before


def test_of_two_processes_that_found_at_once_one_is_told(home):
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            status = 2
            try:
                make(home)
                status = 0
            except MunimentError as error:
                status = int(error.code is Code.ARCHIVE_EXISTS)
            finally:
                os._exit(status)
        children.append(child)
    assert sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children) == [0, 1]
    assert [each.name for each in home.parent.iterdir()] == ["var"]
    open_it(home).catalogue.database.close()


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MunimentError(Code.DISK_FULL)]
)
def test_founding_that_fails_leaves_nothing(home, monkeypatch, error):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("archive.founding.migrate", fail)
    with pytest.raises(type(error)):
        make(home)
    assert list(home.parent.iterdir()) == []


def test_founding_that_is_killed_leaves_no_half_archive(home, interrupt, fault_kinds):
    """Every fortieth change to the disk: there is a whole archive, or none and founding works."""
    from contextlib import nullcontext

    for number in range(1, 4000, 40):
        folder = home.parent / f"{number}"
        folder.mkdir()
        stopped = interrupt(
            folder, fault_kinds["KILLED"], number, nullcontext, lambda _, at=folder / "var": make(at)
        )
        if not is_founded(folder / "var"):
            make(folder / "var")
        open_it(folder / "var").catalogue.database.close()
        shutil.rmtree(folder)
        if not stopped.reached:
            return
    pytest.fail("it never ends")


@pytest.mark.parametrize("name", ["nothing", "file/below"])
def test_a_missing_archive_is_said(tmp_path, name):
    (tmp_path / "file").touch()
    assert refusal(lambda: open_it(tmp_path / name)) is Code.ARCHIVE_MISSING


def test_another_master_key_is_said(home):
    make(home)
    assert refusal(lambda: open_it(home, Keyring({1: b"x" * 32}, "k"))) is Code.KEY_WRONG
    assert refusal(lambda: open_it(home, Keyring({2: b"k" * 32}, "k"))) is Code.KEY_WRONG


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"null", b"\xff", b'{"format": 1, "archive": "x", "master_version": 1, "key": 7}'],
)
def test_a_damaged_description_is_said(home, content):
    make(home)
    (home / "archive.json").write_bytes(content)
    assert refusal(lambda: open_it(home)) is Code.ARCHIVE_DAMAGED


def test_a_description_of_another_archive_is_said(home, tmp_path):
    make(home)
    make(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "archive.json", home)
    assert refusal(lambda: open_it(home)) is Code.ARCHIVE_DAMAGED


def test_an_altered_description_is_said(home):
    make(home)
    document = json.loads((home / "archive.json").read_text())
    document["archive"] = "00000000-0000-4000-8000-000000000000"
    (home / "archive.json").write_text(json.dumps(document))
    assert refusal(lambda: open_it(home)) is Code.ARCHIVE_DAMAGED
    del document["sha256"]  # and whoever knows that too does not know the master key
    (home / "archive.json").write_text(json.dumps(document))
    assert refusal(lambda: open_it(home)) is Code.KEY_WRONG


@pytest.mark.parametrize(
    "damage", ["missing", "empty", "half", "first page", "every other page", "another file"]
)
def test_a_damaged_catalogue_is_said_and_never_begun_anew(home, damage):
    make(home)
    path = home / "catalogue.db"
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    if damage == "empty":
        content.clear()
    if damage == "half":
        del content[len(content) // 2 :]
    if damage == "first page":
        content[100] ^= 1
    if damage == "every other page":
        for start in range(4096, len(content), 4096):
            content[start + 50] ^= 1
    if damage == "another file":
        content[:] = os.urandom(len(content))
    if damage != "missing":
        path.write_bytes(content)
    assert refusal(lambda: open_it(home)) is Code.ARCHIVE_DAMAGED
    assert damage == "missing" or path.read_bytes()[: len(content)] == content
