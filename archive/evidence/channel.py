"""Messages between the server and a worker: a length, JSON, and file descriptors beside them.

One message is four bytes (unsigned, big endian) of length and that many bytes of UTF-8 JSON, always an object. The
descriptors travel with the length by ``SCM_RIGHTS``, so documents pass in memory and never through a file.
"""

import json
import os
import socket
import struct
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


def receive(sock: socket.socket, descriptors: int = 0) -> tuple[dict[str, Any], list[int]]:
    """Read one message and at most so many descriptors, which the caller closes.

    :raises ChannelClosed: end of stream, a message too long, or not an object.
    :raises TimeoutError: the timeout of the socket passed.
    """
    head, held = _head(sock, descriptors)
    try:
        (length,) = _LENGTH.unpack(head)
        if length > LONGEST:
            raise ChannelClosed
        message = json.loads(_exactly(sock, length))
        if not isinstance(message, dict):
            raise ChannelClosed
    except BaseException as failure:
        for descriptor in held:
            os.close(descriptor)
        if isinstance(failure, ValueError | RecursionError):
            raise ChannelClosed from failure
        raise
    return message, held


def _head(sock: socket.socket, descriptors: int) -> tuple[bytes, list[int]]:
    if not descriptors:
        return _exactly(sock, _LENGTH.size), []
    head, held, _, _ = socket.recv_fds(sock, _LENGTH.size, descriptors)
    try:
        return head + _exactly(sock, _LENGTH.size - len(head)) if head else _nothing(), held
    except BaseException:
        for descriptor in held:
            os.close(descriptor)
        raise


def _nothing() -> bytes:
    raise ChannelClosed


def _exactly(sock: socket.socket, length: int) -> bytes:
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        try:
            count = sock.recv_into(view)
        except ConnectionResetError as gone:
            raise ChannelClosed from gone
        if not count:
            raise ChannelClosed
        view = view[count:]
    return bytes(buffer)
