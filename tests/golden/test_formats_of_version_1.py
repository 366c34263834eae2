"""What version 1 wrote must open for ever. These bytes are never made anew: a change that breaks one is a new version.

Keys and chance are counted up, so that each figure can be made again by other software.
"""

import json
from base64 import b64decode
from datetime import UTC, date, datetime
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import pytest

from archive.casefile import record as records
from archive.errors import MunimentError
from archive.founding import found, open_archive
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.journal import KeyJournal
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Keyring, Wrapped
from archive.keys.passphrase import Passphrase
from archive.keys.sealing import derive, seal, unseal
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Record, leaf, salted_hash
from archive.ledger.merkle import leaf_hash
from retention.tables import hold

ID = CaseFileId("0f8fad5b-d9cb-469f-a165-70867728950e")
ARCHIVE = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
SECRET, MASTER, ROOT = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
NONCE = bytes(range(0x40, 0x4C))

BOX = "01404142434445464748494a4b073419c688ab75b7b1744a0b4768157f183e9f94adee"
FILE_BOX = "01404142434445464748494a4bdd2c6b32907a4b570bf39950939d9a01df20"
WRAPPED = (
    "01404142434445464748494a4bc255bf825473c30c5a3b5a2389475f7d039f8f90e155b1c976e78e1b7cf7d11d"
    "cc3d3daafd94d827f4df5ee42d32e4e4"
)
PASSWORD = "HxWHS7DEmee7RiLkiEizwnH4vnsrehSK"
AUTHENTICATION = "3a51591e03ca15b84a74de4848f74585c1444ebb9713b6cdeb15de210dc1a1d3"
DERIVED = {
    "catalogue": "63184d6d1befcc28a2cb08891abf5a486aa4642d63186da162f527b13e341970",
    "index": "1726b18d062cbb75c7306e23640a6c3419d84845307e451e5bf08e32535535a2",
    "fingerprint": "f057bdd3a9e55a2ce8f19906b5b14ebf899514b2dde9464d885af9069274ebd7",
}
KEY_FILE = """{
 "muniment-key": 1,
 "keys": {
  "1": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
 }
}"""
SEALED_KEY_FILE = """{
 "muniment-key": 1,
 "argon2id": {
  "time_cost": 1,
  "memory_kib": 64,
  "parallelism": 1,
  "salt": "ICEiIyQlJicoKSorLC0uLw=="
 },
 "sealed": "AVsr4PqMAbt1l68JE1faS9hQVf9uXomvQT8FJ/O0S26Bzj3m+L3JyQHjb38nsJsJi6wPxd5E0RE1MGA9EW14olfZTNRzCyQc6GX6\
ppMEACNYjg=="
}"""
DESCRIPTION = """{
 "format": 1,
 "archive": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
 "master_version": 1,
 "key": "AUBBQkNERUZHSElKS4IV/8IUM4NMGnsaY8kHHz1D38/QoRXxiTanzls8t5Fd/gJGQviQcPNVZrbMN2p5Ig=="
}"""
RECORD = (
    "01404142434445464748494a4bdd7337a8d5c26801de045cbee0c349f684ef51bda1712cca2a690a010c623e945471e32d76"
    "3d6b0c5134ecd2bd8c29ddcf3dfdb15ec755fc8876f399d4bdfbbca0d3d0a65cbaacf6d54691afc3ba6a89b6edcae8537e05"
    "1a1d83eec5ddf36746966e1afeedd371cc5a7a5f8a49d568553a933474e6399af2078b9cc9c1a73b9d671dbe992829323be6"
    "7920bf80ecedfd2f944393cebc68399e99c1895eef1ae4c85a169cc6f6bab6117398fa9eec80e9fcdc8cbfa13a012b7a5b4e"
    "f3ee13832e4835494270938b9e26282b8fdbde838d0e978ce39b8d151a22e02854e39edc4b9dac223894c852ca69a19b7ddf"
    "5b58ca353b1ec4fa8e988a1516c930ed1a08fbc668a54bafd38e00fbc8e7d9455f1ea02ccf2e9df60ca184aa667126409a7b"
    "97776b35deb67917408af6ce51f1eb6daa0e13c8a9b450eb7b4f49fd643b352216eefe53030a821099cc3cccdb5dd28015e7"
    "1cf9f2faf57685d0c5c8bbc11b95c1d6a7b1608d13f144ffeb86826fe040e52296226fca12fa1ddf0cdf90b8dfcf9795181f"
    "7dd1bae9ee77318e969c99b6281f933180c46b85f1ff42878c01aed0806deebced5a8142c72e45b6e95c386dceeaf3a9a326"
    "9907b294574ee4f2"
)
JOURNAL = """\
4da372207f048354 {"archive":{"format":1,\
"archive":"7c9e6679-7425-40de-944b-e07fc1f90ae7","master_version":1,"key":"AUBB"}}
b29423900be41e46 {"case_file":"0f8fad5b-d9cb-469f-a165-70867728950e","master_version":1,"box":"Ym94"}
"""
LEAF = (
    '{"act":"filed","actor":"P0001","at":"2026-03-01T12:00:00.000001Z","detail":'
    '"ff6508f0fae4bb8cbbc1f77c3c320a886f4eb720303173e5ba5068e06902a3f0","index":7,'
    '"subject":"2026-一级-剧本相关-001"}'
)
LEAF_HASH = "09da8af5f9e23ef08c150c52b529cee2715fcee98fe70dcba337eb97ed3026e0"


def open_key_file(path: Path, passphrase: str | None = None) -> Keyring:
    return KeyFile(path, () if passphrase is None else (Passphrase(passphrase),)).open()


def test_a_box_opens_and_is_made_alike():
    assert unseal(SECRET, bytes.fromhex(BOX), "place").decode() == "卷宗"
    assert seal(SECRET, "卷宗".encode(), "place", randomness=lambda _: NONCE).hex() == BOX


def test_a_text_sealed_under_a_file_key_opens():
    assert FileKey(ID, SECRET).unseal(bytes.fromhex(FILE_BOX), "voucher") == b"{}"


def test_a_document_has_its_password_and_its_authentication_code():
    key = FileKey(ID, SECRET)
    assert key.pdf_password("0:1") == PASSWORD
    assert key.authentic(b"d" * 64, "0:1", bytes.fromhex(AUTHENTICATION))


def test_a_sealed_record_opens():
    record = records.unseal(bytes.fromhex(RECORD), FileKey(ID, SECRET), 1, [hold])
    assert record == records.Record(
        {
            "id": ID,
            "reference": "2026-一级-剧本相关-001",
            "version": 1,
            "filed_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
            "completed_on": date(2026, 3, 1),
        },
        [{"case_file": ID, "ordinal": 0, "version": 1, "title": b"sealed"}],
        {"hold": [{"id": 1, "case_file": ID, "reason": "诉讼"}]},
        "note",
    )


def test_a_key_journal_is_read(tmp_path):
    (tmp_path / "golden.keys").write_text(JOURNAL)
    kept = KeyJournal(tmp_path / "golden.keys").read()
    assert (kept.archive["archive"], kept.file_keys, kept.torn) == (ARCHIVE, {ID: Wrapped(1, b"box")}, 0)


def test_a_wrapped_file_key_is_unwrapped():
    keyring = Keyring({1: MASTER}, "golden.key")
    assert keyring.file_key(ID, Wrapped(1, bytes.fromhex(WRAPPED))) == FileKey(ID, SECRET)


@pytest.mark.parametrize(("text", "passphrase"), [(KEY_FILE, None), (SEALED_KEY_FILE, "开门 please")])
def test_a_key_file_opens(tmp_path, text, passphrase):
    path = tmp_path / "golden.key"
    path.write_text(text)
    path.chmod(0o600)
    assert open_key_file(path, passphrase).keys == {1: MASTER}


def test_the_keys_of_an_archive_are_derived_from_its_root():
    assert {purpose: derive(ROOT, purpose).hex() for purpose in DERIVED} == DERIVED


def test_the_description_of_an_archive_opens_its_catalogue(tmp_path):
    chance = iter([UUID(ARCHIVE).bytes, ROOT])
    keyring = Keyring({1: MASTER}, "golden.key")
    home = tmp_path / "var"

    def now() -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)

    founded = found(home, lambda: keyring, now, lambda length: next(chance, None) or token_bytes(length))
    founded.catalogue.database.close()
    made = json.loads((home / "archive.json").read_text())
    del made["sha256"]  # the first ones had none and are read
    assert {**made, "key": ""} == {**json.loads(DESCRIPTION), "key": ""}
    (home / "archive.json").write_text(DESCRIPTION)
    opened = open_archive(home, keyring, now, token_bytes)
    assert opened.index_key.hex() == DERIVED["index"]
    assert opened.fingerprint_key.hex() == DERIVED["fingerprint"]
    assert opened.catalogue.ledger.origin == f"muniment/{ARCHIVE}"
    opened.catalogue.database.close()
    with pytest.raises(MunimentError):
        open_archive(home, Keyring({1: SECRET}, "other.key"), now, token_bytes)


def test_an_entry_is_written_byte_for_byte_and_hashed():
    at = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
    salted = salted_hash(bytes(32) + '{"reason":"重复"}'.encode())
    record = Record(Act.FILED, "2026-一级-剧本相关-001", None, None)
    text = leaf(7, at, Actor("P0001"), record, salted)
    assert text.decode() == LEAF
    assert leaf_hash(text).hex() == LEAF_HASH


def test_the_first_byte_of_a_box_is_its_version():
    assert bytes.fromhex(BOX)[0] == b64decode(json.loads(SEALED_KEY_FILE)["sealed"])[0] == 1
