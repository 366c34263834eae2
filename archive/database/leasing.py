"""Leases: of several servers over one catalogue, one does a chore. A lease runs out when its holder is gone."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from archive.database.engine import Database
from archive.database.schema import Moment, metadata

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("holder", sa.String(36), nullable=False),
    sa.Column("until", Moment, nullable=False),
)


def take(database: Database, name: str, holder: str, now: datetime, lasting: timedelta) -> bool:
    """Whether ``holder`` has the lease now: taken where it was free or has run out, renewed where it is held."""
    columns = lease.c
    statement = insert(lease).values(name=name, holder=holder, until=now + lasting)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": holder, "until": now + lasting},
        where=sa.or_(columns.holder == holder, columns.until <= now),
    )
    with database.writing() as connection:
        return connection.execute(statement).rowcount == 1


def give_back(database: Database, name: str, holder: str) -> None:
    with database.writing() as connection:
        connection.execute(sa.delete(lease).where(lease.c.name == name, lease.c.holder == holder))
