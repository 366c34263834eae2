"""Infected evidence is sealed away and told of; a scanner that is configured is never passed over (P16)."""

import io
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from shutil import which

import pytest

from archive.casefile.filing import Submission
from archive.casefile.importing import Defaults, Importing
from archive.casefile.sources import Source
from archive.errors import Code, MunimentError
from archive.evidence.clamd import Clamd
from archive.ledger.entries import Actor
from archive.ledger.tables import entry
from tests.conftest import QUICK, Clock
from tests.serving import environment
from tests.vouchers import voucher
from web.settings import Settings
from web.wiring import House, init, opened

ACTOR = Actor("P0001")
# The test file of EICAR, in two halves so that this file is not taken for it.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD" + rb"-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = "44d88612fea8a8f36de82e1278abb02f:68:Muniment.Test.EICAR\n"


def _free_port() -> int:
    """Below those that the system gives to who asks for any: such a one might be taken before the scanner is there."""
    while True:
        port = secrets.randbelow(8000) + 3000
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    signatures = folder / "signatures"
    signatures.mkdir(exist_ok=True)
    (signatures / "test.hdb").write_text(SIGNATURE)
    signatures.chmod(0o755)
    settings = folder / "clamd.conf"
    settings.write_text(
        f"TCPSocket {port}\nTCPAddr 127.0.0.1\nDatabaseDirectory {signatures}\nForeground yes\n"
        "StreamMaxLength 1M\nUser root\n"
    )
    process = subprocess.Popen(
        ["clamd", "--config-file", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as link:
                link.sendall(b"zPING\0")
                if link.recv(8).startswith(b"PONG"):
                    return process
        except OSError:
            assert process.poll() is None, "clamd ended"
            assert time.monotonic() < deadline, "clamd does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if which("clamd") is None:
        pytest.skip("clamd is not installed here")
    port = _free_port()
    process = _start(tmp_path_factory.mktemp("clamd"), port)
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()


def _house(tmp_path: Path, clock: Clock, address: str) -> Iterator[House]:
    settings = Settings(home=tmp_path / "var", clamav=address)
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK) as house:
        yield house


@pytest.fixture
def scanned(tmp_path: Path, clock: Clock, clamd: str) -> Iterator[House]:
    yield from _house(tmp_path, clock, clamd)


@pytest.fixture
def unreachable(tmp_path: Path, clock: Clock) -> Iterator[House]:
    yield from _house(tmp_path, clock, f"127.0.0.1:{_free_port()}")


def _submission(*evidence: tuple[str, bytes]) -> Submission:
    sources = tuple(Source(name, io.BytesIO(data)) for name, data in evidence)
    return Submission("一级", "剧本相关", None, None, voucher(), sources)


def _acts(house: House) -> list[str]:
    with house.catalogue.reading() as connection:
        return [str(row.act) for row in connection.execute(entry.select().order_by(entry.c.position))]


def test_clean_evidence_is_filed(scanned: House):
    filed = scanned.filing.file(ACTOR, _submission(("a.txt", "要求退款".encode())))
    assert len(filed.documents) == 2
    assert not scanned.quarantine.folder.exists()


def test_infected_evidence_is_sealed_away_recorded_and_not_filed(scanned: House):
    with pytest.raises(MunimentError) as refused:
        scanned.filing.file(ACTOR, _submission(("好.txt", "要求退款".encode()), ("坏.txt", EICAR)))
    assert refused.value.code is Code.EVIDENCE_INFECTED
    assert "坏.txt" in refused.value.say("zh")
    assert "Muniment.Test.EICAR" in refused.value.say("en")
    assert _acts(scanned) == ["archive-created", "quarantined"]
    assert scanned.case_files.select() == []
    (found,) = scanned.quarantine.isolated()
    assert (found.name, found.actor, found.size) == ("坏.txt", ACTOR, len(EICAR))
    (kept,) = scanned.quarantine.folder.iterdir()
    assert b"EICAR" not in kept.read_bytes()
    assert "坏" not in kept.name
    assert b"".join(scanned.quarantine.take(ACTOR, found.number)) == EICAR
    assert _acts(scanned)[-1] == "quarantine-opened"


def test_the_same_infected_file_is_kept_once_and_recorded_each_time(scanned: House):
    for _ in range(2):
        with pytest.raises(MunimentError):
            scanned.filing.check_evidence(ACTOR, Source("x", io.BytesIO(EICAR)))
    assert _acts(scanned).count("quarantined") == 2
    assert len(list(scanned.quarantine.folder.iterdir())) == 1


def test_a_damaged_file_in_quarantine_is_not_given_out(scanned: House):
    with pytest.raises(MunimentError):
        scanned.filing.check_evidence(ACTOR, Source("x", io.BytesIO(EICAR)))
    (found,) = scanned.quarantine.isolated()
    (kept,) = scanned.quarantine.folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(MunimentError) as refused:
        list(scanned.quarantine.take(ACTOR, found.number))
    assert refused.value.code is Code.DOCUMENT_ALTERED
    with pytest.raises(MunimentError) as unknown:
        scanned.quarantine.take(ACTOR, "0" * 32)
    assert unknown.value.code is Code.QUARANTINE_UNKNOWN


def test_what_the_scanner_will_not_take_is_refused_and_not_passed_over(scanned: House):
    with pytest.raises(MunimentError) as refused:
        scanned.filing.check_evidence(ACTOR, Source("大.txt", io.BytesIO(b"long\n" * 500_000)))
    assert refused.value.code is Code.EVIDENCE_UNSCANNED
    assert "大.txt" in refused.value.say("zh")


def test_nothing_is_filed_while_the_scanner_is_away(unreachable: House):
    with pytest.raises(MunimentError) as refused:
        unreachable.filing.file(ACTOR, _submission(("a.txt", b"words"), ("b.exe", b"MZ")))
    assert refused.value.code is Code.SCANNER_UNAVAILABLE
    assert refused.value.meaning.http == 503
    assert _acts(unreachable) == ["archive-created"]
    assert unreachable.case_files.select() == []


@pytest.mark.parametrize("answer", [b"", b"nonsense\0", b"stream: lstat() failed. ERROR\0", b"x" * 5000])
def test_an_answer_that_is_no_verdict_counts_as_none(answer: bytes):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            link, _ = server.accept()
            with link:
                link.recv(1 << 16)
                link.sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        with pytest.raises(MunimentError) as refused:
            Clamd(f"127.0.0.1:{server.getsockname()[1]}").scan(io.BytesIO(b"x"), "x")
        serving.join()
    assert refused.value.code is Code.SCANNER_UNAVAILABLE


def test_a_scanner_at_a_socket_path_that_is_not_there_is_unavailable(tmp_path: Path):
    with pytest.raises(MunimentError) as refused:
        Clamd(str(tmp_path / "none.sock")).scan(io.BytesIO(b"x"), "x")
    assert refused.value.code is Code.SCANNER_UNAVAILABLE


def _folder(root: Path) -> Path:
    folder = root / "一级" / "剧本相关" / "one"
    folder.mkdir(parents=True)
    (folder / "voucher.json").write_bytes(voucher())
    (folder / "a.txt").write_bytes("要求退款".encode())
    return root


@pytest.fixture
def late(tmp_path: Path, clock: Clock) -> Iterator[tuple[House, int]]:
    """A house whose scanner is not there yet, and the port where it would be."""
    port = _free_port()
    for house in _house(tmp_path, clock, f"127.0.0.1:{port}"):
        yield house, port


@pytest.mark.skipif(which("clamd") is None, reason="clamd is not installed here")
def test_an_import_waits_for_the_scanner_and_goes_on(late: tuple[House, int], tmp_path: Path):
    house, port = late
    said: list[MunimentError] = []
    given_up = threading.Event()

    def waiting(error: MunimentError) -> None:
        said.append(error)
        if given_up.is_set():  # or a failed test would wait for ever
            raise error

    importing = Importing(
        house.catalogue,
        house.filing,
        house.scheme,
        house.founded.fingerprint_key,
        waiting=waiting,
        again_after=0.1,
    )
    root = _folder(tmp_path / "in")
    with ThreadPoolExecutor(1) as thread, ExitStack() as ending:
        ending.callback(given_up.set)
        outcomes = thread.submit(lambda: list(importing.import_all(ACTOR, root, Defaults())))
        deadline = time.monotonic() + 60
        while not said:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert house.case_files.select() == []
        process = _start(tmp_path, port)
        ending.callback(process.wait)
        ending.callback(process.kill)
        assert [each.filed for each in outcomes.result(60)] == [True]
    assert {each.code for each in said} == {Code.SCANNER_UNAVAILABLE}


def test_an_import_that_waits_ends_at_once_when_it_is_interrupted(tmp_path: Path):
    settings = Settings(home=tmp_path / "var")
    init(settings)
    root = _folder(tmp_path / "in")
    command = [sys.executable, "-m", "web", "--home", str(settings.home), "import", str(root)]
    scanner = f"127.0.0.1:{_free_port()}"
    process = subprocess.Popen(
        command, env=environment(MUNIMENT_CLAMAV=scanner), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    with process.stderr:
        assert scanner in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 130
