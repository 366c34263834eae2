"""Documents a second of each kind of evidence, filed end to end and durably, two case files at a time.

Beside each, in the same run: the same bytes through AES-256-GCM and fsync, which is the least that sealed and durable
can cost, and through a plain copy of files.
"""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.ledger.entries import CONSOLE
from bench.filing import submission
from bench.specimens import specimens
from bench.table import Row
from web.sample import cases
from web.settings import Settings
from web.wiring import House, init, opened

FILES, PIECES = 8, 5  # case files of a kind, and pieces of evidence in each


def measure() -> Iterator[Row]:
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as name:
        folder = Path(name)
        settings = Settings(home=folder / "var")
        init(settings)
        base = submission(next(case for case in cases(7, 40, datetime.now(UTC).date()) if case.evidence))
        with opened(settings) as house:
            house.filing.file(CONSOLE, base)  # the workers are up
            for kind, data in specimens(7).items():
                yield _measured(house, kind, data, base, folder)


def _measured(house: House, kind: str, data: bytes, base: Submission, folder: Path) -> Row:
    evidence = [data] * PIECES
    seconds = _filed(house, base, evidence)
    documents = FILES * (PIECES + 1)
    contents = [base.voucher, *evidence] * FILES
    sealed, copied = _sealed(contents, folder), _copied(contents, folder)
    return Row(
        f"{kind} ({len(data) / 1e6:,.2f} MB)",
        documents / seconds,
        "documents/s",
        sealed / seconds,
        f"AES-GCM and fsync, {copied / seconds:.3g} × cp",
    )


def _filed(house: House, base: Submission, evidence: Sequence[bytes]) -> float:
    """Seconds."""

    def file(_: int) -> None:
        sources = tuple(Source(f"{number}", BytesIO(data)) for number, data in enumerate(evidence))
        house.filing.file(CONSOLE, Submission(base.level, base.category, None, None, base.voucher, sources))

    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(file, range(FILES)))
    return time.perf_counter() - began


def _sealed(contents: Sequence[bytes], folder: Path) -> float:
    key, began = AESGCM(os.urandom(32)), time.perf_counter()
    for place, content in enumerate(contents):
        with (folder / f"sealed-{place}").open("wb") as file:
            file.write(key.encrypt(os.urandom(12), content, None))
            file.flush()
            os.fsync(file.fileno())
    return time.perf_counter() - began


def _copied(contents: Sequence[bytes], folder: Path) -> float:
    sources = []
    for place, content in enumerate(contents):
        path = folder / f"plain-{place}"
        path.write_bytes(content)
        sources.append(path)
    began = time.perf_counter()
    for path in sources:
        shutil.copyfile(path, path.with_suffix(".copy"))
    return time.perf_counter() - began
