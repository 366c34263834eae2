"""A cage for somebody else's program: ``python -m archive.evidence.cage ORDERS PROGRAM ARGUMENT…``.

This process gives up the network, new processes, and all of the disk but what the orders name, bounds itself, and
becomes the program. The orders are JSON: ``readable`` and ``writable`` paths, and the bounds.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archive.evidence import landlock
from archive.evidence.seccomp import Freedom, Unconfined, install

UNCONFINED = 125  # exit code: the cage could not be built
_PR_SET_PDEATHSIG = 1
_DESCRIPTORS = 256


def enter(orders: Mapping[str, Any]) -> None:
    """Give up all but what the orders name, for good.

    :raises Unconfined, OSError, ValueError: it cannot be done here; the process must not go on.
    """
    # Dying with the server: nothing is left behind that holds a document.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for what, bound in (
        (resource.RLIMIT_DATA, orders["memory_bytes"]),
        (resource.RLIMIT_AS, orders["memory_bytes"] * 4),  # libraries and fonts are mapped, not held
        (resource.RLIMIT_FSIZE, orders["output_bytes"]),
        (resource.RLIMIT_CPU, orders["cpu_seconds"]),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (bound, bound))
    landlock.restrict(
        [Path(each) for each in orders["readable"]], [Path(each) for each in orders["writable"]]
    )
    install(Freedom.BECOME_AND_WRITE if orders["writable"] else Freedom.BECOME)


def main() -> int:
    """Returns only when the program could not be started in its cage."""
    program = sys.argv[2:]
    try:
        enter(json.loads(sys.argv[1]))
        os.execv(program[0], program)  # noqa: S606 -- fixed by the server; the cage is what this module is for
    except (Unconfined, OSError, ValueError):
        return UNCONFINED


if __name__ == "__main__":
    sys.exit(main())
