"""Other copies of the vault, from which damage is repaired: a folder or a bucket with the same files as one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from archive.errors import Code, MunimentError
from archive.vault.bucket import Bucket

_BLOCK = 1 << 20


class Copies(Protocol):
    def pieces(self, path: str, sha512: str) -> Iterator[bytes]:
        """A file of the vault, by its path and by the SHA-512 (hex) that it must have; nothing where there is none.
        What is given is not to be trusted before it was compared.
        """


class MirrorCopies:
    """A folder with the same files in the same places."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def pieces(self, path: str, sha512: str) -> Iterator[bytes]:  # noqa: ARG002 - found by its path
        try:
            with (self._root / path).open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block
        except OSError:
            return


class BucketCopies:
    """A bucket with the same files under the same keys: replicated, or the vault's before it moved."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def pieces(self, path: str, sha512: str) -> Iterator[bytes]:  # noqa: ARG002 - found by its path
        try:
            file = self._bucket.open(path)
        except MunimentError as error:
            if error.code in (Code.DOCUMENT_MISSING, Code.DOCUMENT_UNREADABLE):
                return
            raise  # a service that is away has lost nothing
        with file:
            while block := file.read(_BLOCK):
                yield block
