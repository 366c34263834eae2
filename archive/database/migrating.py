"""Bringing the catalogue to the newest form, in one transaction, when it is not there already."""

from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa

from archive.database.engine import Database

HEAD, NOTHING = "0005", "base"


def revision(connection: sa.Connection) -> str | None:
    """The revision of the catalogue; none when it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def migrate(database: Database, target: str = HEAD) -> None:
    """All or nothing, up or down; ``NOTHING`` takes away every table.

    Alembic is imported only when there is something to do: a start stays quick.
    """
    with database.reading() as connection:
        if revision(connection) == target:
            return
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(str(files(__package__))) / "migrations"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        current = revision(connection)
        if current is not None and (target == NOTHING or target < current):
            command.downgrade(config, target)
        else:
            command.upgrade(config, target)
