"""The checks that were made, and when each case file was last checked."""

import sqlalchemy as sa

from archive.database.schema import Moment, metadata

report = sa.Table(
    "fixity_report",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("scope", sa.String(10), nullable=False),
    sa.Column("actor", sa.String(40), nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, nullable=False),
    sa.Column("files", sa.Integer, nullable=False),
    sa.Column("documents", sa.Integer, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes read
    sa.Column("findings", sa.Text, nullable=False),  # JSON: [[fault, reference, name], …]
)

mark = sa.Table(
    "fixity_mark",
    metadata,
    sa.Column("case_file", sa.ForeignKey("case_file.id"), primary_key=True),
    sa.Column("checked_at", Moment, nullable=False),
    sa.Index(None, "checked_at"),
)
