"""Fixity, backup, restore and export in MB a second, over case files with photographs; beside them plain reading."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.ledger.entries import CONSOLE
from bench.filing import submission
from bench.table import Row
from web.backup_places import place
from web.sample import cases
from web.settings import Settings
from web.wiring import House, init, opened, restore

FILES = 60
LARGE = 8  # case files with a picture of 20 MB that no cipher or packer makes smaller


def measure() -> Iterator[Row]:
    with TemporaryDirectory(dir=os.environ.get("MUNIMENT_BENCH", ".")) as name:
        folder = Path(name)
        settings = Settings(home=folder / "var")
        init(settings)
        with opened(settings) as house:
            _fill(house)
            vault = settings.home / "vault"
            size = sum(path.stat().st_size for path in vault.rglob("*") if path.is_file())
            plain = _rate(size, lambda: _read(vault))
            copied = _rate(size, lambda: shutil.copytree(vault, folder / "copy"))
            yield Row("reading and hashing the vault, nothing else", plain, "MB/s")
            yield Row("copying it, nothing else", copied, "MB/s")
            for what, peer, base, work in (
                (
                    "fixity: hash, HMAC, open each document",
                    "reading",
                    plain,
                    lambda: house.fixity.check(CONSOLE),
                ),
                ("first backup", "copying", copied, lambda: _backup(house, folder)),
                ("backup with nothing new", "copying", copied, lambda: _backup(house, folder)),
                ("restore", "copying", copied, lambda: _restore(settings, folder)),
                ("export as a preservation package", "copying", copied, lambda: _export(house, folder)),
            ):
                found = _rate(size, work)
                yield Row(what, found, "MB/s", found / base, peer)


def _fill(house: House) -> None:
    made = [case for case in cases(7, FILES * 3, datetime.now(UTC).date()) if case.evidence][:FILES]
    for number, case in enumerate(made):
        given = submission(case)
        if number < LARGE:
            given = Submission(
                given.level, given.category, None, None, given.voucher, (Source("large.png", _noise()),)
            )
        house.filing.file(CONSOLE, given)


def _noise() -> BytesIO:
    from PIL import Image

    target = BytesIO()
    Image.frombytes("RGB", (2600, 2600), os.urandom(2600 * 2600 * 3)).save(target, "PNG", compress_level=0)
    target.seek(0)
    return target


def _rate(size: int, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return size / 1_000_000 / (time.perf_counter() - began)


def _read(root: Path) -> None:
    from hashlib import sha512

    for path in root.rglob("*"):
        if path.is_file():
            sha512(path.read_bytes())


def _backup(house: House, folder: Path) -> None:
    house.backups.take(CONSOLE, place(house.settings, str(folder / "backup")))


def _restore(settings: Settings, folder: Path) -> None:
    restore(
        Settings(home=folder / "again", key_file=settings.key_path), place(settings, str(folder / "backup"))
    )


def _export(house: House, folder: Path) -> None:
    references = [each.reference for each in house.case_files.select()]
    house.exporting.export(CONSOLE, references, folder / "package", {})
