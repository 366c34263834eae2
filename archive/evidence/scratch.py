"""Private folders in memory, for programs that must have files.

They lie in ``/dev/shm``, a file system of memory (tmpfs), so that plain text does not come to a disk; it may be
swapped out, so swap should be encrypted or off. Each is readable by the server's user alone, removed after the
job, and held by a lock: one that nobody holds was left by a crash and is removed at the next job.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

MEMORY = Path("/dev/shm")  # noqa: S108 -- a file system of memory, not a place for anybody's files
_PREFIX = "muniment-"


def available(root: Path = MEMORY) -> bool:
    return root.is_dir() and os.access(root, os.W_OK | os.X_OK)


@contextlib.contextmanager
def folder(root: Path = MEMORY) -> Iterator[Path]:
    """A new folder of mode 0700, gone with all its contents at the end.

    :raises OSError: there is no room, or no such file system.
    """
    clear(root)
    path = Path(mkdtemp(prefix=_PREFIX, dir=root))
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)


def clear(root: Path = MEMORY) -> None:
    """Remove what a crash left: our folders that no process holds."""
    for path in root.glob(f"{_PREFIX}*"):
        try:
            held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile, or somebody else's
        try:
            if os.fstat(held).st_uid == os.geteuid():
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass  # at work
        finally:
            os.close(held)
