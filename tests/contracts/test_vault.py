"""What every vault keeps to, on a local disk, on another disk than the staging folder, and on a real S3."""

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha512
from pathlib import Path
from tempfile import mkdtemp

import pytest

from archive.errors import Code, MunimentError
from archive.vault.bucket import Bucket
from archive.vault.connection import Service
from archive.vault.inventory import Change
from archive.vault.local import LocalVault
from archive.vault.port import Vault
from archive.vault.protection import Locking, LockMode, Protection
from archive.vault.s3 import S3Vault
from archive.vault.staging import StagingArea
from tests.outsiders import ocfl_refuses

FOLDER = "2026/一级/剧本相关/2026-一级-剧本相关-001"
NAME = "2026-一级-剧本相关-001.pdf"
SECOND = "2026-一级-剧本相关-001-01.pdf"
IDENTIFIER = "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e"
SHM = Path("/dev/shm")
MOMENT = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class Subject:
    vault: Vault
    down: Callable[[], Path]  # the vault's storage root as files
    staging: Path


@pytest.fixture(params=["local", "other disk", "s3", "s3 in parts", "s3 locked"])
def subject(request, tmp_path, monkeypatch):
    staging, locks = tmp_path / "staging", tmp_path / "locks"
    if request.param.startswith("s3"):
        locked = request.param == "s3 locked"
        server = request.getfixturevalue("server")
        name = request.getfixturevalue("lockable" if locked else "bucket")
        locking = Locking(LockMode.GOVERNANCE, 3) if locked else None
        service = Service(server.endpoint, "us-east-1", server.credentials, locking=locking)
        part = 5 << 20 if request.param == "s3 in parts" else 16 << 20
        vault = S3Vault(
            Bucket(f"s3://{name}/deep/prefix", service, staging, part), StagingArea(staging, locks)
        )

        def down() -> Path:
            copy = tmp_path / "down"
            for each in server.client().list_objects_v2(Bucket=name, Prefix="deep/prefix/")["Contents"]:
                target = copy / each["Key"].removeprefix("deep/prefix/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(server.client().get_object(Bucket=name, Key=each["Key"])["Body"].read())
            return copy

        made: Vault = vault
    elif request.param == "local":
        made, down = LocalVault(tmp_path / "vault", staging, locks), lambda: tmp_path / "vault"
    else:
        if not SHM.is_dir():
            pytest.skip("there is no second disk: /dev/shm")
        shm = Path(mkdtemp(dir=SHM))
        made = LocalVault(shm / "vault", staging, locks, shm / "beside")
        down = lambda: shm / "vault"  # noqa: E731
    made.create()
    yield Subject(made, down, staging)
    if request.param == "other disk":
        shutil.rmtree(shm)


def change(**brings: bytes) -> Change:
    return Change(
        MOMENT, "filed", "P0001", {name: sha512(content).hexdigest() for name, content in brings.items()}
    )


def place(vault: Vault, folder: str = FOLDER, **content: bytes) -> None:
    with vault.staging() as staging:
        for name, each in content.items():
            staging.put(name, io.BytesIO(each))
        vault.place(staging, folder, IDENTIFIER, change(**content))


def add(vault: Vault, version: int, **content: bytes) -> None:
    with vault.staging(adds_to="2026-一级-剧本相关-001") as staging:
        for name, each in content.items():
            staging.put(name, io.BytesIO(each))
        vault.add_version(staging, FOLDER, version, change(**content))
        staging.settled = True


def read(vault: Vault, version: int, name: str = NAME) -> bytes:
    with vault.open(FOLDER, version, name) as stream:
        return stream.read()


def whole(root: Path) -> None:
    """An independent reader says so."""
    assert (root / FOLDER).is_dir()
    assert ocfl_refuses(root) == []


def test_what_is_placed_is_read_back_and_an_independent_reader_finds_it_whole(subject) -> None:
    place(subject.vault, **{NAME: b"voucher", SECOND: b"evidence"})
    assert read(subject.vault, 1) == b"voucher"
    assert read(subject.vault, 1, SECOND) == b"evidence"
    assert subject.vault.inventory(FOLDER)["head"] == "v1"
    whole(subject.down())


def test_a_stream_can_be_sought_and_is_rewound_after_its_digest(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    with subject.vault.open(FOLDER, 1, NAME) as stream:
        assert subject.vault.sha512(stream) == sha512(b"voucher").digest()
        assert stream.read() == b"voucher"
        stream.seek(3)
        assert stream.read(2) == b"ch"


def test_a_large_document_comes_back_the_same(subject) -> None:
    content = bytes(range(256)) * 40_000 + b"end"  # 10 MB: more than a part
    place(subject.vault, **{NAME: content})
    assert read(subject.vault, 1) == content
    whole(subject.down())


@pytest.mark.parametrize("size", [0, 1, 1000, (5 << 20) + 7])
def test_any_part_of_a_file_is_read_as_a_slice_of_it(subject, size) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    place(subject.vault, **{NAME: content})
    for start, count in (
        (0, 1),
        (0, 12),
        (size // 2, 300),
        (size - 1, 1),
        (size - 1, 50),
        (size, 5),
        (size + 9, 5),
    ):
        if start >= 0:
            assert subject.vault.read(FOLDER, 1, NAME, start, count) == content[start : start + count]


def test_a_stamp_is_another_once_the_file_was_written_and_the_same_before(subject) -> None:
    """Also when the bytes are the same again; or there is none, as with a service."""
    place(subject.vault, **{NAME: b"voucher"})
    before = subject.vault.stamp(FOLDER, 1, NAME)
    assert subject.vault.stamp(FOLDER, 1, NAME) == before
    for content in (b"vouched", b"voucher"):
        subject.vault.replace(f"{FOLDER}/v1/content/{NAME}", io.BytesIO(content))
        assert before is None or subject.vault.stamp(FOLDER, 1, NAME) != before


def test_an_empty_document_is_kept_too(subject) -> None:
    place(subject.vault, **{NAME: b""})
    assert read(subject.vault, 1) == b""


def test_a_new_version_leaves_the_old_one_readable(subject) -> None:
    place(subject.vault, **{NAME: b"voucher", SECOND: b"evidence"})
    add(subject.vault, 2, **{NAME: b"stamped"})
    assert (read(subject.vault, 1), read(subject.vault, 2)) == (b"voucher", b"stamped")
    state = subject.vault.inventory(FOLDER)["versions"]["v2"]["state"]
    assert sorted(name for names in state.values() for name in names) == [SECOND, NAME]
    whole(subject.down())


def test_what_a_crash_left_at_a_number_is_replaced(subject) -> None:
    place(subject.vault, **{NAME: b"left by a crash", SECOND: b"and more"})
    place(subject.vault, **{NAME: b"voucher"})
    assert read(subject.vault, 1) == b"voucher"
    with pytest.raises(MunimentError):
        read(subject.vault, 1, SECOND)
    whole(subject.down())


def test_a_version_that_no_row_knows_is_rolled_back_or_replaced(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    add(subject.vault, 2, **{NAME: b"never committed"})
    subject.vault.roll_back(FOLDER, 1)
    assert subject.vault.inventory(FOLDER)["head"] == "v1"
    whole(subject.down())
    add(subject.vault, 2, **{NAME: b"never committed either", SECOND: b"x"})
    add(subject.vault, 2, **{NAME: b"stamped"})
    assert read(subject.vault, 2) == b"stamped"
    whole(subject.down())


def test_rolling_back_to_nothing_removes_the_object(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    subject.vault.roll_back(FOLDER, 0)
    subject.vault.roll_back(FOLDER, 0)
    assert list(subject.vault.paths("2026")) == []
    with pytest.raises(MunimentError) as caught:
        subject.vault.inventory(FOLDER)
    assert caught.value.code is Code.DOCUMENT_MISSING


def test_rolling_back_to_what_is_there_changes_nothing(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    before = list(subject.vault.paths())
    subject.vault.roll_back(FOLDER, 1)
    assert list(subject.vault.paths()) == before


def test_removing_one_object_leaves_a_longer_number_alone(subject) -> None:
    place(subject.vault, f"{FOLDER}0", **{NAME: b"number 0010"})
    place(subject.vault, **{NAME: b"voucher"})
    subject.vault.remove(FOLDER)
    assert subject.vault.inventory(f"{FOLDER}0")["head"] == "v1"


def test_what_is_not_there_is_said_to_be_missing(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    for missing in (
        lambda: subject.vault.open(FOLDER, 1, SECOND),
        lambda: subject.vault.open(FOLDER, 2, NAME),
        lambda: subject.vault.open("2026/nowhere", 1, NAME),
        lambda: subject.vault.read(FOLDER, 1, SECOND, 0, 5),
        lambda: subject.vault.read(FOLDER, 2, NAME, 0, 5),
        lambda: subject.vault.open_path("nowhere"),
        lambda: subject.vault.inventory("2026/nowhere"),
    ):
        with pytest.raises(MunimentError) as caught:
            missing()
        assert caught.value.code is Code.DOCUMENT_MISSING


def test_every_file_is_listed_and_opens_by_its_path(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    inside = [
        "0=ocfl_object_1.1",
        "inventory.json",
        "inventory.json.sha512",
        f"v1/content/{NAME}",
        "v1/inventory.json",
        "v1/inventory.json.sha512",
    ]
    assert sorted(subject.vault.paths(FOLDER)) == sorted(f"{FOLDER}/{each}" for each in inside)
    assert sorted(subject.vault.paths()) == sorted(["0=ocfl_1.1", *(f"{FOLDER}/{each}" for each in inside)])
    with subject.vault.open_path(f"{FOLDER}/v1/inventory.json") as stream:
        assert json.load(stream)["id"] == IDENTIFIER


def test_a_path_is_put_and_put_again(subject) -> None:
    subject.vault.replace("2026/x/y.pdf", io.BytesIO(b"one"))
    subject.vault.replace("2026/x/y.pdf", io.BytesIO(b"two"))
    with subject.vault.open_path("2026/x/y.pdf") as stream:
        assert stream.read() == b"two"


def test_creating_where_something_is_changes_nothing(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    with pytest.raises(MunimentError) as caught:
        subject.vault.create()
    assert caught.value.code is Code.VAULT_OCCUPIED
    assert read(subject.vault, 1) == b"voucher"


def test_creating_goes_on_where_it_was_cut_off(subject) -> None:
    subject.vault.create()
    place(subject.vault, **{NAME: b"voucher"})
    whole(subject.down())


def test_a_version_that_is_not_settled_is_found_by_recovery(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    with subject.vault.staging(adds_to="2026-一级-剧本相关-001") as staging:
        staging.put(NAME, io.BytesIO(b"perhaps committed"))
        subject.vault.add_version(staging, FOLDER, 2, change(**{NAME: b"perhaps committed"}))
    asked: list[str] = []
    assert subject.vault.recover(asked.append) == 1
    assert asked == ["2026-一级-剧本相关-001"]


def test_the_series_are_known_and_what_lies_at_a_number(subject) -> None:
    assert subject.vault.series() == []
    place(subject.vault, **{NAME: b"voucher"})
    assert subject.vault.series() == ["2026/一级/剧本相关"]
    assert subject.vault.holds(FOLDER)
    assert not subject.vault.holds(FOLDER[:-1])
    subject.vault.remove(FOLDER)
    assert not subject.vault.holds(FOLDER)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 100_000, b" " * ((1 << 26) + 1)], ids=len)
def test_what_is_no_inventory_is_said(subject, content) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    subject.vault.replace(f"{FOLDER}/inventory.json", io.BytesIO(content))
    with pytest.raises(MunimentError) as caught:
        subject.vault.inventory(FOLDER)
    assert caught.value.code is Code.DOCUMENT_ALTERED


def test_what_lies_beyond_a_version_is_known(subject) -> None:
    assert not subject.vault.holds(FOLDER, 1)
    place(subject.vault, **{NAME: b"voucher"})
    assert not subject.vault.holds(FOLDER, 1)
    add(subject.vault, 2, **{NAME: b"stamped"})
    assert subject.vault.holds(FOLDER, 1)
    assert not subject.vault.holds(FOLDER, 2)


def test_an_object_that_is_being_placed_is_named_until_it_is_settled(subject) -> None:
    reference = FOLDER.rpartition("/")[2]
    with subject.vault.staging() as staging:
        staging.put(NAME, io.BytesIO(b"voucher"))
        assert not subject.vault.marked(reference)
        staging.mark(reference)
        assert subject.vault.marked(reference)
        subject.vault.place(staging, FOLDER, IDENTIFIER, change(**{NAME: b"voucher"}))
        assert subject.vault.recover(pytest.fail, of=reference) == 0  # somebody is at work
    assert read(subject.vault, 1) == b"voucher"
    assert subject.vault.marked(reference)
    asked: list[str] = []
    assert subject.vault.recover(asked.append, of=f"{reference}1") == 0
    assert subject.vault.recover(asked.append, of=reference) == 1
    assert asked == [reference]
    assert not subject.vault.marked(reference)


def test_nothing_stays_in_the_staging_folder(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    add(subject.vault, 2, **{NAME: b"stamped"})
    assert list(subject.staging.iterdir()) == []


def test_recovery_asks_about_what_a_dead_process_was_adding_to(subject) -> None:
    place(subject.vault, **{NAME: b"voucher"})
    add(subject.vault, 2, **{NAME: b"never committed"})
    (subject.staging / "0000@2026-一级-剧本相关-001").mkdir()
    (subject.staging / "0001").mkdir()
    asked = []

    def settle(name: str) -> None:
        asked.append(name)
        subject.vault.roll_back(FOLDER, 1)

    with subject.vault.staging():  # somebody is at work: not touched
        assert subject.vault.recover(settle) == 2
        assert len(list(subject.staging.iterdir())) == 1
    assert asked == ["2026-一级-剧本相关-001"]
    assert subject.vault.inventory(FOLDER)["head"] == "v1"
    whole(subject.down())


def test_protecting_an_object_changes_nothing_that_is_read_and_may_be_repeated(subject: Subject):
    place(subject.vault, **{NAME: b"encrypted"})
    before = sorted(subject.vault.paths())
    subject.vault.check_protection()
    for wanted in (
        Protection(datetime.now(UTC) + timedelta(days=900), held=True),
        Protection(None, held=False),
    ):
        for _ in range(2):
            subject.vault.protect(FOLDER, wanted)
            assert subject.vault.protects(FOLDER, wanted)
    assert sorted(subject.vault.paths()) == before
    subject.vault.protect(
        FOLDER.replace("001", "999"), Protection(None, held=True)
    )  # none is there: no fault
