"""What a snapshot is: which files of the vault belong to which catalogue, as lines of a sealed list."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from archive.backup.lines import read
from archive.backup.sealing import Sealer
from archive.backup.stores import Store
from archive.causes import Cause
from archive.errors import Code, MunimentError

FORMAT = 1
QUARANTINE = "quarantine"  # in the place of a case file's identifier


@dataclass(frozen=True, slots=True)
class Header:
    """The first line."""

    format: int
    archive: str  # the ledger's origin
    snapshot: str
    taken_at: str  # RFC 3339
    entries: int  # of the ledger
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the vault that cannot be made from others: a document, a record, or the inventory of a version. Or a
    sealed file of the quarantine, by its name there.
    """

    case_file: str  # or QUARANTINE
    path: str  # from the root of the vault
    sha512: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Trailer:
    """The last line: without it the list was cut off."""

    files: int  # case files
    documents: int
    size: int  # bytes of all that is listed
    damaged: list[str]  # documents that were damaged in the vault already and are in no snapshot


def snapshot_name(snapshot: str) -> str:
    return f"snapshots/{snapshot}"


def catalogue_name(snapshot: str) -> str:
    return f"catalogue/{snapshot}"


def keys_name(snapshot: str) -> str:
    return f"keys/{snapshot}"


def newest(store: Store, below: str) -> list[str]:
    """Snapshots of which there is a part below this name, the newest first: their names sort by time."""
    return sorted((name.rpartition("/")[2] for name in store.names(below)), reverse=True)


def lines_of(header: Header, kept: Iterator[Kept], trailer: list[Trailer]) -> Iterator[dict[str, Any]]:
    """``trailer`` is filled when ``kept`` has run out."""
    yield {"header": asdict(header)}
    for each in kept:
        yield asdict(each)
    yield {"trailer": asdict(trailer[0])}


class Listing:
    """A snapshot's list as it is read. ``header`` is known at once, ``trailer`` when ``kept`` has run out."""

    def __init__(self, store: Store, sealer: Sealer, snapshot: str) -> None:
        """Raises MunimentError(BACKUP_DAMAGED)."""
        self.name = snapshot_name(snapshot)
        self._stream = store.open(self.name)
        self._lines = read(sealer.open(self.name, self._stream), self.name)
        self.trailer: Trailer | None = None
        try:
            self.header = Header(**next(self._lines, {})["header"])
        except (KeyError, TypeError):
            self._stream.close()
            raise self._damaged() from None
        except BaseException:
            self._stream.close()
            raise
        if self.header.format != FORMAT or self.header.snapshot != snapshot:
            self._stream.close()
            raise self._damaged()

    def close(self) -> None:
        self._stream.close()

    def kept(self) -> Iterator[Kept]:
        """Raises MunimentError(BACKUP_DAMAGED)."""
        try:
            for line in self._lines:
                if "trailer" in line:
                    self.trailer = Trailer(**line["trailer"])
                else:
                    yield Kept(**line)
        except TypeError:
            raise self._damaged() from None
        if self.trailer is None:
            raise self._damaged()

    def _damaged(self) -> MunimentError:
        return MunimentError(
            Code.BACKUP_DAMAGED,
            path=self.name,
            problem=Cause("不是这种格式的清单", "it is no list of this format"),
        )
