"""A real archive on a real disk, whose converter remembers what it made, and a child process that is stopped midway.

The faults are injected at system calls (ptrace(2)): before the n-th change to the disk the child is killed, or the
call fails for want of room. That reaches the steps inside SQLite's commit too, which no patched function would.
"""

import ctypes
import io
import os
import platform
import shutil
import signal
import struct
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from errno import ENOSPC
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from archive.casefile import tables
from archive.casefile.amending import Amending
from archive.casefile.completing import Completing
from archive.casefile.filing import Filing, Submission
from archive.casefile.numbering import runs
from archive.casefile.quarantining import Quarantine
from archive.casefile.reading import CaseFiles
from archive.casefile.receiving import Receiving
from archive.casefile.record import unseal
from archive.casefile.recording import Recording
from archive.casefile.recovering import recover
from archive.casefile.reference import Reference
from archive.casefile.sources import Source
from archive.casefile.voiding import Voiding
from archive.errors import Code, refusal_of
from archive.evidence.recognising import recording
from archive.evidence.sandbox import Converted, EvidenceKind, Sandbox
from archive.founding import Founded, found, open_archive
from archive.journalling import Journalling
from archive.keys.journal import KeyJournal
from archive.keys.keyring import Keyring
from archive.ledger.entries import Actor
from archive.ledger.verifying import verify
from archive.scheme.scheme import load_scheme
from retention.holds import Holds
from retention.schedule import due_date
from tests.outsiders import ocfl_refuses
from tests.vouchers import voucher
from web.wiring import RECORDED

ACTOR = Actor("P0001")
ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
KEYRING = Keyring({1: b"k" * 32}, "test.key")


ATTACHED = 16 << 10  # bytes of a recording that rides in its PDF here


def chance(seed: str) -> Callable[[int], bytes]:
    """Randomness that is the same each time, so that a document made once fits again."""
    numbers = count()
    return lambda length: sha256(f"{seed}:{next(numbers)}".encode()).digest()[:length]


class Press:
    """The real sandbox, asked once for each thing; what it made is handed out again, in a forked child too."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.limits = replace(sandbox.limits, attached_bytes=ATTACHED)
        self._made: dict[str, tuple[Converted, bytes, bytes]] = {}
        self._process = os.getpid()

    def convert(self, source, name: str, password: str, *, inspect=None) -> Converted:
        assert inspect is not None
        given = source.read()
        return self._once(
            f"{name} {password} {sha256(given).hexdigest()}",
            lambda: self._sandbox.convert(io.BytesIO(given), name, password),
        )

    def recording(self, head: bytes, name: str) -> EvidenceKind | None:
        return recording(head)

    def cover(self, excerpt: int, name: str, password: str, *facts: object) -> Converted:
        return self._once(
            f"{name} {password} {facts}", lambda: self._sandbox.cover(excerpt, name, password, *facts)
        )

    def voucher(self, sheet, password: str, attachment: bytes, void=None) -> Converted:
        return self._once(
            f"{sheet} {password} {void}", lambda: self._sandbox.voucher(sheet, password, attachment, void)
        )

    def _once(self, what: str, make: Callable[[], Converted]) -> Converted:
        if what not in self._made:
            assert os.getpid() == self._process, "a fork has no workers"
            with make() as made:
                self._made[what] = (made, made.pdf.read(), made.words.read())
        made, content, words = self._made[what]
        return replace(made, pdf=io.BytesIO(content), words=io.BytesIO(words))


@dataclass
class Archive:
    """An open archive. ``wrong()`` is everything that is not as it must be."""

    home: Path
    founded: Founded
    case_files: CaseFiles
    filing: Filing
    voiding: Voiding
    amending: Amending
    journalling: Journalling

    @property
    def completing(self) -> Completing:
        return Completing(self.amending, ZONE)

    @property
    def holds(self) -> Holds:
        return Holds(self.amending)

    def references(self) -> list[str]:
        with self.founded.catalogue.reading() as connection:
            columns = tables.case_file.c
            return sorted(connection.execute(sa.select(columns.reference)).scalars())

    def wrong(self) -> list[str]:
        found = [f"left in staging: {each.name}" for each in (self.home / "staging").iterdir()]
        found += [f"not in the key journal: {each}" for each in self.journalling.status().missing]
        with self.founded.catalogue.reading() as connection:
            verify(connection, self.founded.catalogue.ledger, self.case_files.file_key)
            found += [f"a gap in {run.series}: {run.missing}" for run in runs(connection) if run.missing]
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None
        root = self.home / "vault"
        found += ocfl_refuses(root)
        objects = {path.parent.relative_to(root).as_posix() for path in root.rglob("0=ocfl_object_1.1")}
        known = {Reference.parse(each).folder for each in self.references()}
        found += [f"the vault and the catalogue differ: {each}" for each in objects ^ known]
        return found + [each for reference in self.references() for each in self._wrong_in(reference)]

    def _wrong_in(self, reference: str) -> Iterator[str]:
        case_file = self.case_files.get(reference)
        head = self.founded.vault.inventory(Reference.parse(reference).folder)["head"]
        if head != f"v{case_file.version}":
            yield f"{reference} is at {head} in the vault, at {case_file.version} in the catalogue"
        self.case_files.check(case_file)
        recorder = self.amending.recording
        with self.founded.vault.open(
            Reference.parse(reference).folder, case_file.version, f"{reference}.record"
        ) as stream:
            key = self.case_files.key_of(case_file)
            record = unseal(stream.read(), key, case_file.version, recorder.others)
        if not record.agrees_with(recorder.of(case_file.id)):
            yield f"the record of {reference} is stale"


def photo(colour: str = "navy") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (160, 120), colour).save(written, "JPEG")
    return written.getvalue()


def voice() -> bytes:
    """A voice message of WeChat, which no other program is asked about; too long for its PDF here."""
    return b"\x02#!SILK_V3" + bytes(ATTACHED)


@dataclass(frozen=True)
class Forms:
    """What is handed in."""

    voice: Callable[..., bytes] = field(default=voice)
    photo: Callable[..., bytes] = field(default=photo)
    voucher: Callable[..., bytes] = field(default=voucher)

    @staticmethod
    def submission(*evidence: tuple[str, bytes], level: str = "一级", **changed: object) -> Submission:
        given = {"category": "剧本相关", "completed_on": date(2026, 3, 1), "permanent": None}
        sources = tuple(Source(name, io.BytesIO(content)) for name, content in evidence)
        return Submission(level=level, evidence=sources, **{**given, "voucher": voucher(), **changed})


@pytest.fixture
def forms() -> Forms:
    return Forms()


@pytest.fixture(scope="session")
def press() -> Iterator[Press]:
    with Sandbox(1) as sandbox:
        yield Press(sandbox)


def journalling_of(founded: Founded, home: Path) -> Journalling:
    """The journal lies in the home folder here, which settings refuse, so that faults reach it and copies have it."""
    return Journalling(home, founded.catalogue, founded.keyring, KeyJournal(home / "keys"))


@contextmanager
def _open(home: Path, press: Press, seed: str, keyring: Keyring = KEYRING) -> Iterator[Archive]:
    founded = open_archive(home, keyring, lambda: NOW, chance(seed))
    case_files = CaseFiles(founded.catalogue, keyring, founded.vault)
    journalling = journalling_of(founded, home)
    journalling.begin()
    recording = Recording(founded.catalogue, RECORDED)
    amending = Amending(founded.catalogue, founded.vault, case_files, recording)
    filing = Filing(
        founded.catalogue,
        keyring,
        founded.vault,
        Receiving(press, Quarantine(home / "quarantine", b"q" * 32, founded.catalogue, chance(seed))),
        load_scheme(),
        case_files,
        journalling,
        recording,
        due_date=due_date,
        zone=ZONE,
        randomness=chance(seed),
    )
    voiding = Voiding(amending, press, filing)
    try:
        yield Archive(home, founded, case_files, filing, voiding, amending, journalling)
    finally:
        founded.catalogue.database.close()


@pytest.fixture(scope="session")
def model(press: Press) -> Iterator[Path]:
    """An archive with 一级-剧本相关-001, to be copied."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "model")
        founded = found(home, lambda: KEYRING, lambda: NOW, chance("model"))
        founded.catalogue.database.close()
        with _open(home, press, "model-file") as archive:
            archive.filing.file(ACTOR, Forms.submission(("照片.jpg", photo())))
        yield home


@pytest.fixture
def disk() -> Iterator[Path]:
    """In memory where that can be: a process that is killed leaves its writes either way, fsync or not."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def open_at(press: Press) -> Callable[..., object]:
    """``with open_at(home, seed) as archive``: what a crash left there is *not* cleared yet."""
    return lambda home, seed="later", keyring=KEYRING: _open(home, press, seed, keyring)


@pytest.fixture
def archive(model: Path, disk: Path, press: Press) -> Iterator[Archive]:
    with _open(Path(shutil.copytree(model, disk / "archive")), press, "archive") as opened:
        yield opened


class Fault(Enum):
    KILLED = "killed before the call"
    ONCE_FULL = "no room, for this one call"
    FULL = "no room, from this call on"


@dataclass(frozen=True)
class Stopped:
    reached: bool  # the n-th change was there to be stopped
    call: str
    status: int  # of the child, as waitpid gives it

    @property
    def done(self) -> bool:
        return os.WIFEXITED(self.status) and os.WEXITSTATUS(self.status) == DONE

    @property
    def refused(self) -> bool:
        return os.WIFEXITED(self.status) and os.WEXITSTATUS(self.status) == REFUSED


_CALLS = {
    1: "write", 18: "pwrite64", 20: "writev", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate",
    82: "rename", 83: "mkdir", 84: "rmdir", 86: "link", 87: "unlink", 257: "openat", 258: "mkdirat",
    263: "unlinkat", 264: "renameat", 265: "linkat", 285: "fallocate", 316: "renameat2",
}  # fmt: skip
_BY_DESCRIPTOR = {"write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fallocate"}
_NEED_ROOM = {"write", "pwrite64", "writev", "fsync", "fdatasync", "mkdir", "mkdirat", "openat", "link",
              "linkat", "fallocate"}  # fmt: skip
_MAY_NEED_ROOM = {*_NEED_ROOM, "rename", "renameat", "renameat2"}  # the folder may have to grow
DONE, REFUSED, DEFECT, UNTRACED = 0, 10, 11, 12


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    answer = int(libc.ptrace(request, pid, address, data))
    if answer == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


class Tracer:
    """Runs a child, which stops itself when it is ready, and meddles with its n-th change below ``home``."""

    def __init__(self, home: Path, fault: Fault, wanted: int) -> None:
        self._home, self._fault, self._wanted = str(home), fault, wanted
        self._seen = 0
        self._call = ""
        self._failing = False

    def run(self, work: Callable[[Callable[[], None]], None]) -> Stopped:
        pid = os.fork()
        if pid == 0:
            try:
                signal.alarm(60)
                status = UNTRACED
                _ptrace(0, 0)  # TRACEME
                status = DEFECT
                work(lambda: os.kill(os.getpid(), signal.SIGSTOP))
            except BaseException:  # pytest must not go on in the child
                traceback.print_exc()
            os._exit(status)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == UNTRACED:
            pytest.skip("ptrace is not allowed here")
        assert os.WIFSTOPPED(status), "the child was not ready"
        _ptrace(0x4200, pid, 0, 0x1 | 0x100000)  # SETOPTIONS: mark system calls, die with the tracer
        passed_on = 0
        while True:
            with suppress(ProcessLookupError):  # killed a moment ago
                _ptrace(24, pid, 0, passed_on)  # SYSCALL: on to the next one
            _, status = os.waitpid(pid, 0)
            if not os.WIFSTOPPED(status):
                return Stopped(self._seen >= self._wanted, self._call, status)
            passed_on = 0 if os.WSTOPSIG(status) == signal.SIGTRAP | 0x80 else os.WSTOPSIG(status)
            if not passed_on:
                self._meddle(pid)

    def _meddle(self, pid: int) -> None:
        buffer = ctypes.create_string_buffer(88)
        _ptrace(0x420E, pid, 88, ctypes.addressof(buffer))  # GET_SYSCALL_INFO
        if buffer.raw[0] == 2 and self._failing:  # leaving a call that was not made
            self._failing = False
            _ptrace(6, pid, 10 * 8, -ENOSPC & (2**64 - 1))  # POKEUSER: rax
        if buffer.raw[0] != 1:
            return
        number, first, _, third, *_ = struct.unpack_from("=Q6Q", buffer.raw, 24)
        call = _CALLS.get(number, "")
        if not self._counts(pid, call, first, third):
            return
        self._seen += 1
        if self._seen == self._wanted:
            self._call = call
        if self._fault is Fault.KILLED and self._seen == self._wanted:
            os.kill(pid, signal.SIGKILL)
        elif (self._fault is Fault.ONCE_FULL and self._seen == self._wanted) or (
            self._fault is Fault.FULL and self._seen >= self._wanted
        ):
            self._failing = True
            _ptrace(6, pid, 15 * 8, 2**64 - 1)  # POKEUSER: orig_rax, a call that does not exist

    def _counts(self, pid: int, call: str, first: int, third: int) -> bool:
        wanted = {Fault.KILLED: set(_CALLS.values()), Fault.ONCE_FULL: _MAY_NEED_ROOM, Fault.FULL: _NEED_ROOM}
        if call not in wanted[self._fault]:
            return False
        if call == "openat":  # a file that is new, always
            return third & (os.O_CREAT | os.O_EXCL) == os.O_CREAT | os.O_EXCL
        if call not in _BY_DESCRIPTOR:
            return True
        try:
            return Path(f"/proc/{pid}/fd/{first}").readlink().is_relative_to(self._home)
        except OSError:
            return False


@pytest.fixture
def interrupt() -> Callable[..., Stopped]:
    """``act`` runs in a child, on what ``prepare()`` opened there; only its own changes to the disk are counted."""
    if platform.machine() != "x86_64":
        pytest.skip("the system calls are counted by their numbers on x86_64")

    def run(home, fault, number, prepare, act) -> Stopped:
        def work(ready: Callable[[], None]) -> None:
            with prepare() as prepared:
                ready()
                try:
                    act(prepared)
                except Exception as error:
                    refusal = refusal_of(error)
                    if refusal is not None and refusal.code is Code.DISK_FULL:
                        os._exit(REFUSED)  # nothing is closed: what was left is what a kill would leave now
                    raise
                os._exit(DONE)

        return Tracer(home, fault, number).run(work)

    return run


@pytest.fixture
def cleared() -> Callable[[Archive], int]:
    """What the start of the house does."""
    return lambda archive: recover(archive.founded.catalogue, archive.founded.vault)


@pytest.fixture
def fault_kinds() -> dict[str, Fault]:
    return {each.name: each for each in Fault}
