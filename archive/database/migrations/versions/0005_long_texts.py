"""Texts too long for a row of the catalogue: sealed streams beside the documents; and which pages have no text."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("wordless", sa.String()),
    ("text_size", sa.Integer()),
    ("text_sha512", sa.String(length=128)),
    ("text_authentication", sa.LargeBinary()),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("document", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """What lies beside a document is then known to nobody: only for an archive that has no such text."""
    for name, _ in reversed(_COLUMNS):
        op.drop_column("document", name)
