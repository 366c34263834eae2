import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.evidence import channel

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_message_arrives_as_it_was_sent(pair: Pair):
    channel.send(pair[0], {"name": "投诉", "pages": [1, 2]})
    assert channel.receive(pair[1]) == ({"name": "投诉", "pages": [1, 2]}, [])


def test_descriptors_travel_with_the_message(pair: Pair):
    held = os.memfd_create("given")
    os.write(held, b"whole")
    channel.send(pair[0], {"job": "x"}, (held,))
    message, (received,) = channel.receive(pair[1], descriptors=2)
    assert message == {"job": "x"}
    assert os.pread(received, 9, 0) == b"whole"
    os.close(held)
    os.close(received)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00\x00",
        struct.pack(">I", 10) + b"{}",
        struct.pack(">I", channel.LONGEST + 1),
        struct.pack(">I", 4) + b"\xff\xfe\x00\x00",
        struct.pack(">I", 2) + b"[]",
        struct.pack(">I", 200_000) + b"[" * 200_000,
    ],
    ids=["nothing", "half a length", "half a body", "too long", "not JSON", "not an object", "nested"],
)
def test_anything_else_closes_the_channel(pair: Pair, sent: bytes):
    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    pair[0].sendall(sent)
    pair[0].close()
    with pytest.raises(channel.ChannelClosed):
        channel.receive(pair[1])


def test_a_message_that_trickles_past_the_deadline_is_given_up(pair: Pair):
    pair[0].sendall(b"\x00\x00")
    with pytest.raises(TimeoutError):
        channel.receive(pair[1], deadline=time.monotonic() + 0.02)


def test_descriptors_of_a_broken_message_are_closed(pair: Pair):
    held = os.memfd_create("given")
    before = len(list(Path("/proc/self/fd").iterdir()))
    socket.send_fds(pair[0], [struct.pack(">I", 3)], [held])
    pair[0].sendall(b"no!")
    with pytest.raises(channel.ChannelClosed):
        channel.receive(pair[1], descriptors=2)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    os.close(held)


def test_writing_to_the_gone_says_so(pair: Pair):
    pair[1].close()
    with pytest.raises(channel.ChannelClosed):
        channel.send(pair[0], {})
