"""The key file: what guards it opens it, nobody else does, and nothing ever makes a new key in its place."""

import json
import os
from base64 import b64encode
from secrets import token_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Code, Exit, MunimentError
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.passphrase import Passphrase

SECRET = Passphrase("correct horse")
FIGURES = (
    b'{"muniment-key": 1, "argon2id": {"time_cost": %s, "memory_kib": %s, "parallelism": 1, '
    b'"salt": "AAAAAAAAAAAAAAAAAAAAAA=="}, "sealed": "AAAA"}'
)
NAMES = st.sampled_from(["muniment-key", "keys", "sealed", "argon2id", "aws-kms", "1"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "var.key"


def refusal(kept: KeyFile) -> Code:
    before = {each.name: each.read_bytes() for each in kept.path.parent.iterdir() if each.is_file()}
    with pytest.raises(MunimentError) as caught:
        kept.open()
    after = {each.name: each.read_bytes() for each in kept.path.parent.iterdir() if each.is_file()}
    assert before == after, "opening must never write"
    assert caught.value.meaning.exit is Exit.KEY
    return caught.value.code


def test_a_plain_key_file_opens_and_only_its_owner_reads_it(path) -> None:
    made = KeyFile(path).create(token_bytes)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyFile(path).open().keys == made.keys
    assert KeyFile(path).kind() == "file"


def test_a_key_file_under_a_passphrase_opens_with_it_alone(path) -> None:
    kept = KeyFile(path, (SECRET,), SECRET)
    made = kept.create(token_bytes)
    assert b64encode(made.keys[1]) not in path.read_bytes()
    assert kept.open().keys == made.keys
    assert kept.kind() == "argon2id"
    assert refusal(KeyFile(path, (Passphrase("wrong horse"),))) is Code.PASSPHRASE_WRONG
    assert refusal(KeyFile(path)) is Code.PASSPHRASE_WRONG


def test_a_lost_key_file_is_a_clear_stop(path) -> None:
    assert refusal(KeyFile(path)) is Code.KEY_MISSING


def test_a_key_file_that_others_may_read_is_refused(path) -> None:
    KeyFile(path).create(token_bytes)
    path.chmod(0o640)
    assert refusal(KeyFile(path)) is Code.KEY_PERMISSIONS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"muniment-key": 2, "keys": {}}',
        b'{"muniment-key": 1}',
        b'{"muniment-key": 1, "keys": {}}',
        b'{"muniment-key": 1, "keys": []}',
        b'{"muniment-key": 1, "keys": {"1": "AAAA"}}',
        b'{"muniment-key": 1, "keys": {"one": "AAAA"}}',
        b'{"muniment-key": 1, "sealed": "AAAA"}',
        b'{"muniment-key": 1, "argon2id": {}, "sealed": "AAAA"}',
        b'{"muniment-key": 1, "argon2id": 5, "sealed": "AAAA"}',
        FIGURES % (b"3", b"99999999"),  # more memory than there is
        FIGURES % (b"0", b"8"),  # figures that Argon2 refuses
    ],
)
def test_a_damaged_key_file_is_said_to_be_wrong(path, content) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    assert refusal(KeyFile(path, (SECRET,))) is Code.KEY_WRONG


def test_an_unknown_guard_is_named(path) -> None:
    path.write_text('{"muniment-key": 1, "pkcs11": {}, "sealed": "AAAA"}')
    path.chmod(0o600)
    assert refusal(KeyFile(path, (SECRET,))) is Code.KEY_GUARDED


@pytest.mark.parametrize("guards", [(), (SECRET,)], ids=["plain", "passphrase"])
def test_each_flipped_bit_is_called_damage_and_no_wrong_passphrase(path, guards, record_property) -> None:
    kept = KeyFile(path, guards, next(iter(guards), None))
    made, content = kept.create(token_bytes), path.read_bytes()
    for spot in range(8 * len(content)):
        altered = bytearray(content)
        altered[spot // 8] ^= 1 << spot % 8
        path.write_bytes(altered)
        with pytest.raises(MunimentError) as caught:
            kept.open()
        assert caught.value.code is Code.KEY_WRONG, spot
    document = json.loads(content)
    del document["sha256"]  # older ones have none
    path.write_text(json.dumps(document))
    assert kept.open().keys == made.keys
    record_property("faults", (8 * len(content), "a bit flipped in a key file"))


def test_creating_never_overwrites(path) -> None:
    KeyFile(path).create(token_bytes)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        KeyFile(path).create(token_bytes)
    assert path.read_bytes() == before


def test_replacing_moves_a_plain_file_under_a_guard_and_never_back(path) -> None:
    made = KeyFile(path).create(token_bytes)
    guarded = KeyFile(path, (SECRET,), SECRET)
    guarded.replace(made.keys, token_bytes)
    assert guarded.kind() == "argon2id"
    assert guarded.open().keys == made.keys
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(MunimentError) as caught:
        KeyFile(path, (SECRET,)).replace(made.keys, token_bytes)
    assert caught.value.code is Code.KEY_GUARDED


def test_a_replacement_that_was_cut_off_leaves_the_old_file(path, monkeypatch) -> None:
    made = KeyFile(path).create(token_bytes)

    def full(_descriptor: int) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as faulty:
        faulty.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            KeyFile(path).replace({2: token_bytes(32)}, token_bytes)
    assert KeyFile(path).open().keys == made.keys
    KeyFile(path).replace({**made.keys, 2: token_bytes(32)}, token_bytes)  # what was left is in nobody's way
    assert sorted(KeyFile(path).open().keys) == [1, 2]


@given(content=JSON)
def test_whatever_json_a_key_file_holds_it_opens_or_is_refused(tmp_path_factory, content) -> None:
    path = tmp_path_factory.mktemp("keys") / "var.key"
    path.touch(0o600)
    path.write_text(json.dumps(content))
    refusal(KeyFile(path))


def test_a_keyring_that_is_behind_reads_its_file_again(path) -> None:
    kept = KeyFile(path)
    behind = kept.create(token_bytes)
    keys = {**behind.keys, 2: token_bytes(32)}
    kept.replace(keys, token_bytes)
    fresh = kept.open()
    assert behind.unwrap(fresh.wrap(b"secret", "place"), "place") == b"secret"
    assert behind.current == 2


def test_a_keyring_wraps_with_the_version_that_the_catalogue_asks_for(path) -> None:
    kept = KeyFile(path)
    behind = kept.create(token_bytes)
    kept.replace({**behind.keys, 2: token_bytes(32)}, token_bytes)
    assert behind.wrap(b"secret", "place").version == 1
    assert behind.wrap(b"secret", "place", at_least=2).version == 2


def test_a_version_that_is_nowhere_is_a_wrong_key(path) -> None:
    ring = KeyFile(path).create(token_bytes)
    with pytest.raises(MunimentError) as caught:
        ring.unwrap(Wrapped(7, ring.wrap(b"x", "place").box), "place")
    assert caught.value.code is Code.KEY_WRONG
    with pytest.raises(MunimentError) as caught:
        ring.wrap(b"x", "place", at_least=7)
    assert caught.value.code is Code.KEY_WRONG


def test_a_keyring_shows_no_key() -> None:
    assert "secret" not in repr(Keyring({1: b"secret" * 6}, "var.key"))
    assert "horse" not in repr(SECRET)


def test_a_pipe_or_a_device_is_no_key_and_is_not_waited_for(path) -> None:
    os.mkfifo(path, 0o600)
    assert refusal(KeyFile(path)) is Code.KEY_WRONG
    path.unlink()
    path.symlink_to("/dev/zero")
    assert refusal(KeyFile(path)) is Code.KEY_WRONG
