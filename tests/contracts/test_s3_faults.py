"""An S3 that fails: each request of an act goes wrong once, and for good from there on. What was acknowledged stays."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha512
from secrets import token_bytes

import pytest
from botocore.exceptions import ClientError

from archive.errors import Code, Exit, MunimentError
from archive.vault.bucket import Bucket
from archive.vault.connection import Service
from archive.vault.inventory import Change
from archive.vault.s3 import S3Vault
from archive.vault.staging import StagingArea
from tests.contracts.conftest import SILENCE

KEPT, NEXT = "2026/一级/服务相关/2026-一级-服务相关-001", "2026/一级/服务相关/2026-一级-服务相关-002"
NAME, SECOND = "a.pdf", "b.pdf"
LARGE = bytes(5 << 20) + b"tail"  # two parts
PATIENCE = 30.0  # seconds: a busy machine is not to be taken for a silent service


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Retries do not wait."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture
def vault(faults, server, bucket, tmp_path):
    made = vault_of(tmp_path, f"s3://{bucket}/v", faults.endpoint, server.credentials)
    made.create()
    place(made, KEPT, {NAME: b"acknowledged"})
    return made


@pytest.fixture
def impatient(vault, faults, server, bucket, tmp_path):
    """The same vault, for who waits for a silent service."""
    return vault_of(tmp_path, f"s3://{bucket}/v", faults.endpoint, server.credentials, SILENCE)


def vault_of(folder, place_, endpoint, credentials, seconds=PATIENCE) -> S3Vault:
    service = Service(endpoint, "us-east-1", credentials, seconds=seconds)
    staging = folder / "staging"
    return S3Vault(Bucket(place_, service, staging, part=5 << 20), StagingArea(staging, folder / "locks"))


def change(content) -> Change:
    digests = {name: sha512(each).hexdigest() for name, each in content.items()}
    return Change(datetime(2026, 11, 24, tzinfo=UTC), "filed", "P0001", digests)


def place(vault, folder, content) -> None:
    with vault.staging() as staging:
        for name, each in content.items():
            staging.put(name, io.BytesIO(each))
        vault.place(staging, folder, "urn:uuid:x", change(content))


def add(vault, folder, version, content) -> None:
    with vault.staging() as staging:
        for name, each in content.items():
            staging.put(name, io.BytesIO(each))
        vault.add_version(staging, folder, version, change(content))
        staging.settled = True


def read(vault, folder, version, name) -> bytes:
    with vault.open(folder, version, name) as stream:
        return stream.read()


def as_it_should_be(vault, folder, versions) -> None:
    """Every version reads as it was given, and nothing else lies in the object."""
    brought = set()
    for version, content in enumerate(versions, start=1):
        brought |= {f"v{version}/content/{name}" for name in content}
        for name, each in content.items():
            assert read(vault, folder, version, name) == each
        brought |= {f"v{version}/inventory.json", f"v{version}/inventory.json.sha512"}
    brought |= {"inventory.json", "inventory.json.sha512", "0=ocfl_object_1.1"}
    assert {path.removeprefix(f"{folder}/") for path in vault.paths(folder)} == brought
    with vault.open_path(f"{folder}/inventory.json") as stream:
        content = stream.read()
    with vault.open_path(f"{folder}/inventory.json.sha512") as stream:
        assert stream.read().split()[0] == sha512(content).hexdigest().encode()
    assert vault.inventory(folder)["head"] == f"v{len(versions)}"


FIRST, SECOND_VERSION = {NAME: b"voucher", SECOND: LARGE}, {NAME: b"stamped"}


def act(vault) -> None:
    place(vault, NEXT, FIRST)
    add(vault, NEXT, 2, SECOND_VERSION)


def requests_of(vault, faults, run: Callable) -> int:
    before = len(faults.seen)
    run(vault)
    count = len(faults.seen) - before
    vault.remove(NEXT)
    return count


@pytest.mark.parametrize("fault", [503, "cut", "lost", "twice"])
def test_whichever_request_goes_wrong_once_the_act_succeeds_and_is_whole(
    vault, faults, fault, record_property
) -> None:
    count = requests_of(vault, faults, act)
    for number in range(1, count + 1):
        start = len(faults.seen)
        faults.plan = lambda _method, _path, seen, fatal=start + number: fault if seen == fatal else None
        act(vault)
        faults.plan = lambda *_: None
        as_it_should_be(vault, NEXT, [FIRST, SECOND_VERSION])
        vault.remove(NEXT)
    as_it_should_be(vault, KEPT, [{NAME: b"acknowledged"}])
    record_property("faults", (count, f"S3 answers a request with: {fault}"))
    assert count > 20


@pytest.mark.parametrize("fault", [500, "cut"])
def test_whichever_request_the_service_stays_away_from_the_act_is_refused_and_rolls_back(
    vault, faults, fault, record_property
) -> None:
    count = requests_of(vault, faults, act)
    for number in range(1, count + 1):
        start = len(faults.seen)
        faults.plan = lambda _method, _path, seen, fatal=start + number: fault if seen >= fatal else None
        with pytest.raises(MunimentError) as caught:
            act(vault)
        assert (caught.value.code, caught.value.meaning.exit) == (Code.VAULT_UNREACHABLE, Exit.UNAVAILABLE)
        faults.plan = lambda *_: None
        as_it_should_be(vault, KEPT, [{NAME: b"acknowledged"}])
        vault.roll_back(NEXT, 0)
        assert list(vault.paths(NEXT)) == []
    act(vault)
    as_it_should_be(vault, NEXT, [FIRST, SECOND_VERSION])
    record_property("faults", (count, f"S3 from a request on: {fault}"))


class Killed(BaseException):
    """As if the process were gone: nothing of ours runs after it but what Python runs."""


def test_a_process_killed_before_any_request_leaves_what_the_next_one_replaces(
    vault, faults, monkeypatch, record_property
) -> None:
    count = requests_of(vault, faults, act)
    from botocore.httpsession import URLLib3Session

    send = URLLib3Session.send
    for number in range(1, count + 1):
        left = [number]

        def kill(self, request, left=left):
            left[0] -= 1
            if left[0] <= 0:
                raise Killed
            return send(self, request)

        with monkeypatch.context() as killing:
            killing.setattr(URLLib3Session, "send", kill)
            with pytest.raises(Killed):
                act(vault)
        if any(path == f"{NEXT}/inventory.json" for path in vault.paths(NEXT)):
            vault.roll_back(NEXT, 1)
            as_it_should_be(vault, NEXT, [FIRST])
            add(vault, NEXT, 2, SECOND_VERSION)
        else:
            act(vault)
        as_it_should_be(vault, NEXT, [FIRST, SECOND_VERSION])
        vault.remove(NEXT)
    record_property("faults", (count, "killed before a request to S3"))


def test_no_half_upload_stays_behind(vault, faults, server, bucket) -> None:
    faults.plan = lambda method, path, _n: 500 if method == "DELETE" or "partNumber=2" in path else None
    with pytest.raises(MunimentError):
        place(vault, NEXT, FIRST)
    faults.plan = lambda *_: None
    assert server.client().list_multipart_uploads(Bucket=bucket).get("Uploads")
    vault.roll_back(NEXT, 0)
    assert not server.client().list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_more_half_uploads_than_one_page_lists_are_all_given_up(vault, server, bucket) -> None:
    """Pages of 2 here; Amazon's have 1000."""
    client = server.client()
    for key in ("1", "2", "2", "3", "4"):
        client.create_multipart_upload(Bucket=bucket, Key=f"v/{NEXT}/v1/content/{key}.pdf")
    client.create_multipart_upload(Bucket=bucket, Key="another's")
    vault._bucket._connection.client.meta.events.register(
        "provide-client-params.s3.ListMultipartUploads", lambda params, **_: {**params, "MaxUploads": 2}
    )
    vault.roll_back(NEXT, 0)
    left = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [each["Key"] for each in left] == ["another's"]


@pytest.mark.parametrize("fault", [500, "slow", "cut", "broken"])
def test_reading_gets_over_one_fault_and_says_so_when_they_stay(impatient, faults, fault) -> None:
    faults.once(fault, "GET", NAME)
    assert read(impatient, KEPT, 1, NAME) == b"acknowledged"
    faults.plan = lambda method, *_: fault if method == "GET" else None
    with pytest.raises(MunimentError) as caught:
        read(impatient, KEPT, 1, NAME)
    assert caught.value.code is Code.VAULT_UNREACHABLE


def test_a_bit_that_flips_on_the_disks_of_the_service_is_named(vault, impatient, server) -> None:
    """SeaweedFS finds it by its own checksum and then gives nothing: that is no outage, and is said of the document."""
    content = token_bytes(100_000)
    place(vault, NEXT, {NAME: content, SECOND: b"sound"})
    flipped = 0
    for path in server.data.rglob("*.dat"):
        where = path.read_bytes().find(content[:64])
        if where >= 0:
            with path.open("r+b") as file:
                file.seek(where + 32)
                file.write(bytes([content[32] ^ 1]))
            flipped += 1
    assert flipped == 1
    with pytest.raises(MunimentError) as caught:
        read(impatient, NEXT, 1, NAME)
    assert (caught.value.code, caught.value.meaning.exit) == (Code.DOCUMENT_UNREADABLE, Exit.DAMAGED)
    assert caught.value.facts["document"] == NAME
    assert read(vault, NEXT, 1, SECOND) == b"sound"


def test_a_service_that_keeps_silent_while_putting_is_given_up_after_a_while(impatient, faults) -> None:
    faults.plan = lambda method, *_: "slow" if method == "PUT" else None
    with pytest.raises(MunimentError) as caught:
        place(impatient, NEXT, {NAME: b"voucher"})
    assert caught.value.code is Code.VAULT_UNREACHABLE
    assert sum(method == "PUT" and NEXT in path for method, path in faults.seen) == 4, "retries are few"


def test_a_put_that_finds_other_content_never_overwrites_it(vault, server, bucket) -> None:
    store = vault._bucket
    store.create("x", b"one")
    store.create("x", b"one")
    with pytest.raises(MunimentError) as caught:
        store.create("x", b"two")
    assert caught.value.code is Code.VAULT_OCCUPIED
    assert store.read("x") == b"one"
    with pytest.raises(MunimentError):
        store.create("x", b"one and more")
    with pytest.raises(MunimentError):
        store.create("x", b"on")


@pytest.mark.parametrize("there", [None, b"before"])
def test_a_large_file_is_replaced_although_the_last_answer_is_lost(vault, monkeypatch, there) -> None:
    """The upload is complete by then; asked again, most services know of none."""
    store = vault._bucket
    complete = store._connection.client.complete_multipart_upload

    def forgotten(**asked):
        complete(**asked)
        answer = {"Error": {"Code": "NoSuchUpload"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
        raise ClientError(answer, "CompleteMultipartUpload")

    monkeypatch.setattr(store._connection.client, "complete_multipart_upload", forgotten)
    if there is not None:
        store.replace("x", there)
    store.replace("x", LARGE)
    assert store.read("x") == LARGE


def test_a_large_file_whose_upload_was_given_up_meanwhile_is_not_taken_for_replaced(
    vault, monkeypatch
) -> None:
    store = vault._bucket
    complete = store._connection.client.complete_multipart_upload

    def too_late(**asked):
        store.give_up_uploads("")
        return complete(**asked)

    monkeypatch.setattr(store._connection.client, "complete_multipart_upload", too_late)
    for there in (None, b"before"):
        if there is not None:
            store.replace("x", there)
        with pytest.raises(MunimentError) as caught:
            store.replace("x", LARGE)
        assert (caught.value.code, caught.value.meaning.exit) == (Code.VAULT_UNREACHABLE, Exit.UNAVAILABLE)
        assert store.read("x") == there


def test_the_service_checks_what_it_is_given(vault, monkeypatch) -> None:
    """Bytes that change on the way are refused, not kept."""
    monkeypatch.setattr(
        "archive.vault.bucket._checksum", lambda _: "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    )
    with pytest.raises(MunimentError) as caught:
        vault._bucket.create("x", b"not hello")
    assert caught.value.facts["problem"] == "BadDigest"
    monkeypatch.undo()
    assert vault._bucket.read("x") is None


def test_wrong_credentials_a_missing_bucket_and_a_missing_service_are_told_apart(
    server, bucket, tmp_path, faults
) -> None:
    wrong = tmp_path / "credentials"
    wrong.write_text("[default]\naws_access_key_id = archive\naws_secret_access_key = very-wrong\n")
    for place_, endpoint, credentials, code, problem in (
        (f"s3://{bucket}/v", server.endpoint, wrong, Code.VAULT_REFUSED, "SignatureDoesNotMatch"),
        ("s3://nowhere-at-all/v", server.endpoint, server.credentials, Code.VAULT_REFUSED, "NoSuchBucket"),
        (f"s3://{bucket}/v", "http://127.0.0.1:9", server.credentials, Code.VAULT_UNREACHABLE, "Endpoint"),
        (f"s3://{bucket}/v", server.endpoint, tmp_path / "none", Code.VAULT_REFUSED, ""),
    ):
        with pytest.raises(MunimentError) as caught:
            vault_of(tmp_path, place_, endpoint, credentials).create()
        assert caught.value.code is code, caught.value
        assert problem in str(caught.value.facts["problem"])
        for language in ("zh", "en"):
            assert "very-wrong" not in caught.value.say(language)


@pytest.mark.parametrize("place_", ["s3://", "s3:///x", "S3://b", "http://b/x", "s3://b//x", ""])
def test_a_place_that_names_no_bucket_is_refused(place_, tmp_path) -> None:
    with pytest.raises(ValueError, match="is not like"):
        Bucket(place_, Service(), tmp_path)


@pytest.mark.parametrize("fault", [500, 503, "cut", "broken", "slow"])
def test_reading_a_part_gets_over_one_fault_and_says_so_when_they_stay(impatient, faults, fault) -> None:
    faults.once(fault, "GET", "a.pdf")
    assert impatient.read(KEPT, 1, NAME, 3, 4) == b"nowl"
    faults.once(fault, "GET", "", times=1000)
    with pytest.raises(MunimentError) as caught:
        impatient.read(KEPT, 1, NAME, 3, 4)
    assert caught.value.meaning.exit is Exit.UNAVAILABLE


def test_no_more_of_a_large_file_is_fetched_than_is_asked_for(vault, monkeypatch) -> None:
    place(vault, NEXT, {NAME: LARGE})
    sizes, get = [], vault._bucket._connection.client.get_object

    def measured(**asked):
        answer = get(**asked)
        sizes.append(answer["ContentLength"])
        return answer

    monkeypatch.setattr(vault._bucket._connection.client, "get_object", measured)
    assert vault.read(NEXT, 1, NAME, len(LARGE) - 4, 100) == b"tail"
    assert sizes == [4]


def test_a_service_that_sends_all_instead_of_a_part_is_refused(vault, monkeypatch) -> None:
    get = vault._bucket._connection.client.get_object
    monkeypatch.setattr(
        vault._bucket._connection.client,
        "get_object",
        lambda **asked: get(**{k: asked[k] for k in ("Bucket", "Key")}),
    )
    with pytest.raises(MunimentError) as caught:
        vault.read(KEPT, 1, NAME, 3, 4)
    assert caught.value.code is Code.VAULT_REFUSED
