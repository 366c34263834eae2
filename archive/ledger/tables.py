"""The ledger's tables. What is asked for by column is computed from the leaf itself, so it cannot disagree with it."""

import sqlalchemy as sa

from archive.database.schema import Moment, metadata

entry = sa.Table(
    "ledger_entry",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("leaf", sa.Text, nullable=False),  # canonical JSON, RFC 8785
    sa.Column("at", Moment, sa.Computed("json_extract(leaf, '$.at')", persisted=False)),
    sa.Column("actor", sa.String(40), sa.Computed("json_extract(leaf, '$.actor')", persisted=False)),
    sa.Column("act", sa.String(40), sa.Computed("json_extract(leaf, '$.act')", persisted=False)),
    sa.Column("subject", sa.String(120), sa.Computed("json_extract(leaf, '$.subject')", persisted=False)),
    sa.Index(None, "subject", "position"),
    sa.Index(None, "actor", "position"),
    sa.Index(None, "act", "position"),
)

# The detail of an entry, sealed; it may be shredded, its salted hash in the leaf stays.
detail = sa.Table(
    "ledger_detail",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("case_file", sa.String(36)),  # whose key seals it; none: the ledger's own
    sa.Column("box", sa.LargeBinary, nullable=False),
)

# Hashes of complete subtrees: level 0 are leaf hashes (RFC 9162 section 2.1).
node = sa.Table(
    "ledger_node",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

checkpoint = sa.Table(
    "ledger_checkpoint",
    metadata,
    sa.Column("size", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("note", sa.Text, nullable=False),  # C2SP signed note
)

# Wrapped secrets that belong to the archive as a whole.
secret = sa.Table(
    "secret",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("master_version", sa.Integer, nullable=False),
    sa.Column("box", sa.LargeBinary, nullable=False),
)
