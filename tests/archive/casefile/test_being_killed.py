"""Killed at any step of filing or voiding: what was acknowledged is there, nothing half is left in the vault."""

import os
import signal

import pytest

from archive.casefile.filing import Submission
from archive.casefile.reading import FileState
from archive.casefile.recovering import recover
from archive.ledger.entries import CONSOLE
from tests.conftest import QUICK
from tests.striking import Counted, in_a_child, strike
from tests.vouchers import voucher
from web.wiring import House, opened

BARE = Submission("二级", "环境相关", None, None, voucher())


def killed_at(step: int, house: House, act) -> bool:
    """Whether the step was reached; another process does the act and dies at it."""

    def work() -> None:
        with (
            opened(house.settings, clock=house.clock, passwords=QUICK) as own,
            pytest.MonkeyPatch.context() as patch,
        ):
            strike(patch, Counted(lambda: os.kill(os.getpid(), signal.SIGKILL), step))
            act(own)

    house.catalogue.database.close()  # no connection crosses into the child
    status = in_a_child(work)
    assert status in (0, -signal.SIGKILL)
    return status != 0


def test_a_filing_that_is_killed_leaves_a_whole_file_or_nothing(house: House, filed, record_property):
    step, files = 0, 0
    while killed_at(step := step + 1, house, lambda own: own.filing.file(CONSOLE, BARE)):
        recover(house.catalogue, house.founded.vault)
        assert house.fixity.check(CONSOLE).whole, step
        now = len([each for each in house.case_files.select() if each.category == "环境相关"])
        assert now in (files, files + 1)
        files = now
    record_property("faults", (step - 1, "killed at each step of a filing"))


def test_a_voiding_that_is_killed_leaves_the_file_void_or_as_it_was(house: House, filed, record_property):
    step = 0
    while killed_at(step := step + 1, house, lambda own: own.voiding.void(CONSOLE, filed[0], "重复")):
        recover(house.catalogue, house.founded.vault)
        assert house.fixity.check(CONSOLE).whole, step
        if house.case_files.get(filed[0]).state is FileState.VOID:
            break
    record_property("faults", (step, "killed at each step of a voiding"))
