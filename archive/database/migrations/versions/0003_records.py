"""Sealed records: what the vault holds of each case file beside its documents."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "record",
        sa.Column("case_file", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha512", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["case_file"], ["case_file.id"], name=op.f("fk_record_case_file")),
        sa.PrimaryKeyConstraint("case_file", "version", name=op.f("pk_record")),
    )


def downgrade() -> None:
    op.drop_table("record")
