"""From a request to the reply that goes back over the channel, whatever happens to the job."""

import errno
import os
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from archive.errors import Code, MunimentError
from archive.evidence.jobs import Job, run
from archive.evidence.limits import Limits
from archive.evidence.refusing import Refused

Reply = dict[str, Any]


def answer(request: Mapping[str, Any], held: Sequence[int], limits: Limits) -> Reply:
    """``done`` with the result, or ``refused`` with a code, ``facts`` and the place of the ``fault``.

    ``held`` are the descriptors of source, target, words and perhaps an aid, closed here. ``peak_kib`` and ``spent``
    tell the server whether to keep this worker.
    """
    try:
        with ExitStack() as opened:
            source, target, words = (
                opened.enter_context(os.fdopen(held[0], "rb")),
                opened.enter_context(os.fdopen(held[1], "r+b")),
                opened.enter_context(os.fdopen(held[2], "r+b")),
            )
            aid = opened.enter_context(os.fdopen(held[3], "rb")) if len(held) > 3 else None
            reply: Reply = {"done": run(Job(request, source, target, words, limits, aid))}
    except Exception as fault:  # noqa: BLE001 -- whatever a library raises ends the job, not the worker
        reply = _refusal(fault)
    reply["peak_kib"] = _peak_kib()
    return reply


def _peak_kib() -> int:
    """Of this program's own memory: ``ru_maxrss`` begins at what the server had when it started us."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0])


def _refusal(fault: Exception) -> Reply:
    if isinstance(fault, Refused):
        return {"refused": fault.code.value, "facts": fault.facts, "fault": _place(fault.__cause__)}
    if isinstance(fault, MunimentError):
        facts = {name: value if isinstance(value, int) else str(value) for name, value in fault.facts.items()}
        return {"refused": fault.code.value, "facts": facts}
    if isinstance(fault, MemoryError):
        return {"refused": Code.CONVERSION_TOO_LARGE.value, "facts": {}, "spent": True}
    if isinstance(fault, OSError) and fault.errno == errno.EFBIG:  # RLIMIT_FSIZE; Python ignores SIGXFSZ
        return {"refused": Code.CONVERSION_TOO_LARGE.value, "facts": {}}
    return {"refused": Code.CONVERSION_CRASHED.value, "facts": {}, "fault": _place(fault)}


def _place(fault: BaseException | None) -> str:
    """Kind and place of a fault, without its message, which may quote the document."""
    if fault is None:
        return ""
    frames = traceback.extract_tb(fault.__traceback__)
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(fault).__name__ + at
