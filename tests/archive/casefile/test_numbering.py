"""Numbers run in order, none skipped, none missing (P9), however many file at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.numbering import last_number, runs
from archive.casefile.reference import Series
from archive.ledger.verifying import verify

ROOT = Path(__file__).parents[3]
ACTOR = "P0001"
SERIES = Series(2026, "一级", "剧本相关")


def found_runs(archive):
    with archive.founded.catalogue.reading() as connection:
        return {run.series: run for run in runs(connection)}


def test_threads_that_file_at_once_take_each_number_once(archive, forms):
    def file(number: int) -> str:
        level = "一级" if number % 3 else "二级"
        return archive.filing.file(ACTOR, forms.submission(level=level)).reference

    with ThreadPoolExecutor(6) as pool:
        references = list(pool.map(file, range(12)))
    assert len(set(references)) == 12
    found = found_runs(archive)
    assert {series.level: run.last for series, run in found.items()} == {"一级": 9, "二级": 4}
    assert archive.wrong() == []


FILING = """
import sys
from datetime import date
from pathlib import Path
from archive.casefile.filing import Filing, Submission
from web.settings import Settings
from web.wiring import opened

home, name, voucher = Path(sys.argv[1]), sys.argv[2], sys.argv[3].encode()
submission = Submission("一级", "剧本相关", date(2026, 3, 1), None, voucher)
with opened(Settings(home=home, workers=1)) as house:
    for number in range(6):
        if name == "failing" and number % 2:  # after its object is placed, inside the transaction
            house.filing._title = lambda *_: 1 / 0
        try:
            print(house.filing.file("P0001", submission).reference, flush=True)
        except ZeroDivisionError:
            del house.filing._title
"""


def test_processes_that_file_at_once_take_each_number_once(house, settings, forms):
    """Real processes with workers of their own; every other filing of one of them fails when its object is placed."""
    command = [sys.executable, "-c", FILING, str(settings.home)]
    children = [
        subprocess.Popen(
            [*command, name, forms.voucher().decode()], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for name in ("one", "two", "failing")
    ]
    references = [line for child in children for line in child.communicate(timeout=300)[0].split()]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sorted(references) == [f"2026-一级-剧本相关-{number:03}" for number in range(1, 16)]
    with house.catalogue.reading() as connection:
        (run,) = runs(connection)
        verify(connection, house.catalogue.ledger, house.case_files.file_key)
    assert (run.last, run.files, run.missing) == (15, 15, ())
    objects = list((settings.home / "vault").rglob("0=ocfl_object_1.1"))
    assert len(objects) == 15
    assert list((settings.home / "staging").iterdir()) == []


def test_a_void_file_keeps_its_number(archive, forms):
    archive.voiding.void(ACTOR, "2026-一级-剧本相关-001", "重复登记")
    assert archive.filing.file(ACTOR, forms.submission()).reference == "2026-一级-剧本相关-002"
    run = found_runs(archive)[SERIES]
    assert (run.last, run.files, run.void, run.missing) == (2, 2, 1, ())


def test_a_missing_number_is_told(archive, forms):
    for _ in range(3):
        archive.filing.file(ACTOR, forms.submission())
    with archive.founded.catalogue.housekeeping() as connection:
        columns = tables.case_file.c
        connection.execute(
            sa.update(tables.case_file).where(columns.number == 2).values(number=9, reference="x")
        )
    run = found_runs(archive)[SERIES]
    assert (run.last, run.missing) == (9, (2, 5, 6, 7, 8))


def test_numbers_go_on_past_999(archive, forms):
    with archive.founded.catalogue.housekeeping() as connection:
        connection.execute(sa.update(tables.case_file).values(number=999, reference="2026-一级-剧本相关-999"))
    assert archive.filing.file(ACTOR, forms.submission()).reference == "2026-一级-剧本相关-1000"


def test_an_untouched_series_begins_at_nothing(archive):
    with archive.founded.catalogue.reading() as connection:
        assert last_number(connection, SERIES) == 1
        assert last_number(connection, Series(2027, "一级", "剧本相关")) == 0
