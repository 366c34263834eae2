"""Scanning by ClamAV's daemon, over its INSTREAM command (clamd(8)): no file, no client library.

The command, ended by a zero byte; pieces with their length before them (four bytes, big endian); a length of zero. The
answer is ``stream: OK``, ``stream: NAME FOUND`` or ``… ERROR``, ended by a zero byte.
"""

import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from archive.errors import Code, MunimentError

_CHUNK = 1 << 18
_LONGEST_ANSWER = 4096
_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 120.0
_FOUND = re.compile(r"stream: (.{1,200}) FOUND")


@dataclass(frozen=True, slots=True)
class Clamd:
    """``address`` is ``host:port`` or the path of a socket."""

    address: str

    def scan(self, source: BinaryIO, name: str) -> str | None:
        """What was found, by its name in ClamAV's signatures; none in a clean file. ``source`` is read to its end.

        :raises MunimentError: SCANNER_UNAVAILABLE; EVIDENCE_UNSCANNED when the daemon will not take so much.
        """
        try:
            answer = self._asked(source)
        except OSError:
            raise self._unavailable() from None
        if answer == "stream: OK":
            return None
        found = _FOUND.fullmatch(answer)
        if found:
            return found[1]
        if "size limit exceeded" in answer:
            raise MunimentError(Code.EVIDENCE_UNSCANNED, name=name)
        raise self._unavailable()

    def _unavailable(self) -> MunimentError:
        return MunimentError(Code.SCANNER_UNAVAILABLE, address=self.address)

    def _asked(self, source: BinaryIO) -> str:
        with self._connected() as link:
            with suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough; its answer says why
                link.sendall(b"zINSTREAM\0")
                while piece := source.read(_CHUNK):
                    link.sendall(struct.pack("!I", len(piece)) + piece)
                link.sendall(struct.pack("!I", 0))
            answer = b""
            while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
                part = link.recv(_LONGEST_ANSWER)
                if not part:
                    break
                answer += part
        return answer.rstrip(b"\0").decode("utf-8", "replace").strip()

    def _connected(self) -> socket.socket:
        if self.address.startswith("/"):
            link = socket.socket(socket.AF_UNIX)
            try:
                link.settimeout(_CONNECT_SECONDS)
                link.connect(self.address)
            except BaseException:
                link.close()
                raise
        else:
            host, _, port = self.address.rpartition(":")
            link = socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS)
        link.settimeout(_ANSWER_SECONDS)
        return link
