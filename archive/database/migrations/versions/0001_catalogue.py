"""The catalogue from nothing: case files, ledger, people, requests, holds, and the triggers over the ledger."""

import sqlalchemy as sa
from alembic import op

from archive.database.schema import Moment
from archive.ledger.guarding import guards, unguards

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_file",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("filed_at", Moment(), nullable=False),
        sa.Column("filed_by", sa.String(length=40), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.Column("permanent", sa.String(length=40), nullable=True),
        sa.Column("voided_at", Moment(), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("store", sa.String(length=120), nullable=False),
        sa.Column("department", sa.String(length=120), nullable=False),
        sa.Column("script", sa.String(length=120), nullable=True),
        sa.Column("headcount", sa.Integer(), nullable=False),
        sa.Column("voucher", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_case_file_fingerprint")),
        sa.UniqueConstraint("reference", name=op.f("uq_case_file_reference")),
        sa.UniqueConstraint(
            "year", "level", "category", "number", name=op.f("uq_case_file_year_level_category_number")
        ),
    )
    op.create_index(op.f("ix_case_file_completed_on"), "case_file", ["completed_on"], unique=False)
    op.create_index(op.f("ix_case_file_department"), "case_file", ["department"], unique=False)
    op.create_index(
        "ix_case_file_facets",
        "case_file",
        [
            "year",
            "level",
            "category",
            "number",
            "store",
            "state",
            "completed_on",
            "filed_at",
            "reference",
            "id",
        ],
        unique=False,
    )
    op.create_index(op.f("ix_case_file_filed_at"), "case_file", ["filed_at"], unique=False)
    op.create_index(op.f("ix_case_file_script"), "case_file", ["script"], unique=False)
    op.create_index(op.f("ix_case_file_store"), "case_file", ["store"], unique=False)
    op.create_table(
        "fts5_file",
        sa.Column("order", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("order", name=op.f("pk_fts5_file")),
        sa.UniqueConstraint("id", name=op.f("uq_fts5_file_id")),
    )
    op.create_table(
        "fts5_mark",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=False),
        sa.Column("purging", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("generation", name=op.f("pk_fts5_mark")),
    )
    op.create_table(
        "index_engine",
        sa.Column("name", sa.String(length=10), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_index_engine")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "follower",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_follower")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("leased_until", Moment(), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_job_kind_subject")),
    )
    op.create_index(op.f("ix_job_kind_state_priority"), "job", ["kind", "state", "priority"], unique=False)
    op.create_table(
        "ledger_checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_detail",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_file", sa.String(length=36), nullable=True),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_detail")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.Column("at", Moment(), sa.Computed("json_extract(leaf, '$.at')", persisted=False), nullable=True),
        sa.Column(
            "actor",
            sa.String(length=40),
            sa.Computed("json_extract(leaf, '$.actor')", persisted=False),
            nullable=True,
        ),
        sa.Column(
            "act",
            sa.String(length=40),
            sa.Computed("json_extract(leaf, '$.act')", persisted=False),
            nullable=True,
        ),
        sa.Column(
            "subject",
            sa.String(length=120),
            sa.Computed("json_extract(leaf, '$.subject')", persisted=False),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_entry")),
    )
    op.create_index(op.f("ix_ledger_entry_act_position"), "ledger_entry", ["act", "position"], unique=False)
    op.create_index(
        op.f("ix_ledger_entry_actor_position"), "ledger_entry", ["actor", "position"], unique=False
    )
    op.create_index(
        op.f("ix_ledger_entry_subject_position"), "ledger_entry", ["subject", "position"], unique=False
    )
    op.create_table(
        "ledger_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_ledger_node")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "person",
        sa.Column("number", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("department", sa.String(length=120), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        sa.Column("password_changed_at", Moment(), nullable=False),
        sa.Column("disabled_at", Moment(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_person")),
        sa.UniqueConstraint("name", name=op.f("uq_person_name")),
    )
    op.create_table(
        "saved_search",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("saved_at", Moment(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
    )
    op.create_index(op.f("ix_saved_search_owner"), "saved_search", ["owner"], unique=False)
    op.create_table(
        "secret",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("master_version", sa.Integer(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret")),
    )
    op.create_table(
        "document",
        sa.Column("case_file", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=90), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha512", sa.String(length=128), nullable=False),
        sa.Column("authentication", sa.LargeBinary(), nullable=False),
        sa.Column("original_sha256", sa.String(length=64), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_file"], ["case_file.id"], name=op.f("fk_document_case_file")),
        sa.PrimaryKeyConstraint("case_file", "ordinal", "version", name=op.f("pk_document")),
    )
    op.create_table(
        "file_key",
        sa.Column("case_file", sa.String(length=36), nullable=False),
        sa.Column("master_version", sa.Integer(), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_file"], ["case_file.id"], name=op.f("fk_file_key_case_file")),
        sa.PrimaryKeyConstraint("case_file", name=op.f("pk_file_key")),
    )
    op.create_table(
        "fixity_mark",
        sa.Column("case_file", sa.String(length=36), nullable=False),
        sa.Column("checked_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["case_file"], ["case_file.id"], name=op.f("fk_fixity_mark_case_file")),
        sa.PrimaryKeyConstraint("case_file", name=op.f("pk_fixity_mark")),
    )
    op.create_index(op.f("ix_fixity_mark_checked_at"), "fixity_mark", ["checked_at"], unique=False)
    op.create_table(
        "fixity_report",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_fixity_report")),
    )
    op.create_table(
        "former_history",
        sa.Column("case_file", sa.String(length=36), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_file"], ["case_file.id"], name=op.f("fk_former_history_case_file")),
        sa.PrimaryKeyConstraint("case_file", name=op.f("pk_former_history")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_file", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(length=40), nullable=False),
        sa.Column("placed_at", Moment(), nullable=False),
        sa.Column("lifted_by", sa.String(length=40), nullable=True),
        sa.Column("lifted_at", Moment(), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_file"], ["case_file.id"], name=op.f("fk_hold_case_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_case_file"), "hold", ["case_file"], unique=False)
    op.create_table(
        "recognition",
        sa.Column("case_file", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("recognised", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_file"], ["case_file.id"], name=op.f("fk_recognition_case_file")),
        sa.PrimaryKeyConstraint("case_file", "ordinal", "version", "page", name=op.f("pk_recognition")),
    )
    op.create_table(
        "request",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("requester", sa.String(length=10), nullable=False),
        sa.Column("department", sa.String(length=120), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("provided_by", sa.String(length=10), nullable=True),
        sa.Column("provided_at", Moment(), nullable=True),
        sa.Column("signed_off_at", Moment(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("closed_by", sa.String(length=10), nullable=True),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("refused_by", sa.String(length=10), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["closed_by"], ["person.number"], name=op.f("fk_request_closed_by")),
        sa.ForeignKeyConstraint(["provided_by"], ["person.number"], name=op.f("fk_request_provided_by")),
        sa.ForeignKeyConstraint(["refused_by"], ["person.number"], name=op.f("fk_request_refused_by")),
        sa.ForeignKeyConstraint(["requester"], ["person.number"], name=op.f("fk_request_requester")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_request")),
    )
    op.create_index(op.f("ix_request_requester"), "request", ["requester"], unique=False)
    op.create_index(op.f("ix_request_state"), "request", ["state"], unique=False)
    op.create_table(
        "session",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=10), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.number"], name=op.f("fk_session_person")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_person"), "session", ["person"], unique=False)
    op.create_table(
        "approval",
        sa.Column("request", sa.String(length=20), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("department", sa.String(length=120), nullable=True),
        sa.Column("approver", sa.String(length=10), nullable=True),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["approver"], ["person.number"], name=op.f("fk_approval_approver")),
        sa.ForeignKeyConstraint(["request"], ["request.number"], name=op.f("fk_approval_request")),
        sa.PrimaryKeyConstraint("request", "step", name=op.f("pk_approval")),
    )
    op.create_table(
        "request_file",
        sa.Column("request", sa.String(length=20), nullable=False),
        sa.Column("case_file", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["case_file"], ["case_file.id"], name=op.f("fk_request_file_case_file")),
        sa.ForeignKeyConstraint(["request"], ["request.number"], name=op.f("fk_request_file_request")),
        sa.PrimaryKeyConstraint("request", "case_file", name=op.f("pk_request_file")),
    )
    op.create_index(op.f("ix_request_file_case_file"), "request_file", ["case_file"], unique=False)
    op.create_table(
        "vault_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=1024), nullable=False),
        sa.Column("moving_to", sa.String(length=1024), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_place")),
    )
    for statement in guards():
        op.execute(statement)


def downgrade() -> None:
    for statement in unguards():
        op.execute(statement)
    op.drop_table("vault_place")
    op.drop_index(op.f("ix_request_file_case_file"), table_name="request_file")
    op.drop_table("request_file")
    op.drop_table("approval")
    op.drop_index(op.f("ix_session_person"), table_name="session")
    op.drop_table("session")
    op.drop_index(op.f("ix_request_state"), table_name="request")
    op.drop_index(op.f("ix_request_requester"), table_name="request")
    op.drop_table("request")
    op.drop_index(op.f("ix_hold_case_file"), table_name="hold")
    op.drop_table("hold")
    op.drop_table("recognition")
    op.drop_table("former_history")
    op.drop_table("fixity_report")
    op.drop_index(op.f("ix_fixity_mark_checked_at"), table_name="fixity_mark")
    op.drop_table("fixity_mark")
    op.drop_table("file_key")
    op.drop_table("document")
    op.drop_table("secret")
    op.drop_index(op.f("ix_saved_search_owner"), table_name="saved_search")
    op.drop_table("saved_search")
    op.drop_table("person")
    op.drop_table("ledger_node")
    op.drop_index(op.f("ix_ledger_entry_subject_position"), table_name="ledger_entry")
    op.drop_index(op.f("ix_ledger_entry_actor_position"), table_name="ledger_entry")
    op.drop_index(op.f("ix_ledger_entry_act_position"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_table("ledger_detail")
    op.drop_table("ledger_checkpoint")
    op.drop_index(op.f("ix_job_kind_state_priority"), table_name="job")
    op.drop_table("job")
    op.drop_table("follower")
    op.drop_index("ix_case_file_facets", table_name="case_file")
    op.drop_table("lease")
    op.drop_table("index_engine")
    op.drop_table("fts5_mark")
    op.drop_table("fts5_file")
    for table in ("fts5_words", "fts5_long_words", "fts5_long"):
        op.execute(f"DROP TABLE IF EXISTS {table}")
    op.drop_index(op.f("ix_case_file_store"), table_name="case_file")
    op.drop_index(op.f("ix_case_file_script"), table_name="case_file")
    op.drop_index(op.f("ix_case_file_filed_at"), table_name="case_file")
    op.drop_index(op.f("ix_case_file_department"), table_name="case_file")
    op.drop_index(op.f("ix_case_file_completed_on"), table_name="case_file")
    op.drop_table("case_file")
