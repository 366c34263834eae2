"""Landlock (landlock(7)): which folders a process, and all it becomes, may read and which it may write.

The system call numbers are the same on every architecture. Rights that the kernel does not know yet are left out
of what is asked for; a kernel without Landlock (before 5.13, or where it is not switched on) is refused.
"""

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from archive.causes import Cause
from archive.evidence.seccomp import Unconfined

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1  # flag: only ask for the version
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE = 1 << 14
_BASIC = (1 << 13) - 1  # every right of version 1
_SINCE = ((2, 1 << 13), (3, _TRUNCATE), (5, 1 << 15))  # refer, truncate, ioctl on devices
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_TCP = 3  # bind and connect, since version 4
_SCOPED = 3  # abstract sockets and signals, since version 6


def restrict(readable: Sequence[Path], writable: Sequence[Path]) -> None:
    """Everything else on the disk is out of reach, for good. Paths that are not there are passed over.

    :raises Unconfined: the kernel cannot, or will not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < 1:
        raise Unconfined(Cause("内核不支持 Landlock", "this kernel has no Landlock"))
    handled = _BASIC | sum(right for since, right in _SINCE if version >= since)
    attributes = struct.pack("=QQQ", handled, _TCP if version >= 4 else 0, _SCOPED if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _called(libc, _CREATE, attributes, size, 0)
    try:
        for path in readable:
            _allow(libc, rules, path, _EXECUTE | _READ_FILE | _READ_DIR)
        for path in writable:
            _allow(libc, rules, path, handled & ~_EXECUTE)
        _called(libc, _RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        wanted = rights if path.is_dir() else rights & _ON_FILES
        _called(libc, _ADD, rules, _PATH_BENEATH, struct.pack("=Qi", wanted, place), 0)
    finally:
        os.close(place)


def _called(libc: ctypes.CDLL, number: int, *arguments: object) -> int:
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        raise Unconfined.by(f"landlock {number}")
    return result
