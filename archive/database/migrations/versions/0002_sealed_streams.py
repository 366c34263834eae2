"""Recordings too large for a PDF: the sealed stream beside a document."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("stream_version", sa.Integer()),
    ("stream_plain_size", sa.Integer()),
    ("stream_size", sa.Integer()),
    ("stream_sha512", sa.String(length=128)),
    ("stream_authentication", sa.LargeBinary()),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("document", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """What lies beside a document is then known to nobody: only for an archive that has no such recording."""
    for name, _ in reversed(_COLUMNS):
        op.drop_column("document", name)
