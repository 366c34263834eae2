"""Jobs in the catalogue: leased, renewed, tried again, and their effects written once."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from secrets import token_bytes

import pytest
import sqlalchemy as sa

from archive.database import tables
from archive.database.jobs import ATTEMPTS, LEASE, Job, Jobs, JobState, LeaseLostError, follow_to, followed
from web.wiring import House


@pytest.fixture
def jobs(house: House) -> Jobs:
    return Jobs("test", house.catalogue, token_bytes)


def add(house: House, jobs: Jobs, **priorities: int) -> int:
    with house.catalogue.housekeeping() as connection:
        return jobs.add(connection, priorities)


def finish(house: House, jobs: Jobs, job: Job, problem: str | None = None) -> None:
    with house.catalogue.housekeeping() as connection:
        jobs.finish(connection, job, problem)


def counts(house: House, jobs: Jobs) -> dict[JobState, int]:
    with house.catalogue.reading() as connection:
        return {state: count for state, count in jobs.counts(connection).items() if count}


def test_a_subject_has_one_job_however_often_it_is_added(house: House, jobs: Jobs):
    assert add(house, jobs, a=1, b=1) == 2
    assert add(house, jobs, a=5, c=1) == 1
    assert counts(house, jobs) == {JobState.WAITING: 3}


def test_the_most_urgent_goes_first_and_then_the_newest(house: House, jobs: Jobs):
    add(house, jobs, old=1, urgent=9, new=1)
    jobs.hasten(["old"], 10)
    order = []
    while job := jobs.lease():
        order.append(job.subject)
        finish(house, jobs, job)
    assert order == ["old", "urgent", "new"]
    assert counts(house, jobs) == {JobState.DONE: 3}


def test_a_leased_job_is_nobody_elses_until_the_lease_runs_out(house: House, jobs: Jobs, clock):
    add(house, jobs, a=1)
    first = jobs.lease()
    assert jobs.lease() is None
    clock.wait(seconds=LEASE.total_seconds() + 1)
    second = jobs.lease()
    assert second.subject == first.subject
    with pytest.raises(LeaseLostError):
        finish(house, jobs, first)
    finish(house, jobs, second)


def test_a_renewed_lease_holds(house: House, jobs: Jobs, clock):
    add(house, jobs, a=1)
    job = jobs.lease()
    for _ in range(3):
        clock.wait(seconds=LEASE.total_seconds() - 1)
        with house.catalogue.housekeeping() as connection:
            jobs.renew(connection, job)
    assert jobs.lease() is None


def test_what_is_written_with_a_lost_lease_is_rolled_back(house: House, jobs: Jobs, clock):
    add(house, jobs, a=1)
    lost = jobs.lease()
    clock.wait(seconds=LEASE.total_seconds() + 1)
    jobs.lease()

    def write() -> None:
        with house.catalogue.housekeeping() as connection:
            follow_to(connection, "effect", 7)
            jobs.finish(connection, lost)

    with pytest.raises(LeaseLostError):
        write()
    with house.catalogue.reading() as connection:
        assert followed(connection, "effect") == 0


def test_a_problem_waits_longer_each_time_and_the_last_attempt_is_said_to_be_the_last(
    house: House, jobs: Jobs, clock
):
    add(house, jobs, a=1)
    waits = []
    for attempt in range(1, ATTEMPTS + 1):
        job = jobs.lease()
        assert job.last == (attempt == ATTEMPTS)
        if job.last:
            break
        with house.catalogue.housekeeping() as connection:
            jobs.put_back(connection, job, "conversion-crashed")
        waited = 0
        while (again := _due(house, clock, waited)) is False:
            waited += 30
        waits.append(waited)
        clock.wait(seconds=waited)
        assert again
    assert waits == sorted(waits)
    assert waits[0] > 0
    finish(house, jobs, job, "conversion-crashed")
    assert counts(house, jobs) == {JobState.FAILED: 1}
    with house.catalogue.reading() as connection:
        assert jobs.problems(connection) == [("a", "conversion-crashed")]
    assert jobs.retry() == 1
    assert jobs.lease().last is False


def _due(house: House, clock, seconds: int) -> bool:
    with house.catalogue.reading() as connection:
        due = connection.execute(sa.select(tables.job.c.due_at)).scalar_one()
    return due <= clock.now + timedelta(seconds=seconds)


def test_an_attempt_cut_short_by_no_fault_of_the_job_does_not_count(house: House, jobs: Jobs):
    add(house, jobs, a=1)
    for _ in range(ATTEMPTS * 3):
        job = jobs.lease()
        assert not job.last
        with house.catalogue.housekeeping() as connection:
            jobs.put_back(connection, job, None)


def test_many_workers_do_each_job_once(house: House, jobs: Jobs):
    add(house, jobs, **{f"j{number}": number % 3 for number in range(40)})
    done: list[str] = []

    def work() -> None:
        while job := jobs.lease():
            finish(house, jobs, job)
            done.append(job.subject)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(done) == sorted(f"j{number}" for number in range(40))


_WORKER = """
import sys, time
from pathlib import Path
from secrets import token_bytes
from web.settings import Settings
from web.wiring import opened
from archive.database.jobs import Jobs, follow_to, followed
with opened(Settings(home=Path(sys.argv[1]))) as house:
    jobs = Jobs("test", house.catalogue, token_bytes)
    while job := jobs.lease():
        time.sleep(0.02)
        with house.catalogue.housekeeping() as connection:
            jobs.finish(connection, job)
            follow_to(connection, job.subject, followed(connection, job.subject) + 1)
        print(job.subject, flush=True)
"""


def test_a_worker_killed_at_any_moment_neither_loses_nor_repeats_an_effect(
    house: House, jobs: Jobs, settings, clock
):
    clock.now = clock.now.replace(year=clock.now.year - 1)  # so that jobs are due for a real clock
    subjects = [f"j{number}" for number in range(25)]
    add(house, jobs, **dict.fromkeys(subjects, 1))
    root = Path(__file__).resolve().parents[3]
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(settings.home)], cwd=root, stdout=subprocess.PIPE, text=True
        )
        worker.stdout.readline()  # it works
        time.sleep(0.05)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
    with house.catalogue.housekeeping() as connection:  # as if the leases had run out
        connection.execute(
            tables.job.update().where(tables.job.c.state == JobState.LEASED).values(leased_until=clock.now)
        )
    subprocess.run(
        [sys.executable, "-c", _WORKER, str(settings.home)], cwd=root, check=True, stdout=subprocess.PIPE
    )
    with house.catalogue.reading() as connection:
        assert [each for each in subjects if followed(connection, each) != 1] == []
    assert counts(house, jobs) == {JobState.DONE: len(subjects)}
