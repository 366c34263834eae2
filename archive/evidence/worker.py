"""The worker process: ``python -m archive.evidence.worker DESCRIPTOR``, one end of a socket pair.

It reads the limits, builds its cage, says that it is ready, and then does one job after another until the
other end closes. Passwords come with the job; nothing is kept from one job to the next. What one document
could do to the process if it broke out of a library, it could do to the jobs after it: that is why the cage
has no network, and why a worker is replaced after a number of jobs.
"""

import socket
import sys
from typing import NoReturn

from archive.causes import Cause, of_system
from archive.evidence import channel
from archive.evidence.confinement import allow_cpu, confine
from archive.evidence.limits import Limits
from archive.evidence.seccomp import Unconfined


def main() -> int:
    """Serve until the channel closes. The exit code tells nothing; the server goes by the channel."""
    link = socket.socket(fileno=int(sys.argv[1]))
    try:
        first, _ = channel.receive(link)
        limits = Limits(**first["limits"])
        try:
            confine(limits)
        except (Unconfined, OSError, ValueError) as fault:
            cause = _cause(fault)
            channel.send(link, {"unconfined": [cause.zh, cause.en]})
            return 1
        _serve(link, limits)
    except channel.ChannelClosed:
        return 0


def _cause(fault: Exception) -> Cause:
    if isinstance(fault, Unconfined):
        return fault.cause
    if isinstance(fault, OSError):
        return of_system(fault.errno)
    return Cause("限额无法设置", "a limit cannot be set")


def _serve(link: socket.socket, limits: Limits) -> NoReturn:
    """:raises channel.ChannelClosed: at the end, always."""
    # Loaded inside the cage: no library has started a thread, or kept anything open, from before.
    from archive.evidence.answering import answer  # noqa: PLC0415

    channel.send(link, {"ready": True})
    while True:
        request, held = channel.receive(link, descriptors=4)
        allow_cpu(limits.cpu_seconds)
        channel.send(link, answer(request, held, limits))


if __name__ == "__main__":
    sys.exit(main())
