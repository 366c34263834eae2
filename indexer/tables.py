"""Searches that people keep for themselves."""

import sqlalchemy as sa

from archive.database.schema import Moment, metadata

saved_search = sa.Table(
    "saved_search",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("owner", sa.String(40), nullable=False, index=True),  # an actor
    sa.Column("saved_at", Moment, nullable=False),
    sa.Column("box", sa.LargeBinary, nullable=False),  # its name and what is asked for, sealed
)
