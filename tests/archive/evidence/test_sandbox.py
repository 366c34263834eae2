import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.errors import Code, MunimentError
from archive.evidence import workers
from archive.evidence.sandbox import EvidenceKind, Limits, Sandbox

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def slow(written: Callable[..., bytes]) -> bytes:
    """A page painted over so often that it keeps a worker busy for many seconds, in little memory."""

    def heavy(pdf):
        pdf.pages[0].obj.Contents = pdf.make_stream(b"0 0 595 842 re f* " * 300_000)

    return written("x", prepare=heavy)


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def _is_at_work(sandbox: Sandbox) -> bool:
    with sandbox._pool._changed:  # within it a worker is chosen and found alive
        return not sandbox._pool._idle


def _running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_no_worker_runs_before_the_first_job_and_one_serves_many(jpeg: bytes, password: str):
    with Sandbox() as sandbox:
        assert sandbox.pids == ()
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        first = sandbox.pids
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        assert len(first) == 1
        assert sandbox.pids == first


def test_workers_end_when_the_sandbox_closes_and_later_calls_are_refused(jpeg: bytes, password: str):
    with Sandbox() as sandbox:
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        (pid,) = sandbox.pids
    assert not _running(pid)
    with pytest.raises(MunimentError) as refused:
        sandbox.convert(io.BytesIO(jpeg), "a", password)
    assert refused.value.code is Code.SANDBOX_UNAVAILABLE


def test_an_idle_worker_ends_and_the_next_job_gets_a_new_one(jpeg: bytes, password: str):
    with Sandbox(idle_seconds=0.05) as sandbox:
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        _until(lambda: not sandbox.pids)
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()


def test_threads_share_at_most_the_given_number_of_workers(jpeg: bytes, password: str):
    with Sandbox(workers=2) as sandbox, ThreadPoolExecutor(6) as threads:

        def convert(number: int) -> int:
            with sandbox.convert(io.BytesIO(jpeg), f"{number}", password) as made:
                return made.pages

        assert list(threads.map(convert, range(24))) == [1] * 24
        assert len(sandbox.pids) == 2


def test_a_worker_killed_in_the_middle_of_a_job_is_reported_and_replaced(
    slow: bytes, jpeg: bytes, password: str
):
    with Sandbox(workers=1) as sandbox, ThreadPoolExecutor(1) as thread:
        job = thread.submit(sandbox.convert, io.BytesIO(slow), "slow.pdf", password)
        _until(lambda: sandbox.pids)
        os.kill(sandbox.pids[0], signal.SIGKILL)
        error = job.exception(timeout=120)
        assert isinstance(error, MunimentError)
        assert error.code in (Code.CONVERSION_CRASHED, Code.SANDBOX_UNAVAILABLE)
        with sandbox.convert(io.BytesIO(jpeg), "a", password) as made:
            assert made.kind is EvidenceKind.JPEG


def test_a_worker_killed_while_converting_counts_as_a_crash(
    slow: bytes, jpeg: bytes, password: str, caplog: pytest.LogCaptureFixture
):
    with Sandbox(workers=1) as sandbox, ThreadPoolExecutor(1) as thread:
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        (pid,) = sandbox.pids
        job = thread.submit(sandbox.convert, io.BytesIO(slow), "slow.pdf", password)
        _until(lambda: _is_at_work(sandbox))
        os.kill(pid, signal.SIGKILL)
        error = job.exception(timeout=120)
        assert isinstance(error, MunimentError)
        assert error.code is Code.CONVERSION_CRASHED
        assert "slow.pdf" in error.say("zh")
        assert "a worker died in the job convert" in caplog.text


def test_a_worker_that_died_while_idle_is_replaced_without_a_word(jpeg: bytes, password: str):
    with Sandbox(workers=1) as sandbox:
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        (pid,) = sandbox.pids
        os.kill(pid, signal.SIGKILL)
        _until(lambda: not _running(pid))
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        assert sandbox.pids != (pid,)


def test_closing_ends_a_job_under_way(slow: bytes, password: str):
    sandbox = Sandbox(workers=1)
    with ThreadPoolExecutor(1) as thread:
        job = thread.submit(sandbox.convert, io.BytesIO(slow), "slow.pdf", password)
        _until(lambda: sandbox.pids)
        sandbox.close()
        assert isinstance(job.exception(timeout=120), MunimentError)


def test_a_job_that_closing_cuts_off_is_no_worker_that_died_of_itself(
    slow: bytes, jpeg: bytes, password: str, caplog: pytest.LogCaptureFixture
):
    sandbox = Sandbox(workers=1)
    with ThreadPoolExecutor(1) as thread:
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        job = thread.submit(sandbox.convert, io.BytesIO(slow), "slow.pdf", password)
        _until(lambda: _is_at_work(sandbox))
        sandbox.close()
        assert isinstance(job.exception(timeout=120), MunimentError)
    assert not caplog.records


def test_the_wall_clock_stops_a_job(slow: bytes, jpeg: bytes, password: str):
    with Sandbox(workers=1, limits=Limits(wall_seconds=1.5)) as sandbox:
        with pytest.raises(MunimentError) as stopped:
            sandbox.convert(io.BytesIO(slow), "slow.pdf", password)
        assert stopped.value.code is Code.CONVERSION_TIMEOUT
        assert "slow.pdf" in stopped.value.say("en")
        assert stopped.value.say("zh")
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()


def test_the_processor_clock_stops_a_job(slow: bytes, password: str):
    with Sandbox(workers=1, limits=Limits(cpu_seconds=0)) as sandbox:
        with pytest.raises(MunimentError) as stopped:
            sandbox.convert(io.BytesIO(slow), "slow.pdf", password)
        assert stopped.value.code is Code.CONVERSION_TIMEOUT


def test_each_job_has_the_whole_processor_allowance(jpeg: bytes, password: str):
    with Sandbox(workers=1, limits=Limits(cpu_seconds=1)) as sandbox:
        for _ in range(90):  # together they take longer than one second and its rounding
            sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        assert len(sandbox.pids) == 1


def test_a_source_over_the_limit_is_refused_before_it_is_all_read(password: str):
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    source = Endless()
    with Sandbox(limits=Limits(source_bytes=3_000_000)) as sandbox:
        with pytest.raises(MunimentError) as refused:
            sandbox.convert(source, "film.mp4", password)  # type: ignore[arg-type]
        assert refused.value.code is Code.EVIDENCE_TOO_LARGE
        assert "3 MB" in refused.value.say("en")
        assert source.given < 6_000_000
        assert sandbox.pids == ()


def test_output_over_the_limit_is_refused(jpeg: bytes, password: str):
    with Sandbox(workers=1, limits=Limits(output_bytes=10_000)) as sandbox:
        with pytest.raises(MunimentError) as refused:
            sandbox.convert(io.BytesIO(jpeg), "a", password)
        assert refused.value.code is Code.CONVERSION_TOO_LARGE


def test_a_result_cannot_be_changed_any_more(sandbox: Sandbox, jpeg: bytes, password: str):
    with sandbox.convert(io.BytesIO(jpeg), "a", password) as made:
        with pytest.raises(PermissionError):
            os.write(made.pdf.fileno(), b"forged")
        with pytest.raises(PermissionError):
            os.ftruncate(made.pdf.fileno(), 0)
        assert made.pdf.read(5) == b"%PDF-"
        assert made.size == os.fstat(made.pdf.fileno()).st_size


def test_no_descriptor_is_left_open_whatever_happens(sandbox: Sandbox, jpeg: bytes, password: str):
    sandbox.convert(io.BytesIO(jpeg), "a", password).close()
    before = sorted(Path("/proc/self/fd").iterdir())
    for source in (jpeg, b"", b"text", b"MZ\x90\x00", jpeg[:4000]) * 3:
        try:
            with sandbox.convert(io.BytesIO(source), "a", password) as made:
                sandbox.page(made.pdf, password, 1, 200, "")
                sandbox.release(made.pdf, password, "other", "copy").close()
        except MunimentError:
            pass
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_the_memory_of_the_server_stays_flat(jpeg: bytes, password: str):
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    big = jpeg + b"\x00" * 20_000_000  # what follows the end of the picture belongs to the original
    with Sandbox(workers=1) as sandbox:
        sandbox.convert(io.BytesIO(big), "a", password).close()
        before = resident()
        for _ in range(6):
            with sandbox.convert(io.BytesIO(big), "a", password) as made:
                assert made.size > 20_000_000
        assert resident() - before < 10_000_000


def test_the_worker_learns_neither_the_environment_nor_the_password_by_its_arguments(
    jpeg: bytes, password: str, monkeypatch: pytest.MonkeyPatch
):
    seen: list[tuple[list[str], dict[str, str]]] = []
    start = subprocess.Popen

    def watched(arguments, **options):
        seen.append((arguments, options["env"]))
        return start(arguments, **options)

    monkeypatch.setenv("MUNIMENT_MASTER", "secret")
    monkeypatch.setattr(workers.subprocess, "Popen", watched)
    with Sandbox(workers=1) as sandbox:
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
    ((arguments, environment),) = seen
    assert password not in " ".join(arguments)
    assert "secret" not in environment.values()
    threads = {"RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
    assert set(environment) == {"PATH", "LANG", "PYTHONPATH", "MALLOC_ARENA_MAX", *threads}


def test_a_worker_that_cannot_be_caged_does_nothing(jpeg: bytes, password: str):
    # A negative limit would be none at all.
    with Sandbox(workers=1, limits=Limits(memory_bytes=-5)) as sandbox:
        with pytest.raises(MunimentError) as refused:
            sandbox.convert(io.BytesIO(jpeg), "a", password)
        assert refused.value.code is Code.SANDBOX_UNAVAILABLE
        assert ("（限额为 -5）" in refused.value.say("zh"), "(a limit of -5)" in str(refused.value)) == (
            True,
            True,
        )
        assert sandbox.pids == ()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"done": []},
        {"done": {}},
        {"done": {"pages": 2, "text": ["one"], "kind": "pdf", "sha256": "00", "attached": True}},
        {"done": {"pages": 1, "text": [5], "kind": "pdf", "sha256": "00", "attached": True}},
        {"done": {"pages": 1, "text": ["x"], "kind": "exe", "sha256": "00", "attached": True}},
        {"done": {"pages": 1, "text": ["x"], "kind": "pdf", "sha256": "no hex", "attached": True}},
        {"refused": "access-denied", "facts": {}},
        {"refused": "evidence-kind", "facts": {}},
        {"refused": "evidence-kind", "facts": "none"},
        {"refused": ["evidence-kind"], "facts": {}},
    ],
)
def test_an_answer_that_no_worker_gives_counts_as_a_crash(
    answer: dict[str, object], jpeg: bytes, password: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(workers.Worker, "ask", lambda *_: answer)
    with Sandbox(workers=1) as sandbox, pytest.raises(MunimentError) as refused:
        sandbox.convert(io.BytesIO(jpeg), "a", password)
    assert refused.value.code is Code.CONVERSION_CRASHED


SERVER = r"""
import io, sys, threading, time
from archive.evidence.sandbox import Sandbox
sandbox = Sandbox(workers=1)
given = io.BytesIO(sys.stdin.buffer.read())
threading.Thread(target=sandbox.convert, args=(given, "slow", "p"), daemon=True).start()
while not sandbox.pids:
    time.sleep(0.01)
print(sandbox.pids[0], flush=True)
time.sleep(60)
"""


def test_workers_die_with_the_server(slow: bytes):
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin
    assert server.stdout
    with server.stdin, server.stdout:
        server.stdin.write(slow)
        server.stdin.close()
        pid = int(server.stdout.readline())
        _until(lambda: b"archive.evidence.worker" in Path(f"/proc/{pid}/cmdline").read_bytes())
        _until(lambda: re.search(r"Seccomp:\t2", Path(f"/proc/{pid}/status").read_text()))
        server.kill()
        server.wait()
        _until(lambda: not _running(pid))


def test_a_worker_outlives_the_thread_that_asked_for_it_first(jpeg: bytes, password: str):
    with Sandbox(workers=1) as sandbox:
        asking = threading.Thread(target=lambda: sandbox.convert(io.BytesIO(jpeg), "a", password).close())
        asking.start()
        asking.join()
        (pid,) = sandbox.pids
        sandbox.convert(io.BytesIO(jpeg), "a", password).close()
        assert sandbox.pids == (pid,)


def test_logs_name_the_place_of_a_fault_and_nothing_of_the_document(
    sandbox: Sandbox, password: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    with pytest.raises(MunimentError):
        sandbox.convert(io.BytesIO(b"%PDF-1.7\n(13800138000) nothing else"), "王小明.pdf", password)
    said = json.dumps([record.getMessage() for record in caplog.records], ensure_ascii=False)
    assert "PdfError" in said
    assert "13800138000" not in said
    assert "王小明" not in said
