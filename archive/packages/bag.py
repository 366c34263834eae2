"""Bags: a folder of payload with a checksum for every file (BagIt 1.0, RFC 8493). Nothing of Muniment in here.

Paths in a bag are ours and plain, so nothing needs the percent-encoding of RFC 8493, 2.1.3, which readers disagree on.
"""

import os
import re
from collections.abc import Iterator, Mapping
from hashlib import sha512
from pathlib import Path
from typing import BinaryIO

from archive.casefile.sources import printable
from archive.causes import MISSING, UNREADABLE, Cause
from archive.errors import Code, MunimentError
from archive.vault import durable

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha512.txt"
_TAG_MANIFEST = "tagmanifest-sha512.txt"
_BLOCK = 1 << 20
_LONGEST = 64 << 20  # bytes of a manifest, of metadata, of a history
_LINE = re.compile(r"([0-9a-f]{128})[ \t]+(\S.*)")
_OURS = re.compile(r"[^%\r\n\\]+")


class Bag:
    """A bag in the making, in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._payload: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._size = 0

    def add(self, path: str, content: bytes | BinaryIO | Iterator[bytes]) -> None:
        """``path`` is below ``data/``. A stream is read from where it stands; pieces are written as they come."""
        self._payload[f"data/{path}"] = self._write(f"data/{path}", content)

    def add_tag(self, path: str, content: bytes) -> None:
        """A tag file: beside the payload, not of it."""
        self._tags[path] = self._write(path, content)

    def close_payload(self) -> str:
        """Writes the payload's manifest. Its SHA-512 in hex stands for every byte of the payload."""
        self._oxum = f"{self._size}.{len(self._payload)}"
        self.add_tag(MANIFEST, _manifest(self._payload))
        return self._tags[MANIFEST]

    def close(self, info: Mapping[str, str]) -> None:
        """The remaining tag files, everything on the disk."""
        self.add_tag("bagit.txt", DECLARATION)
        lines = {**info, "Payload-Oxum": self._oxum}
        self.add_tag("bag-info.txt", "".join(f"{key}: {value}\n" for key, value in lines.items()).encode())
        self._write(_TAG_MANIFEST, _manifest(self._tags))
        for folder, _, _ in os.walk(self.folder):
            durable.sync_folder(Path(folder))

    def _write(self, path: str, content: bytes | BinaryIO | Iterator[bytes]) -> str:
        if not _OURS.fullmatch(path):
            raise ValueError("a path that a bag cannot hold plainly")
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = sha512()
        with target.open("xb") as file:
            for block in _pieces(content):
                digest.update(block)
                file.write(block)
            self._size += file.tell() if path.startswith("data/") else 0
            file.flush()
            os.fsync(file.fileno())
        return digest.hexdigest()


def _pieces(content: bytes | BinaryIO | Iterator[bytes]) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, Iterator) and not hasattr(content, "read"):
        yield from content
    else:
        while block := content.read(_BLOCK):
            yield block


def check(folder: Path) -> str:
    """That every byte is as it was bagged, and nothing was added. Returns the SHA-512 of the payload's manifest.

    Raises MunimentError: PATH_NOT_FOUND, PACKAGE_DAMAGED names the first file that fails.
    """
    if not folder.is_dir():
        raise MunimentError(Code.PATH_NOT_FOUND, path=str(folder))
    if read_file(folder, "bagit.txt") != DECLARATION:
        raise damaged("bagit.txt", Cause("不是 BagIt 1.0 声明", "it is no BagIt 1.0 declaration"))
    tags, payload = _entries(folder, _TAG_MANIFEST), _entries(folder, MANIFEST)
    if not {"bagit.txt", MANIFEST} <= tags.keys() or any(path.startswith("data/") for path in tags):
        raise damaged(_TAG_MANIFEST, Cause("没有列出标签文件", "it does not list the tag files"))
    if not all(path.startswith("data/") for path in payload):
        raise damaged(MANIFEST, Cause("列有不属于内容的文件", "it lists what is no payload"))
    expected = {**tags, **payload}
    for path in sorted({*_files(folder), *expected}):
        if path == _TAG_MANIFEST:
            continue
        if path not in expected:
            raise damaged(path, Cause("清单中没有它", "no manifest lists it"))
        if _digest(folder, path) != expected[path]:
            raise damaged(path, Cause("校验和不符", "its checksum differs"))
    return tags[MANIFEST]


def damaged(path: str, problem: Cause) -> MunimentError:
    return MunimentError(Code.PACKAGE_DAMAGED, path=printable(path[:200]), problem=problem)


def _manifest(entries: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(entries.items())).encode()


def _entries(folder: Path, name: str) -> dict[str, str]:
    """Path to SHA-512."""
    try:
        lines = (
            read_file(folder, name).decode().removesuffix("\n").split("\n")
        )  # not at what else ends a line
    except UnicodeDecodeError:
        raise damaged(name, Cause("不是 UTF-8", "it is not UTF-8")) from None
    found: dict[str, str] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        parts = match[2].split("/") if match else [""]
        if match is None or match[2] in found or not {"", ".", ".."}.isdisjoint(parts):
            raise damaged(name, Cause("其中一行格式有误", "a line of it is malformed"))
        found[match[2]] = match[1]
    return found


def _files(folder: Path) -> set[str]:
    found = set()
    for inner, subfolders, names in os.walk(folder):
        links = [each for each in subfolders if Path(inner, each).is_symlink()]
        found |= {Path(inner, each).relative_to(folder).as_posix() for each in [*names, *links]}
    return found


def read_file(folder: Path, path: str) -> bytes:
    """The whole of a file that is not long. Raises PACKAGE_DAMAGED."""
    with open_file(folder, path) as file:
        content = file.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise damaged(path, Cause("过长", "it is too long"))
    return content


def open_file(folder: Path, path: str) -> BinaryIO:
    """A plain file of the bag; a link is never followed. Raises PACKAGE_DAMAGED."""
    target = folder / path
    try:
        if any(each.is_symlink() for each in (target, *list(target.parents)[: path.count("/")])):
            raise damaged(path, Cause("是链接", "it is a link"))
        if not target.is_file():
            raise damaged(path, MISSING)
        return target.open("rb")
    except (OSError, ValueError):
        raise damaged(path, UNREADABLE) from None


def _digest(folder: Path, path: str) -> str:
    digest = sha512()
    with open_file(folder, path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
