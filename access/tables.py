"""People, sessions, access requests and their approvals."""

import sqlalchemy as sa

from archive.database.schema import Moment, metadata

person = sa.Table(
    "person",
    metadata,
    sa.Column("number", sa.String(10), primary_key=True),  # P0001: what the ledger names
    sa.Column("name", sa.String(80), nullable=False, unique=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("department", sa.String(120), nullable=False),
    sa.Column("password", sa.String(200), nullable=False),  # argon2id, PHC string
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("password_changed_at", Moment, nullable=False),
    sa.Column("disabled_at", Moment),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_until", Moment),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column(
        "token", sa.String(64), primary_key=True
    ),  # SHA-256 of the token, hex: the token itself is not kept
    sa.Column("person", sa.ForeignKey("person.number"), nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Index(None, "person"),
)

request = sa.Table(
    "request",
    metadata,
    sa.Column("number", sa.String(20), primary_key=True),  # CX-2026-00001
    sa.Column("requester", sa.ForeignKey("person.number"), nullable=False),
    sa.Column("department", sa.String(120), nullable=False),  # the requester's, when it was made
    sa.Column("level", sa.String(20), nullable=False),  # the highest of its files
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("provided_by", sa.ForeignKey("person.number")),
    sa.Column("provided_at", Moment),
    sa.Column("signed_off_at", Moment),
    sa.Column("remark", sa.Text),  # the reader's, at sign-off
    sa.Column("closed_by", sa.ForeignKey("person.number")),
    sa.Column("closed_at", Moment),
    sa.Column("refused_by", sa.ForeignKey("person.number")),
    sa.Column("refusal", sa.Text),
    sa.Index(None, "requester"),
    sa.Index(None, "state"),
)

request_file = sa.Table(
    "request_file",
    metadata,
    sa.Column("request", sa.ForeignKey("request.number"), primary_key=True),
    sa.Column("case_file", sa.ForeignKey("case_file.id"), primary_key=True),
    sa.Index(None, "case_file"),
)

approval = sa.Table(
    "approval",
    metadata,
    sa.Column("request", sa.ForeignKey("request.number"), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),  # from 1, in this order
    sa.Column("role", sa.String(20), nullable=False),  # who may decide
    sa.Column("department", sa.String(120)),  # of which department, where it matters
    sa.Column("approver", sa.ForeignKey("person.number")),
    sa.Column("decided_at", Moment),
)
