"""Messages between the server and a worker: a length, JSON, and file descriptors beside them.

One message is four bytes (unsigned, big endian) of length and that many bytes of UTF-8 JSON, always an
object. The descriptors travel with the length by ``SCM_RIGHTS``, so documents pass in memory and never
through a file.
"""

import json
import os
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST = 128 << 20  # bytes of one message; the text of a very long document fits
_LENGTH = struct.Struct(">I")


class ChannelClosed(Exception):  # noqa: N818 -- an ending, expected whenever the other side goes
    """The other side is gone, or speaks something else."""


def send(sock: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Write one message.

    :raises ChannelClosed: the other side is gone.
    """
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    try:
        if descriptors:
            socket.send_fds(sock, [_LENGTH.pack(len(body))], descriptors)
            sock.sendall(body)
        else:
            sock.sendall(_LENGTH.pack(len(body)) + body)
    except (BrokenPipeError, ConnectionResetError) as gone:
        raise ChannelClosed from gone


def receive(
    sock: socket.socket, descriptors: int = 0, deadline: float | None = None
) -> tuple[dict[str, Any], list[int]]:
    """Read one message and at most so many descriptors, which the caller closes.

    ``deadline`` is of the monotonic clock and bounds the whole message, however slowly it trickles.

    :raises ChannelClosed: end of stream, a message too long, or not an object.
    :raises TimeoutError: the deadline passed.
    """
    held: list[int] = []
    try:
        return _message(sock, descriptors, held, deadline), held
    except BaseException:
        for descriptor in held:
            os.close(descriptor)
        raise


def _message(
    sock: socket.socket, descriptors: int, held: list[int], deadline: float | None
) -> dict[str, Any]:
    """``held`` is filled at once, so that the descriptors can be closed whatever follows."""
    head = b""
    if descriptors:
        head, passed, _, _ = socket.recv_fds(sock, _LENGTH.size, descriptors)
        held += passed
        if not head:
            raise ChannelClosed
    (length,) = _LENGTH.unpack(head + _exactly(sock, _LENGTH.size - len(head), deadline))
    if length > LONGEST:
        raise ChannelClosed
    try:
        message = json.loads(_exactly(sock, length, deadline))
    except (ValueError, RecursionError) as nonsense:
        raise ChannelClosed from nonsense
    if not isinstance(message, dict):
        raise ChannelClosed
    return message


def _exactly(sock: socket.socket, length: int, deadline: float | None) -> bytes:
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        if deadline is not None:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))  # zero would mean not to wait at all
        try:
            count = sock.recv_into(view)
        except ConnectionResetError as gone:
            raise ChannelClosed from gone
        if not count:
            raise ChannelClosed
        view = view[count:]
    return bytes(buffer)
