"""Finding by reference code or its beginning (``2026-一级``): answered from the catalogue, index or none."""

import re
import unicodedata
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reading import CaseFile, CaseFiles

_BEGINNING = re.compile(r"[1-9]\d{3}-(\w{1,20}(-(\w{1,20}(-\d{0,9})?)?)?)?")
_DASHES = re.compile("[\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d]")


def named(case_files: CaseFiles, query: str, allowed: sa.Select[Any] | None, limit: int) -> list[CaseFile]:
    """The case files whose reference code begins with ``query``: the exact one first, then newest filed."""
    beginning = _DASHES.sub("-", unicodedata.normalize("NFKC", query)).strip(' \t\r\n"\u201c\u201d')
    if _BEGINNING.fullmatch(beginning) is None:
        return []
    file = tables.case_file
    ids = sa.select(file.c.id).where(file.c.reference.startswith(beginning, autoescape=True))
    if allowed is not None:
        ids = ids.where(file.c.id.in_(allowed))
    newest = ids.order_by(file.c.reference != beginning, file.c.filed_at.desc(), file.c.reference.desc())
    found = case_files.select(newest.limit(limit))
    return sorted(found, key=lambda each: each.reference != beginning)
