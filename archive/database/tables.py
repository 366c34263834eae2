"""What the servers that share the catalogue keep there: jobs, followers of the ledger, and leases of chores."""

import sqlalchemy as sa

from archive.database.schema import Moment, metadata

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(120), nullable=False),  # ids only: never a customer's words
    sa.Column("priority", sa.Integer, nullable=False),  # higher goes first
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("due_at", Moment, nullable=False),  # not before
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease", sa.String(32)),  # a token of the worker that has it
    sa.Column("leased_until", Moment),
    sa.Column("problem", sa.String(40)),  # the code of the last refusal
    sa.UniqueConstraint("kind", "subject"),
    sa.Index(None, "kind", "state", "priority"),
)

follower = sa.Table(
    "follower",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),  # of the first ledger entry it has not followed yet
)

# Who does the archive's own chores, and until when nobody else does.
lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("holder", sa.String(36), nullable=False),
    sa.Column("until", Moment, nullable=False),
)
