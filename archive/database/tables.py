"""What the catalogue keeps for the servers that share it."""

import sqlalchemy as sa

from archive.database.schema import Moment, metadata

# Who does the archive's own chores, and until when nobody else does.
lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("holder", sa.String(36), nullable=False),
    sa.Column("until", Moment, nullable=False),
)
