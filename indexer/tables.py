"""What the catalogue keeps for finding: saved searches, the engine that is asked, and what the one inside it needs.

The words of that engine are a virtual table, which it makes itself: an index can be thrown away at any time.
"""

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

index_engine = sa.Table(
    "index_engine",
    metadata,
    sa.Column("name", sa.String(10), primary_key=True),
    sa.Column("role", sa.String(10), nullable=False),  # chosen, coming, or resting
    # the highest that was seen: an index with a lower one was put back from an older copy
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("fault", sa.Integer),  # errno of what kept it from being written last; none once it was written
)

fts5_file = sa.Table(
    "fts5_file",
    metadata,
    sa.Column("order", sa.Integer, primary_key=True, autoincrement=False),  # the row of its words
    sa.Column("id", sa.String(36), nullable=False, unique=True),
)

fts5_mark = sa.Table(
    "fts5_mark",
    metadata,
    sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),  # one row: the newest commit
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("form", sa.LargeBinary, nullable=False),
    sa.Column("purging", sa.Boolean, nullable=False),  # words of removed files may still be there
)
