"""Ends connections that hold a place and say nothing."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Set
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
_LISTENING = 10
_LAST_RECEIVED = struct.Struct("=B51xI")
"""State, and milliseconds since data last came, in Linux's `struct tcp_info`; 52 is the latter's offset."""


async def close_silent_connections(port: int, silence_seconds: float, every_seconds: float) -> None:
    """Shuts connections to a local port down once nothing came from the other side for long.

    Why: an HTTP server has no time limit of its own before the first bytes of a connection, so that a client
    that connects and waits would keep a place for ever. Live HTTP/2 peers answer pings and are never silent.

    Args:
        port: of this process's listener.
        silence_seconds: how long a connection may be silent.
        every_seconds: how often to look.

    Returns:
        Never; cancel it. At once where the system is not Linux: there is nothing to look at.
    """
    if not _DESCRIPTORS.is_dir():
        return
    while True:
        await asyncio.sleep(every_seconds)
        close_silent_now(port, silence_seconds)


def close_silent_now(port: int, silence_seconds: float) -> int:
    """One look; see `close_silent_connections`.

    Returns:
        How many connections were shut down.
    """
    closed = 0
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - a thousand Path objects for their names alone
        with contextlib.suppress(OSError):
            closed += _close_if_silent(int(name), port, silence_seconds)
    return closed


def listens_on(ports: Set[int]) -> bool:
    """Whether this process listens on all of these ports, whatever carries them.

    Where the system is not Linux there is nothing to look at, and it is taken to.
    """
    if not _DESCRIPTORS.is_dir():
        return True
    found: set[int] = set()
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - a thousand Path objects for their names alone
        with contextlib.suppress(OSError), _copied(int(name)) as one:
            if one.family in (socket.AF_INET, socket.AF_INET6) and one.getsockopt(
                socket.SOL_SOCKET, socket.SO_ACCEPTCONN
            ):
                found.add(one.getsockname()[1])
    return ports <= found


def _copied(descriptor: int) -> socket.socket:
    """A copy: the server may close its own at any time, and the number then mean another file.

    Raises:
        OSError: it is no socket, or is closed.
    """
    copy = os.dup(descriptor)
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise


def _close_if_silent(descriptor: int, port: int, silence_seconds: float) -> bool:
    with _copied(descriptor) as connection:
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        if connection.type != socket.SOCK_STREAM or connection.getsockname()[1] != port:
            return False
        state, last = _LAST_RECEIVED.unpack_from(
            connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        )
        if state == _LISTENING or last < silence_seconds * 1000:
            return False
        connection.shutdown(socket.SHUT_RDWR)
        return True
