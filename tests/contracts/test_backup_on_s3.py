"""A backup on a real S3: whole, incremental, and nothing lost when the service fails or loses an object."""

import shutil
import signal
from dataclasses import replace
from hashlib import sha512
from pathlib import Path
from uuid import uuid4

import pytest

from archive.backup.restoring import Restored
from archive.backup.taking import Taken
from archive.casefile.filing import Submission
from archive.casefile.reference import Reference
from archive.chores import Chore
from archive.errors import Code, Exit, MunimentError
from archive.ledger.entries import CONSOLE
from archive.ledger.verifying import verify
from archive.vault.connection import Service
from tests.conftest import QUICK
from tests.striking import die_at_request, in_a_child
from tests.vouchers import voucher
from web.backup_places import backup_place, place
from web.settings import Settings, check
from web.watching import Watch
from web.wiring import House, init, opened, restore

BARE = Submission("二级", "环境相关", None, None, voucher())


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Retries do not wait."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture
def settings(tmp_path, server, faults, bucket) -> Settings:
    """Vault on the disk, backup in a bucket behind the proxy, keys in another."""
    keys = f"keys-{uuid4()}"
    server.client().create_bucket(Bucket=keys)
    return Settings(
        home=tmp_path / "var",
        backup_to=f"s3://{bucket}/b",
        backup_keys_to=f"s3://{keys}/k",
        backup_s3_endpoint=faults.endpoint,
        backup_s3_region="us-east-1",
        backup_s3_credentials=server.credentials,
    )


def take(house: House, to: str | None = None) -> Taken:
    settings = house.settings
    return house.backups.take(
        CONSOLE,
        backup_place(settings, house.founded.vault, to or settings.backup_to, settings.backup_keys_to),
    )


def bring_back(house: House, home: Path) -> Restored:
    """As on an empty machine: from the backup, its keys, and the master key alone."""
    settings = replace(house.settings, home=home, key_file=house.settings.key_path)
    return restore(settings, place(settings, settings.backup_to))


def tree(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def restores(house: House, home: Path) -> int:
    """What the newest snapshot has is as in the vault; how many files it is."""
    assert bring_back(house, home).damaged == ()
    found = tree(home / "vault")
    assert found.items() <= tree(house.settings.home / "vault").items()
    shutil.rmtree(home)
    return len(found)


def comes_back(house: House, home: Path) -> None:
    assert restores(house, home) == len(tree(house.settings.home / "vault"))


def test_what_was_backed_up_comes_back_without_difference_and_is_verified(house: House, filed, tmp_path):
    taken = take(house)
    assert (taken.files, taken.documents, taken.damaged) == (3, 6, ())
    home = tmp_path / "again"
    assert bring_back(house, home).damaged == ()
    assert tree(home / "vault") == tree(house.settings.home / "vault")
    settings = replace(house.settings, home=home, key_file=house.settings.key_path)
    with opened(settings, passwords=QUICK) as again:
        assert again.fixity.check(CONSOLE).whole
        with again.catalogue.reading() as connection:
            verify(connection, again.catalogue.ledger, again.case_files.file_key)
    result = house.rehearsing.rehearse(CONSOLE, place(settings, settings.backup_to))
    assert (result.whole, result.files) == (True, 3)


def test_a_place_that_no_setting_names_outlives_the_master_key(house: House, filed, clock, tmp_path):
    unnamed = replace(house.settings, backup_to="", backup_keys_to="")
    named = house.settings.backup_to, house.settings.backup_keys_to
    with opened(unnamed, clock=clock, passwords=QUICK) as before:
        before.backups.take(CONSOLE, place(unnamed, *named))
        before.rotating.rotate(CONSOLE)
    clock.wait(days=1)
    with opened(unnamed, clock=clock, passwords=QUICK) as later:
        with pytest.raises(MunimentError) as caught:
            later.rehearsing.rehearse(CONSOLE, place(unnamed, *named))
        assert caught.value.code is Code.BACKUP_KEY_VERSION
        assert later.backups.take(CONSOLE, place(unnamed, *named)).copied == 0
        assert later.rehearsing.rehearse(CONSOLE, place(unnamed, *named)).whole
    comes_back(house, tmp_path / "again")


def test_key_and_ciphertext_lie_in_two_buckets_and_neither_can_be_read(house: House, filed, server):
    take(house)

    def held(where: str) -> dict[str, bytes]:
        name = where.removeprefix("s3://").partition("/")[0]
        client = server.client()
        keys = [each["Key"] for each in client.list_objects_v2(Bucket=name)["Contents"]]
        return {key: client.get_object(Bucket=name, Key=key)["Body"].read() for key in keys}

    backup, keys = held(house.settings.backup_to), held(house.settings.backup_keys_to)
    assert {each.split("/")[1] for each in backup} == {
        "muniment-backup.json",
        "objects",
        "catalogue",
        "snapshots",
    }
    assert {each.split("/")[1] for each in keys} == {"backup-key.json", "keys"}
    told = [
        each.encode() for each in (*filed, "王小明", "13800138000", "inventory", "%PDF-2.0", "SQLite format")
    ]
    for name, content in (*backup.items(), *keys.items()):
        assert not [each for each in told if each in content or each in name.encode()], name


def test_what_is_there_is_neither_put_nor_asked_for_one_by_one(house: House, filed, faults, clock):
    first = take(house)
    assert first.copied == 6 + 4 + 4  # documents, and an inventory and a record for each version
    clock.wait(days=1)
    faults.seen.clear()
    assert take(house).copied == 0
    methods = [method for method, _ in faults.seen]
    puts = [path for method, path in faults.seen if method == "PUT"]
    assert len(puts) == 3, "keys, catalogue and list"
    assert not [path for path in puts if "/objects/" in path]
    assert "HEAD" not in methods
    assert len(methods) < 30


class Course:
    """Runs that have the same to do each time: a new snapshot, with one more case file."""

    def __init__(self, house: House, faults, clock) -> None:
        self.house, self.faults, self.clock = house, faults, clock
        self.place = place(house.settings, house.settings.backup_to)

    def prepare(self) -> None:
        self.faults.plan = lambda *_: None
        self.clock.wait(days=1)
        self.house.filing.file(CONSOLE, BARE)

    def run(self) -> Taken:
        return self.house.backups.take(CONSOLE, self.place, keep=3)

    def requests(self) -> int:
        self.prepare()
        before = len(self.faults.seen)
        self.run()
        return len(self.faults.seen) - before

    def spoil(self, number: int, fault: object, *, for_good: bool) -> None:
        """From now on, the request of this number, and those that follow it, go wrong."""
        fatal = len(self.faults.seen) + number
        self.faults.plan = lambda _method, _path, seen: (
            fault if seen == fatal or (for_good and seen > fatal) else None
        )


@pytest.fixture
def course(house: House, filed, faults, clock) -> Course:
    take(house)
    made = Course(house, faults, clock)
    made.requests()
    return made


@pytest.mark.parametrize("fault", [503, "cut", "lost", "twice"])
def test_whichever_request_goes_wrong_once_the_backup_is_whole(
    course: Course, tmp_path, fault, record_property
):
    count = course.requests()
    for number in range(1, count + 1):
        course.prepare()
        course.spoil(number, fault, for_good=False)
        assert course.run().damaged == ()
        course.faults.plan = lambda *_: None
        if number % 6 == 0:
            comes_back(course.house, tmp_path / "again")
    record_property("faults", (count, f"S3 answers a request of a backup with: {fault}"))
    assert count > 12


@pytest.mark.parametrize("fault", [500, "cut"])
def test_whichever_request_the_service_stays_away_from_it_is_told_and_the_snapshot_before_restores(
    course: Course, tmp_path, fault, record_property
):
    count = course.requests()
    for number in range(1, count + 1):
        course.prepare()
        course.spoil(number, fault, for_good=True)
        with pytest.raises(MunimentError) as caught:
            course.run()
        assert (caught.value.code, caught.value.meaning.exit) == (Code.VAULT_UNREACHABLE, Exit.UNAVAILABLE)
        course.faults.plan = lambda *_: None
        if number % 6 == 0:
            restores(course.house, tmp_path / "again")
        if number % 3 == 0:
            course.run()
    course.prepare()
    course.run()
    comes_back(course.house, tmp_path / "again")
    record_property("faults", (count, f"S3 from a request of a backup on: {fault}"))


def test_killed_before_any_request_the_snapshot_before_restores_and_the_next_run_goes_on(
    course: Course, tmp_path, record_property
):
    number = 0
    while True:
        number += 1
        course.prepare()
        course.house.catalogue.database.close()  # no connection crosses into a child

        def work(at: int = number) -> None:
            die_at_request(at)
            take(course.house)

        status = in_a_child(work)
        assert status in (0, -signal.SIGKILL)
        if number % 6 == 0:
            restores(course.house, tmp_path / "again")
            course.run()
            comes_back(course.house, tmp_path / "again")
        if status == 0:
            break
    record_property("faults", (number - 1, "killed before a request of a backup to S3"))
    assert number > 12


def test_a_service_that_keeps_silent_is_given_up_and_named(house: House, filed, faults, monkeypatch):
    monkeypatch.setattr(
        Settings, "backup_service", property(lambda s: replace(_service(s), seconds=1.0)), raising=True
    )
    faults.plan = lambda method, *_: "slow" if method == "PUT" else None
    with pytest.raises(MunimentError) as caught:
        take(house)
    assert caught.value.code is Code.VAULT_UNREACHABLE
    assert caught.value.facts["place"] == house.settings.backup_keys_to


def _service(settings: Settings):
    return Service(settings.backup_s3_endpoint, settings.backup_s3_region, settings.backup_s3_credentials)


@pytest.fixture
def objects(house: House, filed, server) -> list[str]:
    """The keys of the objects in the bucket after a backup."""
    take(house)
    bucket = house.settings.backup_to.removeprefix("s3://").partition("/")[0]
    found = server.client().list_objects_v2(Bucket=bucket, Prefix="b/objects/")["Contents"]
    return sorted(each["Key"] for each in found)


def rehearse(house: House):
    return house.rehearsing.rehearse(CONSOLE, place(house.settings, house.settings.backup_to))


def test_a_bit_that_flips_on_the_disks_of_the_service_is_found_named_and_healed(
    house: House, objects, server, bucket, clock, monkeypatch
):
    """SeaweedFS finds it by its own checksum and then gives nothing; the object stays until it is put anew."""
    for module in ("bucket", "connection"):  # it tries for long itself, each time
        monkeypatch.setattr(f"archive.vault.{module}.ATTEMPTS", 1)
    key = objects[0]
    content = server.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    flipped = 0
    for path in server.data.rglob("*.dat"):
        where = path.read_bytes().find(content[5:69])
        if where >= 0:
            with path.open("r+b") as file:
                file.seek(where + 32)
                file.write(bytes([content[5 + 32] ^ 1]))
            flipped += 1
    assert flipped == 1
    result = rehearse(house)
    assert not result.whole
    assert any(each.en.startswith(key.removeprefix("b/")) for each in result.problems), result.problems
    clock.wait(days=1)
    assert take(house).copied == 1
    assert rehearse(house).whole
    assert take(house).copied == 0


def test_an_object_that_was_altered_or_deleted_is_found_named_and_healed(
    house: House, objects, server, bucket, clock
):
    altered, deleted = objects[0], objects[-1]
    client = server.client()
    content = client.get_object(Bucket=bucket, Key=altered)["Body"].read()
    client.put_object(Bucket=bucket, Key=altered, Body=content[:-1] + bytes([content[-1] ^ 1]))
    client.delete_object(Bucket=bucket, Key=deleted)
    problems = "\n".join(map(str, rehearse(house).problems))
    for key in (altered, deleted):
        assert key.removeprefix("b/") in problems
    clock.wait(days=1)
    assert take(house).copied == 2
    assert rehearse(house).whole
    aside = client.list_objects_v2(Bucket=bucket, Prefix="b/damaged/")["Contents"]
    assert len(aside) == 1


def test_a_service_that_is_away_is_no_damage_to_a_rehearsal(house: House, objects, faults, server, bucket):
    faults.plan = lambda *_: "cut"
    with pytest.raises(MunimentError) as caught:
        rehearse(house)
    assert caught.value.code is Code.VAULT_UNREACHABLE
    faults.plan = lambda *_: None
    assert not server.client().list_objects_v2(Bucket=bucket, Prefix="b/damaged/").get("Contents")
    assert rehearse(house).whole


def test_a_vault_that_is_away_ends_a_backup_and_is_no_damage(tmp_path, server, faults, bucket, clock):
    settings = Settings(
        home=tmp_path / "far",
        vault=f"s3://{bucket}/v",
        s3_endpoint=faults.endpoint,
        s3_region="us-east-1",
        s3_credentials=server.credentials,
        backup_to=str(tmp_path / "backup"),
    )
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK) as house:
        house.filing.file(CONSOLE, BARE)
        faults.plan = lambda *_: 503
        with pytest.raises(MunimentError) as caught:
            take(house)
        assert caught.value.code is Code.VAULT_UNREACHABLE
        faults.plan = lambda *_: None
        assert (take(house).copied, take(house).damaged) == (3, ())


def test_keys_in_the_bucket_of_what_they_open_are_refused(house: House, filed, bucket, faults):
    settings, before = house.settings, len(faults.seen)
    for keys in (f"s3://{bucket}", f"s3://{bucket}/elsewhere"):
        wrong = replace(settings, backup_to=f"s3://{bucket}/b", backup_keys_to=keys)
        for attempt in (lambda w=wrong: check(w), lambda w=wrong: place(w, w.backup_to, w.backup_keys_to)):
            with pytest.raises(MunimentError) as caught:
                attempt()
            assert (caught.value.code, caught.value.meaning.exit) == (Code.BACKUP_KEYS_TOGETHER, Exit.USAGE)
    assert len(faults.seen) == before


def test_keys_that_nobody_placed_go_to_a_bucket_beside(house: House, filed, bucket, server, tmp_path):
    settings = replace(house.settings, backup_keys_to="")
    to = f"s3://{bucket}/b"
    house.backups.take(CONSOLE, backup_place(settings, house.founded.vault, to))
    held = {
        name: {each["Key"] for each in server.client().list_objects_v2(Bucket=name)["Contents"]}
        for name in (bucket, f"{bucket}-keys")
    }
    assert "b/backup-key.json" in held[f"{bucket}-keys"]
    assert not any("key" in each for each in held[bucket])
    assert house.backups.take(CONSOLE, backup_place(settings, house.founded.vault, to)).copied == 0
    home = tmp_path / "back"
    there = replace(settings, home=home, key_file=settings.key_path)
    assert restore(there, place(there, to)).damaged == ()
    assert tree(home / "vault") == tree(settings.home / "vault")


@pytest.mark.parametrize("which", ["backup", "keys"])
def test_the_bucket_of_the_vault_takes_neither_backup_nor_keys(tmp_path, server, bucket, clock, which):
    to, keys = (
        (f"s3://{bucket}/b", str(tmp_path / "k"))
        if which == "backup"
        else (str(tmp_path / "b"), f"s3://{bucket}")
    )
    settings = Settings(
        home=tmp_path / "far",
        vault=f"s3://{bucket}/v",
        s3_endpoint=server.endpoint,
        s3_region="us-east-1",
        s3_credentials=server.credentials,
    )
    with pytest.raises(MunimentError) as caught:
        check(replace(settings, backup_to=to, backup_keys_to=keys))
    assert caught.value.code is Code.BACKUP_IN_VAULT
    init(settings)
    told = replace(settings, vault=None)  # the catalogue says where it lies
    with opened(told, clock=clock, passwords=QUICK) as house, pytest.raises(MunimentError) as caught:
        backup_place(house.settings, house.founded.vault, to, keys)
    assert caught.value.code is Code.BACKUP_IN_VAULT


@pytest.mark.parametrize("text", ["s3://", "s3:///x", "http://bucket/x", "s3://b//x"])
def test_what_names_no_place_is_said(tmp_path, text):
    for settings in (
        Settings(home=tmp_path / "var", backup_to=text, backup_keys_to=str(tmp_path)),
        Settings(home=tmp_path / "var", backup_to=str(tmp_path / "b"), backup_keys_to=text),
        Settings(home=tmp_path / "var", mirror=text),
    ):
        with pytest.raises(MunimentError) as caught:
            check(settings)
        assert caught.value.code is Code.SETTING_INVALID


def test_the_server_backs_up_to_s3_and_repairs_from_there(settings: Settings, clock):
    settings = replace(settings, mirror=settings.backup_to)
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK) as house:
        reference = house.filing.file(CONSOLE, BARE).reference
        assert Chore.BACKUP in Watch(house).look()
        folder = house.founded.vault.now.root / Reference.parse(reference).folder
        path = folder / "v1" / "content" / f"{reference}.pdf"
        good = path.read_bytes()
        path.write_bytes(b"x")
        report = house.fixity.check(CONSOLE)
        assert not report.whole
        (repair,) = house.repairing.repair(CONSOLE, report)
        assert (repair.replaced, repair.left) == ((f"{reference}.pdf",), ())
        assert path.read_bytes() == good


def test_damage_is_repaired_from_a_plain_copy_in_a_bucket(house: House, filed, server, clock):
    copy = f"copy-{uuid4()}"
    client = server.client()
    client.create_bucket(Bucket=copy)
    root = house.settings.home / "vault"
    for path, content in tree(root).items():
        client.put_object(Bucket=copy, Key=f"mirror/{path}", Body=content)
    path = root / Reference.parse(filed[0]).folder / "v1" / "content" / f"{filed[0]}-01.pdf"
    good = path.read_bytes()
    path.unlink()
    settings = replace(house.settings, mirror=f"s3://{copy}/mirror")
    with opened(settings, clock=clock, passwords=QUICK) as mirrored:
        (repair,) = mirrored.repairing.repair(CONSOLE, mirrored.fixity.check(CONSOLE))
        assert repair.left == ()
    assert sha512(path.read_bytes()).digest() == sha512(good).digest()


def test_a_service_that_refuses_is_named(house: House, filed, server, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("[default]\naws_access_key_id = archive\naws_secret_access_key = very-wrong\n")
    settings = replace(house.settings, backup_s3_credentials=wrong)
    with pytest.raises(MunimentError) as caught:
        house.backups.take(CONSOLE, place(settings, settings.backup_to))
    assert (caught.value.code, caught.value.meaning.exit) == (Code.VAULT_REFUSED, Exit.UNAVAILABLE)
    assert "very-wrong" not in str(caught.value)
