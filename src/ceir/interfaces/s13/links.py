"""Connections: what stands between a socket and a conversation."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, Protocol, cast

from ceir.interfaces.s13.codec import IpAddress
from ceir.interfaces.s13.conversation import Conversation, Origin, Service, State

BUFFER_SIZE: Final = 65_536


class Link(Protocol):
    """A connection as the server looks after it."""

    conversation: Conversation

    def send(self, messages: list[bytes]) -> None:
        """Sends messages, and ends if the conversation does."""

    def tick(self, now: float) -> None:
        """Does what time asks for."""

    def leave(self, now: float) -> None:
        """Asks the peer to disconnect."""

    def abort(self) -> None:
        """Drops the connection at once."""


def address_of(name: object) -> IpAddress | None:
    """The address in a socket's peer name; None for a socket without one. Mapped IPv4 becomes IPv4."""
    if not isinstance(name, tuple) or not isinstance(name[0], str):
        return None
    try:
        address = ip_address(name[0].partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def names_in(certificate: dict[str, Any] | None) -> frozenset[str] | None:
    """The host names that a verified client certificate holds, lower-cased; None without one.

    Source: RFC 6733 clause 13.1. Common names count only where there is no subjectAltName (RFC 6125).
    """
    if not certificate:
        return None
    alternatives = certificate.get("subjectAltName", ())
    names = {value.lower() for kind, value in alternatives if kind == "DNS"}
    if not alternatives:
        subject = (pair for group in certificate.get("subject", ()) for pair in group)
        names = {value.lower() for kind, value in subject if kind == "commonName"}
    return frozenset(names)


class StreamLink(asyncio.BufferedProtocol):
    """A TCP or TLS connection.

    Args:
        view: where octets are received; all links share it, for a link copies them out before another one
            can be read.
        opened, closed: told when the connection is there and when it is gone.
    """

    conversation: Conversation
    _transport: asyncio.Transport

    def __init__(
        self,
        service: Service,
        loop: asyncio.AbstractEventLoop,
        view: memoryview,
        opened: Callable[["StreamLink"], None],
        closed: Callable[["StreamLink"], None],
    ) -> None:
        self._service = service
        self._loop = loop
        self._view = view
        self._opened = opened
        self._closed = closed
        self._stalled_since: float | None = None
        self._ending_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # uvloop's transports are asyncio's by what they do, not by their class
        made = cast("asyncio.Transport", transport)
        self._transport = made
        made.set_write_buffer_limits(high=self._service.limits.unsent)
        encrypted = made.get_extra_info("ssl_object")
        origin = Origin(
            address=address_of(made.get_extra_info("peername")),
            encrypted=isinstance(encrypted, ssl.SSLObject),
            names=names_in(made.get_extra_info("peercert")),
        )
        self.conversation = Conversation(self._service, origin, self._loop.time())
        self._opened(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the event loop's signature
        """Called by the event loop."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the event loop."""
        conversation = self.conversation
        messages = conversation.receive(bytes(self._view[:nbytes]), self._loop.time())
        if messages:
            self._transport.write(b"".join(messages))
        if conversation.state is State.ENDING:
            self._end()

    def send(self, messages: list[bytes]) -> None:
        """Sends messages, and ends if the conversation does."""
        if messages:
            self._transport.write(b"".join(messages))
        if self.conversation.state is State.ENDING:
            self._end()

    def pause_writing(self) -> None:
        """Called by the event loop: the peer does not read, so it is not read from either."""
        self._stalled_since = self._loop.time()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._stalled_since = None
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the event loop's signature
        """Called by the event loop."""
        self.conversation.closed()
        self._closed(self)

    def tick(self, now: float) -> None:
        """Does what time asks for."""
        limits = self._service.limits
        if self._stalled_since is not None and now - self._stalled_since >= limits.stalled:
            self.abort()
        elif self._ending_since is not None:
            if now - self._ending_since >= limits.farewell:
                self.abort()
        else:
            self.send(self.conversation.tick(now))

    def leave(self, now: float) -> None:
        """Asks the peer to disconnect."""
        self.send(self.conversation.leave(now))

    def abort(self) -> None:
        """Drops the connection at once."""
        self._transport.abort()

    def _end(self) -> None:
        """Lets the last answer arrive: closing with unread octets would reset the connection and lose it."""
        if self._ending_since is not None:
            return
        self._ending_since = self._loop.time()
        if not self.conversation.peer:
            self._transport.close()
        elif self._transport.can_write_eof():
            self._transport.write_eof()


class MessageLink:
    """A connection whose socket keeps messages apart: SCTP, one Diameter message each.

    Args:
        ends_marked: whether the kernel tells where a message ends (SCTP does); else each read is one.
    """

    def __init__(
        self,
        connection: socket.socket,
        service: Service,
        loop: asyncio.AbstractEventLoop,
        view: memoryview,
        closed: Callable[["MessageLink"], None],
        *,
        ends_marked: bool = True,
    ) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._service = service
        self._loop = loop
        self._view = view
        self._closed = closed
        self._ends_marked = ends_marked
        self._piece = b""
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self._stalled_since: float | None = None
        self._ending_since: float | None = None
        self._open = True
        try:
            name = connection.getpeername()
        except OSError:
            name = None
        self.conversation = Conversation(service, Origin(address_of(name)), loop.time())
        loop.add_reader(connection, self._readable)

    def _readable(self) -> None:
        try:
            count, _, flags, _ = self._socket.recvmsg_into([self._view])
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.abort()
            return
        if not count:
            self.abort()
            return
        if self._ends_marked and not flags & socket.MSG_EOR:
            self._piece += bytes(self._view[:count])
            if len(self._piece) > self._service.limits.message:
                self.abort()
            return
        message = self._piece + bytes(self._view[:count])
        self._piece = b""
        messages = self.conversation.receive(message, self._loop.time())
        self.send(messages)
        if self.conversation.is_partial:  # one Diameter message is one SCTP message: RFC 6733 clause 2.1
            self.abort()

    def send(self, messages: list[bytes]) -> None:
        """Sends messages, each on its own, and ends if the conversation does."""
        for message in messages:
            self._waiting.append(message)
            self._waiting_size += len(message)
        self._flush()
        if self._open and self.conversation.state is State.ENDING and self._ending_since is None:
            self._ending_since = self._loop.time()
            if not self.conversation.peer and not self._waiting:
                self.abort()

    def _flush(self) -> None:
        if not self._open:
            return
        while self._waiting:
            try:
                self._socket.send(self._waiting[0])
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                self.abort()
                return
            self._waiting_size -= len(self._waiting.popleft())
        if not self._waiting:
            self._loop.remove_writer(self._socket)
        else:
            self._loop.add_writer(self._socket, self._flush)
        if self._waiting_size > self._service.limits.unsent:
            if self._stalled_since is None:
                self._stalled_since = self._loop.time()
                self._loop.remove_reader(self._socket)
        elif self._stalled_since is not None and not self._waiting:
            self._stalled_since = None
            self._loop.add_reader(self._socket, self._readable)

    def tick(self, now: float) -> None:
        """Does what time asks for."""
        limits = self._service.limits
        if self._stalled_since is not None and now - self._stalled_since >= limits.stalled:
            self.abort()
        elif self._ending_since is not None:
            if now - self._ending_since >= limits.farewell:
                self.abort()
        else:
            self.send(self.conversation.tick(now))

    def leave(self, now: float) -> None:
        """Asks the peer to disconnect."""
        self.send(self.conversation.leave(now))

    def abort(self) -> None:
        """Drops the connection at once."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self._waiting.clear()
        self.conversation.closed()
        self._closed(self)
