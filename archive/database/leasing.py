"""Leases: of several servers over one catalogue, one does a chore. A lease runs out when its holder is gone."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from archive.database.catalogue import Catalogue
from archive.database.tables import lease

_log = logging.getLogger("muniment.chores")


class Lease:
    """Renewed by a thread of its own, however long one step of the work takes. ``lost`` once somebody else may have
    it: the machine slept, or the catalogue could not be reached for that long.
    """

    def __init__(self, catalogue: Catalogue, name: str, holder: str, lasting: timedelta) -> None:
        self._catalogue = catalogue
        self._name = name
        self._holder = holder
        self._lasting = lasting
        self._until = catalogue.clock()

    @property
    def lost(self) -> bool:
        return self._catalogue.clock() >= self._until

    def renew(self) -> bool:
        until = self._catalogue.clock() + self._lasting
        held = take(self._catalogue, self._name, self._holder, self._lasting)
        self._until = until if held else self._catalogue.clock()
        return held


@contextmanager
def held(
    catalogue: Catalogue, name: str, holder: str, lasting: timedelta, every: float
) -> Iterator[Lease | None]:
    """The lease while the block lasts, renewed ``every`` so many seconds; none where somebody else has it."""
    mine, ended = Lease(catalogue, name, holder, lasting), threading.Event()
    if not mine.renew():
        yield None
        return
    beat = threading.Thread(target=_renew, args=(mine, every, ended), name=f"lease-{name}", daemon=True)
    beat.start()
    try:
        yield mine
    finally:
        ended.set()
        beat.join()  # else it might take what was given back
        give_back(catalogue, name, holder)


def _renew(mine: Lease, every: float, ended: threading.Event) -> None:
    while not ended.wait(every):
        try:
            mine.renew()
        except Exception as error:  # noqa: BLE001 - the next beat may succeed; if none does, it is lost
            _log.warning("a lease was not renewed: %s", type(error).__name__)


def take(catalogue: Catalogue, name: str, holder: str, lasting: timedelta) -> bool:
    """Whether ``holder`` has the lease now: taken where it was free or has run out, renewed where it is held."""
    columns, now = lease.c, catalogue.clock()
    statement = insert(lease).values(name=name, holder=holder, until=now + lasting)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": holder, "until": now + lasting},
        where=sa.or_(columns.holder == holder, columns.until <= now),
    )
    with catalogue.housekeeping() as connection:
        return connection.execute(statement).rowcount == 1


def give_back(catalogue: Catalogue, name: str, holder: str) -> None:
    with catalogue.housekeeping() as connection:
        connection.execute(sa.delete(lease).where(lease.c.name == name, lease.c.holder == holder))
