"""The encrypted catalogue: SQLCipher under SQLAlchemy, one writer at a time, durable on commit.

``reading()`` gives a snapshot that writes nothing. ``writing()`` takes the write lock at once (``BEGIN IMMEDIATE``:
a deferred transaction that turns into a writer loses to a busy error). Acts go through ``Catalogue.unit``, which
records them in the ledger; only housekeeping (sessions, counters) may use ``writing()`` by itself.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from archive.errors import Code, MunimentError

BUSY_SECONDS = 30
_NOT_OURS = "not a database"  # SQLCipher's word for a wrong key and for a damaged first page


class Database:
    """The catalogue file at ``path``, opened with a raw 32-byte key. Its blocks raise MunimentError: ARCHIVE_BUSY,
    ARCHIVE_DAMAGED, CATALOGUE_LOST, DISK_FULL.

    An open file goes on working when its name is gone, and what is written to it goes with the last process. So each
    block begins by looking whether the name still leads to the file that was opened first, and writing ends so too:
    what is acknowledged is in the file that the next start opens.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._file: os.stat_result | None = None  # that was opened first
        self._pragma_key = f"PRAGMA key = \"x'{key.hex()}'\""
        self.engine = sa.create_engine(
            "sqlite+pysqlite://",
            module=dbapi2,
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=24,
        )
        sa.event.listen(self.engine, "begin", _begin)

    def _opened(self, path: Path) -> Any:
        connection = dbapi2.connect(
            str(path), timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        # It would write to standard error, beside our sentence.
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(self._pragma_key)
        return connection

    def _connect(self) -> Any:
        self._check_there()
        connection = self._opened(self.path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except dbapi2.DatabaseError as error:
            connection.close()
            if _NOT_OURS in str(error):  # the key was opened by the master key, so it is the right one
                raise self._damaged() from None
            raise
        if self._file is None:
            self._file = self.path.stat()
        try:
            self._check_there()
        except MunimentError:
            connection.close()
            raise
        for pragma in (
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            # makes the delete trigger fire for REPLACE too
            "recursive_triggers = ON",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent snapshot; what is written through it is rolled back."""
        with self._said(), self.engine.connect() as connection, self._sound(connection):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """The write lock from the first statement; commits when the block ends well."""
        with (
            self._said(),
            self.engine.connect().execution_options(muniment_writes=True) as connection,
            self._sound(connection),
            connection.begin(),
            self._sound(connection),
        ):
            yield connection
        self._check_there()

    @contextmanager
    def apart(self) -> Iterator[Any]:
        """A connection for this block only, also where the schema is damaged. Once it met a damaged page, none is read
        rightly by it any more.
        """
        with self._said(), closing(self._opened(self.path)) as connection:
            yield connection

    def truncate_log(self) -> bool:
        """Empties the write-ahead log, where replaced rows would lie on; left for later while others read. Whether all
        of the catalogue is in the one file now.
        """
        with self.apart() as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def copy_to(self, path: Path) -> None:
        """A consistent copy under the same key, while others read and write (SQLite's online backup), which would be
        whole by every HMAC: SQLite goes on where a page is damaged, and copies zeros.
        """
        with self._said(), closing(self._connect()) as source, closing(self._opened(path)) as target:
            source.backup(target)
            if _met_damage(source):
                raise self._damaged()

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turns what the machine may do to us (no room, no lock, a damaged file) into sentences; anything else is a
        defect.
        """
        self._check_there()
        try:
            yield
        except sa.exc.TimeoutError as error:
            raise MunimentError(Code.ARCHIVE_BUSY) from error
        except (sa.exc.DatabaseError, dbapi2.DatabaseError) as error:
            text = str(error.orig if isinstance(error, sa.exc.DatabaseError) else error)
            if "locked" in text or "busy" in text:
                raise MunimentError(Code.ARCHIVE_BUSY) from error
            if "full" in text or "disk I/O" in text:
                raise MunimentError(Code.DISK_FULL) from error
            if "malformed" in text or _NOT_OURS in text:
                raise self._damaged() from error
            raise

    @contextmanager
    def _sound(self, connection: sa.Connection) -> Iterator[None]:
        """A page whose HMAC does not fit is zeros to SQLite: it may be malformed, or a table that is not there, or a
        database that cannot be written; a virtual table has words of its own. SQLCipher remembers that it met one. What
        was read is good for nothing then, whatever became of it, and nor is the connection.
        """
        try:
            yield
        except Exception as error:
            self._check_sound(connection, error)
            raise
        self._check_sound(connection)

    def _check_sound(self, connection: sa.Connection, error: Exception | None = None) -> None:
        if not connection.invalidated and _met_damage(connection.connection.dbapi_connection):
            connection.invalidate()
            raise self._damaged() from error

    def _damaged(self) -> MunimentError:
        return MunimentError(Code.ARCHIVE_DAMAGED, path=self.path.name)

    def _check_there(self) -> None:
        """Raises CATALOGUE_LOST."""
        if self._file is None:
            return
        try:
            there = os.path.samestat(self._file, self.path.stat())
        except OSError:  # its disk may be gone too
            there = False
        if not there:
            raise MunimentError(Code.CATALOGUE_LOST, path=self.path.name)

    def close(self) -> None:
        self.engine.dispose()
        self._file = None


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("muniment_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _met_damage(connection: Any) -> bool:
    (status,) = connection.execute("PRAGMA cipher_status").fetchone()
    return bool(status == "0")
