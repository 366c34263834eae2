"""Commands without the half second of a processor that each would take to import the same modules again.

A process that has imported the command line and done nothing else forks for each command: what runs is as new as if it
had been started, with arguments, environment, folder and standard streams of its own.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parents[1]
_NUMBER = struct.Struct("=i")


class Forking:
    """One for each process that tests; ended with it. Safe to use from several threads, one command at a time."""

    def __init__(self) -> None:
        self._link, theirs = socket.socketpair()
        self._lock = Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from tests.forking import fork_on; fork_on()", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                cwd=ROOT,
            )

    def run(
        self, arguments: list[str], given: str, environment: dict[str, str], seconds: float
    ) -> tuple[int, str, str]:
        """Exit status, standard output and error. Raises TimeoutError; the command is killed then."""
        streams = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
        try:
            os.pwrite(streams[0], given.encode(), 0)
            asked = json.dumps([arguments, environment, str(Path.cwd())]).encode()
            with self._lock:
                self._link.settimeout(seconds)
                socket.send_fds(self._link, [_NUMBER.pack(len(asked))], streams)
                self._link.sendall(asked)
                (command,) = _NUMBER.unpack(_exactly(self._link, _NUMBER.size))
                try:
                    (status,) = _NUMBER.unpack(_exactly(self._link, _NUMBER.size))
                except TimeoutError:
                    os.kill(command, signal.SIGKILL)
                    self._link.settimeout(None)
                    _exactly(self._link, _NUMBER.size)
                    raise
            return status, *(os.pread(each, os.fstat(each).st_size, 0).decode() for each in streams[1:])
        finally:
            for each in streams:
                os.close(each)

    def close(self) -> None:
        self._link.close()
        self._process.kill()
        self._process.wait()


def fork_on() -> None:
    """In the process that forks: until nobody is there any more. Returns in none but its children."""
    import tqdm  # noqa: F401 - as most commands import it, and what comes with it

    import web.wiring  # noqa: F401
    from web.cli import main

    with socket.socket(fileno=int(sys.argv[1])) as link:
        while True:
            head, streams, _, _ = socket.recv_fds(link, _NUMBER.size, 3)
            if not head:
                return
            arguments, environment, folder = json.loads(_exactly(link, _NUMBER.unpack(head)[0]))
            child = os.fork()
            if child == 0:
                break
            for each in streams:
                os.close(each)
            link.sendall(_NUMBER.pack(child))
            link.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["muniment", *arguments]
    main()


def _exactly(link: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        piece = link.recv(count - len(content))
        if not piece:
            raise EOFError
        content += piece
    return content
