"""The server backs up, checks and repairs by itself; of two servers one does."""

import shutil
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from archive.casefile.reference import Reference
from archive.chores import Chore
from archive.database import leasing
from archive.database.tables import lease
from archive.errors import Code, MunimentError
from archive.fixity.recording import reports
from archive.fixity.report import Scope
from archive.ledger.entries import SYSTEM
from tests.conftest import QUICK
from web.settings import Settings
from web.watching import Stopped, Watch
from web.wiring import House, init, opened


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(
        home=tmp_path / "var",
        backup_to=str(tmp_path / "backup"),
        mirror=str(tmp_path / "mirror"),
        backup_keep=3,
    )


def snapshots(house: House) -> list[Path]:
    return sorted(Path(house.settings.backup_to, "snapshots").glob("*"))


def test_each_chore_is_done_once_a_day_and_the_check_of_all_once_a_quarter(house: House, filed, clock):
    watch = Watch(house)
    assert watch.look() == (Chore.BACKUP, Chore.FIXITY_ALL)
    assert watch.look() == ()
    clock.wait(days=1)
    assert watch.look() == (Chore.BACKUP, Chore.FIXITY_SAMPLE)
    clock.wait(hours=1)
    assert watch.look() == ()
    for _ in range(3):
        clock.wait(days=1)
        assert Chore.BACKUP in watch.look()
    assert len(snapshots(house)) == 3
    clock.wait(days=40)
    assert watch.look() == (Chore.BACKUP, Chore.FIXITY_ALL)
    kept = reports(house.catalogue)
    assert {each.actor for each in kept} == {SYSTEM}
    assert [each.scope for each in kept].count(Scope.ALL) == 2


def test_damage_that_a_check_finds_is_repaired_where_another_copy_is_configured(house: House, filed, clock):
    shutil.copytree(house.founded.vault.now.root, house.settings.mirror)
    path = (
        house.founded.vault.now.root / Reference.parse(filed[0]).folder / "v1" / "content" / f"{filed[0]}.pdf"
    )
    good = path.read_bytes()
    path.write_bytes(b"damaged")
    Watch(house).look()
    assert not reports(house.catalogue)[0].whole
    assert path.read_bytes() == good


def test_of_two_servers_one_does_the_chores(house: House, filed, clock, monkeypatch):
    inside, go_on = threading.Event(), threading.Event()
    take = house.backups.take

    def slowly(*args, **more):
        inside.set()
        assert go_on.wait(60)
        return take(*args, **more)

    monkeypatch.setattr(type(house.backups), "take", lambda self, *args, **more: slowly(*args, **more))
    done = []
    thread = threading.Thread(target=lambda: done.extend(Watch(house).look()))
    thread.start()
    assert inside.wait(60)
    assert Watch(house).look() == ()
    go_on.set()
    thread.join()
    assert done == [Chore.BACKUP, Chore.FIXITY_ALL]


def test_one_file_that_takes_longer_than_the_lease_lets_no_second_server_begin(
    house: House, filed, clock, monkeypatch
):
    """The first server works at one file all the time: nothing of its chore comes by to renew the lease."""

    def leased_until() -> datetime:
        with house.catalogue.reading() as connection:
            return connection.execute(sa.select(lease.c.until)).scalar_one()

    begun = []

    def slowly(self, *args, **more):
        for _ in range(4):
            clock.wait(minutes=4)
            for _ in range(2000):
                if leased_until() >= clock() + timedelta(minutes=10):
                    break
                threading.Event().wait(0.01)
            begun.append(Watch(house).look())
        raise MunimentError(Code.ARCHIVE_BUSY)

    monkeypatch.setattr(type(house.backups), "take", slowly)
    assert Watch(house, beat=0.01).look() == (Chore.FIXITY_ALL,)
    assert begun == [()] * 4
    with house.catalogue.reading() as connection:
        assert connection.execute(sa.select(lease)).all() == []


def test_a_server_that_slept_past_its_lease_ends_its_chore(house: House, filed, clock, monkeypatch):
    other = str(uuid4())

    def asleep(self, *args, progress, **more):
        clock.wait(minutes=11)
        assert leasing.take(house.catalogue, "chores", other, timedelta(minutes=10))
        progress(1, 3)

    monkeypatch.setattr(type(house.backups), "take", asleep)
    with pytest.raises(Stopped):
        Watch(house).look()
    assert not leasing.take(house.catalogue, "chores", "a third", timedelta(minutes=10))


def test_a_chore_that_fails_is_tried_again_after_an_hour_and_stops_no_other(
    house: House, filed, clock, monkeypatch, caplog
):
    def full(self, *args, **more):
        raise OSError(28, "No space left on device: 王小明")

    watch = Watch(house)
    with monkeypatch.context() as patch:
        patch.setattr(type(house.backups), "take", full)
        assert watch.look() == (Chore.FIXITY_ALL,)
    assert Code.DISK_FULL.value in caplog.text
    assert "王小明" not in caplog.text
    assert watch.look() == ()
    clock.wait(minutes=61)
    assert watch.look() == (Chore.BACKUP,)


def test_it_works_in_the_background_and_ends_with_the_server(house: House, filed, clock):
    with Watch(house, every=0.05):
        for _ in range(400):
            if reports(house.catalogue):
                break
            threading.Event().wait(0.05)
    assert reports(house.catalogue)[0].whole
    assert not [each for each in threading.enumerate() if each.name == "chores"]


def test_a_server_that_ends_cuts_its_chore_off(house: House, filed, clock, monkeypatch):
    watch = Watch(house)
    watch._stopping.set()
    with pytest.raises(Stopped):
        watch.look()
    assert reports(house.catalogue) == ()
    assert Watch(house).look() == (Chore.BACKUP, Chore.FIXITY_ALL)


def test_a_server_that_ends_does_not_wait_for_the_rest_of_a_long_recording(house: House):
    watch = Watch(house)
    watch._stopping.set()
    with pytest.raises(Stopped):
        watch._rest(1000)  # seconds that the pace of a check would have it wait


def test_a_mirror_of_another_archive_stops_no_start(tmp_path, clock):
    other = Settings(home=tmp_path / "other", backup_to=str(tmp_path / "theirs"))
    init(other)
    with opened(other, clock=clock, passwords=QUICK) as house:
        Watch(house).look()
    mine = Settings(home=tmp_path / "mine", mirror=str(tmp_path / "theirs"))
    init(mine)
    with opened(mine, clock=clock, passwords=QUICK) as house:
        assert house.repairing is not None
        with pytest.raises(MunimentError) as caught:
            house.repairing.open_copies()
        assert caught.value.code is Code.KEY_WRONG
    assert replace(mine, mirror=None).mirror is None
