"""Holds: what keeps a file from disposal whatever its due date says."""

import sqlalchemy as sa

from archive.database.schema import Moment, metadata

hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("case_file", sa.ForeignKey("case_file.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("placed_by", sa.String(40), nullable=False),
    sa.Column("placed_at", Moment, nullable=False),
    sa.Column("lifted_by", sa.String(40)),
    sa.Column("lifted_at", Moment),
    sa.Column("lift_reason", sa.Text),
    sa.Index(None, "case_file"),
)
