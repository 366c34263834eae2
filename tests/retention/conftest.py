"""A real encrypted catalogue, its case files written straight into the tables."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from secrets import token_bytes
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.casefile import tables
from archive.casefile.amending import Amending
from archive.casefile.reading import CaseFiles
from archive.casefile.recording import Recording
from archive.casefile.reference import Reference, Series
from archive.database.catalogue import Catalogue
from archive.database.engine import Database
from archive.database.schema import metadata
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.keyring import Keyring
from archive.ledger import tables as ledger_tables
from archive.ledger.guarding import guards
from archive.ledger.log import Entry, Ledger, entries
from archive.ledger.verifying import Verified, verify
from archive.scheme.scheme import Scheme, load_scheme
from archive.vault.local import LocalVault
from retention.holds import Holds
from retention.sweeping import Sweeps
from retention.tables import hold
from tests.placing import place

ZONE = timezone(timedelta(hours=8))


@dataclass(slots=True)
class House:
    """What a test needs of an archive. ``in_use`` is what readers are said to hold."""

    catalogue: Catalogue
    keyring: Keyring
    case_files: CaseFiles
    scheme: Scheme
    ledger: Ledger
    now: list[datetime]
    vault: LocalVault
    in_use: dict[CaseFileId, list[str]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def zone(self) -> timezone:
        return ZONE

    @property
    def holds(self) -> Holds:
        recording = Recording(self.catalogue, (hold,))
        return Holds(Amending(self.catalogue, self.vault, self.case_files, recording))

    @property
    def sweeps(self) -> Sweeps:
        return Sweeps(self.catalogue, self.holds, self.scheme, zone=ZONE, in_use=lambda: self.in_use)

    def row(self, **given: Any) -> dict[str, Any]:
        """A row of case_file; what is not given is ordinary."""
        values: dict[str, Any] = {
            "level": "一级",
            "category": "剧本相关",
            "number": next(self.numbers),
            "state": "filed",
            "version": 1,
            "received_at": datetime(2020, 1, 1, tzinfo=UTC),
            "filed_at": datetime(2020, 1, 2, tzinfo=UTC),
            "filed_by": "P0001",
            "completed_on": None,
            "permanent": None,
            "voided_at": None,
            "channel": "电话",
            "store": "春熙路店",
            "department": "客服部",
            "script": None,
            "headcount": 1,
            "voucher": b"sealed",
            "fingerprint": None,
            **given,
        }
        year = values["received_at"].year
        reference = Reference(Series(year, values["level"], values["category"]), values["number"])
        return {"id": str(uuid4()), "reference": str(reference), "year": year, **values}

    def insert(self, rows: list[dict[str, Any]]) -> None:
        with self.catalogue.housekeeping() as connection:
            connection.execute(tables.case_file.insert(), rows)

    def add(self, completed_on: date | None = None, **given: Any) -> str:
        """A case file with a key of its own; returns its reference code."""
        row = self.row(completed_on=completed_on, **given)
        self.insert([row])
        place(self.vault, row, row["filed_at"])
        wrapped = self.keyring.wrap_file_key(FileKey.make(CaseFileId(row["id"]), token_bytes))
        with self.catalogue.housekeeping() as connection:
            connection.execute(
                tables.file_key.insert().values(
                    case_file=row["id"], master_version=wrapped.version, box=wrapped.box
                )
            )
        return str(row["reference"])

    def entries(self) -> list[Entry]:
        position = ledger_tables.entry.c.position
        with self.catalogue.reading() as connection:
            query = sa.select(position).order_by(position)
            return list(entries(connection, self.ledger, query, self.case_files.file_key))

    def verify(self) -> Verified:
        with self.catalogue.reading() as connection:
            return verify(connection, self.ledger, self.case_files.file_key)

    def leaves(self) -> str:
        with self.catalogue.reading() as connection:
            return "\n".join(connection.execute(sa.select(ledger_tables.entry.c.leaf)).scalars())


def build(folder: Path) -> House:
    database = Database(folder / "catalogue.db", token_bytes(32))
    with database.writing() as connection:
        metadata.create_all(connection)
        for statement in guards():
            connection.exec_driver_sql(statement)
    now = [datetime(2026, 11, 24, 1, 0, tzinfo=UTC)]
    ledger = Ledger("muniment/test", Ed25519PrivateKey.generate(), token_bytes(32), token_bytes)
    catalogue = Catalogue(database, ledger, lambda: now[0])
    keyring = Keyring({1: token_bytes(32)}, "test.key")
    vault = LocalVault(folder / "vault", folder / "staging", folder / "locks")
    vault.create()
    return House(catalogue, keyring, CaseFiles(catalogue, keyring, vault), load_scheme(), ledger, now, vault)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build(tmp_path)
    yield built
    built.catalogue.database.close()


@pytest.fixture(scope="module")
def lasting_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all examples of a property."""
    built = build(tmp_path_factory.mktemp("lasting"))
    yield built
    built.catalogue.database.close()


Spawn = Callable[..., list[Any]]


@pytest.fixture
def at_once() -> Spawn:
    """Runs the calls in threads that start together; returns what each returned or raised."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    def run(*calls: Callable[[], Any]) -> list[Any]:
        barrier = Barrier(len(calls))

        def one(call: Callable[[], Any]) -> Any:
            barrier.wait()
            try:
                return call()
            except Exception as error:
                return error

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(one, calls))

    return run
