"""What is attached to a mail or a PDF, as it was taken out of it."""

from dataclasses import dataclass
from typing import Final

MOST_LISTED: Final = 1000  # of one document; the others are counted
TOO_LARGE: Final = "展开后过大"


@dataclass(frozen=True, slots=True)
class Attachment:
    """``name`` is as the document has it; ``inline`` parts are pictures within the words. ``lacking`` says why there is
    no ``data`` where it could not be taken out.
    """

    name: str
    data: bytes
    inline: bool = False
    lacking: str = ""
