"""One peer's connection as a state machine without sockets or clock: octets and times in, octets out.

Source: RFC 6733 clause 5.6 (responder's side), RFC 3539 clause 3.4 (watchdog).
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from ceir.equipment_check import Answer, Checker, Values
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.avp import RefusedError
from ceir.interfaces.s13.codec import Capabilities, FramingError, Header, IpAddress, Node
from ceir.interfaces.s13.dictionary import Command, Result
from ceir.interfaces.s13.identity_check import Answers, Served, decode_check, read_quickly

Observe = Callable[[Answer, float, Values], None]
"""Told every answer, the seconds from reading the request to having the answer, and the question."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer, or all together, may take.

    Args:
        message: octets of one message.
        connections: at a time, over all peers.
        unidentified: of them, before their capabilities exchange.
        connections_per_peer: at a time, for one Origin-Host.
        handshake: seconds for TLS, and again for the capabilities exchange.
        partial: seconds until a message that has begun must be there as a whole.
        unsent: octets of answers that may wait for a slow reader before nothing more is read from it.
        stalled: seconds such a reader may take.
        watchdog: seconds of silence until a watchdog request (Tw); RFC 3539 asks for 6 or more. After two
            more such times of silence the connection is closed.
        farewell: seconds that peers have to answer a disconnect request.
        lateness: seconds the event loop may be late; beyond it requests are answered TOO_BUSY.
    """

    message: int = 16_384
    connections: int = 1_024
    unidentified: int = 64
    connections_per_peer: int = 16
    handshake: float = 10.0
    partial: float = 10.0
    unsent: int = 262_144
    stalled: float = 20.0
    watchdog: float = 30.0
    farewell: float = 5.0
    lateness: float = 0.5


@dataclass(frozen=True, slots=True)
class Peer:
    """A node that may connect.

    Args:
        host: its Diameter identity, compared without regard to case.
        realm: the Origin-Realm it must have; empty: any.
        networks: addresses it may come from; empty: any.
        secured: only over TLS with a client certificate that names it.
    """

    host: str
    realm: str = ""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    secured: bool = False


def by_host(peers: Iterable[Peer]) -> Mapping[str, Peer]:
    """Peers by lower-cased identity."""
    return {peer.host.lower(): peer for peer in peers}


@dataclass(slots=True)
class Counters:
    """What happened, for metrics. Numbers only grow, except the connections per peer."""

    answered: int = 0
    refused: dict[Result, int] = field(default_factory=dict)
    accepted: int = 0
    rejected: int = 0
    ignored: int = 0
    failures: int = 0
    connected: dict[str, int] = field(default_factory=dict)

    def refuse(self, result: Result) -> None:
        """Counts a refusal."""
        self.refused[result] = self.refused.get(result, 0) + 1


class Service:
    """What all connections share: who we are, who may come, who answers.

    Args:
        timer: seconds that only go forward.
        observe: told every answer; None: nobody is.
        refused: told the result code of each refusal.
        welcome: what is asked of peers that are not among `peers`; None: they are refused.
    """

    def __init__(
        self,
        node: Node,
        peers: Iterable[Peer],
        checker: Checker,
        limits: Limits,
        timer: Callable[[], float],
        observe: Observe | None = None,
        welcome: Peer | None = None,
        refused: Callable[[int], None] | None = None,
    ) -> None:
        self.welcome = welcome
        self.refused = refused
        self.node = node
        self.peers = by_host(peers)
        self.checker = checker
        self.limits = limits
        self.timer = timer
        self.observe = observe
        self.served = Served(node)
        self.answers = Answers(node)
        self.counters = Counters()
        self.overloaded = False
        self._sequence = node.origin_state_id << 20 & 0xFFFFFFFF
        self._conversations = 0

    def refuse(self, result: Result) -> None:
        """Counts a refusal and tells of it."""
        self.counters.refuse(result)
        if self.refused is not None:
            self.refused(int(result))

    def report(self, answer: Answer, seconds: float, question: Values) -> None:
        """Tells the observer; a fault of it changes no answer."""
        if self.observe is None:
            return
        try:
            self.observe(answer, seconds, question)
        except Exception:  # noqa: BLE001 - whatever it is, it is the observer's
            self.counters.failures += 1

    def next_jitter(self) -> float:
        """Seconds to add to a watchdog time, spread over -2 to 2 so that peers are not asked all at once.

        Source: RFC 3539 clause 3.4.1.
        """
        self._conversations += 1
        spread = min(2.0, self.limits.watchdog / 15)
        return spread * (self._conversations * 1.236 % 2 - 1)

    def next_identifier(self) -> int:
        """A hop-by-hop and end-to-end identifier for a request of ours, unique for 2^32 of them."""
        self._sequence = self._sequence + 1 & 0xFFFFFFFF
        return self._sequence


class State(Enum):
    """Where a connection stands."""

    EXPECTING = "expecting"
    """Connected, capabilities not exchanged."""
    OPEN = "open"
    LEAVING = "leaving"
    """We asked to disconnect; requests are still answered."""
    ENDING = "ending"
    """Nothing is read any more; what is written goes out, then it is closed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the transport knows of who connected.

    Args:
        names: those in the client's certificate, lower-cased; None: none was shown.
    """

    address: IpAddress | None = None
    encrypted: bool = False
    names: frozenset[str] | None = None


_HEADER = struct.Struct(">IIIQ").unpack_from
_RETRANSMITTED: Final = codec.RETRANSMITTED << 24
_CHECK: Final = (codec.REQUEST | codec.PROXIABLE) << 24 | Command.ME_IDENTITY_CHECK | _RETRANSMITTED
_APPLICATION_OF: Final[Mapping[int, int]] = {
    Command.CAPABILITIES_EXCHANGE: d.COMMON_APPLICATION,
    Command.DEVICE_WATCHDOG: d.COMMON_APPLICATION,
    Command.DISCONNECT_PEER: d.COMMON_APPLICATION,
    Command.ME_IDENTITY_CHECK: d.S13_APPLICATION,
}


class Conversation:
    """The responder's side of one connection.

    Feed it with `receive`, ask it about time with `tick`, send what either returns (a message an item), and
    close when `state` is ENDING and all is sent.
    """

    def __init__(self, service: Service, origin: Origin, now: float) -> None:
        self.service = service
        self.origin = origin
        self.state = State.EXPECTING
        self.peer = ""
        self._rest = b""
        self._rest_since = now
        self._heard = now
        self._since = now
        self._asked: int | None = None
        self._asked_at = now
        self._watchdog = service.limits.watchdog + service.next_jitter()

    # --- octets in ---

    def receive(self, block: bytes, now: float) -> list[bytes]:
        """Takes what came and gives the messages to send. Never raises, whatever came."""
        out: list[bytes] = []
        if self.state is State.ENDING:
            return out
        self._heard = now
        rest = self._rest
        if rest:
            block = rest + block
        try:
            at = self._messages(block, out)
        except FramingError as error:
            self._unframed(block, error, out)
            return out
        if at == len(block):
            self._rest = b""
        else:
            if at or not rest:
                self._rest_since = now
            self._rest = block[at:]
        return out

    def _messages(self, block: bytes, out: list[bytes]) -> int:
        """Works through all whole messages and gives where the first that is not whole begins."""
        service = self.service
        served, encode, verdict = service.served, service.answers.encode, service.checker.verdict
        observe, limit = service.observe, service.limits.message
        began = service.timer() if observe else 0.0
        self._at = at = 0
        end = len(block)
        while end - at >= codec.HEADER_SIZE:
            first, second, application, identifiers = _HEADER(block, at)
            follows = at + (first & 0xFFFFFF)
            self._at = at
            if (
                second | _RETRANSMITTED == _CHECK
                and application == d.S13_APPLICATION
                and first >> 24 == 1
                and not first & 3
                and follows <= end
                and follows - at <= limit
                and self.peer
                and not service.overloaded
            ):
                request = read_quickly(block, at + codec.HEADER_SIZE, follows, served)
                if request is not None:
                    try:
                        answer = verdict(request[0], request[1], request[2])
                        out.append(
                            encode(answer.status, request[3], request[4], codec.PROXIABLE, identifiers)
                        )
                    except Exception:  # noqa: BLE001 - a fault of the checker ends no connection
                        self._fail(codec.read_header(block, at, limit), block[at + 20 : follows], out)
                    else:
                        service.counters.answered += 1
                        if observe:
                            service.report(answer, service.timer() - began, request.question)
                    at = follows
                    continue
            header = codec.read_header(block, at, limit)
            follows = at + header.size
            if follows > end:
                break
            self._message(header, block[at + codec.HEADER_SIZE : follows], out, began)
            at = follows
            if self.state is State.ENDING:
                return end
        return at

    def _message(self, header: Header, body: bytes, out: list[bytes], began: float) -> None:
        """Any message, slowly and strictly."""
        if self.state is State.EXPECTING and not (
            header.is_request and header.command == Command.CAPABILITIES_EXCHANGE
        ):
            self._end(rejected=True)
            return
        if not header.is_request:
            self._answered(header)
            return
        try:
            _check_header(header)
            if header.command == Command.ME_IDENTITY_CHECK:
                self._check(header, body, out, began)
            elif header.command == Command.DEVICE_WATCHDOG:
                codec.decode_watchdog(body)
                out.append(codec.encode_dwa(self.service.node, header))
            elif header.command == Command.DISCONNECT_PEER:
                codec.decode_disconnect(body)
                out.append(codec.encode_dpa(self.service.node, header))
                self._end()
            else:
                self._introduce(header, body, out)
        except RefusedError as error:
            self._refuse(header, body, error, out)

    def _check(self, header: Header, body: bytes, out: list[bytes], began: float) -> None:
        service = self.service
        if service.overloaded:
            raise RefusedError(Result.TOO_BUSY, "More requests come than can be answered in time.")
        request = decode_check(body, service.served)
        identifiers = header.hop_by_hop << 32 | header.end_to_end
        try:
            answer = service.checker.verdict(*request[:3])
            out.append(
                service.answers.encode(
                    answer.status, request.session, request.proxies, codec.PROXIABLE, identifiers
                )
            )
        except Exception:  # noqa: BLE001 - a fault of the checker ends no connection
            self._fail(header, body, out)
            return
        service.counters.answered += 1
        if service.observe:
            service.report(answer, service.timer() - began, request.question)

    def _fail(self, header: Header, body: bytes, out: list[bytes]) -> None:
        self.service.counters.failures += 1
        self._refuse(header, body, RefusedError(Result.UNABLE_TO_COMPLY, "The check itself failed."), out)

    def _refuse(self, header: Header, body: bytes, error: RefusedError, out: list[bytes]) -> None:
        self.service.refuse(error.result)
        out.append(codec.encode_refusal(self.service.node, header, body, error.result, error.failed))
        if self.state is State.EXPECTING:
            self._end(rejected=True)

    def _unframed(self, block: bytes, error: FramingError, out: list[bytes]) -> None:
        """Says why, to a peer that is known, and ends."""
        if self.peer:
            second, application, hop_by_hop, end_to_end = struct.unpack_from(">IIII", block, self._at + 4)
            if second >> 24 & codec.REQUEST:
                header = Header(0, second >> 24, second & 0xFFFFFF, application, hop_by_hop, end_to_end)
                self._refuse(header, b"", RefusedError(error.result, error.detail), out)
        self._end(rejected=not self.peer)

    def _answered(self, header: Header) -> None:
        if header.hop_by_hop != self._asked:
            self.service.counters.ignored += 1
            return
        self._asked = None
        if self.state is State.LEAVING and header.command == Command.DISCONNECT_PEER:
            self._end()

    @property
    def is_partial(self) -> bool:
        """Whether the beginning of a message is waiting for its end."""
        return bool(self._rest)

    # --- who may come ---

    def _introduce(self, header: Header, body: bytes, out: list[bytes]) -> None:
        service = self.service
        try:
            told = codec.decode_capabilities(body)
            self._admit(told)
        except RefusedError as error:
            service.refuse(error.result)
            out.append(codec.encode_cea(service.node, header, error.result, error.failed))
            self._end(rejected=True)
            return
        if self.state is State.EXPECTING:
            self.state = State.OPEN
            self.peer = told.host.lower()
            service.counters.accepted += 1
            service.counters.connected[self.peer] = service.counters.connected.get(self.peer, 0) + 1
        out.append(codec.encode_cea(service.node, header, Result.SUCCESS))

    def _admit(self, told: Capabilities) -> None:
        service, origin = self.service, self.origin
        host = told.host.lower()
        peer = service.peers.get(host, service.welcome)
        if (
            peer is None
            or (self.peer and host != self.peer)
            or (peer.realm and peer.realm.lower() != told.realm.lower())
            or (peer.networks and not any(origin.address in network for network in peer.networks))
            or (origin.names is not None and host not in origin.names)
            or (peer.secured and origin.names is None)
        ):
            raise RefusedError(Result.UNKNOWN_PEER, "Nobody of that name may connect from there.")
        if not told.shares_application:
            raise RefusedError(Result.NO_COMMON_APPLICATION, "The peer does not speak S13.")
        if told.inband_security and d.NO_INBAND_SECURITY not in told.inband_security and not origin.encrypted:
            raise RefusedError(
                Result.NO_COMMON_SECURITY, "The peer wants to start TLS within the connection."
            )
        if not self.peer and service.counters.connected.get(host, 0) >= service.limits.connections_per_peer:
            raise RefusedError(Result.TOO_BUSY, "The peer has too many connections already.")

    # --- time, leaving, end ---

    def tick(self, now: float) -> list[bytes]:
        """What time asks for: a watchdog request, or the end (then `state` is ENDING)."""
        limits = self.service.limits
        if self.state is State.ENDING:
            return []
        if (
            (self.state is State.EXPECTING and now - self._since >= limits.handshake)
            or (self._rest and now - self._rest_since >= limits.partial)
            or (self.state is State.LEAVING and now - self._since >= limits.farewell)
        ):
            self._end(rejected=not self.peer)
        elif self.state is State.OPEN and now - self._heard >= self._watchdog:
            # Anything heard after a request counts as alive. Source: RFC 3539 clause 3.4.1.
            if self._asked is None or self._heard >= self._asked_at:
                self._asked, self._asked_at = self.service.next_identifier(), now
                return [codec.encode_dwr(self.service.node, self._asked, self._asked)]
            if now - self._asked_at >= 2 * self._watchdog:
                self._end()
        return []

    def leave(self, now: float) -> list[bytes]:
        """Asks the peer to disconnect, because this server goes down."""
        if self.state is State.OPEN:
            self.state, self._since = State.LEAVING, now
            self._asked = self.service.next_identifier()
            return [
                codec.encode_dpr(self.service.node, d.DisconnectCause.REBOOTING, self._asked, self._asked)
            ]
        if self.state is State.EXPECTING:
            self._end()
        return []

    def closed(self) -> None:
        """Tells that the transport is gone; to be called once."""
        self._end()
        if self.peer:
            connected = self.service.counters.connected
            connected[self.peer] -= 1
            if not connected[self.peer]:
                del connected[self.peer]
            self.peer = ""

    def _end(self, *, rejected: bool = False) -> None:
        self.state = State.ENDING
        self._rest = b""
        if rejected:
            self.service.counters.rejected += 1


def _check_header(header: Header) -> None:
    """Source: RFC 6733 clauses 3 and 7.1.3; the P bit of each command from its form."""
    if header.application not in (d.COMMON_APPLICATION, d.S13_APPLICATION):
        raise RefusedError(Result.APPLICATION_UNSUPPORTED, f"Application {header.application} is not served.")
    if header.application != _APPLICATION_OF.get(header.command):
        raise RefusedError(Result.COMMAND_UNSUPPORTED, f"Command {header.command} is not known there.")
    proxiable = header.command == Command.ME_IDENTITY_CHECK
    if header.flags & codec.ERROR or bool(header.flags & codec.PROXIABLE) != proxiable:
        raise RefusedError(
            Result.INVALID_HDR_BITS, f"Command {header.command} has flags 0x{header.flags:02x}."
        )
