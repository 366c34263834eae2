"""Moving the vault to S3 and back in use: nothing is lost, what is damaged is named, and a kill costs time."""

import io
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

import pytest
import sqlalchemy as sa
from PIL import Image

from access.passwords import Passwords
from archive.casefile import moving
from archive.casefile.filing import Submission
from archive.casefile.numbering import runs
from archive.casefile.sources import Source
from archive.errors import Code, MunimentError
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.vault.placing import Where
from tests.outsiders import ocfl_refuses
from tests.vouchers import voucher
from web.settings import Settings
from web.wiring import House, init, opened

QUICK = Passwords(time_cost=1, memory_kib=8)
ZONE_NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

# Moves, and is killed before the Nth file is put.
_MOVE = """
import os, signal, sys
from pathlib import Path
from archive.casefile import moving
from archive.ledger.entries import CONSOLE
from web.settings import load_settings
from web.wiring import opened

to, fatal, seen = sys.argv[1], int(sys.argv[2]), 0
put = moving._Copy._put

def count(self, *args):
    global seen
    seen += 1
    if seen == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return put(self, *args)

moving._Copy._put = count
with opened(load_settings(os.environ)) as house:
    house.moving.move(CONSOLE, to)
"""


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


@pytest.fixture
def settings(tmp_path, server) -> Settings:
    return Settings(
        home=tmp_path / "var",
        s3_endpoint=server.endpoint,
        s3_region="us-east-1",
        s3_credentials=server.credentials,
    )


@contextmanager
def house_of(settings: Settings) -> Iterator[House]:
    with opened(settings, clock=lambda: ZONE_NOW, passwords=QUICK, attached=16 << 10) as house:
        yield house


def file(house: House, words: str = "第三幕道具缺失，玩家等待四十分钟。", category: str = "剧本相关") -> str:
    picture = io.BytesIO()
    Image.new("RGB", (60, 40), "navy").save(picture, "JPEG")
    picture.seek(0)
    text = voucher(details=words)
    voice = io.BytesIO(b"\x02#!SILK_V3" + bytes(16 << 10))  # lies beside its cover
    sources = (Source("a.jpg", picture), Source("a.silk", voice))
    submission = Submission("一级", category, None, None, text, sources)
    return house.filing.file(CONSOLE, submission).reference


def everything(house: House) -> dict[str, list[str]]:
    """Every document of every file, opened and checked, and every recording heard: their digests."""
    found = {}
    for case_file in house.case_files.select():
        digests = []
        for document in house.case_files.documents(case_file):
            stream, _ = house.case_files.open_document(case_file, document.ordinal)
            stream.close()
            digests.append(document.sha512)
            if document.stream is not None:
                with house.case_files.open_recording(case_file, document) as recording:
                    assert sha256(recording.read()).hexdigest() == document.original_sha256
                digests.append(document.stream.sha512)
        found[case_file.reference] = digests
    return found


def acts(house: House) -> list[str]:
    with house.catalogue.reading() as connection:
        return list(connection.execute(sa.select(ledger_tables.entry.c.act)).scalars())


def numbers_are_whole(house: House) -> None:
    with house.catalogue.reading() as connection:
        assert all(run.missing == () for run in runs(connection))


def down(server, bucket: str, target: Path) -> Path:
    client = server.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page["Contents"]:
            path = target / each["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read())
    return target


def whole(root: Path) -> None:
    assert ocfl_refuses(root) == []


def refused(house: House, to: str) -> MunimentError:
    before = house.founded.vault.where().place
    with pytest.raises(MunimentError) as caught:
        house.moving.move(CONSOLE, to)
    assert house.founded.vault.where().place == before
    return caught.value


def test_a_vault_moves_to_s3_and_back_and_everything_reads_the_same(
    settings, server, bucket, tmp_path
) -> None:
    init(settings)
    with house_of(settings) as house:
        first = file(house)
        file(house)
        house.voiding.void(CONSOLE, first, "登记重复")
        before = everything(house)
        seen: list[int] = []
        moved = house.moving.move(CONSOLE, f"s3://{bucket}/v/", seen.append)
        assert (moved.files, moved.copied, moved.place) == (2, 2, f"s3://{bucket}/v")
        assert seen == [1, 2]
        shutil.rmtree(settings.home / "vault")
        assert everything(house) == before
        file(house)
        whole(down(server, bucket, tmp_path / "down") / "v")
    with house_of(settings) as house:
        there = everything(house)
        assert {**there, **before} == there
        house.moving.move(CONSOLE, str(tmp_path / "elsewhere"))
        assert everything(house) == there
        file(house)
        house.voiding.void(CONSOLE, "2026-一级-剧本相关-002", "登记重复")
        whole(tmp_path / "elsewhere")
        numbers_are_whole(house)
        assert [act for act in acts(house) if act.startswith("vault")] == [
            Act.VAULT_MOVE_BEGUN,
            Act.VAULT_MOVED,
        ] * 2


def test_an_archive_can_begin_on_s3(settings, server, bucket, tmp_path) -> None:
    begun = replace(settings, vault=f"s3://{bucket}/v")
    init(begun)
    with house_of(begun) as house:
        file(house)
        before = everything(house)
    assert not (settings.home / "vault").exists()
    with house_of(settings) as house:  # the catalogue knows, the setting need not say it again
        assert everything(house) == before
    whole(down(server, bucket, tmp_path / "down") / "v")
    with pytest.raises(MunimentError) as caught:
        init(replace(settings, home=tmp_path / "other", vault=f"s3://{bucket}/v"))
    assert caught.value.code is Code.VAULT_OCCUPIED
    assert not (tmp_path / "other").exists()


def test_a_setting_that_names_another_place_stops_the_start(settings, bucket) -> None:
    init(settings)
    for vault in (f"s3://{bucket}/v", "/srv/elsewhere"):
        with pytest.raises(MunimentError) as caught, house_of(replace(settings, vault=vault)):
            pass
        assert (caught.value.code, caught.value.facts["key"]) == (Code.SETTING_INVALID, "vault")


def test_filings_and_voidings_during_a_move_are_not_lost_and_an_open_house_follows(
    settings, bucket, monkeypatch
) -> None:
    monkeypatch.setattr(moving, "_LITTLE", 0)
    init(settings)
    with house_of(settings) as server_, house_of(settings) as console:
        for _ in range(3):
            file(server_)
        moved, filed = Event(), []

        def serve() -> None:
            while not moved.is_set() or len(filed) < 4:
                filed.append(file(server_, category="服务相关"))
                if len(filed) == 2:
                    server_.voiding.void(CONSOLE, "2026-一级-剧本相关-001", "登记重复")

        serving = Thread(target=serve)
        serving.start()
        result = console.moving.move(CONSOLE, f"s3://{bucket}/v")
        moved.set()
        serving.join()
        shutil.rmtree(settings.home / "vault")
        for house in (server_, console):
            found = everything(house)
            assert set(filed) <= found.keys()
            assert house.case_files.get("2026-一级-剧本相关-001").version == 2
            numbers_are_whole(house)
        assert result.files >= 3
        assert server_.founded.vault.where() == Where(f"s3://{bucket}/v", None)


def test_a_move_that_was_killed_goes_on_and_loses_nothing(settings, bucket, monkeypatch, tmp_path) -> None:
    init(settings)
    with house_of(settings) as house:
        for _ in range(4):
            file(house)
        before = everything(house)
    monkeypatch.setenv("MUNIMENT_HOME", str(settings.home))
    monkeypatch.setenv("MUNIMENT_S3_ENDPOINT", str(settings.s3_endpoint))
    monkeypatch.setenv("MUNIMENT_S3_REGION", "us-east-1")
    monkeypatch.setenv("MUNIMENT_S3_CREDENTIALS", str(settings.s3_credentials))
    to = f"s3://{bucket}/v"
    for fatal in (1, 4, 9):
        done = subprocess.run(
            [sys.executable, "-c", _MOVE, to, str(fatal)], capture_output=True, text=True, check=False
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        with house_of(settings) as house:
            assert house.founded.vault.where() == Where("", to)
            assert everything(house) == before
            before[file(house)] = []
            before = everything(house)
    with house_of(settings) as house:
        moved = house.moving.move(CONSOLE, to)
        assert 0 < moved.copied < moved.files == len(before)
        assert everything(house) == before
        assert acts(house).count(Act.VAULT_MOVE_BEGUN) == 1


@pytest.mark.parametrize("damage", ["flipped", "deleted", "inventory", "sidecar", "name in the sidecar"])
def test_what_is_damaged_is_named_and_nothing_moves(settings, bucket, damage) -> None:
    init(settings)
    with house_of(settings) as house:
        for _ in range(3):
            file(house)
        folder = settings.home / "vault" / "2026/一级/剧本相关/2026-一级-剧本相关-002"
        victim = folder / "v1/content/2026-一级-剧本相关-002-01.pdf"
        if damage == "flipped":
            content = bytearray(victim.read_bytes())
            content[len(content) // 2] ^= 1
            victim.write_bytes(content)
        elif damage == "deleted":
            victim.unlink()
        else:
            victim = folder / "v1" / ("inventory.json" if damage == "inventory" else "inventory.json.sha512")
            content = bytearray(victim.read_bytes())
            content[-8 if damage == "name in the sidecar" else 0] ^= 1
            victim.write_bytes(content)
        error = refused(house, f"s3://{bucket}/v")
        assert (error.code, error.facts["count"]) == (Code.VAULT_DAMAGED, 1)
        named = victim.name.removesuffix(".sha512")
        assert error.facts["problems"] == f"2026-一级-剧本相关-002: {named}"
        file(house)  # life goes on where it was


def test_damage_in_the_bucket_is_named_when_it_is_read_and_when_it_is_moved(
    settings, server, bucket, tmp_path
) -> None:
    init(replace(settings, vault=f"s3://{bucket}/v"))
    with house_of(settings) as house:
        flipped, deleted, sound = (file(house) for _ in range(3))
        key = "v/2026/一级/剧本相关/{0}/v1/content/{0}-01.pdf".format
        client = server.client()
        content = bytearray(client.get_object(Bucket=bucket, Key=key(flipped))["Body"].read())
        content[len(content) // 2] ^= 1
        client.put_object(Bucket=bucket, Key=key(flipped), Body=bytes(content))
        client.delete_object(Bucket=bucket, Key=key(deleted))
        for reference, code in ((flipped, Code.DOCUMENT_ALTERED), (deleted, Code.DOCUMENT_MISSING)):
            with pytest.raises(MunimentError) as caught:
                house.case_files.open_document(house.case_files.get(reference), 1)
            assert (caught.value.code, caught.value.facts["document"]) == (code, f"{reference}-01.pdf")
        house.case_files.open_document(house.case_files.get(sound), 1)[0].close()
        error = refused(house, str(tmp_path / "elsewhere"))
        assert error.facts["count"] == 2
        assert re.findall(r"\S+-01\.pdf", str(error.facts["problems"])) == [
            f"{flipped}-01.pdf",
            f"{deleted}-01.pdf",
        ]


def test_a_move_through_a_failing_service_stops_and_goes_on_later(settings, bucket, faults) -> None:
    init(settings)
    behind = replace(settings, s3_endpoint=faults.endpoint)
    with house_of(behind) as house:
        for _ in range(3):
            file(house)
        before = everything(house)
        for number in (5, 12, 25):
            faults.seen.clear()
            faults.plan = lambda _m, _p, seen, fatal=number: 503 if seen >= fatal else None
            assert refused(house, f"s3://{bucket}/v").code is Code.VAULT_UNREACHABLE
            assert everything(house) == before
        faults.plan = lambda _m, _p, seen: (500, "cut", "lost", "twice", None, None, None)[seen % 7]
        house.moving.move(CONSOLE, f"s3://{bucket}/v")
        faults.plan = lambda *_: None
        shutil.rmtree(settings.home / "vault")
        assert everything(house) == before


def test_a_filing_that_the_service_fails_is_refused_whole_and_its_number_is_the_next_ones(
    settings, bucket, faults
) -> None:
    behind = replace(settings, vault=f"s3://{bucket}/v", s3_endpoint=faults.endpoint)
    init(behind)
    with house_of(behind) as house:
        assert file(house).endswith("001")
        before = len(faults.seen)
        assert file(house).endswith("002")
        count = len(faults.seen) - before
        for number in range(1, count + 1):
            faults.seen.clear()
            faults.plan = lambda _m, _p, seen, fatal=number: 500 if seen >= fatal else None
            with pytest.raises(MunimentError) as caught:
                file(house)
            assert caught.value.code is Code.VAULT_UNREACHABLE
        faults.plan = lambda *_: None
        assert file(house).endswith("003")
        assert len(everything(house)) == 3
        numbers_are_whole(house)
        print(f"the service stayed away from each of {count} requests of a filing")


def test_places_that_cannot_be_are_refused_before_anything_happens(
    settings, bucket, server, tmp_path
) -> None:
    server.client().put_object(Bucket=bucket, Key="taken/x", Body=b"somebody else's")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    init(settings)
    with house_of(settings) as house:
        file(house)
        home = settings.home
        for to, code in (
            ("s3://", Code.SETTING_INVALID),
            (f"s3://{bucket}/taken", Code.VAULT_OCCUPIED),
            (str(tmp_path / "full"), Code.VAULT_OCCUPIED),
            (str(home / "vault"), Code.VAULT_THERE),
            (str(home), Code.SETTING_INVALID),
            (str(home / "vault" / "deeper"), Code.SETTING_INVALID),
            (str(tmp_path), Code.SETTING_INVALID),
            ("s3://nowhere-at-all/v", Code.VAULT_REFUSED),
        ):
            assert refused(house, to).code is code, to
            assert house.founded.vault.where().moving_to is None
        assert (tmp_path / "full" / "x").exists()
        everything(house)
