"""An archive for each test: real encrypted catalogue and ledger, case files put straight into tables."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles
from archive.casefile.reference import Reference, Series
from archive.database.catalogue import Catalogue
from archive.database.engine import Database
from archive.database.schema import metadata
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.keyring import Keyring
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, Actor
from archive.ledger.log import Ledger
from archive.scheme.scheme import load_scheme
from indexer.choosing import EngineName
from indexer.fts5_engine import Fts5Engine
from indexer.index import Indexer
from indexer.query.conditions import Conditions
from indexer.whoosh_engine import WhooshEngine
from retention.schedule import Schedule
from retention.selecting import Selecting

ZONE = ZoneInfo("Asia/Shanghai")
INDEX_KEY = b"k" * 32
MASTER_KEY = b"m" * 32
DATABASE_KEY = b"d" * 32


class NoVault:
    """The index reads sealed texts only, never a document."""

    def open(self, folder, version, name):
        raise AssertionError("the index opened a document")

    def sha512(self, stream):
        raise AssertionError("the index opened a document")


@dataclass
class Archive:
    folder: Path
    numbers: dict[str, int] = field(default_factory=dict)
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __post_init__(self):
        database = Database(self.folder / "catalogue.db", DATABASE_KEY)
        with database.writing() as connection:
            metadata.create_all(connection)
        self.keyring = Keyring({1: MASTER_KEY}, "test.key")
        ledger = Ledger("muniment/test", Ed25519PrivateKey.generate(), b"l" * 32, token_bytes)
        self.catalogue = Catalogue(database, ledger, self.clock)
        self.case_files = CaseFiles(self.catalogue, self.keyring, NoVault())

    def clock(self):
        self.now += timedelta(minutes=1)
        return self.now

    @property
    def index_folder(self):
        return self.folder / "index"

    def engine(self, key=INDEX_KEY):
        return WhooshEngine(self.index_folder, key)

    def fts5(self):
        return Fts5Engine(self.catalogue, self.folder / "fts5.lock")

    def indexer(self, engine=None):
        engines = {EngineName.WHOOSH: engine or self.engine(), EngineName.FTS5: self.fts5()}
        scheme = load_scheme()
        conditions = Conditions(scheme, ZONE, Selecting(Schedule(scheme, ZONE)))
        return Indexer(self.catalogue, self.case_files, engines, conditions)

    def file(
        self,
        *pages: str,
        voucher: object = None,
        title: str = "voucher.pdf",
        evidence: Sequence[tuple[str, Sequence[str]]] = (),
        level: str = "一级",
        category: str = "剧本相关",
        store: str = "静安店",
        script: str | None = None,
        department: str = "客服部",
    ) -> str:
        """Files a case file whose voucher has these pages; gives its reference code."""
        series = Series(2026, level, category)
        self.numbers[str(series)] = self.numbers.get(str(series), 0) + 1
        reference = str(Reference(series, self.numbers[str(series)]))
        key = FileKey.make(CaseFileId(str(uuid4())), token_bytes)
        wrapped = self.keyring.wrap_file_key(key)
        with self.catalogue.unit(CONSOLE) as unit:
            unit.connection.execute(
                tables.case_file.insert().values(
                    id=key.case_file,
                    reference=reference,
                    year=2026,
                    level=level,
                    category=category,
                    number=self.numbers[str(series)],
                    state="filed",
                    version=1,
                    received_at=unit.at,
                    filed_at=unit.at,
                    filed_by="console",
                    channel="phone",
                    store=store,
                    department=department,
                    script=script,
                    headcount=1,
                    voucher=key.seal(json.dumps(voucher or {}).encode(), "voucher"),
                )
            )
            unit.connection.execute(
                tables.file_key.insert().values(
                    case_file=key.case_file, master_version=wrapped.version, box=wrapped.box
                )
            )
            for ordinal, (name, texts) in enumerate([(title, pages), *evidence]):
                unit.connection.execute(
                    tables.document.insert().values(
                        case_file=key.case_file,
                        ordinal=ordinal,
                        version=1,
                        name=f"{reference}-{ordinal}.pdf",
                        kind="pdf",
                        pages=len(texts),
                        size=1,
                        sha512="",
                        authentication=b"",
                        original_sha256="",
                        pending=False,
                        title=key.seal(name.encode(), f"title:{ordinal}:1"),
                        text=key.seal(json.dumps(list(texts)).encode(), f"text:{ordinal}:1"),
                    )
                )
            unit.record(Act.FILED, reference)
        return reference

    def change(self, act: Act, reference: str, **values: object) -> None:
        with self.catalogue.unit(CONSOLE) as unit:
            unit.connection.execute(
                tables.case_file.update().where(tables.case_file.c.reference == reference).values(**values)
            )
            unit.record(act, reference)

    def void(self, reference: str) -> None:
        self.change(Act.VOIDED, reference, state="void", voided_at=self.now)

    def complete(self, reference: str, on: date) -> None:
        self.change(Act.COMPLETED, reference, completed_on=on)

    def note(self, times: int = 1) -> None:
        """Acts that concern no case file's words."""
        with self.catalogue.unit(Actor("P0001")) as unit:
            for _ in range(times):
                unit.record(Act.SEARCHED, "search")

    def acts(self, act: Act) -> int:
        with self.catalogue.reading() as connection:
            return connection.execute(
                sa.text("SELECT count(*) FROM ledger_entry WHERE act = :act"), {"act": act}
            ).scalar_one()

    def get(self, reference: str) -> CaseFile:
        return self.case_files.get(reference)

    def segments(self) -> list[Path]:
        return sorted(self.index_folder.glob("*.seg"))

    def close(self) -> None:
        self.catalogue.database.close()


def references(found) -> list[str]:
    return [each.reference for each in found.files]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path)
    yield made
    made.close()


@pytest.fixture
def indexer(archive: Archive) -> Iterator[Indexer]:
    made = archive.indexer()
    yield made
    with suppress(RuntimeError):
        made.stop()


@pytest.fixture
def find(indexer: Indexer):
    """Searches and gives reference codes, in the order of the answer."""
    return lambda query, **options: references(indexer.search(query, **options))


@pytest.fixture
def killed(archive: Archive):
    """Another process rebuilds and moves the index again and again, and is killed after so many seconds."""
    return lambda seconds: kill(archive, seconds)


RESTLESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import Archive
from indexer.choosing import EngineName
import indexer.following as following
following.BATCH_FILES = 3
archive = Archive(Path(sys.argv[1]))
index = archive.indexer()
print("ready", flush=True)
while True:
    index.rebuild()
    index.move(EngineName.FTS5)
    index.rebuild()
    index.move(EngineName.WHOOSH)
"""


def kill(archive, seconds):
    here = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-c", RESTLESS, str(archive.folder), str(here)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=here.parents[1],
        env={**os.environ, "PYTHONPATH": str(here.parents[1])},
    )
    try:
        assert process.stdout.readline() == b"ready\n", process.stderr.read()
        time.sleep(seconds)
        assert process.poll() is None, process.stderr.read()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()
