"""The triggers with which the database itself refuses UPDATE, DELETE and REPLACE on the ledger.

An INSERT must be the next one: that refuses REPLACE even on a connection without ``recursive_triggers``.
"""

_TABLES = {
    "ledger_entry": "NEW.position = (SELECT coalesce(max(position), -1) + 1 FROM ledger_entry)",
    "ledger_detail": "NEW.position > (SELECT coalesce(max(position), -1) FROM ledger_detail)",
    "ledger_node": (
        "NEW.position = (SELECT coalesce(max(position), -1) + 1 FROM ledger_node WHERE level = NEW.level)"
    ),
    "ledger_checkpoint": "NEW.size > (SELECT coalesce(max(size), 0) FROM ledger_checkpoint)",
}


def guards() -> list[str]:
    """The statements that make the triggers (SQLite)."""
    statements = []
    for table, follows in _TABLES.items():
        statements += [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
        statements.append(
            f"CREATE TRIGGER {table}_in_order BEFORE INSERT ON {table} WHEN NOT ({follows}) "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only, in order'); END"
        )
    return statements


def unguards() -> list[str]:
    return [
        f"DROP TRIGGER {table}_{suffix}"
        for table in _TABLES
        for suffix in ("no_update", "no_delete", "in_order")
    ]
