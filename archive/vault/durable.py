"""Writing so that a power cut loses nothing: file, then folder, then rename, then parent folder, each fsynced."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """A new file with its content on the disk; its folder is the caller's to fsync. Refuses an existing name."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


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
