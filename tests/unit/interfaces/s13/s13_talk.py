"""What the S13 unit tests share: a server's service, a peer's conversation with it, messages taken apart."""

from ipaddress import ip_address

from ceir.equipment_check import Checker
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.asking import Asked, encode_check
from ceir.interfaces.s13.avp import Avp, encode, encode_unsigned, read_avps
from ceir.interfaces.s13.codec import Header, Node
from ceir.interfaces.s13.conversation import Conversation, Limits, Observe, Origin, Peer, Service, State
from vectors import BLOCKED_IMEI, SetChecker

SERVER = Node("eir.example.org", "example.org", origin_state_id=7)
MME = Node("mme.example.org", "example.org")

Message = tuple[Header, list[Avp]]


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def service(
    *peers: Peer,
    checker: Checker | None = None,
    limits: Limits | None = None,
    observe: Observe | None = None,
) -> Service:
    return Service(
        SERVER, peers or (Peer(MME.host),), checker or SetChecker(), limits or Limits(), Clock(), observe
    )


def connected(to: Service | None = None, origin: Origin | None = None) -> Conversation:
    """A conversation before its capabilities exchange."""
    return Conversation(to or service(), origin or Origin(ip_address("192.0.2.1")), 1000.0)


def opened(to: Service | None = None) -> Conversation:
    """A conversation behind its capabilities exchange."""
    conversation = connected(to)
    (answer,) = conversation.receive(codec.encode_cer(MME, 1, 1), 1000.0)
    assert value(split(answer)[1], d.RESULT_CODE) == d.Result.SUCCESS
    return conversation


def split(message: bytes) -> Message:
    header = codec.read_header(message, 0, 1 << 24)
    assert header.size == len(message)
    return header, read_avps(message[20:])


def value(avps: list[Avp], kind: d.AvpType) -> int | None:
    """The number in the first attribute of a kind."""
    return next((avp.unsigned for avp in avps if (avp.vendor, avp.code) == (kind.vendor, kind.code)), None)


def failed(avps: list[Avp]) -> list[Avp]:
    """What Failed-AVP holds. Cut here: the code under test refuses what stands in there."""
    found = []
    for group in (avp.data for avp in avps if avp.code == d.FAILED_AVP.code):
        at = 0
        while at < len(group):
            code, flags = int.from_bytes(group[at : at + 4], "big"), group[at + 4]
            raw = group[at : at + int.from_bytes(group[at + 5 : at + 8], "big")]
            head = 12 if flags & 0x80 else 8
            assert head <= len(raw) <= len(group) - at
            found.append(Avp(code, flags, int.from_bytes(raw[8:head], "big"), raw[head:], raw))
            at += (len(raw) + 3) // 4 * 4
        assert at == len(group)
    return found


def ask(conversation: Conversation, message: bytes) -> Message:
    (answer,) = conversation.receive(message, 1000.0)
    return split(answer)


TERMINAL = encode(d.TERMINAL_INFORMATION, encode(d.IMEI, f"{BLOCKED_IMEI:014}".encode()))
GOOD_ATTRIBUTES = {
    "session": encode(d.SESSION_ID, b"mme.example.org;1;1"),
    "state": encode_unsigned(d.AUTH_SESSION_STATE, 1),
    "host": encode(d.ORIGIN_HOST, b"mme.example.org"),
    "realm": encode(d.ORIGIN_REALM, b"example.org"),
    "to": encode(d.DESTINATION_REALM, b"example.org"),
    "terminal": TERMINAL,
}


def request(extra: bytes = b"", *, flags: int = 0xC0, without: str = "", **instead: bytes) -> bytes:
    """A good ME-Identity-Check-Request, changed as told."""
    body = b"".join((GOOD_ATTRIBUTES | instead)[name] for name in GOOD_ATTRIBUTES if name != without) + extra
    return codec.encode_message(324, flags, d.S13_APPLICATION, 0x11223344, 0x55667788, body)


def check(imei: str, version: str = "", imsi: str = "") -> bytes:
    return encode_check(MME, Asked("mme.example.org;1;2", imei, version, imsi), 5, 6)


def state_of(conversation: Conversation) -> State:
    """Its state, in a way that lets a test look twice."""
    return conversation.state
