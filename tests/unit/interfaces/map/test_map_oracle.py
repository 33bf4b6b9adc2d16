"""Our codec against pycrate's ASN.1 runtime, which was written from the specifications by others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.interfaces.map import check_imei, tcap
from ceir.interfaces.map.ber import elements
from ceir.interfaces.map.check_imei import Bmuef

directory = pytest.importorskip("pycrate_asn1dir.TCAP_MAPv2v3", reason="pycrate is not installed")
ORACLE = directory.TCAP_MAP_Messages.TCAP_MAP_Message
ARGUMENT_3 = directory.MAP_MS_DataTypes.CheckIMEI_Arg
RESULT_3 = directory.MAP_MS_DataTypes.CheckIMEI_Res

DIALOGUE_AS = (0, 0, 17, 773, 1, 1, 1)
transactions = st.binary(min_size=1, max_size=4)
invokes = st.integers(-128, 127)
imeis = st.text("0123456789", min_size=14, max_size=16)


def read(data: bytes) -> Any:
    ORACLE.from_ber(data)
    return ORACLE.get_val()


def written(value: Any) -> bytes:
    ORACLE.set_val(value)
    return bytes(ORACLE.to_ber())


def context(version: int) -> tuple[int, ...]:
    return (0, 4, 0, 0, 1, 0, 13, version)


def dialogue(pdu: Any) -> Any:
    return {"direct-reference": DIALOGUE_AS, "encoding": ("single-ASN1-type", ("DialoguePDU", pdu))}


@given(transactions, invokes, imeis, st.sampled_from([1, 2, 3]), st.sampled_from([0x80, 0x40, 0xC0]))
def test_what_we_ask_is_what_the_oracle_reads(
    otid: bytes, invoke: int, imei: str, version: int, asked: int
) -> None:
    octets = check_imei.imei_octets(imei)
    argument = check_imei.encode_argument(version, octets, asked)
    portion = b"" if version == 1 else tcap.request(check_imei.context(version))
    component = tcap.component_portion(tcap.invoke(invoke, check_imei.CHECK_IMEI, argument))
    kind, value = read(tcap.begin(otid, portion, component))
    assert (kind, value["otid"]) == ("begin", otid)
    operation = value["components"][0][1][1]
    assert operation["invokeId"] == ("present", invoke)
    assert operation["opcode"] == ("local", 43)
    if version == 1:
        assert "dialoguePortion" not in value
    else:
        pdu = value["dialoguePortion"]["encoding"][1][1]
        assert pdu[0] == "dialogueRequest"
        assert pdu[1]["application-context-name"] == context(version)
    if version == 3:
        assert operation["argument"][1] == {"imei": octets, "requestedEquipmentInfo": (asked >> 6, 2)}
        ARGUMENT_3.from_ber(argument)
        assert ARGUMENT_3.get_val() == {"imei": octets, "requestedEquipmentInfo": (asked >> 6, 2)}
    else:
        assert argument == b"\x04\x08" + octets


@given(transactions, invokes, imeis, st.sampled_from([2, 3]))
def test_what_the_oracle_asks_is_what_we_read(otid: bytes, invoke: int, imei: str, version: int) -> None:
    octets = check_imei.imei_octets(imei)
    argument: Any = (
        ("CheckIMEI-Arg", {"imei": octets, "requestedEquipmentInfo": (2, 2)})
        if version == 3
        else ("IMEI", octets)
    )
    data = written(
        (
            "begin",
            {
                "otid": otid,
                "dialoguePortion": dialogue(
                    ("dialogueRequest", {"application-context-name": context(version)})
                ),
                "components": [
                    (
                        "basicROS",
                        (
                            "invoke",
                            {"invokeId": ("present", invoke), "opcode": ("local", 43), "argument": argument},
                        ),
                    )
                ],
            },
        )
    )
    message = tcap.decode(data)
    assert (message.kind, message.otid) == (tcap.BEGIN, otid)
    assert isinstance(message.dialogue, tcap.Dialogue)
    assert message.dialogue.context == check_imei.context(version)
    one = message.components[0]
    assert (one.kind, one.invoke_id, one.number) == (tcap.INVOKE, invoke, 43)
    got = check_imei.decode_argument(data, version, one.parameter, one.trailing)
    assert data[got.imei_at : got.imei_at + 8] == octets


@given(transactions, invokes, st.sampled_from([0, 1, 2]), st.sampled_from([2, 3]))
def test_our_results_are_read_by_the_oracle(dtid: bytes, invoke: int, status: int, version: int) -> None:
    result = check_imei.encode_result(version, status)
    component = tcap.return_result(invoke, check_imei.CHECK_IMEI, result)
    portion = tcap.response(check_imei.context(version), 0, (0xA1, 0))
    kind, value = read(tcap.end(dtid, portion, tcap.component_portion(component)))
    assert (kind, value["dtid"]) == ("end", dtid)
    pdu = value["dialoguePortion"]["encoding"][1][1]
    assert pdu[0] == "dialogueResponse"
    assert pdu[1]["application-context-name"] == context(version)
    assert pdu[1]["result"] == 0
    name, inside = value["components"][0][1]
    assert name == "returnResult"
    assert inside["invokeId"] == ("present", invoke)
    assert inside["result"]["opcode"] == ("local", 43)
    words = ("whiteListed", "blackListed", "greyListed")
    if version == 3:
        assert inside["result"]["result"][1] == {"equipmentStatus": words[status]}


bits = st.one_of(st.none(), st.binary(min_size=1, max_size=16).map(lambda octets: (octets, 0)))


@given(st.sampled_from([None, 0, 1, 2]), st.one_of(st.none(), st.builds(Bmuef, bits, bits)))
def test_a_version_3_result_with_bmuef_is_read_by_the_oracle(status: int | None, bmuef: Bmuef | None) -> None:
    data = check_imei.encode_result(3, status, bmuef)
    RESULT_3.from_ber(data)
    value = RESULT_3.get_val()
    words = ("whiteListed", "blackListed", "greyListed")
    assert value.get("equipmentStatus") == (None if status is None else words[status])
    if bmuef is None:
        assert "bmuef" not in value
    else:
        for name, one in (("uesbi-IuA", bmuef.a), ("uesbi-IuB", bmuef.b)):
            expected = None if one is None else (int.from_bytes(one[0], "big"), 8 * len(one[0]))
            assert value["bmuef"].get(name) == expected
    assert check_imei.decode_result(data, 3, elements(data, 0, len(data))[0]) == status


@given(st.sampled_from([0, 1, 2]))
def test_what_the_oracle_answers_is_what_we_read(status: int) -> None:
    words = ("whiteListed", "blackListed", "greyListed")
    RESULT_3.set_val({"equipmentStatus": words[status], "bmuef": {"uesbi-IuA": (5, 3)}})
    data = bytes(RESULT_3.to_ber())
    assert check_imei.decode_result(data, 3, elements(data, 0, len(data))[0]) == status


@given(transactions, invokes, st.sampled_from([7, 34, 35, 36]))
def test_our_errors_are_read_by_the_oracle(dtid: bytes, invoke: int, error: int) -> None:
    component = tcap.component_portion(tcap.return_error(invoke, error))
    _, value = read(tcap.end(dtid, b"", component))
    name, inside = value["components"][0][1]
    assert name == "returnError"
    assert inside["invokeId"] == ("present", invoke)
    assert inside["errcode"] == ("local", error)


@given(
    transactions, st.one_of(st.none(), invokes), st.sampled_from([(0x80, 0), (0x81, 1), (0x82, 0), (0x83, 0)])
)
def test_our_rejects_are_read_by_the_oracle(
    dtid: bytes, invoke: int | None, problem: tuple[int, int]
) -> None:
    _, value = read(tcap.end(dtid, b"", tcap.component_portion(tcap.reject(invoke, problem))))
    name, inside = value["components"][0][1]
    assert name == "reject"
    assert inside["invokeId"] == (("absent", 0) if invoke is None else ("present", invoke))
    assert inside["problem"][0] == ("general", "invoke", "returnResult", "returnError")[problem[0] & 3]


@given(transactions, st.integers(0, 4))
def test_our_aborts_are_read_by_the_oracle(dtid: bytes, cause: int) -> None:
    kind, value = read(tcap.abort(dtid, cause))
    assert kind == "abort"
    assert value["dtid"] == dtid
    assert value["reason"][0] == "p-abortCause"


@given(transactions, st.sampled_from([1, 2, 3]))
def test_a_refused_context_is_read_by_the_oracle_with_its_alternative(dtid: bytes, version: int) -> None:
    data = tcap.abort(dtid, None, tcap.response(check_imei.context(version), 1, (0xA1, 2)))
    kind, value = read(data)
    assert kind == "abort"
    pdu = value["reason"][1]["encoding"][1][1]
    assert pdu[0] == "dialogueResponse"
    assert pdu[1]["application-context-name"] == context(version)
    assert pdu[1]["result"] == 1
    assert pdu[1]["result-source-diagnostic"] == ("dialogue-service-user", 2)


def test_an_abnormal_dialogue_is_read_by_the_oracle() -> None:
    data = tcap.abort(b"\1\2\3\4", None, tcap.dialogue_abort(0, bytes.fromhex("a5030a0100")))
    _, value = read(data)
    pdu = value["reason"][1]["encoding"][1][1]
    assert pdu[0] == "dialogueAbort"
    assert pdu[1]["abort-source"] == 0
    inner = pdu[1]["user-information"][0]["encoding"][1]
    assert "map-providerAbort" in str(inner)
