"""What an imported case file went through before it came here."""

import sqlalchemy as sa

from archive.database.schema import metadata

former_history = sa.Table(
    "former_history",
    metadata,
    sa.Column("case_file", sa.ForeignKey("case_file.id"), primary_key=True),
    sa.Column("box", sa.LargeBinary, nullable=False),  # events.json of the package, sealed under the file key
)
