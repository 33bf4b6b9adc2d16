"""A connection that one thread reads while another writes, encrypted or not."""

import select
import socket
import ssl
import threading
import time
from contextlib import suppress

_WAKE = 1.0
"""Seconds after which a wait looks whether the line was closed meanwhile."""


class Line:
    """Octets in both directions.

    Why not the socket itself: what encrypts must not be read and written at the same moment, and a read that
    waits must not keep a write waiting.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._lock = threading.Lock()
        self._closed = False

    def read(self, count: int, seconds: float) -> bytes:
        """Exactly so many octets.

        Raises:
            TimeoutError: nothing came at all within so many seconds.
            ConnectionError: the line ended, or stayed silent within what was begun.
        """
        found = b""
        while len(found) < count:
            try:
                part = self._some(count - len(found), seconds)
            except TimeoutError:
                if not found:
                    raise
                raise ConnectionError("a unit broke off") from None
            if not part:
                raise ConnectionError("the centre closed the line")
            found += part
        return found

    def write(self, octets: bytes, seconds: float) -> None:
        """All of them; one writer at a time.

        Raises:
            OSError: the line broke, or the other side took none for so many seconds.
        """
        left = memoryview(octets)
        until = time.monotonic() + seconds
        while left:
            try:
                with self._lock:
                    left = left[self._socket.send(left) :]
                continue
            except (BlockingIOError, ssl.SSLWantWriteError):
                wanted = select.POLLOUT
            except ssl.SSLWantReadError:
                wanted = select.POLLIN
            self._wait(wanted, until)

    def close(self) -> None:
        """End it; whoever waits on it learns so."""
        self._closed = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._socket.close()

    def _some(self, most: int, seconds: float) -> bytes:
        until = time.monotonic() + seconds
        while True:
            try:
                with self._lock:
                    return self._socket.recv(most)
            except (BlockingIOError, ssl.SSLWantReadError):
                wanted = select.POLLIN
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            self._wait(wanted, until)

    def _wait(self, wanted: int, until: float) -> None:
        while True:
            left = until - time.monotonic()
            if self._closed:
                raise ConnectionError("the line was closed")
            if left <= 0:
                raise TimeoutError("nothing came")
            poll = select.poll()
            poll.register(self._socket.fileno(), wanted)
            if poll.poll(min(left, _WAKE) * 1000):
                return
