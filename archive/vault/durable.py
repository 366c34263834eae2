"""Writing so that a power cut loses nothing: file, then folder, then rename, then parent folder, each fsynced."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes | Iterable[bytes], mode: int | None = None) -> None:
    """A new file with all of its content on the disk, or none; its folder is the caller's to fsync. Refuses an existing
    name, and leaves what bears it alone.
    """
    with path.open("xb") as file:
        try:
            if mode is not None:
                path.chmod(mode)  # before there is anything to read in it
            file.writelines((content,) if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                path.unlink()
            raise


def replace(path: Path, content: bytes) -> None:
    """The file's content becomes ``content`` at once or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    write(fresh, content)
    fresh.replace(path)
    sync_folder(path.parent)


def make_folders(path: Path, below: Path) -> None:
    """``path`` and what is missing between it and ``below``, each entry on the disk."""
    missing = []
    while path != below and not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
