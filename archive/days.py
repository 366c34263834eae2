"""Days as people write them."""

import re
from datetime import date

from archive.errors import Code, MunimentError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_day(text: str) -> date:
    """ISO 8601, ``2026-03-01``; outer blanks are passed over. Raises MunimentError(DATE_INVALID)."""
    given = text.strip()
    try:
        found = date.fromisoformat(given) if _DAY.fullmatch(given) else None
    except ValueError:
        found = None
    if found is None:
        raise MunimentError(Code.DATE_INVALID, given=given[:40])
    return found
