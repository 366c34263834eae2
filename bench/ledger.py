"""Ledger appends and verifications a second; beside them bare encrypted inserts and bare hashes."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.verifying import verify
from bench.table import Row
from web.settings import Settings
from web.wiring import House, init, opened

UNITS, ENTRIES = 400, 100_000
_BATCH = 1000


def measure() -> Iterator[Row]:
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as folder:
        settings = Settings(home=Path(folder) / "var")
        init(settings)
        with opened(settings) as house:
            yield from _single(house)
            yield _batched(house)
            yield from _verified(house)


def _single(house: House) -> Iterator[Row]:
    """An act a transaction, each durable before the next."""
    with house.catalogue.housekeeping() as connection:
        connection.execute(sa.text("CREATE TABLE bare (position INTEGER PRIMARY KEY, leaf TEXT)"))
    began = time.perf_counter()
    for number in range(UNITS):
        with house.catalogue.housekeeping() as connection:
            connection.execute(
                sa.text("INSERT INTO bare VALUES (:p, :leaf)"), {"p": number, "leaf": "x" * 200}
            )
    bare = UNITS / (time.perf_counter() - began)
    began = time.perf_counter()
    for number in range(UNITS):
        with house.catalogue.unit(CONSOLE) as unit:
            unit.record(Act.SEARCHED, "search", detail={"query": "退款", "hits": number})
    rate = UNITS / (time.perf_counter() - began)
    yield Row("acts appended, each durable", rate, "entries/s", rate / bare, "a bare durable insert")


def _batched(house: House) -> Row:
    began = time.perf_counter()
    for _ in range(ENTRIES // _BATCH):
        with house.catalogue.unit(CONSOLE) as unit:
            for number in range(_BATCH):
                unit.record(Act.SEARCHED, "search", detail={"query": "退款", "hits": number})
    return Row(f"acts appended, {_BATCH} a transaction", ENTRIES / (time.perf_counter() - began), "entries/s")


def _verified(house: House) -> Iterator[Row]:
    began = time.perf_counter()
    with house.catalogue.reading() as connection:
        found = verify(connection, house.catalogue.ledger, house.case_files.file_key)
    rate = found.entries / (time.perf_counter() - began)
    began = time.perf_counter()
    for _ in range(found.entries * 2):  # a leaf and a node each
        hashlib.sha256(b"x" * 220).digest()
    hashes = found.entries / (time.perf_counter() - began)
    yield Row("entries verified, details opened", rate, "entries/s", rate / hashes, "the bare hashes")
