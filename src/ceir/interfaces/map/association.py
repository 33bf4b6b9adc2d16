"""One M3UA association as a state machine without any input or output (RFC 4666 4.3)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from ceir.interfaces.map import m3ua
from ceir.interfaces.map.errors import M3uaError

MAX_UNAVAILABLE: Final = 4096


class Role(Enum):
    """Who begins: an ASP towards a signalling gateway, or an IPSP that begins, or one that waits."""

    ASP = "asp"
    IPSP_CLIENT = "ipsp_client"
    IPSP_SERVER = "ipsp_server"


class State(Enum):
    """State of the application server process (RFC 4666 4.3.1)."""

    DOWN = "down"
    INACTIVE = "inactive"
    ACTIVE = "active"


@dataclass(frozen=True)
class AssociationOptions:
    """What both ends have agreed on.

    Args:
        routing_context: of the application server; None: the association serves a single one.
        network_appearance: sent and checked by the peer; None: not used.
        traffic_mode: 1 override, 2 loadshare, 3 broadcast; None: the peer's choice.
        asp_identifier: told in ASP up; None: not told.
    """

    routing_context: int | None = None
    network_appearance: int | None = None
    traffic_mode: int | None = None
    asp_identifier: int | None = None


class Outcome(NamedTuple):
    """What a management message led to: messages to send, and whether the association is to be closed."""

    replies: tuple[bytes, ...] = ()
    close: bool = False


@dataclass
class Association:
    """State of one association; DATA messages are the caller's, all others go through `receive`."""

    role: Role
    options: AssociationOptions = field(default_factory=AssociationOptions)
    state: State = State.DOWN
    unavailable: set[int] = field(default_factory=set)
    """Point codes that the gateway reported as not reachable."""
    errors: int = 0
    """ERR messages of the peer."""
    beats: int = 0
    """Heartbeats that were sent and not acknowledged."""

    def opening(self) -> tuple[bytes, ...]:
        """What is sent first."""
        return () if self.role is Role.IPSP_SERVER else (self._up(),)

    def closing(self) -> tuple[bytes, ...]:
        """What is sent before the association is closed in order."""
        if self.state is State.ACTIVE:
            return (m3ua.message(m3ua.ASPIA, *self._contexts()), m3ua.message(m3ua.ASPDN))
        return (m3ua.message(m3ua.ASPDN),) if self.state is State.INACTIVE else ()

    def beat(self, data: bytes) -> bytes:
        """A heartbeat; `beats` counts it until it is acknowledged."""
        self.beats += 1
        return m3ua.message(m3ua.BEAT, m3ua.parameter(m3ua.HEARTBEAT_DATA, data))

    def refuse_data(self, message: bytes) -> bytes:
        """The answer to DATA while the association is not active."""
        return m3ua.error(m3ua.UNEXPECTED_MESSAGE, message)

    def receive(self, message: bytes) -> Outcome:
        """Take one whole message that is not DATA."""
        try:
            return self._take((message[2], message[3]), message)
        except M3uaError as error:
            if error.error is None or (message[2], message[3]) == m3ua.ERR:
                return Outcome(close=error.fatal)
            return Outcome((m3ua.error(error.error, message),), error.fatal)

    def _take(self, kind: tuple[int, int], message: bytes) -> Outcome:
        handler = _HANDLERS.get(kind)
        if handler is None:
            known = kind[0] in {m3ua.MGMT, m3ua.TRANSFER, m3ua.SSNM, m3ua.ASPSM, m3ua.ASPTM}
            raise M3uaError(
                "the message is not known here", m3ua.UNSUPPORTED_TYPE if known else m3ua.UNSUPPORTED_CLASS
            )
        return handler(self, m3ua.parameters(message))

    def _contexts(self) -> tuple[bytes, ...]:
        context = self.options.routing_context
        return () if context is None else (m3ua.number(m3ua.ROUTING_CONTEXT, context),)

    def _up(self) -> bytes:
        identifier = self.options.asp_identifier
        return m3ua.message(
            m3ua.ASPUP, *(() if identifier is None else (m3ua.number(m3ua.ASP_IDENTIFIER, identifier),))
        )

    def _active(self) -> bytes:
        mode = self.options.traffic_mode
        head = () if mode is None else (m3ua.number(m3ua.TRAFFIC_MODE, mode),)
        return m3ua.message(m3ua.ASPAC, *head, *self._contexts())

    def _check_context(self, found: dict[int, bytes]) -> bytes:
        """The routing contexts to echo; the peer may name ours or none."""
        named = found.get(m3ua.ROUTING_CONTEXT, b"")
        if len(named) & 3:
            raise M3uaError("routing contexts are cut off", m3ua.PARAMETER_FIELD_ERROR)
        own = self.options.routing_context
        if (
            own is not None
            and named
            and own.to_bytes(4, "big") not in {named[at : at + 4] for at in range(0, len(named), 4)}
        ):
            raise M3uaError("the routing context is not configured", m3ua.INVALID_ROUTING_CONTEXT)
        return named

    def _on_up(self, _found: dict[int, bytes]) -> Outcome:
        if self.role is Role.ASP:
            raise M3uaError("a gateway sends no ASP up", m3ua.UNEXPECTED_MESSAGE)
        # A peer that is active and begins again has restarted (RFC 4666 4.3.4.1): it starts anew.
        again = self.role is Role.IPSP_SERVER and self.state is State.ACTIVE
        if self.role is Role.IPSP_SERVER:
            self.state = State.INACTIVE
        replies = (m3ua.message(m3ua.ASPUP_ACK),)
        return Outcome((*replies, m3ua.error(m3ua.UNEXPECTED_MESSAGE)) if again else replies)

    def _on_up_ack(self, _found: dict[int, bytes]) -> Outcome:
        if self.role is Role.IPSP_SERVER or self.state is State.ACTIVE:
            return Outcome()
        self.state = State.INACTIVE
        return Outcome((self._active(),))

    def _on_active(self, found: dict[int, bytes]) -> Outcome:
        if self.role is Role.ASP:
            raise M3uaError("a gateway sends no ASP active", m3ua.UNEXPECTED_MESSAGE)
        if self.role is Role.IPSP_SERVER and self.state is State.DOWN:
            raise M3uaError("ASP active before ASP up", m3ua.UNEXPECTED_MESSAGE)
        mode = found.get(m3ua.TRAFFIC_MODE)
        if mode is not None and mode not in {b"\0\0\0\1", b"\0\0\0\2", b"\0\0\0\3"}:
            raise M3uaError("the traffic mode is unknown", m3ua.UNSUPPORTED_TRAFFIC_MODE)
        named = self._check_context(found)
        if self.role is Role.IPSP_SERVER:
            self.state = State.ACTIVE
        head = () if mode is None else (m3ua.parameter(m3ua.TRAFFIC_MODE, mode),)
        tail = (m3ua.parameter(m3ua.ROUTING_CONTEXT, named),) if named else ()
        return Outcome((m3ua.message(m3ua.ASPAC_ACK, *head, *tail),))

    def _on_active_ack(self, found: dict[int, bytes]) -> Outcome:
        if self.role is not Role.IPSP_SERVER and self.state is State.INACTIVE:
            self._check_context(found)
            self.state = State.ACTIVE
        return Outcome()

    def _on_inactive(self, found: dict[int, bytes]) -> Outcome:
        named = self._check_context(found)
        if self.role is Role.IPSP_SERVER and self.state is State.ACTIVE:
            self.state = State.INACTIVE
        tail = (m3ua.parameter(m3ua.ROUTING_CONTEXT, named),) if named else ()
        return Outcome((m3ua.message(m3ua.ASPIA_ACK, *tail),))

    def _on_inactive_ack(self, _found: dict[int, bytes]) -> Outcome:
        # Unasked for, it means that the gateway took us out of service; asking again is due (4.3.4.4).
        if self.role is Role.IPSP_SERVER or self.state is not State.ACTIVE:
            return Outcome()
        self.state = State.INACTIVE
        return Outcome((self._active(),))

    def _on_down(self, _found: dict[int, bytes]) -> Outcome:
        self.state = State.DOWN
        return Outcome((m3ua.message(m3ua.ASPDN_ACK),), self.role is not Role.IPSP_SERVER)

    def _on_down_ack(self, _found: dict[int, bytes]) -> Outcome:
        self.state = State.DOWN
        return Outcome(close=self.role is not Role.IPSP_SERVER)

    def _on_beat(self, found: dict[int, bytes]) -> Outcome:
        data = found.get(m3ua.HEARTBEAT_DATA)
        tail = () if data is None else (m3ua.parameter(m3ua.HEARTBEAT_DATA, data),)
        return Outcome((m3ua.message(m3ua.BEAT_ACK, *tail),))

    def _on_beat_ack(self, _found: dict[int, bytes]) -> Outcome:
        self.beats = 0
        return Outcome()

    def _on_error(self, found: dict[int, bytes]) -> Outcome:
        self.errors += 1
        # While the association is being set up an error means that it never will be: begin anew later.
        return Outcome(
            close=self.role is not Role.IPSP_SERVER and self.state is not State.ACTIVE and bool(found)
        )

    def _on_notify(self, found: dict[int, bytes]) -> Outcome:
        if len(found.get(m3ua.STATUS, b"")) != 4:
            raise M3uaError("the status is missing", m3ua.MISSING_PARAMETER)
        # Type 2, information 2: another ASP took over in override mode.
        if found[m3ua.STATUS] == b"\0\2\0\2" and self.state is State.ACTIVE:
            self.state = State.INACTIVE
        return Outcome()

    def _on_unavailable(self, found: dict[int, bytes]) -> Outcome:
        for mask, code in _affected(found):
            if mask == 0 and len(self.unavailable) < MAX_UNAVAILABLE:
                self.unavailable.add(code)
        return Outcome()

    def _on_available(self, found: dict[int, bytes]) -> Outcome:
        for mask, code in _affected(found):
            if mask == 0:
                self.unavailable.discard(code)
            else:
                self.unavailable = {one for one in self.unavailable if one >> mask != code >> mask}
        return Outcome()

    def _on_audit(self, found: dict[int, bytes]) -> Outcome:
        if self.role is Role.ASP:
            raise M3uaError("a gateway asks no ASP for destinations", m3ua.UNEXPECTED_MESSAGE)
        _affected(found)
        value = found[m3ua.AFFECTED_POINT_CODE]
        return Outcome((m3ua.message(m3ua.DAVA, m3ua.parameter(m3ua.AFFECTED_POINT_CODE, value)),))

    def _on_status(self, found: dict[int, bytes]) -> Outcome:
        _affected(found)
        return Outcome()


def _affected(found: dict[int, bytes]) -> list[tuple[int, int]]:
    if m3ua.AFFECTED_POINT_CODE not in found:
        raise M3uaError("the affected point code is missing", m3ua.MISSING_PARAMETER)
    return m3ua.affected(found[m3ua.AFFECTED_POINT_CODE])


_HANDLERS: Final[dict[tuple[int, int], Callable[[Association, dict[int, bytes]], Outcome]]] = {
    m3ua.ASPUP: Association._on_up,
    m3ua.ASPUP_ACK: Association._on_up_ack,
    m3ua.ASPDN: Association._on_down,
    m3ua.ASPDN_ACK: Association._on_down_ack,
    m3ua.BEAT: Association._on_beat,
    m3ua.BEAT_ACK: Association._on_beat_ack,
    m3ua.ASPAC: Association._on_active,
    m3ua.ASPAC_ACK: Association._on_active_ack,
    m3ua.ASPIA: Association._on_inactive,
    m3ua.ASPIA_ACK: Association._on_inactive_ack,
    m3ua.ERR: Association._on_error,
    m3ua.NTFY: Association._on_notify,
    m3ua.DUNA: Association._on_unavailable,
    m3ua.DAVA: Association._on_available,
    m3ua.DRST: Association._on_available,
    m3ua.DAUD: Association._on_audit,
    m3ua.SCON: Association._on_status,
    m3ua.DUPU: Association._on_status,
}
