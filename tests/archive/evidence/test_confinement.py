import errno
import json
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from archive.evidence.seccomp import REFUSED, Unconfined, program

ROOT = Path(__file__).resolve().parents[3]
TRIES = r"""
import ctypes, json, os, resource, signal, socket, subprocess, sys, threading
from archive.evidence.confinement import confine
from archive.evidence.limits import Limits
here, there = socket.socketpair()
confine(Limits(output_bytes=1 << 20))
memory = os.memfd_create("x")
def attempt(action):
    try:
        action()
    except OSError as error:
        return error.errno
    except (MemoryError, subprocess.SubprocessError) as error:
        return type(error).__name__
    return 0
def thread():
    one = threading.Thread(target=len, args=("",)); one.start(); one.join()
tries = {
    "socket": lambda: socket.socket(),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "pair": lambda: socket.socketpair(),
    "listen": lambda: here.listen(),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "run": lambda: subprocess.run(["/bin/true"]),
    "fork": lambda: os.fork(),
    "kill parent": lambda: os.kill(os.getppid(), 0),
    "write a file": lambda: open(sys.argv[1] + "/new", "w"),
    "append": lambda: open(sys.argv[1] + "/kept", "a"),
    "truncate": lambda: os.truncate(sys.argv[1] + "/kept", 0),
    "remove": lambda: os.remove(sys.argv[1] + "/kept"),
    "rename": lambda: os.rename(sys.argv[1] + "/kept", sys.argv[1] + "/gone"),
    "mkdir": lambda: os.mkdir(sys.argv[1] + "/folder"),
    "link": lambda: os.symlink("a", sys.argv[1] + "/link"),
    "chmod": lambda: os.chmod(sys.argv[1] + "/kept", 0),
    "raise limits of the parent": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1)),
    "memory": lambda: bytearray(4 << 30),
    "long output": lambda: os.pwrite(memory, b"x", 2 << 20),
    "read": lambda: open(sys.argv[1] + "/kept").close(),
    "thread": thread,
    "short output": lambda: os.write(memory, b"x"),
}
print(json.dumps({name: attempt(action) for name, action in tries.items()}))
print(json.dumps([resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)]))
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], list[object], Path]:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "kept").write_text("kept")
    ran = subprocess.run(
        [sys.executable, "-c", TRIES, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )
    tried, state = ran.stdout.splitlines()
    return json.loads(tried), json.loads(state), folder


@pytest.mark.parametrize(
    "action",
    [
        "socket", "unix socket", "pair", "listen", "exec", "run", "fork", "kill parent", "write a file",
        "append", "truncate", "remove", "rename", "mkdir", "link", "chmod", "raise limits of the parent",
    ],
)  # fmt: skip
def test_the_caged_process_cannot(action: str, outcome: tuple[dict[str, object], list[object], Path]):
    assert outcome[0][action] == errno.EPERM


def test_the_caged_process_left_the_disk_as_it_was(outcome: tuple[dict[str, object], list[object], Path]):
    assert [(each.name, each.read_text()) for each in outcome[2].iterdir()] == [("kept", "kept")]


def test_memory_and_output_are_bounded(outcome: tuple[dict[str, object], list[object], Path]):
    assert outcome[0]["memory"] == "MemoryError"
    assert outcome[0]["long output"] == errno.EFBIG


@pytest.mark.parametrize("action", ["read", "thread", "short output"])
def test_the_caged_process_can_still(action: str, outcome: tuple[dict[str, object], list[object], Path]):
    assert outcome[0][action] == 0


def test_no_core_is_left_and_nobody_can_look_inside(outcome: tuple[dict[str, object], list[object], Path]):
    assert outcome[1] == [[0, 0], 0]


def test_an_architecture_without_a_filter_is_refused():
    with pytest.raises(Unconfined, match="riscv64"):
        program("riscv64", 1)


def _verdict(code: bytes, audit: int, number: int, *arguments: int) -> int:
    """Run a filter as the kernel would (the few instructions that it uses)."""
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("<iIQ6Q", number, audit, 0, *padded)
    at = accumulator = 0
    while True:
        operation, if_true, if_false, operand = struct.unpack_from("=HBBI", code, at * 8)
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x06:
            return operand
        else:
            hit = {
                0x15: accumulator == operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }
            at += if_true if hit[operation] else if_false


ALLOW, EPERM, KILL = 0x7FFF0000, 0x00050001, 0x80000000
ARCHITECTURES = {
    "x86_64": (0xC000003E, 0, {"clone": 56, "tgkill": 234, "openat": 257, "prlimit": 302, "read": 0}),
    "aarch64": (0xC00000B7, 1, {"clone": 220, "tgkill": 131, "openat": 56, "prlimit": 261, "read": 63}),
}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_of_each_architecture_refuses_its_own_numbers(machine: str):
    audit, column, calls = ARCHITECTURES[machine]
    code = program(machine, 4711)
    numbers = [call[column] for call in REFUSED.values() if call[column] is not None]
    assert len(numbers) == len(set(numbers)) > 80
    assert all(_verdict(code, audit, number) == EPERM for number in numbers)
    assert _verdict(code, audit, calls["read"]) == ALLOW
    assert _verdict(code, audit, calls["openat"], 0, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    assert _verdict(code, audit, calls["openat"], 0, 0, os.O_RDWR) == EPERM
    assert _verdict(code, audit, calls["openat"], 0, 0, os.O_RDONLY | os.O_CREAT) == EPERM
    assert _verdict(code, audit, calls["clone"], 0x3D0F00) == ALLOW  # a thread
    assert _verdict(code, audit, calls["clone"], 17) == EPERM  # a process
    assert _verdict(code, audit, calls["tgkill"], 4711) == ALLOW
    assert _verdict(code, audit, calls["tgkill"], 4712) == EPERM
    assert _verdict(code, audit, calls["prlimit"], 0) == ALLOW
    assert _verdict(code, audit, calls["prlimit"], 1) == EPERM


def test_calls_of_another_architecture_or_of_x32_do_not_slip_through():
    code = program("x86_64", 1)
    assert _verdict(code, 0x40000003, 1) == KILL  # i386
    assert _verdict(code, 0xC000003E, 0x40000000 | 41) == EPERM


def test_this_machine_has_a_filter():
    assert program(platform.machine(), os.getpid())
