"""The EIR's side of a dialogue, without any socket."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceir.equipment_check import Answer, EquipmentStatus, Question, Values
from ceir.interfaces.map import check_imei, m3ua, sccp, tbcd, tcap
from ceir.interfaces.map.asking import Asking, Told, told
from ceir.interfaces.map.ber import tlv
from ceir.interfaces.map.check_imei import Bmuef
from ceir.interfaces.map.errors import M3uaError
from ceir.interfaces.map.responder import Responder, ResponderOptions
from vectors import (
    BLOCKED_IMEI,
    OTHER_IMSI,
    PAIRED_IMEI,
    PAIRED_IMSI,
    PERMITTED_IMEI,
    UNKNOWN_IMEI,
    VECTORS,
    SetChecker,
)

CODES = {EquipmentStatus.PERMITTED: 0, EquipmentStatus.BLOCKED: 1, EquipmentStatus.TRACKED: 2}
ASKING = Asking()
TITLED = Asking(
    called=sccp.Address(False, None, 9, 4, sccp.global_title("22123456789")).encode(),
    calling=sccp.Address(False, None, 8, 4, sccp.global_title("2298765432")).encode(),
    routing_context=7,
    network_appearance=3,
    extended=True,
)


def responder(
    options: ResponderOptions | None = None, checker: object = None, observe: object = None
) -> Responder:
    ticks = itertools.count()
    return Responder(
        checker or SetChecker(),  # type: ignore[arg-type]
        options or ResponderOptions(),
        clock=lambda: next(ticks) / 1000,
        observe=observe,  # type: ignore[arg-type]
    )


def digits(question: Question) -> str:
    imei = f"{question.imei:014d}"
    return imei if question.software_version is None else f"{imei}{question.software_version:02d}"


def tell(eir: Responder, message: bytes, version: int) -> Told:
    reply = eir.respond(message)
    assert reply is not None
    return told(reply, version)


@pytest.mark.parametrize("asking", [ASKING, TITLED], ids=["ssn-udt", "title-xudt"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_gives_the_shared_answers(version: int, asking: Asking) -> None:
    eir = responder()
    for round_ in range(3):
        for number, (question, answer) in enumerate(VECTORS):
            imsi = None if question.imsi is None else str(question.imsi)[1:]
            if imsi is not None and version == 3:
                continue
            transaction = round_ * 100 + number
            reply = tell(eir, asking.request(version, transaction, digits(question), imsi=imsi), version)
            assert reply.transaction == transaction.to_bytes(4, "big")
            assert reply.status == CODES.get(answer.status)
            assert reply.error == (7 if answer.status is EquipmentStatus.UNKNOWN else None)
            assert reply.context == (b"" if version == 1 else check_imei.context(version))


def test_fifteen_digits_say_what_fourteen_say() -> None:
    eir = responder()
    for last in "0123456789":
        assert tell(eir, ASKING.request(3, 1, f"{BLOCKED_IMEI}{last}"), 3).status == 1


def test_a_subscriber_in_the_destination_reference_is_heard() -> None:
    eir = responder()
    for imsi, status in ((PAIRED_IMSI, 0), (OTHER_IMSI, 1), (PAIRED_IMSI, 0), (OTHER_IMSI, 1)):
        reference = tlv(0x80, b"\x96" + tbcd.packed(str(imsi)[1:]))
        dialogue = tcap.request(check_imei.context(3), tlv(0xA0, reference))
        argument = check_imei.encode_argument(3, check_imei.imei_octets(str(PAIRED_IMEI)))
        user = tcap.begin(b"\1\2", dialogue, tcap.component_portion(tcap.invoke(5, 43, argument)))
        assert tell(eir, ASKING.carry(user), 3).status == status


def test_a_malformed_imei_is_a_question_without_imei() -> None:
    seen: list[Values] = []
    eir = responder(observe=lambda _a, _s, question: seen.append(question))
    for octets in (b"\xff" * 8, bytes.fromhex("5302a90071160184"), b"\x53\x02" + b"\xff" * 6):
        for version in (1, 2, 3):
            dialogue = b"" if version == 1 else tcap.request(check_imei.context(version))
            invoke = tcap.invoke(0, 43, check_imei.encode_argument(version, octets))
            reply = tell(
                eir, ASKING.carry(tcap.begin(b"\0", dialogue, tcap.component_portion(invoke))), version
            )
            assert reply.error == check_imei.UNKNOWN_EQUIPMENT
    assert {imei for imei, _, _ in seen} == {None}


def test_observers_hear_every_answer() -> None:
    seen: list[tuple[Answer, float, Question]] = []
    eir = responder(observe=lambda *what: seen.append(what))
    for number in range(5):
        eir.respond(ASKING.request(3, number, f"{BLOCKED_IMEI}07"))
    assert [(a.status, q) for a, _, q in seen] == [
        (EquipmentStatus.BLOCKED, Question(BLOCKED_IMEI, 7, None))
    ] * 5
    assert all(seconds > 0 for _, seconds, _ in seen)


# --- negotiation


def asked(context: bytes, components: bytes = b"", otid: bytes = b"\1\2\3\4") -> bytes:
    return ASKING.carry(tcap.begin(otid, tcap.request(context), components))


INVOKE = tcap.component_portion(
    tcap.invoke(1, 43, check_imei.encode_argument(2, check_imei.imei_octets(str(BLOCKED_IMEI))))
)


def test_a_higher_version_is_refused_with_the_highest_as_alternative() -> None:
    reply = tell(responder(), asked(check_imei.context(4), INVOKE), 3)
    assert (reply.aborted, reply.context, reply.cause) == (True, check_imei.context(3), None)


def test_version_3_is_refused_with_version_2_as_alternative_when_that_is_the_highest() -> None:
    eir = responder(ResponderOptions(highest_version=2))
    reply = tell(eir, asked(check_imei.context(3), INVOKE), 3)
    assert (reply.aborted, reply.context) == (True, check_imei.context(2))
    assert tell(eir, asked(check_imei.context(2), INVOKE), 2).status == 1


def test_a_foreign_context_is_refused_by_its_own_name() -> None:
    name = bytes.fromhex("04000001000103")
    reply = tell(responder(), asked(name, INVOKE), 3)
    assert (reply.aborted, reply.context) == (True, name)


def test_version_1_in_a_dialogue_portion_is_abnormal() -> None:
    eir = responder()
    reply = eir.respond(asked(check_imei.context(1), INVOKE))
    assert reply is not None
    message = tcap.decode(user(reply))
    assert message.kind == tcap.ABORT
    assert isinstance(message.dialogue, tcap.Dialogue)
    assert (message.dialogue.kind, message.dialogue.result) == (tcap.ABRT, 0)


def test_without_a_common_protocol_version_the_dialogue_is_refused() -> None:
    name = tlv(0xA1, tlv(6, check_imei.context(3)))
    portion = tcap.dialogue_portion(tlv(tcap.AARQ, bytes.fromhex("80020700") + name))
    reply = responder().respond(ASKING.carry(tcap.begin(b"\1", portion, INVOKE)))
    assert reply is not None
    message = tcap.decode(user(reply))
    assert isinstance(message.dialogue, tcap.Dialogue)
    assert (message.dialogue.kind, message.dialogue.diagnostic) == (tcap.AARE, (0xA2, 2))


def test_a_broken_dialogue_portion_aborts_as_provider() -> None:
    reply = responder().respond(ASKING.carry(tcap.begin(b"\1", tlv(0x6B, b"\x05\x00"), INVOKE)))
    assert reply is not None
    message = tcap.decode(user(reply))
    assert isinstance(message.dialogue, tcap.Dialogue)
    assert (message.kind, message.dialogue.kind, message.dialogue.result) == (tcap.ABORT, tcap.ABRT, 1)


def user(reply: bytes) -> bytes:
    payload = m3ua.payload(reply)
    unit = sccp.decode(reply, payload.start, payload.stop)
    return reply[unit.start : unit.stop]


# --- dialogues with a continue


def test_a_dialogue_may_be_opened_before_the_question() -> None:
    eir = responder()
    opened = tell(eir, asked(check_imei.context(2)), 2)
    assert opened.peer is not None
    assert opened.context == check_imei.context(2)
    assert eir.open_dialogues == 1
    reply = tell(eir, ASKING.carry(tcap.proceed(b"\1\2\3\4", opened.peer, b"", INVOKE)), 2)
    assert (reply.status, reply.context, eir.open_dialogues) == (1, b"", 0)


@pytest.mark.parametrize("otid", [b"\1\2\3\4", b"\1\2\3\5"])
def test_a_continue_of_nothing_is_an_unrecognized_transaction(otid: bytes) -> None:
    eir = responder()
    opened = tell(eir, asked(check_imei.context(2)), 2)
    assert opened.peer is not None
    wrong = opened.peer if otid != b"\1\2\3\4" else b"\xee\xee"
    reply = tell(eir, ASKING.carry(tcap.proceed(otid, wrong, b"", INVOKE)), 2)
    assert (reply.aborted, reply.cause) == (True, 1)


def test_open_dialogues_are_bounded_and_time_out() -> None:
    eir = responder(ResponderOptions(max_dialogues=3, dialogue_timeout=0.01))
    replies = [tell(eir, asked(check_imei.context(2)), 2) for _ in range(4)]
    assert [one.aborted for one in replies] == [False, False, False, True]
    assert replies[3].cause == tcap.RESOURCE_LIMITATION
    for _ in range(20):
        eir.respond(ASKING.request(1, 1, "3520990017614"))
    assert not tell(eir, asked(check_imei.context(2)), 2).aborted


@pytest.mark.parametrize("make", [lambda own: tcap.end(own, b"", b""), lambda own: tcap.abort(own, 0)])
def test_end_and_abort_of_the_peer_are_not_answered(make: object) -> None:
    eir = responder()
    opened = tell(eir, asked(check_imei.context(2)), 2)
    assert eir.respond(ASKING.carry(make(opened.peer))) is None  # type: ignore[operator]
    assert eir.open_dialogues == 0


# --- errors and rejects

IMEI = check_imei.imei_octets(str(BLOCKED_IMEI))


@pytest.mark.parametrize(
    ("version", "argument", "expected"),
    [
        (1, b"", ("error", 35)),
        (2, b"", ("error", 35)),
        (3, b"", ("error", 35)),
        (3, b"\x30\x00", ("error", 35)),
        (3, tlv(0x30, tlv(4, IMEI)), ("error", 35)),
        (2, tlv(4, IMEI[:7]), ("error", 36)),
        (3, tlv(0x30, tlv(4, IMEI + b"\0") + b"\x03\x02\x06\x80"), ("error", 36)),
        (3, tlv(0x30, tlv(4, IMEI) + b"\x03\x02\x07\x80"), ("error", 36)),
        (3, tlv(0x30, tlv(4, IMEI) + b"\x03\x00"), ("error", 36)),
        (3, tlv(0x30, tlv(4, IMEI) + b"\x03\x02\x06\x00"), ("error", 36)),
        (3, tlv(0x30, tlv(4, IMEI) + b"\x02\x01\x00"), ("reject", (0x81, 2))),
        (3, tlv(4, IMEI), ("reject", (0x81, 2))),
        (2, tlv(0x30, tlv(4, IMEI)), ("reject", (0x81, 2))),
        (2, tlv(4, IMEI) + b"\x02\x01\x00", ("reject", (0x81, 2))),
        (3, tlv(0x30, tlv(4, IMEI) + b"\x03\x02\x06\x80" + tlv(0x30, b"")), ("status", 1)),
        (3, tlv(0x30, tlv(4, IMEI) + b"\x03\x02\x00\x80"), ("status", 1)),
        (3, tlv(0x30, tlv(4, IMEI) + b"\x03\x02\x06\xc0"), ("status", 1)),
        (3, tlv(0x30, tlv(4, IMEI) + b"\x03\x02\x06\x40"), ("nothing", None)),
    ],
)
def test_arguments_are_answered_as_the_specification_wants(
    version: int, argument: bytes, expected: tuple[str, object]
) -> None:
    dialogue = b"" if version == 1 else tcap.request(check_imei.context(version))
    components = tcap.component_portion(tcap.invoke(1, 43, argument))
    reply = tell(responder(), ASKING.carry(tcap.begin(b"\1", dialogue, components)), version)
    got = {"error": reply.error, "reject": reply.rejected, "status": reply.status}
    assert {key: value for key, value in got.items() if value is not None} == (
        {} if expected[0] == "nothing" else dict([expected])
    )


def test_another_operation_is_unrecognized() -> None:
    components = tcap.component_portion(tcap.invoke(9, 2, b"\x30\x00"))
    assert tell(responder(), asked(check_imei.context(3), components), 3).rejected == (0x81, 1)


def test_a_broken_component_is_rejected() -> None:
    for broken, problem in (
        (tlv(0xA1, b"\x02\x05\x01"), (0x80, 2)),
        (tlv(0xA1, b"\x04\x01\x01"), (0x80, 1)),
        (tlv(0xAE, b""), (0x80, 0)),
    ):
        assert tell(responder(), asked(check_imei.context(3), tlv(0x6C, broken)), 3).rejected == problem


def test_two_questions_in_one_begin_get_two_answers_and_a_repeated_id_a_reject() -> None:
    one = tcap.invoke(1, 43, check_imei.encode_argument(2, IMEI))
    two = tcap.invoke(2, 43, check_imei.encode_argument(2, check_imei.imei_octets(str(PERMITTED_IMEI))))
    reply = responder().respond(asked(check_imei.context(2), tcap.component_portion(one, two, one)))
    assert reply is not None
    components = tcap.decode(user(reply)).components
    assert [(c.kind, c.invoke_id) for c in components] == [(0xA2, 1), (0xA2, 2), (0xA4, 1)]


def test_a_checker_that_fails_is_a_system_failure_and_ends_nothing() -> None:
    class Failing:
        calls = 0

        def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
            self.calls += 1
            if self.calls > 4:
                raise RuntimeError
            return SetChecker().verdict(imei, software_version, imsi)

    eir = responder(checker=Failing())
    errors = [tell(eir, ASKING.request(3, n, str(BLOCKED_IMEI)), 3).error for n in range(6)]
    assert errors == [None] * 4 + [34] * 2
    assert eir.counters.failures == 2


def test_bmuef_is_given_when_it_is_known_and_asked_for() -> None:
    eir = responder(ResponderOptions(bmuef=lambda _imei, _version: Bmuef((b"\x80", 7), None)))
    reply = eir.respond(ASKING.request(3, 1, str(BLOCKED_IMEI), asked=0xC0))
    assert reply is not None
    assert user(reply).endswith(bytes.fromhex("30090a010130048002 0780".replace(" ", "")))


# --- SCCP and M3UA


def test_another_subsystem_is_given_back_when_wanted() -> None:
    stranger = Asking(called=sccp.Address(True, None, 6).encode())
    message = stranger.request(2, 1, str(BLOCKED_IMEI))
    reply = responder().respond(message)
    assert reply is not None
    payload = m3ua.payload(reply)
    unit = sccp.decode(reply, payload.start, payload.stop)
    assert (unit.kind, unit.cause) == (sccp.UDTS, sccp.UNEQUIPPED_USER)
    assert reply[unit.start : unit.stop] == user(message)
    assert (unit.called, unit.calling) == (stranger.calling, stranger.called)


def test_a_service_message_is_never_answered() -> None:
    called = sccp.Address(True, None, 9).encode()
    unit = sccp.Unitdata(sccp.UDT, 0, True, 0, 0, called, called, 0, 0)
    back = sccp.returned(sccp.UDTS, 1, unit, b"\x62\x00")
    assert responder().respond(m3ua.transfer(back, opc=1, dpc=2, sls=0)) is None


def test_a_status_test_of_our_subsystem_is_answered_with_allowed() -> None:
    both = sccp.Address(True, None, 1).encode()
    for ssn, answered in ((9, True), (1, True), (6, False)):
        test = sccp.management(sccp.SUBSYSTEM_STATUS_TEST, ssn, 2)
        reply = responder().respond(
            m3ua.transfer(sccp.unitdata(sccp.UDT, 0, both, both, test), opc=1, dpc=2, sls=0)
        )
        assert (reply is not None) is answered
        if reply is not None:
            assert user(reply) == bytes((1, ssn, 2, 0, 0))


def test_the_reply_swaps_addresses_and_point_codes() -> None:
    message = TITLED.request(3, 1, str(BLOCKED_IMEI), sls=11)
    for _ in range(3):
        eir = responder()
        for _ in range(3):
            reply = eir.respond(message)
            assert reply is not None
            payload = m3ua.payload(reply)
            assert (payload.opc, payload.dpc, payload.sls) == (2, 1, 11)
            assert (payload.routing_context, payload.network_appearance) == (7, 3)
            unit = sccp.decode(reply, payload.start, payload.stop)
            assert (unit.kind, unit.called, unit.calling) == (sccp.XUDT, TITLED.calling, TITLED.called)
            assert unit.hops == 15


def test_a_calling_point_code_is_where_the_reply_goes() -> None:
    asking = Asking(calling=sccp.Address(True, 77, 8).encode())
    reply = responder().respond(asking.request(2, 1, str(BLOCKED_IMEI)))
    assert reply is not None
    assert m3ua.payload(reply).dpc == 77


def test_a_foreign_routing_context_is_an_error() -> None:
    eir = responder(ResponderOptions(routing_context=8))
    with pytest.raises(M3uaError) as caught:
        eir.respond(TITLED.request(2, 1, str(BLOCKED_IMEI)))
    assert caught.value.error == m3ua.INVALID_ROUTING_CONTEXT


# --- shapes


variants = st.tuples(
    st.sampled_from([1, 2, 3]),
    st.binary(min_size=1, max_size=4),
    st.integers(-128, 127),
    st.sampled_from([PERMITTED_IMEI, BLOCKED_IMEI, UNKNOWN_IMEI, PAIRED_IMEI]),
    st.sampled_from(["", "7", "07", "ff"]),
    st.sampled_from([None, str(PAIRED_IMSI)[1:], str(OTHER_IMSI)[1:]]),
    st.integers(0, 255),
    st.booleans(),
)


@settings(max_examples=60)
@given(st.lists(variants, min_size=1, max_size=30))
def test_a_template_answers_exactly_as_full_decoding_does(many: list[tuple[object, ...]]) -> None:
    quick, slow = responder(), responder(ResponderOptions(max_shapes=0))
    for _ in range(3):
        for version, otid, invoke, imei, tail, imsi, sls, titled in many:
            octets = check_imei.imei_octets(f"{imei}{tail}")
            argument = check_imei.encode_argument(
                version,
                octets,
                imsi=None if version == 3 else imsi,  # type: ignore[arg-type]
            )
            dialogue = b"" if version == 1 else tcap.request(check_imei.context(version))  # type: ignore[arg-type]
            components = tcap.component_portion(tcap.invoke(invoke, 43, argument))  # type: ignore[arg-type]
            begin = tcap.begin(otid, dialogue, components)  # type: ignore[arg-type]
            message = (TITLED if titled else ASKING).carry(begin, sls)  # type: ignore[arg-type]
            assert quick.respond(message) == slow.respond(message)


def test_shapes_are_bounded() -> None:
    eir = responder(ResponderOptions(max_shapes=4))
    for number in range(40):
        asking = Asking(opc=number)
        for _ in range(3):
            assert tell(eir, asking.request(3, number, str(BLOCKED_IMEI)), 3).status == 1
        assert len(eir._shapes) <= 4


# --- hostile bytes

EXAMPLES = [
    ASKING.request(1, 1, str(BLOCKED_IMEI), imsi="001010123456789"),
    TITLED.request(2, 2, str(BLOCKED_IMEI)),
    TITLED.request(3, 3, str(BLOCKED_IMEI)),
    asked(check_imei.context(3)),
    ASKING.carry(tcap.proceed(b"\1\2\3\4", b"\0\0\0\1", b"", INVOKE)),
]


def survives(eir: Responder, message: bytes) -> None:
    try:
        reply = eir.respond(message)
    except M3uaError:
        return
    if reply is not None:
        payload = m3ua.payload(reply)
        unit = sccp.decode(reply, payload.start, payload.stop)
        if unit.kind in {sccp.UDT, sccp.XUDT} and sccp.address(unit.calling).ssn != 1:
            tcap.decode(reply, unit.start, unit.stop)


EIR = responder()


@given(st.sampled_from(EXAMPLES), st.lists(st.tuples(st.integers(8, 200), st.integers(0, 255)), max_size=4))
@settings(max_examples=400)
def test_damaged_octets_never_raise_anything_but_an_m3ua_error(
    message: bytes, hits: list[tuple[int, int]]
) -> None:
    damaged = bytearray(message)
    for at, value in hits:
        damaged[8 + at % (len(damaged) - 8)] = value
    survives(EIR, bytes(damaged))


@given(st.sampled_from(EXAMPLES), st.integers(0, 200))
def test_cut_messages_never_raise_anything_but_an_m3ua_error(message: bytes, size: int) -> None:
    survives(EIR, message[: 8 + size])


@given(st.binary(min_size=1, max_size=255))
def test_any_octets_as_tcap_are_survived(octets: bytes) -> None:
    survives(EIR, ASKING.carry(octets))


@given(st.binary(max_size=300))
def test_any_octets_as_sccp_are_survived(octets: bytes) -> None:
    survives(EIR, m3ua.transfer(octets, opc=1, dpc=2, sls=0))


@given(st.binary(max_size=300))
def test_any_octets_as_parameters_are_survived(octets: bytes) -> None:
    survives(EIR, m3ua.message(m3ua.DATA, octets))
