"""Rotation of the master key: file keys a second, beside the bare AES-GCM of the same keys."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.casefile import tables
from archive.founding import Founded, found
from archive.journalling import Journalling
from archive.keys.filekey import CaseFileId, FileKey
from archive.keys.journal import KeyJournal
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Wrapped
from archive.ledger.entries import CONSOLE
from archive.rotating import Rotating
from bench.table import Row

_MOMENT = datetime(2026, 11, 24, tzinfo=UTC)
FILE_KEYS = 20_000


def measure() -> Iterator[Row]:
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as folder:
        kept = KeyFile(Path(folder) / "var.key")
        home = Path(folder) / "var"
        founded = found(home, lambda: kept.create(token_bytes), lambda: _MOMENT, token_bytes)
        secrets = _fill(founded, FILE_KEYS)
        bare = FILE_KEYS / _bare(secrets)
        journal = KeyJournal(Path(folder) / "var.keys")
        journalling = Journalling(home, founded.catalogue, founded.keyring, journal)
        journalling.renew()
        rotating = Rotating(home, founded.catalogue, founded.keyring, kept, token_bytes, journalling)
        began = perf_counter()
        rotating.rotate(CONSOLE)
        rate = FILE_KEYS / (perf_counter() - began)
        if _kept(founded) != secrets:
            raise RuntimeError("a key is not what it was")
        founded.catalogue.database.close()
    yield Row(
        "file keys re-wrapped by a rotation", rate, "keys/s", rate / bare, "bare AES-GCM, open and seal"
    )


def _fill(founded: Founded, count: int) -> dict[str, bytes]:
    keys = [FileKey.make(CaseFileId(str(uuid4())), token_bytes) for _ in range(count)]
    files, boxes = [], []
    for number, key in enumerate(keys, start=1):
        files.append(_row(key.case_file, number))
        wrapped = founded.keyring.wrap_file_key(key)
        boxes.append({"case_file": key.case_file, "master_version": wrapped.version, "box": wrapped.box})
    with founded.catalogue.housekeeping() as connection:
        connection.execute(tables.case_file.insert(), files)
        connection.execute(tables.file_key.insert(), boxes)
    return {str(key.case_file): key.secret for key in keys}


def _row(identifier: str, number: int) -> dict[str, object]:
    return {
        "id": identifier,
        "reference": f"2026-一级-剧本相关-{number:03d}",
        "year": 2026,
        "level": "一级",
        "category": "剧本相关",
        "number": number,
        "state": "filed",
        "version": 1,
        "received_at": _MOMENT,
        "filed_at": _MOMENT,
        "filed_by": CONSOLE,
        "channel": "电话",
        "store": "春熙路店",
        "department": "客服部",
        "headcount": 1,
        "voucher": b"sealed",
    }


def _bare(secrets: dict[str, bytes]) -> float:
    """Seconds for the same unwraps and wraps without anything around them."""
    old, new = AESGCM(token_bytes(32)), AESGCM(token_bytes(32))
    wrapped = []
    for identifier, secret in secrets.items():
        nonce, place = token_bytes(12), f"file:{identifier}:v1".encode()
        wrapped.append((nonce, old.encrypt(nonce, secret, place), place))
    started = perf_counter()
    for nonce, box, place in wrapped:
        fresh = token_bytes(12)
        new.encrypt(fresh, old.decrypt(nonce, box, place), place)
    return perf_counter() - started


def _kept(founded: Founded) -> dict[str, bytes]:
    with founded.catalogue.reading() as connection:
        rows = connection.execute(sa.select(tables.file_key)).all()
    return {
        row.case_file: founded.keyring.file_key(row.case_file, Wrapped(row.master_version, row.box)).secret
        for row in rows
    }
