"""What a mail is made of, tried part by part: one that fails alone is left out, and the rest is shown."""

import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from archive.errors import Code, MunimentError
from archive.evidence import memoryfiles

# What a mail may be refused for although only something attached to it deserves it.
BY_A_PART = frozenset(
    {
        Code.CONVERSION_CRASHED,
        Code.CONVERSION_TIMEOUT,
        Code.CONVERSION_TOO_LARGE,
        Code.EVIDENCE_UNREADABLE,
    }
)


def sizes(answer: Mapping[str, Any]) -> dict[str, int]:
    """The bytes of each part, by its SHA-256 in hex; none where the answer is not what a worker says."""
    try:
        return {bytes.fromhex(sha256).hex(): int(size) for sha256, size in answer["parts"] if int(size) >= 0}
    except (KeyError, TypeError, ValueError):
        return {}


def unfit(
    parts: Mapping[str, int], held: BinaryIO, attempt: Callable[[int], None], until: float
) -> dict[str, Code]:
    """Why each of the parts that fail does so.

    ``held`` has them one after the other; ``attempt`` is given a descriptor of one. Those not begun at the moment
    ``until`` of the monotonic clock count as too slow.

    :raises MunimentError: SANDBOX_UNAVAILABLE.
    """
    found: dict[str, Code] = {}
    for sha256, size in parts.items():
        if time.monotonic() > until:
            found[sha256] = Code.CONVERSION_TIMEOUT
            continue
        with memoryfiles.part(held.fileno(), size) as given:
            try:
                attempt(given)
            except MunimentError as refusal:
                if refusal.code is Code.SANDBOX_UNAVAILABLE:
                    raise
                found[sha256] = refusal.code
    return found
