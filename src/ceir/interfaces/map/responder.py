"""The EIR's side of a CheckIMEI dialogue: an M3UA DATA message in, the one to send back out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ceir.equipment_check import Answer, Checker, EquipmentStatus, Values
from ceir.interfaces.map import check_imei, m3ua, sccp, tcap
from ceir.interfaces.map.check_imei import Argument, Bmuef
from ceir.interfaces.map.errors import ArgumentError, DialogueError, M3uaError, SccpError, TcapError
from ceir.interfaces.map.shapes import Shapes, Template
from ceir.interfaces.map.tbcd import equipment, subscriber

Observe = Callable[[Answer, float, Values], None]

_ACCEPTED: Final = {version: tcap.response(check_imei.context(version), 0, (0xA1, 0)) for version in (2, 3)}
_ABNORMAL_DIALOGUE: Final = bytes.fromhex("a5030a0100")
"""MAP-ProviderAbortInfo with reason abnormalDialogue (TS 29.002 17.4)."""
_PROVIDER, _USER = 1, 0


@dataclass(frozen=True)
class ResponderOptions:
    """How the EIR presents itself.

    Args:
        highest_version: of the application context, 1 to 3; a higher one is refused with this as alternative.
        subsystem: the SSN that is answered.
        own_address: put as the calling party of replies; None: the called party of the request.
        routing_context: what DATA must carry when it carries one; None: anything.
        max_dialogues: open dialogues (a begin without component) held at most.
        dialogue_timeout: seconds after which an open dialogue is forgotten.
        max_shapes: shapes of requests remembered; 0: every message is decoded in full.
        bmuef: the UESBI-Iu of an equipment (IMEI, software version); None: there are none.
    """

    highest_version: int = 3
    subsystem: int = sccp.SSN_EIR
    own_address: bytes | None = None
    routing_context: int | None = None
    max_dialogues: int = 10_000
    dialogue_timeout: float = 30.0
    max_shapes: int = 1024
    bmuef: Callable[[int | None, int | None], Bmuef | None] | None = None


@dataclass
class Counters:
    """What happened since the start; all only grow."""

    answered: int = 0
    errors: int = 0
    rejected: int = 0
    aborted: int = 0
    opened: int = 0
    returned: int = 0
    malformed: int = 0
    unequipped: int = 0
    failures: int = 0


class _Open(NamedTuple):
    peer: bytes
    version: int
    until: float
    subscriber: int | None


class _Learnt(NamedTuple):
    argument: Argument
    invoke_id: int
    invoke_at: int
    version: int


REJECTED, ABORTED = 1000, 1001
"""Beyond the errors of MAP: a component that is none of ours, and a dialogue that was ended."""


@dataclass
class _Context:
    """One message on its way through the layers."""

    message: bytes
    payload: m3ua.Payload
    unit: sccp.Unitdata
    now: float
    subscriber: int | None = None
    subscriber_at: tuple[int, int] | None = None
    learnt: list[_Learnt] = field(default_factory=list)


class Responder:
    """Answers every dialogue of one worker; holds the few that are open and the shapes learnt.

    Args:
        checker: answers the questions.
        observe: told of every answer; metrics and sightings hang on it.
        refused: told of each question without a status: the error of the answer, `REJECTED` or `ABORTED`.
        clock: seconds, monotonic.
        first_transaction: where our own transaction ids begin.
    """

    def __init__(
        self,
        checker: Checker,
        options: ResponderOptions,
        *,
        clock: Callable[[], float],
        observe: Observe | None = None,
        refused: Callable[[int], None] | None = None,
        first_transaction: int = 1,
    ) -> None:
        self._refused = refused or (lambda _code: None)
        self._checker = checker
        self._options = options
        self._clock = clock
        self._observe = observe
        self._next = first_transaction & 0xFFFFFFFF
        self._open: dict[bytes, _Open] = {}
        self._shapes = Shapes(options.max_shapes)
        self.counters = Counters()

    @property
    def open_dialogues(self) -> int:
        """Dialogues that wait for a component."""
        return len(self._open)

    def respond(self, message: bytes) -> bytes | None:
        """The DATA message to send back to where `message` came from; None: nothing.

        Raises:
            M3uaError: the peer is to be told with an ERR message.
        """
        begun = self._clock()
        found = self._shapes.find(message)
        if found is not None:
            templates, fields = found
            imei, version = equipment(fields[3])
            imsi = subscriber(fields[4]) if len(fields) > 4 else None
            try:
                answer = self._checker.verdict(imei, version, imsi)
            except Exception:  # noqa: BLE001 - a checker that breaks its promise must not end the worker
                return self._decoded(message, begun)
            self.counters.answered += 1
            if self._observe is not None:
                self._observe(answer, self._clock() - begun, (imei, version, imsi))
            return templates[answer.status].filled(fields[0], fields[1], fields[2])
        return self._decoded(message, begun)

    def _decoded(self, message: bytes, now: float) -> bytes | None:
        payload = m3ua.payload(message)
        own = self._options.routing_context
        if own is not None and payload.routing_context not in {None, own}:
            raise M3uaError("the routing context is not ours", m3ua.INVALID_ROUTING_CONTEXT)
        if payload.service != m3ua.SERVICE_SCCP:
            self.counters.unequipped += 1
            return None
        try:
            unit = sccp.decode(message, payload.start, payload.stop)
            return self._unit(_Context(message, payload, unit, now))
        except SccpError:
            self.counters.malformed += 1
            return None

    def _unit(self, at: _Context) -> bytes | None:  # noqa: PLR0911 - one way out per fate
        unit = at.unit
        if unit.kind in {sccp.UDTS, sccp.XUDTS}:
            self.counters.returned += 1
            return None
        called = sccp.address(unit.called)
        if called.ssn == sccp.SSN_MANAGEMENT:
            return self._managed(at)
        if called.ssn not in {None, 0, self._options.subsystem}:
            self.counters.unequipped += 1
            return self._give_back(at, sccp.UNEQUIPPED_USER)
        if unit.segment:
            self.counters.unequipped += 1
            return self._give_back(at, sccp.CANNOT_REASSEMBLE)
        try:
            reply = self._transaction(at)
        except TcapError as error:
            self.counters.malformed += 1
            if error.peer is None:
                return None
            self.counters.aborted += 1
            self._refused(ABORTED)
            reply = tcap.abort(error.peer, error.cause)
        if reply is None:
            return None
        if at.learnt:
            self._learn(at, at.learnt[0])
        return self._sent(at, reply)

    def _sent(self, at: _Context, user: bytes) -> bytes:
        unit = at.unit
        calling = self._options.own_address or unit.called
        return self._wrapped(at, sccp.unitdata(unit.kind, unit.protocol_class, unit.calling, calling, user))

    def _wrapped(self, at: _Context, part: bytes) -> bytes:
        payload = at.payload
        back = sccp.address(at.unit.calling)
        direct = back.route_on_ssn and back.point_code is not None
        return m3ua.transfer(
            part,
            opc=payload.dpc,
            dpc=back.point_code if direct and back.point_code is not None else payload.opc,
            sls=payload.sls,
            network=payload.network,
            priority=payload.priority,
            routing_context=payload.routing_context,
            network_appearance=payload.network_appearance,
        )

    def _give_back(self, at: _Context, cause: int) -> bytes | None:
        unit = at.unit
        if not unit.return_on_error:
            return None
        kind = sccp.UDTS if unit.kind == sccp.UDT else sccp.XUDTS
        return self._wrapped(at, sccp.returned(kind, cause, unit, at.message[unit.start : unit.stop]))

    def _managed(self, at: _Context) -> bytes | None:
        """Q.714 5.3.4: a subsystem that is in service is said to be, one that is not gets no answer."""
        user = at.message[at.unit.start : at.unit.stop]
        if len(user) < 5 or user[0] != sccp.SUBSYSTEM_STATUS_TEST:
            return None
        if user[1] not in {self._options.subsystem, sccp.SSN_MANAGEMENT}:
            return None
        allowed = sccp.management(sccp.SUBSYSTEM_ALLOWED, user[1], at.payload.dpc & 0x3FFF)
        both = sccp.Address(True, None, sccp.SSN_MANAGEMENT).encode()
        return self._wrapped(at, sccp.unitdata(sccp.UDT, 0, both, both, allowed))

    def _transaction(self, at: _Context) -> bytes | None:
        message = tcap.decode(at.message, at.unit.start, at.unit.stop)
        if message.kind == tcap.BEGIN:
            return self._begin(at, message)
        if message.kind == tcap.CONTINUE:
            return self._continue(at, message)
        if message.dtid is not None:
            self._open.pop(message.dtid, None)
        return None

    def _begin(self, at: _Context, message: tcap.Message) -> bytes:
        assert message.otid is not None
        version, dialogue, accepted = self._agreed(at, message)
        if not accepted:
            self.counters.aborted += 1
            self._refused(ABORTED)
            return tcap.abort(message.otid, None, dialogue)
        if message.components:
            return self._end(at, message, version, dialogue)
        if version == 1:
            raise TcapError("a begin without anything", tcap.INCORRECT_TRANSACTION_PORTION, message.otid)
        return self._opened(at, message.otid, version, dialogue)

    def _agreed(  # noqa: PLR0911 - one way out per refusal
        self, at: _Context, message: tcap.Message
    ) -> tuple[int, bytes, bool]:
        """Version, dialogue portion of the reply, and whether the dialogue is accepted."""
        asked = message.dialogue
        if asked is None:
            return 1, b"", True
        if isinstance(asked, DialogueError) or asked.kind != tcap.AARQ:
            return 0, tcap.dialogue_abort(_PROVIDER), False
        if not asked.version1:
            return 0, tcap.response(asked.context, 1, (0xA2, 2)), False
        highest = self._options.highest_version
        if asked.context[:-1] != check_imei.EQUIPMENT_MNGT or not asked.context[-1]:
            return 0, tcap.response(asked.context, 1, (0xA1, 2)), False
        version = asked.context[-1]
        if version == 1:
            # A version 1 dialogue has no dialogue portion; naming it in one is abnormal (TS 29.002 15.2.2).
            return 0, tcap.dialogue_abort(_USER, _ABNORMAL_DIALOGUE), False
        if version > highest:
            return 0, tcap.response(check_imei.context(highest), 1, (0xA1, 2)), False
        told = check_imei.referenced_subscriber(at.message, asked.user)
        if told is not None:
            at.subscriber = subscriber(at.message[told.start : told.stop])
            at.subscriber_at = (told.start, told.stop)
        return version, _ACCEPTED[version], True

    def _opened(self, at: _Context, peer: bytes, version: int, dialogue: bytes) -> bytes:
        for known, one in list(self._open.items())[:8]:
            if one.until < at.now:
                del self._open[known]
        if len(self._open) >= self._options.max_dialogues:
            raise TcapError("too many open dialogues", tcap.RESOURCE_LIMITATION, peer)
        own = self._next.to_bytes(4, "big")
        self._next = (self._next + 1) & 0xFFFFFFFF
        self._open[own] = _Open(peer, version, at.now + self._options.dialogue_timeout, at.subscriber)
        self.counters.opened += 1
        return tcap.proceed(own, peer, dialogue, b"")

    def _continue(self, at: _Context, message: tcap.Message) -> bytes:
        assert message.otid is not None
        assert message.dtid is not None
        known = self._open.pop(message.dtid, None)
        if known is None or known.peer != message.otid or known.until < at.now:
            raise TcapError("nothing is open under this id", tcap.UNRECOGNIZED_TRANSACTION, message.otid)
        if message.dialogue is not None:
            self.counters.aborted += 1
            self._refused(ABORTED)
            return tcap.abort(message.otid, None, tcap.dialogue_abort(_PROVIDER))
        at.subscriber = known.subscriber
        reply = self._end(at, message, known.version, b"")
        at.learnt.clear()
        return reply

    def _end(self, at: _Context, message: tcap.Message, version: int, dialogue: bytes) -> bytes:
        assert message.otid is not None
        seen: set[int] = set()
        replies: list[bytes] = []
        for one in message.components:
            if one.kind == tcap.REJECT and one.problem is None:
                continue
            if one.problem is None and one.kind != tcap.INVOKE:
                # Nothing was invoked here, so nothing can have a result.
                kind = tcap.ERROR_PROBLEM if one.kind == tcap.RETURN_ERROR else tcap.RESULT_PROBLEM
                replies.append(self._rejected(one.invoke_id, (kind, 0)))
            elif one.problem is not None or one.invoke_id is None:
                replies.append(self._rejected(one.invoke_id, one.problem or (tcap.GENERAL_PROBLEM, 1)))
            elif one.invoke_id in seen:
                replies.append(self._rejected(one.invoke_id, (tcap.INVOKE_PROBLEM, 0)))
            else:
                seen.add(one.invoke_id)
                replies.append(self._invoked(at, one, one.invoke_id, version))
        if len(message.components) != 1:
            at.learnt.clear()
        return tcap.end(message.otid, dialogue, tcap.component_portion(*replies) if replies else b"")

    def _rejected(self, invoke_id: int | None, problem: tuple[int, int]) -> bytes:
        self.counters.rejected += 1
        self._refused(REJECTED)
        return tcap.reject(invoke_id, problem)

    def _invoked(self, at: _Context, one: tcap.Component, invoke_id: int, version: int) -> bytes:
        if one.number != check_imei.CHECK_IMEI:
            return self._rejected(invoke_id, (tcap.INVOKE_PROBLEM, tcap.UNRECOGNIZED_OPERATION))
        try:
            argument = check_imei.decode_argument(at.message, version, one.parameter, one.trailing)
        except ArgumentError as error:
            if error.error is None:
                return self._rejected(invoke_id, (tcap.INVOKE_PROBLEM, tcap.MISTYPED_PARAMETER))
            self.counters.errors += 1
            self._refused(error.error)
            return tcap.return_error(invoke_id, error.error)
        imei, software = equipment(at.message[argument.imei_at : argument.imei_at + 8])
        told = argument.subscriber
        imsi = at.subscriber if told is None else subscriber(at.message[told.start : told.stop])
        try:
            answer = self._checker.verdict(imei, software, imsi)
        except Exception:  # noqa: BLE001 - a checker that breaks its promise must not end the worker
            self.counters.failures += 1
            self._refused(check_imei.SYSTEM_FAILURE)
            return tcap.return_error(invoke_id, check_imei.SYSTEM_FAILURE)
        self.counters.answered += 1
        if self._observe is not None:
            self._observe(answer, self._clock() - at.now, (imei, software, imsi))
        bmuef: Bmuef | None = None
        if not argument.wants_bmuef:
            at.learnt.append(_Learnt(argument, invoke_id, one.invoke_at, version))
        elif self._options.bmuef is not None:
            bmuef = self._options.bmuef(imei, software)
        return _answered(invoke_id, version, answer.status, argument.wants_status, bmuef)

    def _learn(self, at: _Context, what: _Learnt) -> None:
        unit, payload = at.unit, at.payload
        argument = what.argument
        message = tcap.decode(at.message, unit.start, unit.stop)
        assert message.otid is not None
        otid = message.otid
        spans = [
            (payload.sls_at, payload.sls_at + 1),
            (message.otid_at, message.otid_at + len(otid)),
            (what.invoke_at, what.invoke_at + 1),
            (argument.imei_at, argument.imei_at + 8),
        ]
        if argument.subscriber is not None:
            spans.append((argument.subscriber.start, argument.subscriber.stop))
        elif at.subscriber_at is not None:
            spans.append(at.subscriber_at)
        if not self._shapes.seen_before(at.message, tuple(spans)):
            return
        dialogue = b"" if what.version == 1 else _ACCEPTED[what.version]
        templates: dict[EquipmentStatus, Template] = {}
        for status in EquipmentStatus:
            component = _answered(what.invoke_id, what.version, status, True, None)
            user = tcap.end(otid, dialogue, tcap.component_portion(component))
            reply = self._sent(at, user)
            link = m3ua.payload(reply).sls_at
            stop = m3ua.payload(reply).stop
            transaction = tcap.decode(reply, stop - len(user), stop)
            first = stop - len(user) + user.index(b"\x49" + bytes((len(otid),)) + otid) + 2
            assert transaction.dtid == reply[first : first + len(otid)]
            invoke = transaction.components[0].invoke_at
            templates[status] = Template(
                reply[:link], reply[link + 1 : first], reply[first + len(otid) : invoke], reply[invoke + 1 :]
            )
        self._shapes.learn(at.message, tuple(spans), templates)


def _answered(
    invoke_id: int, version: int, status: EquipmentStatus, wants_status: bool, bmuef: Bmuef | None
) -> bytes:
    if status is EquipmentStatus.UNKNOWN:
        return tcap.return_error(invoke_id, check_imei.UNKNOWN_EQUIPMENT)
    code = check_imei.WIRE_STATUS[status] if wants_status else None
    return tcap.return_result(
        invoke_id, check_imei.CHECK_IMEI, check_imei.encode_result(version, code, bmuef)
    )
