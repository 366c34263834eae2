"""The unit of work: the one place that commits an act, with its ledger entry inside the same transaction.

    with catalogue.unit(actor) as unit:
        unit.connection.execute(...)
        unit.record(Act.VOIDED, reference, detail={"reason": reason}, key=key)

The block commits when it ends well and rolls back when it raises; the entry is durable before anyone sees the result.
An act without an entry does not commit. Not for: counters and sessions, which are no acts (``housekeeping``), nor for
reading (``reading``).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from archive.database.engine import Database
from archive.errors import Code, MunimentError
from archive.keys.filekey import FileKey
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Detail, Record
from archive.ledger.log import Ledger

Clock = Callable[[], datetime]  # aware


@dataclass(slots=True)
class Unit:
    """One transaction. ``at`` is the time of the act, for its rows and entries alike."""

    connection: sa.Connection
    actor: Actor
    at: datetime
    records: list[Record] = field(default_factory=list)

    def record(
        self, act: Act, subject: str, *, detail: Detail | None = None, key: FileKey | None = None
    ) -> None:
        """``detail`` is sealed, under the case file's ``key`` where it concerns one."""
        self.records.append(Record(act, subject, detail, key))


class Catalogue:
    """The database, seen through units of work."""

    def __init__(self, database: Database, ledger: Ledger, clock: Clock) -> None:
        self.database = database
        self.ledger = ledger
        self.clock = clock
        self._size = 0  # of the ledger, after the last unit of this process
        self.committed = threading.Condition()  # notified after each unit, for those who follow the ledger

    def reading(self) -> AbstractContextManager[sa.Connection]:
        return self.database.reading()

    def housekeeping(self) -> AbstractContextManager[sa.Connection]:
        """For what is no act: sessions, failed sign-in counters."""
        return self.database.writing()

    @contextmanager
    def unit(self, actor: Actor) -> Iterator[Unit]:
        with self.database.writing() as connection:
            unit = Unit(connection, actor, self.clock())
            yield unit
            if not unit.records:
                raise ValueError("an act needs its ledger entry")
            size = self.ledger.append(connection, unit.records, unit.actor, unit.at)
            if size <= self._size:  # an older content in the very file: the ledger only ever grows
                raise MunimentError(Code.CATALOGUE_LOST, path=self.database.path.name)
        with self.committed:
            self._size = max(self._size, size)
            self.committed.notify_all()
