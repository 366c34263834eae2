"""A house of people around a real encrypted catalogue; case files are written straight into tables and vault."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha512
from io import BytesIO
from itertools import count
from pathlib import Path
from secrets import token_bytes
from threading import Barrier
from typing import Any, BinaryIO
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from access.lookups import Lookups
from access.passwords import Passwords
from access.people import People, Person, Role
from access.requests import Request, Requests
from access.sessions import Sessions
from access.viewing import Viewing
from archive.casefile import tables
from archive.casefile.documents import place_of
from archive.casefile.reading import CaseFile, CaseFiles
from archive.casefile.reference import Reference, Series
from archive.database.catalogue import Catalogue
from archive.database.engine import Database
from archive.database.schema import metadata
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.keyring import Keyring
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.guarding import guards
from archive.ledger.log import Entry, Ledger, entries
from archive.scheme.scheme import Scheme, load_scheme

ZONE = ZoneInfo("Asia/Shanghai")
PASSWORD = "correct-horse-battery"
VOUCHER = {
    "complainant": {"name": "王小明", "contact": "13800138000", "other_contact": "微信 lihua886"},
    "details": "请拨打 13912345678，第三幕道具缺失。",
    "demands": ["退费", "致电 13800138000"],
    "receiver": {"name": "李莉", "department": "客服部", "contact": "028-88886666"},
}


class Shelf:
    """A vault in memory; a test may damage it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def open(self, folder: str, version: int, name: str) -> BinaryIO:
        if name not in self.kept:
            raise MunimentError(Code.DOCUMENT_MISSING, document=name)
        return BytesIO(self.kept[name])

    def sha512(self, stream: BinaryIO) -> bytes:
        digest = sha512(stream.read()).digest()
        stream.seek(0)
        return digest


@dataclass
class Press:
    """Draws pages, and remembers what it was asked; ``before`` runs while a page is being drawn."""

    drawn: list[tuple[int, int, str]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def page(
        self,
        pdf: BinaryIO,
        password: str,
        number: int,
        width: int,
        watermark: str,
        recognised: object = None,
        marks: Sequence[str] = (),
        around: object = None,
    ) -> bytes:
        assert pdf.read()
        assert password
        self.drawn.append((number, width, watermark))
        self.before()
        return b"\xff\xd8 page %d" % number


class House:
    def __init__(self, folder: Path, scheme: Scheme | None = None) -> None:
        self.now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
        self.database = Database(folder / "catalogue.db", token_bytes(32))
        with self.database.writing() as connection:
            metadata.create_all(connection)
            for statement in guards():
                connection.exec_driver_sql(statement)
        self.ledger = Ledger("muniment/test", Ed25519PrivateKey.generate(), token_bytes(32), token_bytes)
        self.catalogue = Catalogue(self.database, self.ledger, lambda: self.now)
        self.keyring = Keyring({1: token_bytes(32)}, "test.key")
        self.shelf, self.press = Shelf(), Press()
        self.case_files = CaseFiles(self.catalogue, self.keyring, self.shelf)
        self.scheme = scheme or load_scheme()
        self.passwords = Passwords(time_cost=1, memory_kib=8)
        self.people = People(self.catalogue, self.passwords)
        self.sessions = Sessions(self.catalogue, token_bytes)
        self.requests = Requests(self.catalogue, self.case_files, self.scheme, ZONE)
        self.viewing = Viewing(self.catalogue, self.case_files, self.press, ZONE)
        self.lookups = Lookups(self.catalogue, self.case_files, ZONE)
        self._numbers = count(1)

    @property
    def today(self) -> date:
        return self.now.astimezone(ZONE).date()

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def person(self, role: Role, department: str = "剧本部", name: str | None = None) -> Person:
        """The same person each time for the same name, or role and department."""
        called = name or f"{role.value} {department}"
        return self.people.by_name(called) or self.people.add(CONSOLE, called, role, department, PASSWORD)

    def file(self, level: str = "一级", department: str = "春熙路店", pages: Sequence[int] = (1, 3)) -> str:
        """A case file with so many pages a document; returns its reference code."""
        reference = Reference(Series(2026, level, "剧本相关"), next(self._numbers))
        identifier = CaseFileId(str(uuid4()))
        key = FileKey.make(identifier, token_bytes)
        wrapped = self.keyring.wrap_file_key(key)
        with self.catalogue.housekeeping() as connection:
            connection.execute(
                tables.case_file.insert().values(
                    id=identifier,
                    reference=str(reference),
                    year=2026,
                    level=level,
                    category="剧本相关",
                    number=reference.number,
                    state="filed",
                    version=1,
                    received_at=self.now,
                    filed_at=self.now,
                    filed_by="P0001",
                    channel="电话",
                    store="春熙路店",
                    department=department,
                    headcount=1,
                    voucher=key.seal(json.dumps(VOUCHER).encode(), "voucher"),
                )
            )
            connection.execute(
                tables.file_key.insert().values(
                    case_file=identifier, master_version=wrapped.version, box=wrapped.box
                )
            )
            for ordinal, length in enumerate(pages):
                connection.execute(
                    tables.document.insert().values(self._document(key, reference, ordinal, length))
                )
        return str(reference)

    def _document(self, key: FileKey, reference: Reference, ordinal: int, pages: int) -> dict[str, Any]:
        name, content = reference.document(ordinal), token_bytes(100)
        self.shelf.kept[name] = content
        digest = sha512(content).digest()
        return {
            "case_file": key.case_file,
            "ordinal": ordinal,
            "version": 1,
            "name": name,
            "kind": "pdf",
            "pages": pages,
            "pending": False,
            "size": len(content),
            "sha512": digest.hex(),
            "authentication": key.authentication(digest, place_of(ordinal, 1)),
            "original_sha256": "0" * 64,
            "title": key.seal("收据 13800138000.pdf".encode(), f"title:{ordinal}:1"),
            "text": key.seal(json.dumps([""] * pages).encode(), f"text:{ordinal}:1"),
        }

    def case_file(self, reference: str) -> CaseFile:
        return self.case_files.get(reference)

    def ask(self, person: Person, *references: str, days: int = 7) -> Request:
        ends_on = self.today + timedelta(days=days - 1)
        return self.requests.make(
            person, references, "complaint-handling", "处理顾客回访", self.today, ends_on
        )

    def approvers(self, request: Request) -> list[Person]:
        return [
            self.person(
                each.role, each.department or "总部", f"{each.role.value} {each.department or '总部'}"
            )
            for each in request.approvals
        ]

    def approved(self, person: Person, *references: str, days: int = 7) -> Request:
        request = self.ask(person, *references, days=days)
        for approver in self.approvers(request):
            request = self.requests.approve(approver, request.number)
        return request

    def provided(self, person: Person, *references: str, days: int = 7) -> Request:
        request = self.approved(person, *references, days=days)
        return self.requests.provide(self.person(Role.ADMINISTRATOR, "客服部"), request.number)

    def entries(self, *acts: Act) -> list[Entry]:
        column = ledger_tables.entry.c
        query = sa.select(column.position).order_by(column.position)
        if acts:
            query = query.where(column.act.in_([each.value for each in acts]))
        with self.catalogue.reading() as connection:
            return list(entries(connection, self.ledger, query, self.case_files.file_key))

    def acts(self) -> list[Act]:
        return [each.act for each in self.entries()]

    def leaves(self) -> str:
        with self.catalogue.reading() as connection:
            return "\n".join(connection.execute(sa.select(ledger_tables.entry.c.leaf)).scalars())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.database.close()


@pytest.fixture
def house_in() -> Iterator[Callable[[Path], House]]:
    """Builds as many as a test needs."""
    built: list[House] = []

    def build(folder: Path) -> House:
        built.append(House(folder))
        return built[-1]

    yield build
    for each in built:
        each.database.close()


Refusal = Callable[[Callable[[], object]], Code]


@pytest.fixture
def refusal() -> Refusal:
    """The code of the MunimentError that the call raises."""

    def of(call: Callable[[], object]) -> Code:
        with pytest.raises(MunimentError) as caught:
            call()
        caught.value.say("zh"), caught.value.say("en")  # every fact its sentence needs is there
        return caught.value.code

    return of


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """Runs calls in threads that start together; what each returned or raised."""

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
