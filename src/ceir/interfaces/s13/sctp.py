"""SCTP sockets where the kernel has them, one-to-one style.

Source: RFC 6458 (socket options), RFC 6733 clause 2.1 (payload protocol 46: Diameter in clear).
"""

import contextlib
import socket
import struct
from typing import Final

IPPROTO_SCTP: Final = 132
PAYLOAD_PROTOCOL: Final = 46
"""Diameter in SCTP DATA chunks without DTLS, as IANA lists it."""

_SCTP_NODELAY: Final = 3
_SCTP_DEFAULT_SEND_PARAM: Final = 10
_SCTP_DEFAULT_SNDINFO: Final = 34
_SNDINFO = struct.Struct("=HHIIi")
_SNDRCVINFO = struct.Struct("=HHHxxIIIIIi")


def is_available() -> bool:
    """Whether this kernel makes SCTP sockets."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


def sctp_socket(family: int = socket.AF_INET) -> socket.socket:
    """A one-to-one socket whose messages carry Diameter's payload protocol identifier.

    Raises:
        OSError: the kernel has no SCTP.
    """
    made = socket.socket(family, socket.SOCK_STREAM, IPPROTO_SCTP)
    mark(made)
    return made


def mark(connection: socket.socket) -> None:
    """Sets payload protocol identifier and no delay; accepted sockets inherit neither everywhere."""
    protocol = socket.htonl(PAYLOAD_PROTOCOL)
    try:
        connection.setsockopt(IPPROTO_SCTP, _SCTP_DEFAULT_SNDINFO, _SNDINFO.pack(0, 0, protocol, 0, 0))
    except OSError:  # kernels before RFC 6458's names
        connection.setsockopt(
            IPPROTO_SCTP, _SCTP_DEFAULT_SEND_PARAM, _SNDRCVINFO.pack(0, 0, 0, protocol, 0, 0, 0, 0, 0)
        )
    with contextlib.suppress(OSError):
        connection.setsockopt(IPPROTO_SCTP, _SCTP_NODELAY, 1)
