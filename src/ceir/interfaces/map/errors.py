"""What can be wrong with the bytes of a peer, layer by layer."""

from typing import ClassVar

from ceir.errors import CeirError


class MapWireError(CeirError):
    """Base of every refusal of a peer's bytes on the MAP interface; it never ends a worker."""

    code: ClassVar[str] = "map_wire"


class BerError(MapWireError):
    """The bytes are no BER element (X.690), or one nested or sized beyond what is read here."""

    code = "map_ber_malformed"


class TcapError(MapWireError):
    """The transaction portion of a TCAP message (Q.773) cannot be used.

    Args:
        cause: the P-Abort cause to answer with (Q.773 3.2), if anybody can be answered.
        peer: the originating transaction id of the peer when it could be read.
    """

    code = "map_tcap_malformed"

    def __init__(self, detail: str, cause: int, peer: bytes | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.peer = peer


class DialogueError(MapWireError):
    """The dialogue portion (Q.773 table 49) cannot be used; the transaction portion could be read."""

    code = "map_dialogue_malformed"


class ArgumentError(MapWireError):
    """A CheckIMEI argument is not what TS 29.002 defines.

    Args:
        error: the MAP error code to answer with; None: reject the parameter as mistyped.
    """

    code = "map_argument_refused"

    def __init__(self, detail: str, error: int | None) -> None:
        super().__init__(detail)
        self.error = error


class SccpError(MapWireError):
    """The bytes are no SCCP message (Q.713) that a connectionless user can receive."""

    code = "map_sccp_malformed"


class M3uaError(MapWireError):
    """The bytes are no M3UA message (RFC 4666), or one that the peer may not send now.

    Args:
        error: the error code of the ERR message to answer with (RFC 4666 3.8.1); None: say nothing.
        fatal: the byte stream cannot be followed any more.
    """

    code = "map_m3ua_malformed"

    def __init__(self, detail: str, error: int | None, fatal: bool = False) -> None:
        super().__init__(detail)
        self.error = error
        self.fatal = fatal


class TransportError(MapWireError):
    """The transport asked for is not there on this machine, or the association could not be used."""

    code = "map_transport"
