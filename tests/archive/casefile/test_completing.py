"""Completing: one date, possible and given once, from which the retention period counts (P13.3)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from secrets import token_bytes
from threading import Barrier

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.casefile import tables
from archive.casefile.amending import Amending
from archive.casefile.completing import Completing, complete
from archive.casefile.reading import CaseFiles
from archive.casefile.recording import Recording
from archive.database.catalogue import Catalogue
from archive.database.engine import Database
from archive.database.schema import metadata
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.keyring import Keyring
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.log import Ledger, entries
from archive.vault.local import LocalVault
from tests.placing import place

ACTOR = Actor("P0001")
ZONE = timezone(timedelta(hours=8))
REFERENCE = "2026-三级-剧本相关-001"
ID = CaseFileId("0f8fad5b-d9cb-469f-a165-70867728950e")
RECEIVED = datetime(2026, 2, 28, 16, 30, tzinfo=UTC)  # 1 March, 0:30 in China
NOW = datetime(2026, 3, 9, 17, 0, tzinfo=UTC)  # 10 March in China


@pytest.fixture
def completing(tmp_path):
    """One open case file in a real encrypted catalogue."""
    database = Database(tmp_path / "catalogue.db", token_bytes(32))
    ledger = Ledger("muniment/test", Ed25519PrivateKey.generate(), token_bytes(32), token_bytes)
    catalogue = Catalogue(database, ledger, lambda: NOW)
    keyring = Keyring({1: token_bytes(32)}, "test.key")
    wrapped = keyring.wrap_file_key(FileKey.make(ID, token_bytes))
    row = {
        "id": ID,
        "reference": REFERENCE,
        "year": 2026,
        "level": "三级",
        "category": "剧本相关",
        "number": 1,
        "state": "filed",
        "version": 1,
        "received_at": RECEIVED,
        "filed_at": RECEIVED,
        "filed_by": ACTOR,
        "channel": "电话",
        "store": "春熙路店",
        "department": "客服部",
        "headcount": 1,
        "voucher": b"sealed",
    }
    with database.writing() as connection:
        metadata.create_all(connection)
        connection.execute(tables.case_file.insert().values(row))
        connection.execute(
            tables.file_key.insert().values(case_file=ID, master_version=wrapped.version, box=wrapped.box)
        )
    vault = LocalVault(tmp_path / "vault", tmp_path / "staging", tmp_path / "locks")
    vault.create()
    place(vault, row, RECEIVED)
    case_files = CaseFiles(catalogue, keyring, vault)
    yield Completing(Amending(catalogue, vault, case_files, Recording(catalogue, ())), ZONE)
    database.close()


def change(completing, **values) -> None:
    with completing.amending.catalogue.housekeeping() as connection:
        connection.execute(sa.update(tables.case_file).values(**values))


def recorded(completing):
    catalogue = completing.amending.catalogue
    with catalogue.reading() as connection:
        query = sa.select(ledger_tables.entry.c.position)
        return list(entries(connection, catalogue.ledger, query, completing.amending.case_files.file_key))


def refusal(completing, on: date, reference: str = REFERENCE) -> MunimentError:
    before = recorded(completing)
    with pytest.raises(MunimentError) as caught:
        completing.complete(ACTOR, reference, on)
    assert recorded(completing) == before
    assert caught.value.say("zh")
    assert caught.value.say("en")
    return caught.value


def test_a_completed_file_has_its_date_and_nothing_else_changes(completing) -> None:
    before = completing.amending.case_files.get(REFERENCE)
    after = completing.complete(ACTOR, REFERENCE, date(2026, 3, 5))
    assert after == replace(before, completed_on=date(2026, 3, 5), version=2)
    assert completing.amending.case_files.get(REFERENCE) == after


def test_completion_is_recorded_and_sealed_under_the_key_of_the_file(completing) -> None:
    completing.complete(ACTOR, REFERENCE, date(2026, 3, 5))
    (entry,) = recorded(completing)
    assert (entry.act, entry.actor, entry.subject) == (Act.COMPLETED, ACTOR, REFERENCE)
    assert entry.detail == {"completed_on": "2026-03-05"}
    with completing.amending.catalogue.reading() as connection:
        assert connection.execute(sa.select(ledger_tables.detail.c.case_file)).scalar_one() == ID


@pytest.mark.parametrize("on", [date(2026, 3, 1), date(2026, 3, 10)])
def test_the_local_days_of_receipt_and_today_are_possible(completing, on) -> None:
    assert completing.complete(ACTOR, REFERENCE, on).completed_on == on


@pytest.mark.parametrize("on", [date(2026, 2, 28), date(2026, 3, 11), date.min, date.max])
def test_a_date_before_receipt_or_after_today_is_refused(completing, on) -> None:
    error = refusal(completing, on)
    assert error.code is Code.DATE_NOT_POSSIBLE
    assert error.facts == {"given": on, "earliest": date(2026, 3, 1), "latest": date(2026, 3, 10)}
    assert completing.amending.case_files.get(REFERENCE).completed_on is None


def test_today_is_what_the_caller_says(completing) -> None:
    with pytest.raises(MunimentError) as caught:
        complete(
            completing.amending,
            ACTOR,
            REFERENCE,
            date(2026, 3, 5),
            today=date(2026, 3, 4),
            zone=ZONE,
        )
    assert caught.value.facts["latest"] == date(2026, 3, 4)


@pytest.mark.parametrize("on", [date(2026, 3, 5), date(2026, 3, 6)])
def test_a_completion_date_is_given_once(completing, on) -> None:
    completing.complete(ACTOR, REFERENCE, date(2026, 3, 5))
    error = refusal(completing, on)
    assert error.code is Code.ALREADY_COMPLETED
    assert error.facts == {"reference": REFERENCE, "date": date(2026, 3, 5)}
    assert completing.amending.case_files.get(REFERENCE).completed_on == date(2026, 3, 5)


def test_a_void_file_is_not_completed(completing) -> None:
    change(completing, state="void", voided_at=NOW)
    assert refusal(completing, date(2026, 3, 5)).code is Code.ALREADY_VOID


def test_a_permanent_file_is_completed_like_any_other(completing) -> None:
    change(completing, permanent="legal-dispute")
    assert completing.complete(ACTOR, REFERENCE, date(2026, 3, 5)).completed_on == date(2026, 3, 5)


def test_a_file_that_is_not_there_is_not_completed(completing) -> None:
    assert refusal(completing, date(2026, 3, 5), "2026-三级-剧本相关-002").code is Code.FILE_NOT_FOUND
    assert refusal(completing, date(2026, 3, 5), "三级-002").code is Code.REFERENCE_INVALID


def test_of_several_who_complete_at_once_one_is_told_yes(completing) -> None:
    barrier = Barrier(4)

    def one(day: int):
        barrier.wait()
        try:
            return completing.complete(ACTOR, REFERENCE, date(2026, 3, day)).completed_on
        except MunimentError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, range(2, 6)))
    assert results.count(Code.ALREADY_COMPLETED) == 3
    assert completing.amending.case_files.get(REFERENCE).completed_on in results
    assert len(recorded(completing)) == 1


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        ({"state": "void", "voided_at": NOW}, Code.ALREADY_VOID),
        ({"completed_on": date(2026, 3, 2)}, Code.ALREADY_COMPLETED),
    ],
)
def test_what_happened_after_the_file_was_read_still_counts(completing, monkeypatch, meanwhile, code) -> None:
    """Somebody who was quicker is seen under the lock of the series."""
    locked = LocalVault.locked

    def be_overtaken(self, name):
        change(completing, **meanwhile)
        return locked(self, name)

    monkeypatch.setattr(LocalVault, "locked", be_overtaken)
    assert refusal(completing, date(2026, 3, 5)).code is code
