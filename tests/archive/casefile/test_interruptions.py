"""Filing and voiding, killed before every change to the disk and out of room at every one: all of it, or nothing.

Whatever happened, the next start finds a ledger that verifies, numbers without gap, a vault that holds exactly what
the catalogue knows, documents that open, and the next filing takes the next number.
"""

import io
import os
import shutil
import signal
from collections import Counter
from datetime import UTC, date, datetime
from functools import partial

import pytest
import sqlalchemy as sa

from archive.casefile.reading import FileState
from archive.casefile.reference import Reference
from archive.vault.inventory import Change
from retention.tables import hold

ACTOR = "P0001"
FIRST = "2026-一级-剧本相关-001"
MOST_STEPS = 2000


@pytest.fixture
def at_every_step(model, disk, interrupt, open_at, cleared, record_property):
    """Runs ``act`` in a fresh copy of the archive for n = 1, 2, … until it ends by itself; ``check`` what is left."""

    def run(fault, act, check, begin=model) -> Counter[str]:
        calls: Counter[str] = Counter()
        for number in range(1, MOST_STEPS):
            home = shutil.copytree(begin, disk / "copy")
            if number == 1:  # every document made once, so that a child needs no workers
                with open_at(home, "act") as archive:
                    act(archive)
                shutil.rmtree(home)
                shutil.copytree(begin, home)
            stopped = interrupt(home, fault, number, partial(open_at, home, "act"), act)
            context = f"{fault.value}: change {number} ({stopped.call})"
            _check_end(fault.name, stopped, context)
            with open_at(home, "next") as archive:
                cleared(archive)
                assert archive.wrong() == [], context
                check(archive, stopped, context)
                if fault.name == "KILLED":
                    assert archive.wrong() == [], f"{context}, after the next act"
            shutil.rmtree(home)
            if not stopped.reached:
                record_property("faults", (calls.total(), f"{fault.value}: {dict(calls)}"))
                return calls
            calls[stopped.call] += 1
        pytest.fail("it never ends")

    return run


def _check_end(fault: str, stopped, context: str) -> None:
    if fault == "KILLED" and stopped.reached:
        assert os.WIFSIGNALED(stopped.status), context
        assert os.WTERMSIG(stopped.status) == signal.SIGKILL, context
    else:  # a refusal that says the disk is full; or done, where only tidying up met it
        assert stopped.done or (stopped.reached and stopped.refused), context


def faults(*names: str):
    return pytest.mark.parametrize("fault", names)


@faults("KILLED", "ONCE_FULL", "FULL")
def test_filing_is_whole_or_not_at_all(at_every_step, forms, fault, fault_kinds):
    evidence = (("照片.jpg", forms.photo("red")), ("语音.silk", forms.voice()))

    def file(archive, level="二级"):
        return archive.filing.file(ACTOR, forms.submission(*evidence, level=level)).reference

    def check(archive, stopped, context):
        there = "2026-二级-剧本相关-001" in archive.references()
        if stopped.done:
            assert there, f"{context}: acknowledged and lost"
        assert file(archive) == f"2026-二级-剧本相关-00{2 if there else 1}", context
        assert file(archive, "一级") == "2026-一级-剧本相关-002", context

    assert at_every_step(fault_kinds[fault], file, check).total() > 40


@faults("KILLED", "ONCE_FULL", "FULL")
def test_voiding_is_whole_or_not_at_all(at_every_step, fault, fault_kinds):
    def void(archive):
        archive.voiding.void(ACTOR, FIRST, "重复登记")

    def check(archive, stopped, context):
        state = archive.case_files.get(FIRST).state
        if stopped.done:
            assert state is FileState.VOID, f"{context}: acknowledged and lost"
        if state is FileState.FILED:
            void(archive)
        assert archive.case_files.get(FIRST).state is FileState.VOID

    assert at_every_step(fault_kinds[fault], void, check).total() > 40


@faults("KILLED", "ONCE_FULL", "FULL")
def test_completing_is_whole_or_not_at_all(at_every_step, disk, open_at, forms, fault, fault_kinds, model):
    begin = shutil.copytree(model, disk / "open")
    second = FIRST.replace("001", "002")
    with open_at(begin, "open") as archive:
        archive.filing.file(ACTOR, forms.submission(completed_on=None))

    def complete(archive):
        archive.completing.complete(ACTOR, second, date(2026, 3, 2))

    def check(archive, stopped, context):
        done = archive.case_files.get(second).completed_on is not None
        assert done or not stopped.done, f"{context}: acknowledged and lost"
        if not done:
            complete(archive)

    assert at_every_step(fault_kinds[fault], complete, check, begin).total() > 25


@faults("KILLED")  # on a full disk they go the way of a completion
def test_holding_and_lifting_are_whole_or_not_at_all(at_every_step, fault, fault_kinds):
    def hold_and_lift(archive):
        if not archive.holds.active(FIRST):
            archive.holds.place(ACTOR, FIRST, "诉讼")
        archive.holds.lift(ACTOR, FIRST, "结案")

    def check(archive, stopped, context):
        with archive.founded.catalogue.reading() as connection:
            lifted = [row.lifted_at is not None for row in connection.execute(sa.select(hold))]
        assert lifted in ([], [False], [True]), context
        assert lifted == [True] or not stopped.done, f"{context}: acknowledged and lost"

    assert at_every_step(fault_kinds[fault], hold_and_lift, check).total() > 50


@faults("KILLED", "ONCE_FULL", "FULL")
def test_recovery_is_whole_at_the_second_start_if_not_at_the_first(
    at_every_step, model, disk, open_at, cleared, fault, fault_kinds
):
    """It begins with a version and an object that no row knows, as crashes leave them."""
    crashed = shutil.copytree(model, disk / "crashed")
    with open_at(crashed) as archive:
        vault = archive.founded.vault
        with pytest.raises(RuntimeError), vault.staging(adds_to=FIRST) as staging:  # noqa: PT012 - the block fails
            change = _staged(staging)
            vault.add_version(staging, Reference.parse(FIRST).folder, 2, change)
            raise RuntimeError
        with vault.staging() as staging:
            second = Reference.parse(FIRST.replace("001", "002"))
            staging.mark(str(second))
            vault.place(staging, second.folder, "urn:uuid:x", _staged(staging))
        assert archive.wrong() != []

    def check(archive, stopped, context):
        assert archive.references() == [FIRST], context

    assert at_every_step(fault_kinds[fault], cleared, check, crashed).total() > 4


def _staged(staging) -> Change:
    stored = staging.put("a.pdf", io.BytesIO(b"orphan"))
    return Change(datetime(2026, 3, 1, tzinfo=UTC), "filed", ACTOR, {"a.pdf": stored.sha512.hex()})
