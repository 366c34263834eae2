"""Which version of the master key the catalogue wraps with."""

import sqlalchemy as sa

from archive.ledger import tables


def wrapping_version(connection: sa.Connection) -> int:
    """That of the archive's own secrets: a rotation re-wraps them first. 0 where there are none yet.

    Asked inside the transaction that writes a wrapped key, so that no key is wrapped with a version that a rotation
    has passed by and is about to retire.
    """
    return connection.execute(sa.select(sa.func.max(tables.secret.c.master_version))).scalar() or 0
