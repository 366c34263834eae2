"""Rebuilding a lost catalogue from the vault, the master key and the key journal."""
