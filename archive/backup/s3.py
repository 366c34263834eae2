"""A backup in a bucket of any S3. Its objects are sealed already: the service learns sizes and times."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import uuid4

from archive.causes import MISSING, UNREADABLE
from archive.errors import Code, MunimentError
from archive.vault.bucket import Bucket

_UNREADABLE = "unreadable"  # marks of what the service has and does not give


class S3Store:
    """``scratch`` is a local folder for an object on its way there: its length must be known, and nothing of it is
    put when making it fails. ``ours``: nobody named that bucket, so nobody else makes it.
    """

    def __init__(self, bucket: Bucket, scratch: Path, *, ours: bool = False) -> None:
        self._bucket = bucket
        self._ours = ours
        self._scratch = scratch
        self._marked: frozenset[str] | None = None
        self._refused: set[str] = set()  # what the service did not give: asking again takes it long

    def create(self) -> None:
        if self._ours:
            self._bucket.make()

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        with TemporaryFile(dir=self._scratch) as whole:
            for piece in pieces:
                whole.write(piece)
            self._bucket.replace(name, whole)
        if name in self._marks():
            self._bucket.delete(f"{_UNREADABLE}/{name}")

    def has(self, name: str) -> bool:
        return next(self._bucket.keys(name), None) == name

    def open(self, name: str) -> BinaryIO:
        try:
            return self._bucket.open(name)
        except MunimentError as error:
            if error.code is Code.DOCUMENT_MISSING:
                raise MunimentError(Code.BACKUP_DAMAGED, path=name, problem=MISSING) from None
            if error.code is Code.DOCUMENT_UNREADABLE:
                self._refused.add(name)
                raise MunimentError(Code.BACKUP_DAMAGED, path=name, problem=UNREADABLE) from None
            raise

    def names(self, below: str) -> Iterator[str]:
        """Without what is marked: that is to be put anew."""
        marked = self._marks()
        return (name for name in self._bucket.keys(f"{below}/") if name not in marked)

    def remove(self, name: str) -> None:
        self._bucket.delete(name)

    def set_aside(self, name: str) -> None:
        """What the service does not give can be copied nowhere, and one of its disks may be away for a while only: it
        stays, marked, until it is put anew.
        """
        if name in self._refused:
            self._bucket.replace(f"{_UNREADABLE}/{name}", b"unreadable")
            self._marked = None
        elif self.has(name):
            with self.open(name) as damaged:
                self._bucket.replace(f"damaged/{name}.{uuid4()}", damaged)
            self._bucket.delete(name)

    def clear(self) -> None:
        self._bucket.give_up_uploads("")
        self._marked = None

    def _marks(self) -> frozenset[str]:
        if self._marked is None:
            below = f"{_UNREADABLE}/"
            self._marked = frozenset(key.removeprefix(below) for key in self._bucket.keys(below))
        return self._marked
