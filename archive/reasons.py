"""What somebody writes in their own words about an act: why, for whom, how it was."""

import re
from typing import Final

from archive.errors import Code, MunimentError
from archive.voucher.form import UNFIT_IN_LINES

LONGEST: Final = 1000  # code points, as much as the forms take
_UNFIT: Final = re.compile(UNFIT_IN_LINES)


def reason_of(text: str, longest: int = LONGEST) -> str:
    """Without outer blanks. Raises MunimentError: REASON_MISSING, REASON_UNFIT."""
    words = remark_of(text, longest)
    if not words:
        raise MunimentError(Code.REASON_MISSING)
    return words


def remark_of(text: str, longest: int = LONGEST) -> str:
    """As a reason, but it may be empty. Raises MunimentError(REASON_UNFIT).

    Refused, not cut: what somebody signs for is what they wrote.
    """
    words = text.replace("\r\n", "\n").strip()
    if len(words) > longest or _UNFIT.search(words):
        raise MunimentError(Code.REASON_UNFIT, longest=longest)
    return words
