"""The asking side of CheckIMEI: requests built and answers read, for load tests and for peers in tests."""

from dataclasses import dataclass
from typing import NamedTuple

from ceir.interfaces.map import check_imei, m3ua, sccp, tcap
from ceir.interfaces.map.errors import DialogueError, TcapError


class Told(NamedTuple):
    """What an answer said.

    Args:
        transaction: our transaction id, to which it belongs.
        status: 0, 1, 2; None: no result.
        error: MAP error code, or None.
        rejected: (problem tag, problem), or None.
        aborted: the dialogue was aborted, by a cause or by its dialogue portion.
        context: application context name of the reply, empty if there is none.
        cause: P-Abort cause, or None.
        peer: transaction id of the EIR while the dialogue goes on, or None.
    """

    transaction: bytes
    status: int | None = None
    error: int | None = None
    rejected: tuple[int, int] | None = None
    aborted: bool = False
    context: bytes = b""
    cause: int | None = None
    peer: bytes | None = None


@dataclass(frozen=True)
class Asking:
    """Addresses under which an MSC or SGSN asks an EIR.

    Args:
        called: address of the EIR.
        calling: our own.
        opc: our point code.
        dpc: the EIR's.
        extended: XUDT instead of UDT.
    """

    called: bytes = sccp.Address(True, None, sccp.SSN_EIR).encode()
    calling: bytes = sccp.Address(True, None, 8).encode()
    opc: int = 1
    dpc: int = 2
    network: int = 2
    routing_context: int | None = None
    network_appearance: int | None = None
    extended: bool = False

    def request(
        self,
        version: int,
        transaction: int,
        imei: str,
        *,
        imsi: str | None = None,
        asked: int = 0x80,
        invoke_id: int = 1,
        sls: int = 0,
    ) -> bytes:
        """A DATA message that begins a dialogue.

        Args:
            version: 1 to 3.
            transaction: 0 to 2**32-1.
            imei: 14 to 16 digits.
            imsi: appended to the argument of versions 1 and 2.
            asked: first flags octet of the requested equipment information of version 3.
        """
        argument = check_imei.encode_argument(version, check_imei.imei_octets(imei), asked, imsi)
        dialogue = b"" if version == 1 else tcap.request(check_imei.context(version))
        components = tcap.component_portion(tcap.invoke(invoke_id, check_imei.CHECK_IMEI, argument))
        return self.carry(tcap.begin(transaction.to_bytes(4, "big"), dialogue, components), sls)

    def carry(self, user: bytes, sls: int = 0) -> bytes:
        """Octets of TCAP in SCCP in a DATA message."""
        kind = sccp.XUDT if self.extended else sccp.UDT
        return m3ua.transfer(
            sccp.unitdata(kind, 0x80, self.called, self.calling, user),
            opc=self.opc,
            dpc=self.dpc,
            sls=sls,
            network=self.network,
            routing_context=self.routing_context,
            network_appearance=self.network_appearance,
        )


def told(message: bytes, version: int) -> Told:
    """Read the answer in a DATA message.

    Raises:
        MapWireError: one of the layers is malformed.
    """
    payload = m3ua.payload(message)
    unit = sccp.decode(message, payload.start, payload.stop)
    reply = tcap.decode(message, unit.start, unit.stop)
    if reply.dtid is None:
        raise TcapError("no answer but a question", tcap.INCORRECT_TRANSACTION_PORTION)
    context = b""
    if reply.dialogue is not None:
        if isinstance(reply.dialogue, DialogueError):
            raise reply.dialogue
        context = reply.dialogue.context
    answer = Told(reply.dtid, context=context, peer=reply.otid)
    if reply.kind == tcap.ABORT:
        return answer._replace(aborted=True, cause=reply.p_abort)
    for one in reply.components:
        if one.kind == tcap.RETURN_RESULT_LAST:
            status = check_imei.decode_result(message, version, one.parameter)
            answer = answer._replace(status=status)
        elif one.kind == tcap.RETURN_ERROR:
            answer = answer._replace(error=one.number)
        elif one.kind == tcap.REJECT and one.number is not None:
            answer = answer._replace(rejected=_problem(message, one, one.number))
    return answer


def _problem(message: bytes, one: tcap.Component, number: int) -> tuple[int, int]:
    # The tag of the problem lies before its length and its single octet, at the end of the component.
    at = one.invoke_at + (one.invoke_id is not None)
    return message[at], number
