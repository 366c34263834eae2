"""What is backed up comes back whole, whatever happens meanwhile; what is damaged is found and named."""

import errno
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes

import pytest
import sqlalchemy as sa

from archive.backup.keeping_apart import mark_shredded
from archive.backup.places import Place, open_place
from archive.backup.restoring import Restored
from archive.backup.snapshots import newest
from archive.backup.stores import FolderStore
from archive.backup.taking import Taken
from archive.casefile import tables
from archive.casefile.filing import Submission
from archive.casefile.reading import CaseFiles
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Keyring
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import follow
from archive.ledger.tables import secret
from archive.ledger.verifying import verify
from tests.conftest import QUICK
from tests.striking import Counted, in_a_child, strike
from tests.vouchers import voucher
from web.backup_places import place
from web.settings import Settings
from web.wiring import House, opened, restore

BARE = Submission("二级", "环境相关", None, None, voucher())


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "backup"


def take(house: House, target: Path, **more) -> Taken:
    return house.backups.take(CONSOLE, place(house.settings, str(target)), **more)


def bring_back(house: House, target: Path, home: Path, **more) -> Restored:
    """As on an empty machine: from the backup and the master key alone."""
    settings = Settings(home=home, key_file=house.settings.key_path)
    return restore(settings, place(settings, str(target)), **more)


def tree(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def stored(target: Path) -> list[Path]:
    return sorted(path for path in target.rglob("*") if path.is_file())


def facts(house: House) -> list[object]:
    return [
        (each, house.case_files.voucher(each), house.case_files.titles(each), house.case_files.texts(each))
        for each in house.case_files.select()
    ]


def whole(house: House, target: Path, home: Path) -> list[str]:
    """Restores, verifies everything and removes it again; the references that came back."""
    restored = bring_back(house, target, home)
    assert restored.damaged == ()
    with opened(Settings(home=home, key_file=house.settings.key_path), passwords=QUICK) as again:
        assert again.fixity.check(CONSOLE).whole
        with again.catalogue.reading() as connection:
            verify(connection, again.catalogue.ledger, again.case_files.file_key)
        references = sorted(each.reference for each in again.case_files.select())
    shutil.rmtree(home)
    return references


def test_what_was_backed_up_comes_back_without_difference(house: House, filed, target, tmp_path):
    taken = take(house, target)
    assert (taken.files, taken.documents, taken.damaged) == (3, 6, ())
    restored = bring_back(house, target, tmp_path / "again")
    assert (restored.files, restored.documents, restored.gone, restored.damaged) == (3, 6, 0, ())
    assert tree(tmp_path / "again" / "vault") == tree(house.settings.home / "vault")
    with opened(
        Settings(home=tmp_path / "again", key_file=house.settings.key_path), passwords=QUICK
    ) as again:
        assert facts(again) == facts(house)
        assert again.fixity.check(CONSOLE).whole
        with house.catalogue.reading() as old, again.catalogue.reading() as new:
            before, after = follow(old, 0), follow(new, 0)
        assert before[-1].act is Act.BACKED_UP
        assert after[: len(before) - 1] == before[:-1]
        assert again.filing.file(CONSOLE, BARE).reference == "2026-二级-环境相关-001"


def test_only_what_is_new_is_copied(house: House, filed, target, clock):
    first = take(house, target)
    assert first.copied == 6 + 4 + 4  # documents, and an inventory and a record for each version
    clock.wait(days=1)
    assert take(house, target).copied == 0
    house.filing.file(CONSOLE, BARE)
    clock.wait(days=1)
    assert take(house, target).copied == 3
    assert len(newest(FolderStore(target), "snapshots")) == 3


def test_what_was_isolated_is_in_the_backup_and_comes_back(house: House, filed, target, tmp_path):
    content = b"X5O!" * 1000
    number = house.quarantine.isolate(CONSOLE, io.BytesIO(content), "a.jpg", "Eicar")
    taken = take(house, target)
    assert (taken.copied, taken.damaged) == (6 + 4 + 4 + 1, ())
    assert take(house, target).copied == 0
    bring_back(house, target, tmp_path / "again")
    folder = tmp_path / "again" / "quarantine"
    assert folder.stat().st_mode & 0o777 == 0o700
    settings = Settings(home=tmp_path / "again", key_file=house.settings.key_path)
    with opened(settings, passwords=QUICK) as again:
        assert b"".join(again.quarantine.take(CONSOLE, number)) == content
    assert house.rehearsing.rehearse(CONSOLE, place(house.settings, str(target))).whole


def test_what_was_isolated_and_lost_is_named_at_backup_and_rehearsal(house: House, filed, target):
    numbers = [house.quarantine.isolate(CONSOLE, io.BytesIO(each), "a", "Eicar") for each in (b"1", b"2")]
    paths = [house.settings.home / "quarantine" / f"{each}.sealed" for each in numbers]
    paths[0].unlink()
    sealed = paths[1].read_bytes()
    paths[1].write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert take(house, target).damaged == tuple(f"quarantine/{each}" for each in numbers)
    problems = "\n".join(
        map(str, house.rehearsing.rehearse(CONSOLE, place(house.settings, str(target))).problems)
    )
    assert all(each in problems for each in numbers)


def test_an_earlier_snapshot_can_be_restored_and_old_ones_go(house: House, filed, target, clock, tmp_path):
    first = take(house, target)
    house.filing.file(CONSOLE, BARE)
    clock.wait(days=1)
    take(house, target)
    assert bring_back(house, target, tmp_path / "a", snapshot=first.snapshot).files == 3
    assert bring_back(house, target, tmp_path / "b").files == 4
    clock.wait(days=1)
    take(house, target, keep=2)
    with pytest.raises(MunimentError) as caught:
        bring_back(house, target, tmp_path / "c", snapshot=first.snapshot)
    assert caught.value.code is Code.BACKUP_MISSING
    assert len(newest(FolderStore(target), "catalogue")) == len(newest(FolderStore(target), "keys")) == 2


def test_a_share_that_lists_nothing_for_a_moment_costs_no_snapshot(
    house: House, filed, target, clock, tmp_path, monkeypatch
):
    take(house, target)
    scandir = os.scandir

    def stale(path):
        if str(path).endswith("/snapshots"):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return scandir(path)

    clock.wait(days=1)
    monkeypatch.setattr(os, "scandir", stale)
    with pytest.raises(OSError, match=r"[Ss]tale"):
        take(house, target)
    monkeypatch.undo()
    assert len(newest(FolderStore(target), "catalogue")) == 2
    assert whole(house, target, tmp_path / "again") == sorted(filed)


def test_a_snapshot_is_consistent_while_people_work(house: House, filed, target, tmp_path):
    going, filing = threading.Event(), []

    def work() -> None:
        while not going.is_set():
            filing.append(house.filing.file(CONSOLE, BARE).reference)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for number in range(4):
            take(house, target)
            assert set(whole(house, target, tmp_path / str(number))) >= set(filed)
    finally:
        going.set()
        thread.join()
    assert filing


def test_no_key_lies_with_the_catalogue_and_keys_may_lie_elsewhere(house: House, filed, target, tmp_path):
    apart = Place(FolderStore(target), FolderStore(tmp_path / "keys"), "there")
    house.backups.take(CONSOLE, apart)
    names = {path.relative_to(target).parts[0] for path in stored(target)}
    assert names == {"muniment-backup.json", "objects", "catalogue", "snapshots"}
    assert {path.name for path in stored(tmp_path / "keys")} > {"backup-key.json"}
    with pytest.raises(MunimentError) as caught:
        bring_back(house, target, tmp_path / "again")  # without the keys' place
    assert caught.value.code is Code.BACKUP_DAMAGED
    settings = Settings(home=tmp_path / "again", key_file=house.settings.key_path)
    assert restore(settings, place(settings, str(target), str(tmp_path / "keys"))).files == 3


def test_nothing_of_the_archive_can_be_read_in_the_backup(house: House, filed, target):
    take(house, target)
    told = [
        each.encode() for each in (*filed, "王小明", "13800138000", "inventory", "%PDF-2.0", "SQLite format")
    ]
    for path in stored(target):
        content = path.read_bytes()
        assert not [each for each in told if each in content or each in os.fsencode(path.name)], path


def test_a_wrong_or_missing_master_key_is_a_clear_stop(house: House, filed, target, tmp_path):
    take(house, target)
    wrong = Keyring({1: token_bytes(32)}, "wrong.key")
    from archive.backup.restoring import restore as restore_with

    with pytest.raises(MunimentError) as caught:
        restore_with(place(house.settings, str(target)), wrong, tmp_path / "again", token_bytes)
    assert caught.value.code is Code.KEY_WRONG
    with pytest.raises(MunimentError) as caught:
        restore(Settings(home=tmp_path / "again"), place(house.settings, str(target)))
    assert caught.value.code is Code.KEY_MISSING
    assert not (tmp_path / "again").exists()
    assert not (tmp_path / "again.key").exists()


def test_what_is_there_is_never_overwritten(house: House, filed, target, tmp_path):
    take(house, target)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_bytes(b"x")
    for home in (house.settings.home, tmp_path / "full", tmp_path / "full" / "x"):
        with pytest.raises(MunimentError) as caught:
            bring_back(house, target, home)
        assert caught.value.code is Code.ARCHIVE_EXISTS
    (tmp_path / "empty").mkdir()
    assert bring_back(house, target, tmp_path / "empty").files == 3
    with pytest.raises(MunimentError) as caught:
        bring_back(house, tmp_path / "nothing", tmp_path / "again")
    assert caught.value.code is Code.BACKUP_MISSING


def test_the_backup_of_another_archive_is_left_alone(house: House, filed, target, tmp_path, clock):
    from web.wiring import init

    take(house, target)
    before = tree(target)
    settings = Settings(home=tmp_path / "other")
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK) as other, pytest.raises(MunimentError) as caught:
        take(other, target)
    assert caught.value.code is Code.BACKUP_OF_OTHER
    assert tree(target) == before


def test_a_place_that_no_setting_names_outlives_the_master_key(house: House, filed, target, clock, tmp_path):
    before = take(house, target)
    old_key = shutil.copy(house.settings.key_path, tmp_path / "old.key")
    house.rotating.rotate(CONSOLE)
    house.filing.file(CONSOLE, BARE)
    clock.wait(days=1)
    with opened(house.settings, clock=clock, passwords=QUICK) as later:  # knows the new master key alone
        with pytest.raises(MunimentError) as caught:
            later.rehearsing.rehearse(CONSOLE, place(later.settings, str(target)))
        assert caught.value.code is Code.BACKUP_KEY_VERSION
        assert caught.value.facts == {"place": str(target), "version": 1}
        taken = take(later, target)
        assert (taken.files, taken.copied) == (4, 3), "only what is new is copied"
        assert later.rehearsing.rehearse(CONSOLE, place(later.settings, str(target))).whole
        with pytest.raises(MunimentError) as caught:
            open_place(place(later.settings, str(target)), KeyFile(Path(old_key)).open(), token_bytes)
        assert caught.value.code is Code.BACKUP_KEY_VERSION
    assert bring_back(house, target, tmp_path / "now").files == 4
    old = bring_back(house, target, tmp_path / "then", snapshot=before.snapshot)
    assert (old.files, old.damaged) == (3, ())


def test_a_place_whose_master_key_is_gone_is_left_as_it_is_and_opens_with_the_old_one(
    house: House, filed, target, clock, tmp_path
):
    """As a backup that was made before archives remembered the keys of their backups."""
    take(house, target)
    old_key = shutil.copy(house.settings.key_path, tmp_path / "old.key")
    with house.catalogue.housekeeping() as connection:
        connection.execute(sa.delete(secret).where(secret.c.name.startswith("backup-key:")))
    house.rotating.rotate(CONSOLE)
    stood = tree(target)
    with opened(house.settings, clock=clock, passwords=QUICK) as later:
        with pytest.raises(MunimentError) as caught:
            take(later, target)
        assert caught.value.code is Code.BACKUP_KEY_VERSION
        assert tree(target) == stood
        assert take(later, tmp_path / "beside").files == 3
    settings = Settings(home=tmp_path / "then", key_file=Path(old_key))
    assert restore(settings, place(settings, str(target))).files == 3


def test_damage_is_mended_from_a_backup_made_under_an_earlier_master_key(house: House, filed, target, clock):
    take(house, target)
    house.rotating.rotate(CONSOLE)
    path = next(house.settings.home.glob(f"vault/*/*/*/*/v1/content/{filed[0]}-01.pdf"))
    good = path.read_bytes()
    path.write_bytes(b"x")
    with opened(replace(house.settings, mirror=str(target)), clock=clock, passwords=QUICK) as later:
        (repair,) = later.repairing.repair(CONSOLE, later.fixity.check(CONSOLE))
    assert not repair.left
    assert path.read_bytes() == good


def test_a_lost_backup_key_is_never_made_anew(house: House, filed, target):
    take(house, target)
    (target / "backup-key.json").unlink()
    with pytest.raises(MunimentError) as caught:
        take(house, target)
    assert caught.value.code is Code.BACKUP_DAMAGED
    assert not (target / "backup-key.json").exists()


@pytest.mark.parametrize("name", ["backup-key.json", "muniment-backup.json"])
def test_each_flipped_bit_of_what_opens_a_backup_is_called_damage(house: House, filed, target, name):
    take(house, target)
    where, content = place(house.settings, str(target)), (target / name).read_bytes()
    keyring = KeyFile(house.settings.key_path).open()
    for spot in range(8 * len(content)):
        altered = bytearray(content)
        altered[spot // 8] ^= 1 << spot % 8
        (target / name).write_bytes(altered)
        with pytest.raises(MunimentError, match=name) as caught:
            open_place(where, keyring, token_bytes)
        assert caught.value.code is Code.BACKUP_DAMAGED
    document = json.loads(content)
    del document["sha256"]  # older ones have none
    (target / name).write_text(json.dumps(document))
    open_place(where, keyring, token_bytes)


def test_a_flipped_bit_or_a_missing_object_anywhere_is_found_and_named(
    house: House, filed, target, tmp_path, record_property
):
    take(house, target)
    dice, flips, files = random.Random(5), 0, stored(target)

    def problems(path: Path) -> None:
        named = path.relative_to(target).as_posix()
        try:
            restored = bring_back(house, target, tmp_path / "again")
        except MunimentError as error:
            assert error.code in {Code.BACKUP_DAMAGED, Code.BACKUP_MISSING}, named
            assert named in str(error) or error.code is not Code.BACKUP_DAMAGED
        else:
            assert any(each.startswith(named) for each in restored.damaged), (named, restored.damaged)
            shutil.rmtree(tmp_path / "again")

    for path in files:
        content = path.read_bytes()
        for spot in sorted({0, len(content) // 2, len(content) - 1, dice.randrange(len(content))}):
            altered = bytearray(content)
            altered[spot] ^= 1 << dice.randrange(8)
            path.write_bytes(altered)
            problems(path)
            flips += 1
        path.unlink()
        problems(path)
        path.write_bytes(content)
    assert whole(house, target, tmp_path / "again")
    record_property("faults", (flips, "a bit flipped in an object of a backup"))
    record_property("faults", (len(files), "an object of a backup missing"))


def test_a_document_damaged_in_the_vault_is_named_and_does_not_spoil_the_backup(
    house: House, filed, target, tmp_path
):
    folder = house.founded.vault.now.root / Reference.parse(filed[0]).folder
    path = folder / "v1" / "content" / f"{filed[0]}-01.pdf"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"x")
    taken = take(house, target)
    assert taken.damaged == (f"{filed[0]}-01.pdf",)
    assert f"{filed[0]}-01.pdf" in bring_back(house, target, tmp_path / "a").damaged
    path.write_bytes(good)
    assert take(house, target).damaged == ()
    path.write_bytes(good[:-1] + b"x")
    assert take(house, target).damaged == ()  # the backup has it whole from before
    assert whole(house, target, tmp_path / "b") == sorted(filed)


def test_a_damaged_older_key_part_is_used_instead_of_a_damaged_newest(
    house: House, filed, target, clock, tmp_path
):
    take(house, target)
    clock.wait(days=1)
    take(house, target)
    newer = target / "keys" / newest(FolderStore(target), "keys")[0]
    newer.write_bytes(newer.read_bytes()[:-1])
    restored = bring_back(house, target, tmp_path / "again")
    assert restored.damaged == (f"keys/{newer.name}",)
    assert (tmp_path / "again" / "catalogue.db").exists()


def test_a_description_that_has_decayed_pushes_no_whole_key_part_out(house: House, filed, target, tmp_path):
    take(house, target)
    path = house.settings.home / "archive.json"
    document = json.loads(path.read_bytes())
    document["key"] = document["key"].swapcase()  # as a flipped bit does to a letter
    path.write_text(json.dumps(document, indent=1))
    for _ in range(3):
        with pytest.raises(MunimentError, match=r"archive\.json") as caught:
            take(house, target)
        assert caught.value.code is Code.ARCHIVE_DAMAGED
    assert whole(house, target, tmp_path / "again") == sorted(filed)


def case_file_id(house: House, reference: str) -> str:
    return house.case_files.get(reference).id


def test_a_restore_brings_back_nothing_that_was_destroyed_since(house: House, filed, target, clock, tmp_path):
    first = take(house, target)
    gone = case_file_id(house, filed[0])
    mark_shredded(FolderStore(target), [gone])
    for snapshot in (first.snapshot, None):
        home = tmp_path / f"again-{snapshot}"
        restored = bring_back(house, target, home, snapshot=snapshot)
        assert restored.gone == 1
        with opened(Settings(home=home, key_file=house.settings.key_path), passwords=QUICK) as again:
            assert again.case_files.file_key(gone) is None
            assert not any(filed[0] in path for path in again.founded.vault.paths())
    clock.wait(days=1)
    take(house, target)
    clock.wait(days=1)
    take(house, target)  # now no key part holds it any more, even without the mark
    shutil.rmtree(target / "shredded")
    restored = bring_back(house, target, tmp_path / "last", snapshot=first.snapshot)
    with opened(Settings(home=tmp_path / "last", key_file=house.settings.key_path), passwords=QUICK) as again:
        assert again.case_files.file_key(gone) is None


def test_a_key_that_is_lost_by_damage_stays_in_the_backup(house: House, filed, target, clock, tmp_path):
    take(house, target)
    lost = case_file_id(house, filed[0])
    with house.catalogue.housekeeping() as connection:
        connection.execute(sa.delete(tables.file_key).where(tables.file_key.c.case_file == lost))
    for _ in range(3):
        clock.wait(days=1)
        take(house, target)
    assert whole(house, target, tmp_path / "again") == sorted(filed)


def test_a_rehearsal_says_what_a_restore_would_be_and_is_recorded(house: House, filed, target):
    taken, told = take(house, target), []
    result = house.rehearsing.rehearse(
        CONSOLE, place(house.settings, str(target)), progress=lambda *step: told.append(step)
    )
    assert told == [(done, 14) for done in range(1, 15)]  # documents, inventories and records
    assert (result.whole, result.snapshot, result.files, result.reads) == (True, taken.snapshot, 3, 3)
    assert not house.rehearsing.scratch.exists()
    with house.catalogue.reading() as connection:
        assert follow(connection, 0)[-1].act is Act.REHEARSED


def test_a_rehearsal_reads_evidence_too(house: House, filed, monkeypatch):
    opened_documents, real = [], CaseFiles.open_document

    def seen(case_files, case_file, ordinal):
        opened_documents.append(ordinal)
        return real(case_files, case_file, ordinal)

    monkeypatch.setattr(CaseFiles, "open_document", seen)
    for _ in range(10):
        assert house.rehearsing._read(house.case_files, 20) == (3, [])
    assert set(opened_documents) - {0}  # not the vouchers alone


def test_what_a_rehearsal_finds_damaged_the_next_backup_copies_anew(house: House, filed, target, clock):
    take(house, target)
    one, *_, other = sorted((target / "objects").glob("*/*"))
    one.write_bytes(b"x")
    other.unlink()
    old = target / "catalogue" / newest(FolderStore(target), "catalogue")[0]
    clock.wait(days=1)
    take(house, target)
    old.write_bytes(old.read_bytes()[:-1])
    result = house.rehearsing.rehearse(CONSOLE, place(house.settings, str(target)))
    named = "\n".join(map(str, result.problems))
    assert one.name in named
    assert other.name not in named  # the backup in between copied it anew
    assert old.name in named
    old.unlink()
    clock.wait(days=1)
    assert take(house, target).copied >= 1
    assert house.rehearsing.rehearse(CONSOLE, place(house.settings, str(target))).whole


def test_a_rehearsal_tells_a_ledger_of_another_history(house: House, filed, target):
    take(house, target)
    with house.catalogue.housekeeping() as connection:
        connection.execute(sa.text("DROP TRIGGER ledger_checkpoint_no_update"))
        connection.execute(sa.text("UPDATE ledger_checkpoint SET note = note || 'x'"))
    assert any(
        "history" in each.en
        for each in house.rehearsing.rehearse(CONSOLE, place(house.settings, str(target))).problems
    )


def test_two_backups_at_once_are_both_whole(house: House, filed, target, tmp_path):
    failed = []

    def work() -> None:
        try:
            take(house, target)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    assert whole(house, target, tmp_path / "again") == sorted(filed)


@pytest.fixture
def prepared(house: House, filed, target, clock) -> list[str]:
    """A backup of before, and something new to back up."""
    take(house, target)
    new = house.filing.file(CONSOLE, BARE).reference
    clock.wait(days=1)
    house.catalogue.database.close()  # no connection crosses into a child
    return sorted([*filed, new])


def test_killed_at_any_step_the_snapshot_before_still_restores_and_the_next_run_goes_on(
    house: House, filed, target, tmp_path, prepared, record_property
):
    step = 0
    pristine = tmp_path / "pristine"
    shutil.copytree(target, pristine)
    while True:
        step += 1

        def work(at: int = step) -> None:
            with pytest.MonkeyPatch.context() as patch:
                strike(patch, Counted(lambda: os.kill(os.getpid(), signal.SIGKILL), at))
                take(house, target)

        status = in_a_child(work)
        assert status in (0, -signal.SIGKILL)
        restored = whole(house, target, tmp_path / "again")
        assert restored in (sorted(filed), prepared)
        if step % 5 == 0:
            take(house, target)
            assert not list((target / "incoming").iterdir())
            house.catalogue.database.close()
            assert whole(house, target, tmp_path / "again") == prepared
        shutil.rmtree(target)
        shutil.copytree(pristine, target)
        if status == 0:
            break
    record_property("faults", (step - 1, "killed at each step of a backup"))


def test_a_full_disk_at_any_write_is_told_and_leaves_the_snapshot_before(
    house: House, filed, target, tmp_path, prepared, record_property
):
    step = 0
    pristine = tmp_path / "pristine"
    shutil.copytree(target, pristine)

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    while True:
        step += 1
        with pytest.MonkeyPatch.context() as patch:
            counted = Counted(full, step)
            strike(patch, counted)
            try:
                take(house, target)
            except OSError as error:
                assert error.errno == errno.ENOSPC
            except MunimentError as error:
                assert error.code in (Code.DISK_FULL, Code.BACKUP_DAMAGED)
        assert whole(house, target, tmp_path / "again") in (sorted(filed), prepared)
        assert not list(house.settings.home.joinpath("staging").iterdir())
        shutil.rmtree(target)
        shutil.copytree(pristine, target)
        if counted.calls < step:
            break
    record_property("faults", (step - 1, "a full disk at each step of a backup"))


def test_a_restore_that_is_killed_leaves_no_half_archive_and_succeeds_the_next_time(
    house: House, filed, target, tmp_path, prepared, record_property
):
    home, step = tmp_path / "again", 0
    while True:
        step += 7

        def work(at: int = step) -> None:
            with pytest.MonkeyPatch.context() as patch:
                strike(patch, Counted(lambda: os.kill(os.getpid(), signal.SIGKILL), at))
                bring_back(house, target, home)

        status = in_a_child(work)
        if status == 0:
            break
        if home.exists():
            break
    shutil.rmtree(home)
    assert whole(house, target, home) == sorted(filed)
    record_property("faults", (step // 7 - 1, "a restore killed"))


def test_the_catalogue_in_a_backup_is_no_plain_database(house: House, filed, target):
    take(house, target)
    for path in stored(target / "catalogue"):
        with pytest.raises(sqlite3.DatabaseError):
            sqlite3.connect(path).execute("SELECT * FROM case_file")
