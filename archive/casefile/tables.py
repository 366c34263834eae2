"""The catalogue: case files, their documents, records and wrapped keys."""

import sqlalchemy as sa

from archive.database.schema import Moment, metadata

case_file = sa.Table(
    "case_file",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("reference", sa.String(80), nullable=False, unique=True),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("level", sa.String(20), nullable=False),
    sa.Column("category", sa.String(20), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),  # of the OCFL object
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("filed_at", Moment, nullable=False),
    sa.Column("filed_by", sa.String(40), nullable=False),
    sa.Column("completed_on", sa.Date),
    sa.Column("permanent", sa.String(40)),  # the ground, or none
    sa.Column("voided_at", Moment),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("store", sa.String(120), nullable=False),
    sa.Column("department", sa.String(120), nullable=False),  # that received it
    sa.Column("script", sa.String(120)),
    sa.Column("headcount", sa.Integer, nullable=False),
    sa.Column("voucher", sa.LargeBinary, nullable=False),  # voucher.json, sealed under the file key
    # keyed digest of what an import folder held, so that it is never filed twice
    sa.Column("fingerprint", sa.String(64), unique=True),
    sa.UniqueConstraint("year", "level", "category", "number"),
    sa.Index(None, "department"),
    # All that the counts and the order of a search need: rows, each with its sealed voucher, are not read for them.
    sa.Index(
        "ix_case_file_facets",
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
    ),
    sa.Index(None, "filed_at"),
    sa.Index(None, "completed_on"),
    sa.Index(None, "script"),
    sa.Index(None, "store"),
)

document = sa.Table(
    "document",
    metadata,
    sa.Column("case_file", sa.ForeignKey("case_file.id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),  # 0 is the voucher
    sa.Column("version", sa.Integer, primary_key=True),  # the OCFL version that brought it
    sa.Column("name", sa.String(90), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),  # found from the content
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),  # bytes
    sa.Column("sha512", sa.String(128), nullable=False),  # of the encrypted PDF
    sa.Column("authentication", sa.LargeBinary, nullable=False),  # HMAC-SHA256
    sa.Column("original_sha256", sa.String(64), nullable=False),
    sa.Column(
        "pending", sa.Boolean, nullable=False
    ),  # a cover stands for it until its converter is installed
    # The original of a recording that is too large for the PDF: a sealed stream beside it, or none at all.
    sa.Column("stream_version", sa.Integer),  # the OCFL version that brought it
    sa.Column("stream_plain_size", sa.Integer),  # bytes of the original
    sa.Column("stream_size", sa.Integer),  # bytes as sealed
    sa.Column("stream_sha512", sa.String(128)),  # of the sealed bytes
    sa.Column("stream_authentication", sa.LargeBinary),  # HMAC-SHA256
    sa.Column("title", sa.LargeBinary, nullable=False),  # the name it came with, sealed
    # JSON list, one string a page, sealed; empty where it is long: then it is a sealed stream beside the PDF.
    sa.Column("text", sa.LargeBinary, nullable=False),
    sa.Column("text_size", sa.Integer),  # bytes of the stream as sealed
    sa.Column("text_sha512", sa.String(128)),  # of the sealed bytes
    sa.Column("text_authentication", sa.LargeBinary),  # HMAC-SHA256
    sa.Column("wordless", sa.String),  # pages without a text of their own, ``2-5,9``; null: not looked at
)

# What was read in the picture of a page; ``recognised`` is sealed under the file key.
recognition = sa.Table(
    "recognition",
    metadata,
    sa.Column("case_file", sa.ForeignKey("case_file.id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),  # of the document
    sa.Column("page", sa.Integer, primary_key=True),  # from 1
    sa.Column("confidence", sa.Integer, nullable=False),  # percent
    sa.Column("recognised", sa.LargeBinary, nullable=False),
)

# The sealed records in the vault: one a version of the object, since there are records.
record = sa.Table(
    "record",
    metadata,
    sa.Column("case_file", sa.ForeignKey("case_file.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),  # of the object that brought it
    sa.Column("size", sa.Integer, nullable=False),  # bytes
    sa.Column("sha512", sa.String(128), nullable=False),
)

file_key = sa.Table(
    "file_key",
    metadata,
    sa.Column("case_file", sa.ForeignKey("case_file.id"), primary_key=True),
    sa.Column("master_version", sa.Integer, nullable=False),
    sa.Column("box", sa.LargeBinary, nullable=False),
)
