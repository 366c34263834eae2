"""Preservation packages: whole case files outside the archive, readable without it, for decades (BagIt, RFC 8493)."""
