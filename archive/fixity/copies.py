"""Other copies of the vault, from which damage is repaired, and a mirror folder as one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

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
