"""Object Lock on a real S3: what is locked stays, whoever has the archive's credentials; locks follow the catalogue."""

import io
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from botocore.exceptions import ClientError

from archive.casefile.filing import Submission
from archive.casefile.recovering import recover
from archive.casefile.reference import Reference
from archive.chores import Chore
from archive.errors import Code, Exit, MunimentError
from archive.ledger.entries import CONSOLE
from archive.vault.bucket import Bucket
from archive.vault.connection import Service
from archive.vault.objectlocks import ObjectLocks
from archive.vault.protection import Locking, LockMode, Protection
from archive.vault.s3 import S3Vault
from archive.vault.staging import StagingArea
from tests.conftest import QUICK
from tests.contracts.test_s3_faults import KEPT, NAME, NEXT, add, as_it_should_be, place
from tests.striking import die_at_request, in_a_child
from tests.vouchers import voucher
from web.settings import Settings, check
from web.watching import Watch
from web.wiring import House, init, opened

BARE = Submission("一级", "环境相关", None, None, voucher())
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Retries do not wait."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


def vault_of(folder, place_, server, mode=LockMode.GOVERNANCE) -> S3Vault:
    service = Service(server.endpoint, "us-east-1", server.credentials, locking=Locking(mode, 3))
    staging = folder / "staging"
    return S3Vault(Bucket(place_, service, staging, part=5 << 20), StagingArea(staging, folder / "locks"))


@pytest.fixture
def vault(server, lockable, tmp_path) -> S3Vault:
    made = vault_of(tmp_path, f"s3://{lockable}/v", server)
    made.create()
    place(made, KEPT, {NAME: bytes(6 << 20)})  # in parts
    return made


def heads(server, bucket, below="") -> dict[str, dict]:
    """Every current object, by its key."""
    client = server.client()
    found = client.list_objects_v2(Bucket=bucket, Prefix=below).get("Contents", ())
    return {each["Key"]: client.head_object(Bucket=bucket, Key=each["Key"]) for each in found}


def lasts(head) -> timedelta:
    return head["ObjectLockRetainUntilDate"] - datetime.now(UTC)


@pytest.mark.parametrize("mode", [LockMode.GOVERNANCE, LockMode.COMPLIANCE])
def test_what_was_put_cannot_be_deleted_for_its_first_days(server, lockable, tmp_path, mode) -> None:
    vault = vault_of(tmp_path, f"s3://{lockable}/v", server, mode)
    vault.create()
    place(vault, KEPT, {NAME: bytes(6 << 20), "b.pdf": b"small"})
    client = server.client()
    for key, head in heads(server, lockable).items():
        assert head["ObjectLockMode"] == mode.name
        assert 2 * DAY < lasts(head) <= 3 * DAY
        with pytest.raises(ClientError, match="Access"):
            client.delete_object(Bucket=lockable, Key=key, VersionId=head["VersionId"])
        sooner = {"Mode": mode.name, "RetainUntilDate": datetime.now(UTC) + DAY}
        with pytest.raises(ClientError, match="Access"):
            client.put_object_retention(Bucket=lockable, Key=key, Retention=sooner)


def test_a_lock_is_made_longer_and_never_shorter(vault, server, lockable) -> None:
    far = datetime.now(UTC) + 900 * DAY
    for until in (far, None, datetime.now(UTC) - DAY, datetime.now(UTC) + DAY, far):
        vault.protect(KEPT, Protection(until, held=False))
        assert vault.protects(KEPT, Protection(until, held=False))
        for head in heads(server, lockable, f"v/{KEPT}/").values():
            assert abs(head["ObjectLockRetainUntilDate"] - far) < timedelta(seconds=2)
    assert not vault.protects(KEPT, Protection(far + DAY, held=False))


def test_a_lock_of_the_stronger_mode_is_made_longer_when_the_weaker_one_is_wanted_by_now(
    server, lockable, tmp_path
) -> None:
    now = datetime.now(UTC)
    stronger = vault_of(tmp_path, f"s3://{lockable}/v", server, LockMode.COMPLIANCE)
    stronger.create()
    place(stronger, KEPT, {NAME: b"x"})
    weaker, wanted = vault_of(tmp_path, f"s3://{lockable}/v", server), Protection(now + 9 * DAY, held=False)
    assert not weaker.protects(KEPT, wanted)
    weaker.protect(KEPT, wanted)
    assert weaker.protects(KEPT, wanted)
    for head in heads(server, lockable, f"v/{KEPT}/").values():
        assert (head["ObjectLockMode"], lasts(head).days) == ("COMPLIANCE", 8)


@contextmanager
def without_the_right(bucket: Bucket) -> Iterator[None]:
    """As for credentials that may not bypass governance: SeaweedFS then refuses, and ours here may do everything."""

    def plain(params, **_):
        params.pop("BypassGovernanceRetention", None)

    events = bucket._connection.client.meta.events
    events.register("provide-client-params.s3.PutObjectRetention", plain)
    yield
    events.unregister("provide-client-params.s3.PutObjectRetention", plain)


def test_a_weaker_lock_becomes_a_stronger_one_for_who_has_the_right_and_never_a_shorter_one(
    vault, server, lockable, tmp_path
) -> None:
    now = datetime.now(UTC)
    vault.protect(KEPT, Protection(now + 30 * DAY, held=False))
    stronger = vault_of(tmp_path, f"s3://{lockable}/v", server, LockMode.COMPLIANCE)
    for wanted, days in ((10, 29), (40, 39)):
        protection = Protection(now + wanted * DAY, held=True)
        stronger.protect(KEPT, protection)
        assert stronger.protects(KEPT, protection)
        for head in heads(server, lockable, f"v/{KEPT}/").values():
            assert (head["ObjectLockMode"], lasts(head).days) == ("COMPLIANCE", days)


def test_without_the_right_a_weaker_lock_is_made_longer_and_holds_are_placed(
    vault, server, lockable, tmp_path
) -> None:
    """Files were completed under governance, as an archive begins; then compliance is wanted."""
    now = datetime.now(UTC)
    vault.protect(KEPT, Protection(now + 30 * DAY, held=False))
    stronger = vault_of(tmp_path, f"s3://{lockable}/v", server, LockMode.COMPLIANCE)
    for wanted, days in ((10, 29), (40, 39)):
        protection = Protection(now + wanted * DAY, held=True)
        with without_the_right(stronger._bucket):
            stronger.protect(KEPT, protection)
        assert not stronger.protects(KEPT, protection)
        assert stronger.protects(KEPT, protection, weakly=True)
        assert not stronger.protects(KEPT, replace(protection, until=now + 99 * DAY), weakly=True)
        for head in heads(server, lockable, f"v/{KEPT}/").values():
            assert (head["ObjectLockMode"], lasts(head).days) == ("GOVERNANCE", days)
            assert head["ObjectLockLegalHoldStatus"] == "ON"


def test_a_legal_hold_keeps_what_no_period_keeps(vault, server, lockable) -> None:
    client = server.client()
    for held in (True, True, False, False, True):
        vault.protect(KEPT, Protection(None, held))
        assert vault.protects(KEPT, Protection(None, held))
        assert not vault.protects(KEPT, Protection(None, not held))
    client.put_object(Bucket=lockable, Key="x", Body=b"x")  # without a period
    vault._bucket._connection.prefix, prefix = "", vault._bucket._connection.prefix
    vault._bucket.locks.protect("x", Protection(None, held=True))
    version = client.head_object(Bucket=lockable, Key="x")["VersionId"]
    with pytest.raises(ClientError, match="Access"):
        client.delete_object(Bucket=lockable, Key="x", VersionId=version)
    vault._bucket.locks.protect("x", Protection(None, held=False))
    client.delete_object(Bucket=lockable, Key="x", VersionId=version)
    vault._bucket._connection.prefix = prefix


def test_what_is_rolled_back_is_hidden_and_its_place_is_filled_anew(vault, server, lockable) -> None:
    place(vault, NEXT, {NAME: b"never committed"})
    vault.roll_back(NEXT, 0)
    assert not vault.holds(NEXT)
    assert list(vault.paths(NEXT)) == []
    with pytest.raises(MunimentError) as caught:
        vault.open(NEXT, 1, NAME)
    assert caught.value.code is Code.DOCUMENT_MISSING
    place(vault, NEXT, {NAME: b"filed"})
    add(vault, NEXT, 2, {NAME: b"half a version"})
    vault.roll_back(NEXT, 1)
    as_it_should_be(vault, NEXT, [{NAME: b"filed"}])
    versions = server.client().list_object_versions(Bucket=lockable, Prefix=f"v/{NEXT}/v1/content/")
    assert len(versions["Versions"]) == 2
    assert len(versions["DeleteMarkers"]) == 1


def test_a_version_that_is_added_and_a_file_that_is_replaced_are_told_and_locked(vault) -> None:
    wanted = Protection(datetime.now(UTC) + 900 * DAY, held=True)
    vault.protect(KEPT, wanted)
    path = f"{KEPT}/v1/content/{NAME}"
    vault.replace(path, io.BytesIO(b"mended"))
    assert vault._bucket.locks.protects(path, wanted)
    assert vault.protects(KEPT, wanted)
    add(vault, KEPT, 2, {"b.pdf": b"added"})
    assert not vault.protects(KEPT, wanted)
    vault.protect(KEPT, wanted)
    assert all(vault._bucket.locks.protects(path, wanted) for path in vault.paths(KEPT))


@pytest.mark.parametrize("held", [True, False])
def test_cut_off_between_two_objects_it_is_never_taken_for_done(vault, monkeypatch, held) -> None:
    before, wanted = Protection(None, not held), Protection(datetime.now(UTC) + 900 * DAY, held)
    count = len(list(vault.paths(KEPT)))
    protect = ObjectLocks.protect
    for number in range(1, count):
        vault.protect(KEPT, before)
        left = [number]

        def cut(self, key, to, left=left):
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            protect(self, key, to)

        with monkeypatch.context() as patch:
            patch.setattr(ObjectLocks, "protect", cut)
            with pytest.raises(KeyboardInterrupt):
                vault.protect(KEPT, wanted)
        assert not vault.protects(KEPT, wanted)
        assert not vault.protects(KEPT, before)
        vault.protect(KEPT, wanted)
        assert all(vault._bucket.locks.protects(path, wanted) for path in vault.paths(KEPT))


@pytest.fixture
def settings(tmp_path, server, faults, lockable) -> Settings:
    return Settings(
        home=tmp_path / "var",
        vault=f"s3://{lockable}/v",
        s3_endpoint=faults.endpoint,
        s3_region="us-east-1",
        s3_credentials=server.credentials,
        s3_object_lock="governance",
        s3_object_lock_days=3,
    )


@pytest.fixture
def house(settings, clock) -> Iterator[House]:
    clock.now = datetime.now(UTC)  # locks are by the clock of the service
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK) as built:
        yield built


@pytest.fixture
def reference(house) -> str:
    return house.filing.file(CONSOLE, BARE).reference


@pytest.fixture
def locks(house, server, lockable, reference):
    """The locks of all objects of the case file: until which days, and whether held."""

    def told() -> tuple[set[date], set[bool]]:
        found = heads(server, lockable, f"v/{Reference.parse(reference).folder}/").values()
        zone = house.settings.zone
        return (
            {head["ObjectLockRetainUntilDate"].astimezone(zone).date() for head in found},
            {head.get("ObjectLockLegalHoldStatus") == "ON" for head in found},
        )

    return told


def due(house, reference) -> date:
    return house.protecting.schedule.due_on(house.case_files.get(reference))


def test_completing_locks_until_the_file_is_due(house, reference, locks, server, lockable):
    today = house.clock().astimezone(house.settings.zone).date()
    short = {today + 3 * DAY}
    assert locks() == (short, {False})
    house.completing.complete(CONSOLE, reference, today)
    assert locks() == ({due(house, reference)}, {False})
    midnight = datetime.combine(due(house, reference), time(), house.settings.zone)
    (head, *_) = heads(server, lockable, f"v/{Reference.parse(reference).folder}/").values()
    assert head["ObjectLockRetainUntilDate"] == midnight
    assert house.protecting.is_protected(house.case_files.get(reference))


def test_a_completion_that_is_refused_locks_nothing_and_one_that_cannot_lock_is_refused(
    house, reference, locks, faults
):
    today = house.clock().astimezone(house.settings.zone).date()
    before = locks()
    with pytest.raises(MunimentError):
        house.completing.complete(CONSOLE, reference, today + DAY)
    assert locks() == before
    faults.plan = lambda *_: 503
    with pytest.raises(MunimentError) as caught:
        house.completing.complete(CONSOLE, reference, today)
    assert caught.value.code is Code.VAULT_UNREACHABLE
    faults.plan = lambda *_: None
    assert house.case_files.get(reference).completed_on is None


def test_holds_are_legal_holds_until_the_last_is_lifted(house, reference, locks):
    first = house.holds.place(CONSOLE, reference, "诉讼保全")
    second = house.holds.place(CONSOLE, reference, "行政调查")
    assert locks()[1] == {True}
    with pytest.raises(MunimentError):
        house.holds.place(CONSOLE, reference, "行政调查")
    house.holds.lift(CONSOLE, first.id, "诉讼已结")
    assert locks()[1] == {True}
    house.holds.lift(CONSOLE, second.id, "调查已结")
    assert locks()[1] == {False}


def test_a_hold_that_cannot_lock_is_refused_and_one_that_was_lifted_meanwhile_is_so_later(
    house, reference, locks, faults
):
    faults.plan = lambda *_: 503
    with pytest.raises(MunimentError) as caught:
        house.holds.place(CONSOLE, reference, "诉讼保全")
    assert caught.value.code is Code.VAULT_UNREACHABLE
    assert house.holds.active(reference) == ()
    faults.plan = lambda *_: None
    house.holds.place(CONSOLE, reference, "诉讼保全")
    faults.plan = lambda *_: 503 if house.holds.active(reference) == () else None  # from its commit on
    house.holds.lift(CONSOLE, reference, "诉讼已结")
    faults.plan = lambda *_: None
    assert locks()[1] == {True}
    assert house.protecting.settle(CONSOLE).wrong == 1
    assert locks()[1] == {False}


@pytest.mark.parametrize("act", ["complete", "hold", "lift"])
def test_killed_before_any_request_the_watch_sets_right_what_was_left(
    house, reference, locks, act, record_property
):
    today = house.clock().astimezone(house.settings.zone).date()
    number, points = 0, 0
    while True:
        number, points = (
            number * 3 // 2 + 2,
            points + 1,
        )  # each round leaves a version, so an act asks ever more
        if act == "lift" and not house.holds.active(reference):
            house.holds.place(CONSOLE, reference, "诉讼保全")
        if act == "hold" and house.holds.active(reference):
            house.holds.lift(CONSOLE, reference, "诉讼已结")
        house.catalogue.database.close()  # no connection crosses into a child

        def work(at: int = number) -> None:
            die_at_request(at)
            house.founded.vault._known.clear()  # nor one to the service
            if act == "complete":
                house.completing.complete(CONSOLE, reference, today)
            elif act == "hold":
                house.holds.place(CONSOLE, reference, "诉讼保全")
            else:
                house.holds.lift(CONSOLE, reference, "诉讼已结")

        status = in_a_child(work)
        recover(house.catalogue, house.founded.vault)  # as the next start does: what was not committed goes
        house.protecting.settle(CONSOLE)
        assert house.protecting.is_protected(house.case_files.get(reference))
        assert locks()[1] == {bool(house.holds.active(reference))}
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert points > 5
    record_property("faults", (points - 1, f"killed before a request to S3: {act}"))


def test_the_watch_locks_what_void_and_permanent_files_need_and_renews_it(house, reference, locks, clock):
    grounded = replace(BARE, level="三级", permanent="legal-dispute")
    other = house.filing.file(CONSOLE, grounded).reference
    house.voiding.void(CONSOLE, reference, "重复登记")
    assert house.protecting.is_protected(house.case_files.get(reference))
    assert Chore.PROTECTION in Watch(house).look()
    assert locks() == ({due(house, reference)}, {False})
    kept = house.case_files.get(other)
    assert house.protecting.is_protected(kept)
    assert house.protecting.settle(CONSOLE).wrong == 0
    assert Chore.PROTECTION not in Watch(house).look()
    clock.wait(days=366)
    assert not house.protecting.is_protected(kept)
    assert Chore.PROTECTION in Watch(house).look()
    assert house.protecting.is_protected(kept)


def test_a_file_whose_locks_are_refused_is_named_and_keeps_no_other_from_its_own(
    house, reference, monkeypatch
):
    grounded = replace(BARE, level="三级", permanent="legal-dispute")
    house.filing.file(CONSOLE, grounded)
    refused = house.filing.file(CONSOLE, grounded).reference  # newer, so that it comes first
    protect = S3Vault.protect

    def some(vault, folder, wanted):
        if folder == Reference.parse(refused).folder:
            raise MunimentError(Code.VAULT_REFUSED, place="s3://x", problem="AccessDenied")
        protect(vault, folder, wanted)

    monkeypatch.setattr(S3Vault, "protect", some)
    settled = house.protecting.settle(CONSOLE)
    assert (settled.files, settled.wrong, settled.left) == (3, 2, (refused,))
    monkeypatch.undo()
    assert house.protecting.settle(CONSOLE).wrong == 1


def test_after_a_change_to_compliance_the_weaker_locks_are_said_once_and_set_right_with_the_right(
    house, reference, settings, clock, faults, caplog
):
    others = [house.filing.file(CONSOLE, BARE).reference for _ in range(2)]
    for each in (reference, *others):
        house.completing.complete(CONSOLE, each, house.clock().astimezone(settings.zone).date())
    house.catalogue.database.close()
    with opened(replace(settings, s3_object_lock="compliance"), clock=clock, passwords=QUICK) as later:
        watch, before = Watch(later), len(faults.seen)
        with without_the_right(later.founded.vault.now._bucket):
            for _ in range(3):
                assert Chore.PROTECTION in watch.look()
                clock.wait(days=1)
        assert caplog.text.count("3 case files stay under governance locks") == 1
        assert "cannot be locked as they must be" not in caplog.text
        newest = Reference.parse(others[1]).folder  # comes first: after it none is tried
        tried = [path for method, path in faults.seen[before:] if method == "PUT" and "retention" in path]
        assert tried
        assert all(newest in path for path in tried)
        settled = later.protecting.settle(CONSOLE)
        assert (settled.files, settled.wrong, settled.weaker, settled.left) == (3, 3, 0, ())
        assert later.protecting.settle(CONSOLE).wrong == 0


def test_a_bucket_that_cannot_lock_is_refused_at_the_beginning_and_at_each_start(
    tmp_path, server, bucket, lockable, settings, clock
):
    plain = replace(settings, home=tmp_path / "plain", vault=f"s3://{bucket}/v")
    with pytest.raises(MunimentError) as caught:
        init(plain)
    assert (caught.value.code, caught.value.meaning.exit) == (Code.VAULT_UNLOCKED, Exit.USAGE)
    assert not plain.home.exists()
    init(replace(plain, s3_object_lock="off"))
    with pytest.raises(MunimentError) as caught, opened(plain, clock=clock, passwords=QUICK):
        pass
    assert caught.value.code is Code.VAULT_UNLOCKED


def test_a_vault_that_moves_to_a_bucket_is_locked_there(tmp_path, settings, lockable, clock):
    local = replace(settings, vault=None)
    clock.now = datetime.now(UTC)
    init(local)
    with opened(local, clock=clock, passwords=QUICK) as house:
        reference = house.filing.file(CONSOLE, BARE).reference
        today = clock.now.astimezone(local.zone).date()
        house.completing.complete(CONSOLE, reference, today)
        house.holds.place(CONSOLE, reference, "诉讼保全")
        assert Chore.PROTECTION not in Watch(house).look()
        house.moving.move(CONSOLE, f"s3://{lockable}/moved")
        kept = house.case_files.get(reference)
        assert not house.protecting.is_protected(kept)
        assert house.protecting.settle(CONSOLE).wrong == 1
        assert house.protecting.is_protected(kept)
        assert house.fixity.check(CONSOLE).whole


@pytest.mark.parametrize("wrong", [{"s3_object_lock": "on"}, {"s3_object_lock_days": 1}])
def test_a_setting_that_is_none_is_said(settings, wrong):
    with pytest.raises(MunimentError) as caught:
        check(replace(settings, **wrong))
    assert caught.value.code is Code.SETTING_INVALID
