"""What kept an index from being written last, for those who ask how it is."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("index_engine", sa.Column("fault", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("index_engine", "fault")
