"""The vault on a disk: whole versions, nothing overwritten, accepted by a validator of other people."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha512
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from archive.errors import Code, MunimentError
from archive.vault.inventory import Change
from archive.vault.local import LocalVault
from tests.outsiders import ocfl_refuses

FOLDER = "2026/一级/剧本相关/2026-一级-剧本相关-001"
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path):
    made = LocalVault(tmp_path / "vault", tmp_path / "staging", tmp_path / "locks")
    made.create()
    return made


def place(vault, folder: str = FOLDER, content: bytes = b"one", name: str = "a.pdf") -> None:
    with vault.staging() as staging:
        stored = staging.put(name, io.BytesIO(content))
        vault.place(
            staging, folder, f"urn:uuid:{folder[-3:]}", Change(AT, "filed", "P1", {name: stored.sha512.hex()})
        )


def add(vault, version: int, content: bytes, name: str = "a.pdf") -> None:
    with vault.staging(adds_to="mark") as staging:
        stored = staging.put(name, io.BytesIO(content))
        vault.add_version(staging, FOLDER, version, Change(AT, "voided", "P1", {name: stored.sha512.hex()}))
        staging.settled = True


def read(vault, version: int, name: str = "a.pdf") -> bytes:
    with vault.open(FOLDER, version, name) as stream:
        return stream.read()


def snapshot(vault) -> dict[str, bytes]:
    files = {path for path in vault.root.rglob("*") if path.is_file()}
    return {path.relative_to(vault.root).as_posix(): path.read_bytes() for path in files}


def valid(vault) -> bool:
    return not ocfl_refuses(vault.root)


def staged(vault) -> list[Path]:
    return list(vault._area.folder.iterdir())


def test_an_empty_vault_and_one_with_objects_and_versions_are_valid_for_others(vault):
    assert valid(vault)
    place(vault)
    place(vault, FOLDER.replace("001", "002").replace("一级", "二级"))
    add(vault, 2, b"two")
    add(vault, 3, b"three", "b.pdf")
    assert valid(vault)
    assert staged(vault) == []


def test_a_validator_notices_an_altered_document(vault):
    place(vault)
    (vault.root / FOLDER / "v1" / "content" / "a.pdf").write_bytes(b"altered")
    assert not valid(vault)


def test_what_was_put_is_told_with_size_and_digest_and_read_back(vault):
    content = os.urandom(3 << 20)
    with vault.staging() as staging:
        stream = io.BytesIO(content)
        stream.seek(5)  # it is read from its start all the same
        stored = staging.put("a.pdf", stream)
        assert (stored.size, stored.sha512) == (len(content), sha512(content).digest())
        vault.place(staging, FOLDER, "urn:uuid:1", Change(AT, "filed", "P1", {"a.pdf": stored.sha512.hex()}))
    assert read(vault, 1) == content
    with vault.open(FOLDER, 1, "a.pdf") as stream:
        assert vault.sha512(stream) == sha512(content).digest()
        assert stream.tell() == 0


def test_a_version_is_added_and_the_one_before_stays(vault):
    place(vault)
    before = snapshot(vault)
    add(vault, 2, b"two")
    after = snapshot(vault)
    assert (read(vault, 1), read(vault, 2)) == (b"one", b"two")
    assert {name: after[name] for name in before if "/v1/" in name} == {
        name: content for name, content in before.items() if "/v1/" in name
    }
    assert vault.inventory(FOLDER)["head"] == "v2"


@pytest.mark.parametrize("version", [1, 2])
def test_rolling_back_restores_every_byte(vault, version):
    place(vault)
    states = [{}, snapshot(vault)]
    add(vault, 2, b"two")
    states.append(snapshot(vault))
    add(vault, 3, b"three")
    vault.roll_back(FOLDER, 2)
    vault.roll_back(FOLDER, version)
    assert snapshot(vault) == states[version]
    assert valid(vault)


def test_rolling_back_to_nothing_removes_the_object_and_its_empty_folders(vault):
    place(vault)
    vault.roll_back(FOLDER, 0)
    assert list(vault.root.iterdir()) == [vault.root / "0=ocfl_1.1"]
    vault.roll_back(FOLDER, 0)
    place(vault)
    assert valid(vault)


def test_folders_with_other_objects_stay(vault):
    place(vault)
    place(vault, FOLDER.replace("001", "002"))
    vault.remove(FOLDER)
    assert valid(vault)
    assert not vault.holds(FOLDER)
    assert vault.holds(FOLDER.replace("001", "002"))


def test_placing_replaces_what_a_crash_left_there(vault):
    place(vault, content=b"orphan", name="orphan.pdf")
    place(vault, content=b"new")
    assert valid(vault)
    assert read(vault, 1) == b"new"


def test_a_document_that_is_not_there_is_said(vault):
    place(vault)
    for version, name in ((1, "b.pdf"), (2, "a.pdf")):
        with pytest.raises(MunimentError) as caught:
            vault.open(FOLDER, version, name)
        assert caught.value.code is Code.DOCUMENT_MISSING


def test_a_staging_folder_is_gone_after_its_block_whatever_happened(vault):
    with pytest.raises(RuntimeError), vault.staging() as staging:  # noqa: PT012 - the block fails
        staging.put("a.pdf", io.BytesIO(b"one"))
        raise RuntimeError
    assert staged(vault) == []


def test_one_that_is_not_settled_stays_for_recovery(vault):
    with pytest.raises(RuntimeError), vault.staging(adds_to="mark") as staging:  # noqa: PT012 - the block fails
        staging.settled = False
        raise RuntimeError
    settled = []
    assert vault.recover(settled.append) == 1
    assert (settled, staged(vault)) == (["mark"], [])


def test_recovery_leaves_alone_what_is_being_staged(vault):
    with vault.staging(adds_to="mark") as staging:
        staging.put("a.pdf", io.BytesIO(b"one"))
        assert vault.recover(pytest.fail) == 0
        assert (staging.folder / "content" / "a.pdf").exists()


def test_recovery_clears_what_a_dead_process_left(vault):
    """``_exit`` as kill does it: the kernel drops the lock, nothing is tidied."""
    child = os.fork()
    if child == 0:
        try:
            held = [vault.staging(adds_to=mark) for mark in (None, "2026-一级-剧本相关-001")]
            for each in held:
                each.__enter__().put("a.pdf", io.BytesIO(b"one"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert len(staged(vault)) == 2
    settled = []
    assert vault.recover(settled.append) == 2
    assert (settled, staged(vault)) == (["2026-一级-剧本相关-001"], [])


def test_recovery_that_is_stopped_while_settling_leaves_the_mark_for_the_next(vault):
    with pytest.raises(RuntimeError), vault.staging(adds_to="mark") as staging:  # noqa: PT012 - the block fails
        staging.settled = False
        raise RuntimeError

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vault.recover(stop)
    assert vault.recover(lambda _: None) == 1


def test_staging_and_recovering_at_once_never_meet(vault):
    """A folder that is made but not yet held would be taken for a dead one."""
    stop = Event()

    def recover() -> None:
        while not stop.is_set():
            vault.recover(pytest.fail)

    other = Thread(target=recover)
    other.start()
    try:
        for number in range(300):
            with vault.staging(adds_to="mark" if number % 30 == 0 else None) as staging:
                staging.put("a.pdf", io.BytesIO(b"one"))
    finally:
        stop.set()
        other.join()


def test_placing_and_removing_at_once_never_takes_a_folder_from_under_another(vault):
    begin = Barrier(4)

    def work(level: int) -> None:
        begin.wait()
        folder = FOLDER.replace("一级", f"{level}级")
        for _ in range(25):
            place(vault, folder)
            vault.remove(folder)

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(work, level % 2) for level in range(2)] + [
            pool.submit(work, 2 + n) for n in range(2)
        ]:
            future.result()
    assert list(vault.root.iterdir()) == [vault.root / "0=ocfl_1.1"]


def test_a_lock_is_held_by_one_at_a_time_and_is_freed_by_an_error(vault):
    inside = []

    def work(_: int) -> None:
        with vault.locked("2026-一级-剧本相关"):
            inside.append(1)
            assert len(inside) == 1
            inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    with pytest.raises(RuntimeError), vault.locked("x"):
        raise RuntimeError
    with vault.locked("x"):
        pass


def test_a_lock_is_freed_when_its_process_is_killed(vault):
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        with vault.locked("x"):
            os.write(told, b"!")
            Event().wait(60)
            os._exit(0)
    os.read(ready, 1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    with vault.locked("x"):
        pass
    os.close(ready)
    os.close(told)


def test_the_series_folders_are_listed_and_empty_ones_are_somebody_elses_business(vault):
    place(vault)
    (vault.root / "2026" / "二级" / "其他").mkdir(parents=True)
    (vault.root / "2025" / "一级").mkdir(parents=True)
    assert vault.series() == ["2026/一级/剧本相关", "2026/二级/其他"]
    assert [each for each in vault.paths() if each.endswith("/")] == ["2025/一级/", "2026/二级/其他/"]


def test_an_object_that_goes_takes_the_folders_along_that_it_leaves_empty_and_no_other(vault):
    place(vault)
    folder = next(vault.root.glob("*/*/*/*")).relative_to(vault.root).as_posix()
    (vault.root / "2026" / "二级" / "其他").mkdir(parents=True)
    vault.remove(folder)
    assert [each for each in vault.paths() if each.endswith("/")] == ["2026/二级/其他/"]
    assert not (vault.root / "2026" / "一级").exists()
