"""A system call filter for the worker and for programs of others: seccomp(2), on x86_64 and aarch64.

Refused calls fail with EPERM rather than kill, since libraries probe and carry on. The list takes away: the
network, other programs, new processes, other processes' memory and signals, mounting and namespaces, the
kernel's own interfaces, and every change to the file system (a worker runs as the server's user, who owns the
vault). Reading files stays possible, since libraries load what they need when they need it.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from archive.causes import Cause, of_system


class Unconfined(Exception):  # noqa: N818 -- a state of the machine, said in words
    """The isolation asked for cannot be had here; the cause says why."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.en)
        self.cause = cause

    @classmethod
    def by(cls, part: str) -> "Unconfined":
        """The kernel refused this part of it just now, through ctypes."""
        why = of_system(ctypes.get_errno())
        return cls(Cause(f"{part}：{why.zh}", f"{part}: {why.en}"))


class _Call(NamedTuple):
    x86_64: int | None
    aarch64: int | None


# Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
REFUSED: dict[str, _Call] = {
    name: _Call(x86, arm)
    for name, x86, arm in (
        ("socket", 41, 198),
        ("socketpair", 53, 199),
        ("connect", 42, 203),
        ("bind", 49, 200),
        ("listen", 50, 201),
        ("accept", 43, 202),
        ("accept4", 288, 242),
        ("sendmsg", 46, 211),
        ("sendmmsg", 307, 269),
        ("shutdown", 48, 210),
        ("setsockopt", 54, 208),
        ("execve", 59, 221),
        ("execveat", 322, 281),
        ("fork", 57, None),
        ("vfork", 58, None),
        ("ptrace", 101, 117),
        ("process_vm_readv", 310, 270),
        ("process_vm_writev", 311, 271),
        ("process_madvise", 440, 440),
        ("kcmp", 312, 272),
        ("pidfd_open", 434, 434),
        ("pidfd_getfd", 438, 438),
        ("pidfd_send_signal", 424, 424),
        ("kill", 62, 129),
        ("tkill", 200, 130),
        ("rt_sigqueueinfo", 129, 138),
        ("rt_tgsigqueueinfo", 297, 240),
        ("unshare", 272, 97),
        ("setns", 308, 268),
        ("mount", 165, 40),
        ("umount2", 166, 39),
        ("pivot_root", 155, 41),
        ("chroot", 161, 51),
        ("open_tree", 428, 428),
        ("move_mount", 429, 429),
        ("fsopen", 430, 430),
        ("fsconfig", 431, 431),
        ("fsmount", 432, 432),
        ("fspick", 433, 433),
        ("mount_setattr", 442, 442),
        ("io_uring_setup", 425, 425),
        ("io_uring_enter", 426, 426),
        ("io_uring_register", 427, 427),
        ("bpf", 321, 280),
        ("perf_event_open", 298, 241),
        ("userfaultfd", 323, 282),
        ("add_key", 248, 217),
        ("request_key", 249, 218),
        ("keyctl", 250, 219),
        ("init_module", 175, 105),
        ("finit_module", 313, 273),
        ("delete_module", 176, 106),
        ("kexec_load", 246, 104),
        ("kexec_file_load", 320, 294),
        ("reboot", 169, 142),
        ("swapon", 167, 224),
        ("swapoff", 168, 225),
        ("acct", 163, 89),
        ("quotactl", 179, 60),
        ("quotactl_fd", 443, 443),
        ("open_by_handle_at", 304, 265),
        ("name_to_handle_at", 303, 264),
        ("fanotify_init", 300, 262),
        ("fanotify_mark", 301, 263),
        ("creat", 85, None),
        ("openat2", 437, 437),
        ("truncate", 76, 45),
        ("unlink", 87, None),
        ("unlinkat", 263, 35),
        ("rename", 82, None),
        ("renameat", 264, 38),
        ("renameat2", 316, 276),
        ("mkdir", 83, None),
        ("mkdirat", 258, 34),
        ("rmdir", 84, None),
        ("link", 86, None),
        ("linkat", 265, 37),
        ("symlink", 88, None),
        ("symlinkat", 266, 36),
        ("mknod", 133, None),
        ("mknodat", 259, 33),
        ("chmod", 90, None),
        ("fchmod", 91, 52),
        ("fchmodat", 268, 53),
        ("fchmodat2", 452, 452),
        ("chown", 92, None),
        ("lchown", 94, None),
        ("fchown", 93, 55),
        ("fchownat", 260, 54),
        ("utime", 132, None),
        ("utimes", 235, None),
        ("futimesat", 261, None),
        ("utimensat", 280, 88),
        ("setxattr", 188, 5),
        ("lsetxattr", 189, 6),
        ("fsetxattr", 190, 7),
        ("removexattr", 197, 14),
        ("lremovexattr", 198, 15),
        ("fremovexattr", 199, 16),
        ("setxattrat", 463, 463),
        ("removexattrat", 466, 466),
        ("shmget", 29, 194),
        ("shmat", 30, 196),
        ("msgget", 68, 186),
        ("semget", 64, 190),
        ("mq_open", 240, 180),
        ("move_pages", 279, 239),
        ("migrate_pages", 256, 238),
        ("ioperm", 173, None),
        ("iopl", 172, None),
        ("modify_ldt", 154, None),
        ("settimeofday", 164, 170),
        ("clock_settime", 227, 112),
        ("adjtimex", 159, 171),
        ("clock_adjtime", 305, 266),
        ("sethostname", 170, 161),
        ("setdomainname", 171, 162),
        ("personality", 135, 92),
        ("syslog", 103, 116),
        ("vhangup", 153, 58),
        ("setuid", 105, 146),
        ("setgid", 106, 144),
        ("setreuid", 113, 145),
        ("setregid", 114, 143),
        ("setresuid", 117, 147),
        ("setresgid", 119, 149),
        ("setgroups", 116, 159),
        ("setfsuid", 122, 151),
        ("setfsgid", 123, 152),
        ("capset", 126, 91),
        ("memfd_secret", 447, 447),
        ("uselib", 134, None),
    )
}


class Freedom(Enum):
    """What the filtered process may do beyond reading and computing; the values are names of ``REFUSED``."""

    NONE = frozenset[str]()
    BECOME = frozenset({"execve"})  # another program, under the same filter
    # Files of its own: only beside Landlock, which says where. Modes, owners and times stay as they are.
    # And local sockets to listen on, without which LibreOffice does not start; it can connect to nobody's.
    BECOME_AND_WRITE = frozenset(
        {
            "execve",
            *("socket", "bind", "listen", "accept", "accept4", "shutdown"),
            *("creat", "truncate", "unlink", "unlinkat", "rename", "renameat", "renameat2"),
            *("mkdir", "mkdirat", "rmdir", "link", "linkat"),
        }
    )


_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_EPERM = 0x00050000 | errno.EPERM
_ENOSYS = 0x00050000 | errno.ENOSYS
_LOAD, _JUMP_EQUAL, _JUMP_GE, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True, slots=True)
class _Architecture:
    audit: int  # AUDIT_ARCH_*
    column: int
    clone: int
    clone3: int
    tgkill: int
    prlimit: int
    openings: tuple[tuple[int, int], ...]  # call, index of its flags
    access: tuple[int, int]  # call, index of its mode


_ARCHITECTURES = {
    "x86_64": _Architecture(0xC000003E, 0, 56, 435, 234, 302, ((2, 1), (257, 2)), (21, 1)),
    "aarch64": _Architecture(0xC00000B7, 1, 220, 435, 131, 261, ((56, 2),), (48, 2)),
}


def program(machine: str, pid: int, freedom: Freedom = Freedom.NONE) -> bytes:
    """The filter for an architecture, as an array of ``struct sock_filter``.

    :raises Unconfined: no filter is known for the architecture.
    """
    arch = _ARCHITECTURES.get(machine)
    if arch is None:
        raise Unconfined(
            Cause(f"没有适用于 {machine} 的系统调用过滤器", f"no system call filter for {machine}")
        )
    code = [
        _op(_LOAD, _ARCHITECTURE),
        _op(_JUMP_EQUAL, arch.audit, 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER),
        _op(_JUMP_GE, _X32, 0, 1),  # the x32 calls would pass every comparison below
        _op(_RETURN, _EPERM),
        # glibc falls back from clone3, whose flags lie in memory where no filter sees them, to clone.
        *_answer(arch.clone3, _ENOSYS),
        *_unless_set(arch.clone, 0, _CLONE_THREAD),
        *_unless_equal(arch.tgkill, 0, pid),
        *_unless_equal(arch.prlimit, 0, 0),
    ]
    if freedom is Freedom.BECOME_AND_WRITE:
        code += _unless_equal(REFUSED["socket"][arch.column] or 0, 0, socket.AF_UNIX)
        # LibreOffice puts its socket into /tmp if it may write there, else where it is told. It may not.
        code += _if_equal(*arch.access, os.W_OK)
    else:
        for call, flags in arch.openings:
            code += _if_set(call, flags, _WRITING)
    for refused in (call for name, call in REFUSED.items() if name not in freedom.value):
        number = refused[arch.column]
        if number is not None:
            code += _answer(number, _EPERM)
    code.append(_op(_RETURN, _ALLOW))
    return b"".join(code)


def install(freedom: Freedom = Freedom.NONE) -> None:
    """Filter this process and all its future threads, for good.

    :raises Unconfined: the architecture has no filter here, or the kernel refuses it.
    """
    code = program(platform.machine(), os.getpid(), freedom)
    libc = ctypes.CDLL(None, use_errno=True)

    class Program(ctypes.Structure):  # struct sock_fprog
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))

    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise Unconfined.by("no_new_privs")
    whole = Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(whole), 0, 0):
        raise Unconfined.by("seccomp")


def _op(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)


def _argument(index: int) -> int:
    """Offset of the low half of an argument; both architectures are little endian."""
    return 16 + 8 * index


def _answer(number: int, verdict: int) -> list[bytes]:
    return [_op(_JUMP_EQUAL, number, 0, 1), _op(_RETURN, verdict)]


def _if_set(number: int, argument: int, bits: int) -> list[bytes]:
    return [
        _op(_JUMP_EQUAL, number, 0, 4),
        _op(_LOAD, _argument(argument)),
        _op(_JUMP_SET, bits, 0, 1),
        _op(_RETURN, _EPERM),
        _op(_RETURN, _ALLOW),
    ]


def _unless_set(number: int, argument: int, bits: int) -> list[bytes]:
    return [
        _op(_JUMP_EQUAL, number, 0, 4),
        _op(_LOAD, _argument(argument)),
        _op(_JUMP_SET, bits, 1, 0),
        _op(_RETURN, _EPERM),
        _op(_RETURN, _ALLOW),
    ]


def _if_equal(number: int, argument: int, value: int) -> list[bytes]:
    return [
        _op(_JUMP_EQUAL, number, 0, 4),
        _op(_LOAD, _argument(argument)),
        _op(_JUMP_EQUAL, value, 0, 1),
        _op(_RETURN, _EPERM),
        _op(_RETURN, _ALLOW),
    ]


def _unless_equal(number: int, argument: int, value: int) -> list[bytes]:
    return [
        _op(_JUMP_EQUAL, number, 0, 4),
        _op(_LOAD, _argument(argument)),
        _op(_JUMP_EQUAL, value, 1, 0),
        _op(_RETURN, _EPERM),
        _op(_RETURN, _ALLOW),
    ]
