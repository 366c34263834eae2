"""Leases: of several servers over one catalogue, one does a chore. A lease runs out when its holder is gone."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from archive.database.catalogue import Catalogue
from archive.database.tables import lease


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
