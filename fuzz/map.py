"""Throws damaged MAP, TCAP, SCCP and M3UA octets at the responder and the association for as long as told.

    python fuzz/map.py [--seconds 600] [--seed 1] [--corpus FOLDER] [--keep FOLDER]

What must hold for every input: nothing but a typed refusal is raised; every answer can be read; templates
answer exactly as full decoding does; memory does not grow.
"""

import contextlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from octets import BrokenPromiseError, Damage, Target, damaged, run

from ceir.interfaces.map import check_imei, m3ua, sccp, tcap
from ceir.interfaces.map.asking import Asking, told
from ceir.interfaces.map.association import Association, Role
from ceir.interfaces.map.ber import tlv
from ceir.interfaces.map.errors import M3uaError, MapWireError
from ceir.interfaces.map.responder import Responder, ResponderOptions
from vectors import BLOCKED_IMEI, SetChecker

_ASKING = Asking(routing_context=7, extended=True)
_INVOKE = tcap.component_portion(
    tcap.invoke(1, 43, check_imei.encode_argument(3, check_imei.imei_octets(f"{BLOCKED_IMEI}07")))
)
_REFERENCE = tlv(0xA0, tlv(0x80, bytes.fromhex("960110102143658719")))


def examples() -> list[bytes]:
    """One of each kind of message that is understood."""
    asking = (Asking(), _ASKING)
    found = [one.request(version, 1, f"{BLOCKED_IMEI}07") for one in asking for version in (1, 2, 3)]
    found += [
        Asking().request(2, 1, str(BLOCKED_IMEI), imsi="001010123456789"),
        _ASKING.carry(tcap.begin(b"\1", tcap.request(check_imei.context(3), _REFERENCE), _INVOKE)),
        _ASKING.carry(tcap.begin(b"\1", tcap.request(check_imei.context(3)), b"")),
        _ASKING.carry(tcap.proceed(b"\1", b"\0\0\0\1", b"", _INVOKE)),
        _ASKING.carry(tcap.end(b"\1", b"", _INVOKE)),
        _ASKING.carry(tcap.abort(b"\1", 1)),
        _ASKING.carry(tcap.begin(b"\1", b"", tcap.component_portion(tcap.reject(None, (0x80, 0))))),
        _ASKING.carry(bytes.fromhex("6280480101") + _INVOKE + b"\0\0"),
    ]
    both = sccp.Address(True, 5, 1).encode()
    test = sccp.unitdata(sccp.UDT, 0, both, both, sccp.management(3, 9, 5))
    found.append(m3ua.transfer(test, opc=1, dpc=2, sls=0))
    for kind in (m3ua.ASPUP, m3ua.ASPAC, m3ua.BEAT, m3ua.NTFY, m3ua.DUNA, m3ua.DAVA, m3ua.DAUD, m3ua.ERR):
        tags = (
            m3ua.ROUTING_CONTEXT,
            m3ua.STATUS,
            m3ua.AFFECTED_POINT_CODE,
            m3ua.HEARTBEAT_DATA,
            m3ua.ERROR_CODE,
        )
        found.append(m3ua.message(kind, *(m3ua.number(tag, 7) for tag in tags)))
    return found


class Thrower:
    """What is fuzzed; lives through the whole run, so that learnt shapes and open dialogues take part."""

    def __init__(self) -> None:
        self._responder = Responder(SetChecker(), ResponderOptions(max_shapes=64), clock=time.monotonic)
        self._plain = Responder(SetChecker(), ResponderOptions(max_shapes=0), clock=time.monotonic)
        self._associations = [Association(role) for role in Role]

    def __call__(self, octets: bytes) -> None:
        """Raises only when there is a mistake in the codecs."""
        if len(octets) < m3ua.HEADER:
            return
        with contextlib.suppress(M3uaError):
            m3ua.length(octets, 0, 8192)
        for association in self._associations:
            for reply in association.receive(octets).replies:
                m3ua.parameters(reply)
                if m3ua.length(reply, 0, 8192) != len(reply):
                    raise BrokenPromiseError("a management reply has a wrong length")
        _read(octets)
        # Twice more, so that a shape is learnt and used.
        answers = [
            _answer(one, octets) for one in (self._plain, self._responder, self._responder, self._responder)
        ]
        if answers[0] is not None:
            if not _begins(octets) and answers != answers[:1] * 4:
                raise BrokenPromiseError("a template answers otherwise than full decoding")
            _read(answers[0], ours=True)


def _answer(responder: Responder, octets: bytes) -> bytes | None:
    try:
        return responder.respond(octets)
    except M3uaError:
        return None


def _begins(octets: bytes) -> bool:
    """Whether the answer may hold a transaction id of ours, which differs each time."""
    payload = m3ua.payload(octets)
    unit = sccp.decode(octets, payload.start, payload.stop)
    try:
        message = tcap.decode(octets, unit.start, unit.stop)
    except MapWireError:
        return False
    return message.kind == tcap.CONTINUE or not message.components


def _read(octets: bytes, ours: bool = False) -> None:
    for version in (1, 2, 3):
        try:
            told(octets, version)
        except MapWireError:
            if ours and version == 3:
                payload = m3ua.payload(octets)
                unit = sccp.decode(octets, payload.start, payload.stop)
                if unit.kind in {sccp.UDT, sccp.XUDT} and sccp.address(unit.calling).ssn != 1:
                    tcap.decode(octets, unit.start, unit.stop)


def harness() -> tuple[Target, list[bytes], Damage]:
    """What is thrown at what."""
    return Thrower(), examples(), damaged


if __name__ == "__main__":
    sys.exit(run(__doc__ or "", *harness()))
