"""A backup as the copy from which a damaged vault is repaired (``archive.fixity.copies``)."""

from collections.abc import Iterator

from archive.backup.sealing import Sealer
from archive.backup.stores import Store
from archive.errors import Code, MunimentError


class BackupCopies:
    """The objects of a backup, which are named by their content."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    def pieces(self, path: str, sha512: str) -> Iterator[bytes]:  # noqa: ARG002 - found by its content
        name = self._sealer.name_of(bytes.fromhex(sha512))
        try:
            with self._store.open(name) as stream:
                yield from self._sealer.open(name, stream)
        except MunimentError as error:
            if error.code is not Code.BACKUP_DAMAGED:  # a store that is away has lost nothing
                raise
        except OSError:
            return
