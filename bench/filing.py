"""Documents a second, filed end to end and durably; beside it the same bytes encrypted and fsynced by hand."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.ledger.entries import CONSOLE
from bench.table import Row
from web.sample import SampleCase, cases
from web.settings import Settings
from web.wiring import House, init, opened, rebuild

FILES = 150


def measure() -> Iterator[Row]:
    """Each case file is a believable voucher (30 to 70 KB as a sealed PDF) and one photo: two documents."""
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as folder:
        made = [case for case in cases(7, FILES * 3, datetime.now(UTC).date()) if case.evidence][:FILES]
        submissions = [submission(case) for case in made]
        settings = Settings(home=Path(folder) / "var")
        init(settings)
        with opened(settings) as house:
            house.filing.file(CONSOLE, submissions[0])  # the workers are up
            for threads in (1, 2, 4):
                yield from _filed(house, submissions[1:], threads)
            yield _completed(house)
        yield _rebuilt(settings)
        yield _floor(submissions, Path(folder))


def submission(case: SampleCase) -> Submission:
    text = json.dumps(case.voucher, ensure_ascii=False).encode()
    photo = max(case.evidence, key=lambda each: len(each.data))
    return Submission(case.level, case.category, None, None, text, (Source(photo.name, BytesIO(photo.data)),))


def _filed(house: House, submissions: list[Submission], threads: int) -> Iterator[Row]:
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda each: house.filing.file(CONSOLE, each), submissions))
    seconds = time.perf_counter() - began
    yield Row(f"documents filed, {threads} at a time", 2 * len(submissions) / seconds, "documents/s")


def _completed(house: House) -> Row:
    """Each a version of the object that brings a sealed record and no document."""
    today = house.clock().astimezone(house.settings.zone).date()
    references = [each.reference for each in house.case_files.select()][:FILES]
    began = time.perf_counter()
    for each in references:
        house.completing.complete(CONSOLE, each, today)
    return Row(
        "case files completed, one at a time", len(references) / (time.perf_counter() - began), "files/s"
    )


def _rebuilt(settings: Settings) -> Row:
    """Without the check of every document that the command ends with."""
    for path in settings.home.glob("catalogue.db*"):
        path.unlink()
    began = time.perf_counter()
    files = rebuild(settings).files
    return Row("catalogue rebuilt from the vault", files / (time.perf_counter() - began), "files/s")


def _floor(submissions: list[Submission], folder: Path) -> Row:
    """What the disk and the cipher alone would take for the same bytes."""
    key, began, count = AESGCM(os.urandom(32)), time.perf_counter(), 0
    for place, each in enumerate(submissions):
        for part, content in enumerate((each.voucher, each.evidence[0].rewound().read())):
            with (folder / f"{place}-{part}").open("wb") as file:
                file.write(key.encrypt(os.urandom(12), content, None))
                file.flush()
                os.fsync(file.fileno())
            count += 1
    return Row("the same bytes, AES-GCM and fsync only", count / (time.perf_counter() - began), "documents/s")
