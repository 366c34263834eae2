"""Where the vault lies. In the catalogue, so that it moves in the same transaction as the ledger's entry about it."""

import sqlalchemy as sa

from archive.database.schema import metadata

vault_place = sa.Table(
    "vault_place",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # there is one row, or none: the folder in the home folder
    sa.Column("place", sa.String(1024), nullable=False),
    sa.Column("moving_to", sa.String(1024)),  # a move that was begun
)
