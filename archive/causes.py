"""Why it is so: the fact ``problem`` of the sentences in ``archive.errors``, said in both languages within brackets.

A name that a machine gives (``NoSuchBucket``) stays as it is; what is a sentence is a ``Cause``.
"""

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cause:
    """Half a sentence in each language, without a full stop: it ends up inside another one."""

    zh: str
    en: str

    def say(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def __str__(self) -> str:
        return self.en


class Unfit(ValueError):  # noqa: N818 - what was given is none, and the cause says why
    """A text that cannot be what it is meant to be."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.cause = Cause(zh, en)


ALTERED = Cause("内容已被改动", "it was altered")
CLOSED = Cause("系统正在停止", "the system is stopping")
MISSING = Cause("缺失", "it is missing")
MISSING_OR_DAMAGED = Cause("缺失或损坏", "it is missing or damaged")
NO_KEY_LIST = Cause("不是密钥清单", "it is no list of keys")
NO_PLAIN_FILE = Cause("不是普通文件", "it is no plain file")
UNREADABLE = Cause("无法读取", "it cannot be read")

_SYSTEM: Mapping[int, Cause] = MappingProxyType(
    {
        errno.EACCES: Cause("没有权限", "permission denied"),
        errno.EADDRINUSE: Cause("地址已被占用", "the address is taken"),
        errno.EADDRNOTAVAIL: Cause("本机没有这个地址", "this machine has no such address"),
        errno.EAGAIN: Cause("资源暂时不足", "resources are short for now"),
        errno.EDQUOT: Cause("超出磁盘配额", "the disk quota is used up"),
        errno.EEXIST: Cause("已存在", "it is there already"),
        errno.EFBIG: Cause("文件过大", "the file is too large"),
        errno.EIO: Cause("磁盘读写出错", "the disk failed"),
        errno.EISDIR: Cause("是文件夹", "it is a folder"),
        errno.ELOOP: Cause("链接层数过多", "too many links"),
        errno.EMFILE: Cause("打开的文件过多", "too many open files"),
        errno.ENAMETOOLONG: Cause("名称过长", "the name is too long"),
        errno.ENFILE: Cause("打开的文件过多", "too many open files"),
        errno.ENOENT: Cause("不存在", "it is not there"),
        errno.ENOMEM: Cause("内存不足", "memory is short"),
        errno.ENOSPC: Cause("磁盘空间不足", "the disk is full"),
        errno.ENOSYS: Cause("内核不支持", "the kernel cannot"),
        errno.ENOTDIR: Cause("不是文件夹", "it is no folder"),
        errno.EPERM: Cause("不允许此操作", "it is not permitted"),
        errno.EROFS: Cause("文件系统只读", "the file system is read-only"),
        errno.ETXTBSY: Cause("程序文件正被改写", "the program is being written"),
    }
)


def of_system(number: int | None) -> Cause:
    """What the operating system answered, with its name, by which an administrator finds it: ``EACCES``."""
    name = errno.errorcode.get(number or 0, "OSError")
    known = _SYSTEM.get(number or 0)
    if known is None:
        return Cause(f"操作系统报错 {name}", f"the system says {name}")
    return Cause(f"{known.zh}，{name}", f"{known.en}, {name}")


def no_toml(error: Exception) -> Cause:
    """A file that cannot be read as TOML; the parser says the line, in English only."""
    found = re.search(r"line (\d+)", str(error))
    if found is None:
        return Cause("不是有效的 TOML（UTF-8）", "it is no valid TOML (UTF-8)")
    return Cause(f"第 {found[1]} 行不是有效的 TOML", f"line {found[1]} is no valid TOML")
