"""The master keyring and its file: opened, refused with a sentence, never made by accident."""

import json
import os
import stat
from base64 import b64encode
from pathlib import Path
from secrets import token_bytes

import pytest

from archive.errors import Code, MunimentError
from archive.keys import passphrase
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.passphrase import Passphrase

KEY = b64encode(bytes(32)).decode()


def create_key_file(path: Path, randomness, secret: str | None = None) -> Keyring:
    return KeyFile(path, writes=None if secret is None else Passphrase(secret)).create(randomness)


def open_key_file(path: Path, secret: str | None = None) -> Keyring:
    return KeyFile(path, () if secret is None else (Passphrase(secret),)).open()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(passphrase, "_MEMORY_KIB", 64)
    monkeypatch.setattr(passphrase, "_TIME_COST", 1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "archive.key"


def code_of(work) -> Code:
    with pytest.raises(MunimentError) as caught:
        work()
    assert caught.value.say("zh")
    assert caught.value.say("en")
    return caught.value.code


def write(path, document: object, mode: int = 0o600) -> None:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    path.chmod(mode)


def test_a_new_key_file_is_opened_again(path):
    made = create_key_file(path, token_bytes)
    assert open_key_file(path).keys == made.keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_key_file_that_is_there_is_never_touched(path):
    made = create_key_file(path, token_bytes)
    with pytest.raises(FileExistsError):
        create_key_file(path, token_bytes)
    assert open_key_file(path).keys == made.keys
    assert list(path.parent.iterdir()) == [path]


def test_a_key_file_that_cannot_be_written_whole_is_not_there_at_all(path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        create_key_file(path, token_bytes)
    assert list(path.parent.iterdir()) == []


def test_under_a_passphrase_the_key_is_not_in_the_file(path):
    made = create_key_file(path, token_bytes, "开门 please")
    assert b64encode(made.keys[1]).decode() not in path.read_text()
    assert open_key_file(path, "开门 please").keys == made.keys
    assert code_of(lambda: open_key_file(path, "开门")) is Code.PASSPHRASE_WRONG
    assert code_of(lambda: open_key_file(path)) is Code.PASSPHRASE_WRONG


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_file_that_others_may_touch_is_refused(path, mode):
    create_key_file(path, token_bytes)
    path.chmod(mode)
    assert code_of(lambda: open_key_file(path)) is Code.KEY_PERMISSIONS


def test_a_missing_key_file_is_said_and_not_made(path):
    assert code_of(lambda: open_key_file(path)) is Code.KEY_MISSING
    assert code_of(lambda: open_key_file(path / "below")) is Code.KEY_MISSING
    assert not path.exists()


def test_a_folder_in_place_of_the_key_file_is_refused(path):
    path.mkdir(mode=0o700)
    assert code_of(lambda: open_key_file(path)) is Code.KEY_WRONG


@pytest.mark.parametrize(
    "document",
    [
        "",
        "not json",
        "[]",
        "null",
        "[" * 100_000,
        {},
        {"muniment-key": 2, "keys": {"1": KEY}},
        {"muniment-key": 1},
        {"muniment-key": 1, "keys": {}},
        {"muniment-key": 1, "keys": []},
        {"muniment-key": 1, "keys": {"one": KEY}},
        {"muniment-key": 1, "keys": {"1": KEY[:-8]}},
        {"muniment-key": 1, "keys": {"1": "****"}},
        {"muniment-key": 1, "keys": {"1": 7}},
        {"muniment-key": 1, "sealed": "AA==", "argon2id": []},
        {"muniment-key": 1, "sealed": "AA==", "argon2id": {}},
    ],
)
def test_a_damaged_key_file_is_said(path, document):
    write(path, document)
    assert code_of(lambda: open_key_file(path, "x")) is Code.KEY_WRONG


@pytest.mark.parametrize("key", ["time_cost", "memory_kib", "parallelism"])
@pytest.mark.parametrize("figure", [0, -1, "many", 2**31, 2**70, None])
def test_impossible_figures_are_a_damaged_key_file(path, key, figure):
    create_key_file(path, token_bytes, "x")
    document = json.loads(path.read_text())
    document["argon2id"][key] = figure
    del document["sha256"]  # else they are not looked at
    if (key, figure) == ("time_cost", 2**31):
        return  # possible, and takes for ever
    write(path, document)
    assert code_of(lambda: open_key_file(path, "x")) is Code.KEY_WRONG


def test_bytes_that_are_no_text_are_a_damaged_key_file(path):
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    assert code_of(lambda: open_key_file(path)) is Code.KEY_WRONG


def test_the_highest_version_wraps_and_every_version_unwraps():
    old = Keyring({1: b"1" * 32}, "k")
    wrapped = old.wrap(b"secret", "place")
    new = Keyring({1: b"1" * 32, 2: b"2" * 32}, "k")
    assert new.unwrap(wrapped, "place") == b"secret"
    assert new.wrap(b"secret", "place").version == 2
    assert code_of(lambda: old.unwrap(new.wrap(b"secret", "place"), "place")) is Code.KEY_WRONG


def test_what_is_wrapped_belongs_to_its_place_and_its_version():
    keys = Keyring({1: b"1" * 32, 2: b"1" * 32}, "k")
    wrapped = keys.wrap(b"secret", "place")
    assert code_of(lambda: keys.unwrap(wrapped, "elsewhere")) is Code.KEY_WRONG
    assert code_of(lambda: keys.unwrap(Wrapped(1, wrapped.box), "place")) is Code.KEY_WRONG


def test_a_file_key_is_wrapped_for_its_case_file():
    keys = Keyring({1: b"1" * 32}, "k")
    key = FileKey.make(CaseFileId("a"), token_bytes)
    wrapped = keys.wrap_file_key(key)
    assert key.secret not in wrapped.box
    assert keys.file_key(CaseFileId("a"), wrapped) == key
    assert code_of(lambda: keys.file_key(CaseFileId("b"), wrapped)) is Code.KEY_WRONG


def test_a_keyring_does_not_show_its_keys():
    assert "1111" not in repr(Keyring({1: b"1" * 32}, "k"))
