"""The MAP interface at work: associations that peers open here, and those opened towards gateways."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from ceir.equipment_check import Checker
from ceir.interfaces.map import m3ua
from ceir.interfaces.map.association import Association, AssociationOptions, Role, State
from ceir.interfaces.map.errors import M3uaError, TransportError
from ceir.interfaces.map.responder import Counters, Observe, Responder, ResponderOptions
from ceir.interfaces.map.transport import Link, LinkLimits, Transport, connected, listening

Tell = Callable[[str, dict[str, object]], None]
"""Takes an event and its fields; no identity of a subscriber or an equipment is ever among them."""


@dataclass(frozen=True)
class Listen:
    """Where peers may open associations; port 0: any free one."""

    host: str = "127.0.0.1"
    port: int = m3ua.PORT
    transport: Transport = Transport.SCTP
    shared: bool = False


@dataclass(frozen=True)
class Connect:
    """A peer towards which an association is held open.

    Args:
        role: ASP to a gateway, or IPSP.
        local: address and port (0: any) to connect from; None: the kernel's choice.
    """

    host: str
    port: int = m3ua.PORT
    transport: Transport = Transport.SCTP
    role: Role = Role.ASP
    local: tuple[str, int] | None = None


@dataclass(frozen=True)
class Options:
    """Everything the MAP interface is told.

    Args:
        max_connections: associations accepted at the same time.
        setup_timeout: seconds an association may take until it is active.
        heartbeat: seconds of silence after which the peer is asked whether it lives.
        missed: unanswered heartbeats after which it does not.
        reconnect_first: seconds before the second attempt to connect; doubled up to `reconnect_last`.
    """

    listen: tuple[Listen, ...] = ()
    connect: tuple[Connect, ...] = ()
    association: AssociationOptions = field(default_factory=AssociationOptions)
    responder: ResponderOptions = field(default_factory=ResponderOptions)
    limits: LinkLimits = field(default_factory=LinkLimits)
    max_connections: int = 64
    setup_timeout: float = 30.0
    connect_timeout: float = 10.0
    heartbeat: float = 30.0
    missed: int = 2
    reconnect_first: float = 0.5
    reconnect_last: float = 30.0


class MapServer:
    """Serves CheckIMEI until asked to stop.

    Args:
        checker: answers the questions.
        observe: told of every answer.
        refused: told of every question without a status; see `Responder`.
        tell: told of associations that come, go and fail.
    """

    def __init__(
        self,
        checker: Checker,
        options: Options,
        *,
        observe: Observe | None = None,
        refused: Callable[[int], None] | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._refused = refused
        self._options = options
        self._checker = checker
        self._observe = observe
        self._tell = tell or (lambda _event, _fields: None)
        self._responder: Responder | None = None
        self._sessions: dict[Link, _Session] = {}
        self._listeners: list[socket.socket] = []
        self._accepted = 0
        self._stopping = False
        self.ports: list[int] = []
        """The ports listened on, in the order of `options.listen`."""
        self.ready = asyncio.Event()
        """Set when all listeners are open."""

    @property
    def counters(self) -> Counters:
        """What the dialogues came to."""
        return self._responder.counters if self._responder else Counters()

    @property
    def active(self) -> int:
        """Associations over which traffic may flow now."""
        return sum(one.association.state is State.ACTIVE for one in self._sessions.values())

    @property
    def associations(self) -> int:
        """Associations that are open in any state."""
        return len(self._sessions)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then take leave of every peer.

        Raises:
            TransportError: a listening address cannot be had.
        """
        loop = asyncio.get_running_loop()
        self._responder = Responder(
            self._checker,
            self._options.responder,
            clock=loop.time,
            observe=self._observe,
            refused=self._refused,
        )
        work: list[asyncio.Task[None]] = []
        try:
            for where in self._options.listen:
                made = listening(where.transport, where.host, where.port, shared=where.shared)
                self._listeners.append(made)
                self.ports.append(made.getsockname()[1])
                loop.add_reader(made, self._accept, made)
            work = [asyncio.create_task(self._hold(one)) for one in self._options.connect]
            work.append(asyncio.create_task(self._watch()))
            self.ready.set()
            await stop.wait()
        finally:
            self._stopping = True
            for task in work:
                task.cancel()
            for made in self._listeners:
                loop.remove_reader(made)
                made.close()
            for link, session in list(self._sessions.items()):
                link.send(list(session.association.closing()))
            await asyncio.sleep(0)
            for link in list(self._sessions):
                link.close("the service stops")
            await asyncio.gather(*work, return_exceptions=True)

    def _accept(self, listener: socket.socket) -> None:
        try:
            made, _ = listener.accept()
        except OSError:
            return
        made.setblocking(False)
        if self._accepted >= self._options.max_connections:
            made.close()
            self._tell("association_refused", {"reason": "too many"})
            return
        self._accepted += 1
        try:
            self._begin(made, Role.IPSP_SERVER)
        except TransportError as error:
            self._tell("association_refused", {"reason": error.detail})

    def _begin(self, made: socket.socket, role: Role) -> "_Session":
        assert self._responder is not None
        loop = asyncio.get_running_loop()
        association = Association(role, self._options.association)
        session = _Session(association, self._responder, loop.time() + self._options.setup_timeout)
        link = Link(made, session.receive, self._ended, self._options.limits, loop)
        self._sessions[link] = session
        try:
            link.start()
        except (TransportError, OSError) as error:
            link.close(str(error))
            raise TransportError("the association cannot be used") from error
        link.send(list(association.opening()))
        self._tell("association_open", {"role": role.value})
        return session

    def _ended(self, link: Link, reason: str) -> None:
        session = self._sessions.pop(link, None)
        if session is None:
            return
        if session.association.role is Role.IPSP_SERVER:
            self._accepted -= 1
        session.ended.set()
        self._tell("association_closed", {"reason": reason, "role": session.association.role.value})

    async def _hold(self, peer: Connect) -> None:
        """Keep one association towards a peer, with a growing pause between attempts."""
        options = self._options
        pause = options.reconnect_first
        while not self._stopping:
            try:
                made = await connected(
                    peer.transport, peer.host, peer.port, options.connect_timeout, peer.local
                )
                session = self._begin(made, peer.role)
                await session.ended.wait()
                if session.was_active:
                    pause = options.reconnect_first
            except TransportError as error:
                self._tell("association_failed", {"peer": f"{peer.host}:{peer.port}", "reason": error.detail})
            await asyncio.sleep(pause)
            pause = min(2 * pause, options.reconnect_last)

    async def _watch(self) -> None:
        """Heartbeats, and an end to associations that are silent, stalled or never become active."""
        options = self._options
        loop = asyncio.get_running_loop()
        every = min(1.0, options.heartbeat / 4, options.setup_timeout / 4)
        while True:
            await asyncio.sleep(every)
            now = loop.time()
            for link, session in list(self._sessions.items()):
                link.check(now)
                if link.is_open:
                    session.watch(link, now, options)


class _Session:
    """One link with the state of its association."""

    def __init__(self, association: Association, responder: Responder, until: float) -> None:
        self.association = association
        self.ended = asyncio.Event()
        self.was_active = False
        self._responder = responder
        self._until = until
        self._heard = 0
        self._quiet_since = 0.0

    def receive(self, link: Link, messages: list[bytes]) -> list[bytes]:
        """Answer the messages of one read."""
        replies: list[bytes] = []
        association = self.association
        respond = self._responder.respond
        for message in messages:
            if message[2] == m3ua.TRANSFER and message[3] == 1:
                if association.state is not State.ACTIVE:
                    replies.append(association.refuse_data(message))
                    continue
                try:
                    reply = respond(message)
                except M3uaError as error:
                    if error.error is not None:
                        replies.append(m3ua.error(error.error, message))
                    continue
                if reply is not None and not (association.unavailable and self._unreachable(reply)):
                    replies.append(reply)
                continue
            outcome = association.receive(message)
            replies.extend(outcome.replies)
            if association.state is State.ACTIVE:
                self.was_active = True
            if outcome.close:
                link.send(replies)
                link.close("the association was ended")
                return []
        return replies

    def watch(self, link: Link, now: float, options: Options) -> None:
        """Look after the association; called about once a second."""
        if self.association.state is State.ACTIVE:
            self._until = now + options.setup_timeout
        elif now > self._until:
            link.close("not active in time")
            return
        if link.received != self._heard or not self._quiet_since:
            self._heard = link.received
            self._quiet_since = now
            self.association.beats = 0
            return
        if now - self._quiet_since < options.heartbeat * (self.association.beats + 1):
            return
        if self.association.beats >= options.missed:
            link.close("the peer is silent")
            return
        with contextlib.suppress(TransportError):
            link.send([self.association.beat(b"ceir")])

    def _unreachable(self, reply: bytes) -> bool:
        return m3ua.payload(reply).dpc in self.association.unavailable
