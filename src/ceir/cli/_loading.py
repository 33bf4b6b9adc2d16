"""From what was typed to connections of an interface that put a load on."""

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final, Literal

from ceir.equipment_check import Question
from ceir.errors import UsageError
from ceir.interfaces.load import Plan
from ceir.interfaces.load.putting import Connect
from ceir.interfaces.map import m3ua
from ceir.interfaces.map.asking import Asking
from ceir.interfaces.map.load import MapLoad
from ceir.interfaces.map.transport import Transport as MapTransport
from ceir.interfaces.map.transport import sctp_available
from ceir.interfaces.n17.load import N17Load
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.load import S13Load
from ceir.interfaces.s13.server import DIAMETER_PORT, DIAMETER_TLS_PORT
from ceir.interfaces.s13.server import Transport as S13Transport

Interface = Literal["n17", "s13", "map"]
Carrier = Literal["tcp", "tls", "sctp"]

PORTS: Final = {
    ("n17", "tcp"): 7777,
    ("n17", "tls"): 7777,
    ("s13", "tcp"): DIAMETER_PORT,
    ("s13", "tls"): DIAMETER_TLS_PORT,
    ("s13", "sctp"): DIAMETER_PORT,
    ("map", "tcp"): m3ua.PORT,
    ("map", "sctp"): m3ua.PORT,
}
"""What carries each interface, and the port where `ceir serve` has it unless something else is said."""

_ADDRESS = re.compile(r"(?:(tcp|tls|sctp):)?(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?")


@dataclass(frozen=True)
class Target:
    """Where the load goes."""

    interface: Interface
    carrier: Carrier
    host: str
    port: int

    @classmethod
    def parse(cls, interface: Interface, text: str) -> "Target":
        """The target in `[TRANSPORT:]HOST[:PORT]`; an IPv6 address stands in brackets.

        Without a transport it is the one that a server of the interface has unless something else is said.

        Raises:
            UsageError: the interface is not served over that, or the text is no address.
        """
        found = _ADDRESS.fullmatch(text)
        if found is None or (found[4] and not 1 <= int(found[4]) <= 65_535):
            raise UsageError(f"{text!r} is no address.", "Give --to HOST:PORT, for instance 127.0.0.1:3868.")
        auto: Carrier = "sctp" if interface == "map" and sctp_available() else "tcp"
        carrier: Carrier = found[1] or auto  # type: ignore[assignment]  # the pattern has no other words
        default = PORTS.get((interface, carrier))
        if default is None:
            possible = " or ".join(c for i, c in PORTS if i == interface)
            raise UsageError(f"{interface} does not run over {carrier}.", f"It runs over {possible}.")
        if carrier == "sctp" and not sctp_available():
            raise UsageError(
                "This kernel has no SCTP.", "Load its module sctp, or use tcp if the server takes that."
            )
        return cls(interface, carrier, found[2] or found[3], int(found[4] or default))


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of a TLS connection.

    Args:
        authority: who must have signed the server's certificate; None: the system's authorities.
        certificate, key: our own, if the server asks for one.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """What a connection needs.

        Raises:
            UsageError: a file cannot be used.
        """
        try:
            made = ssl.create_default_context(cafile=self.authority)
            if self.certificate is not None:
                made.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"A TLS file cannot be used: {error.strerror or error}.",
                "Give PEM files: --authority, and --certificate with --key.",
            ) from error
        return made


@dataclass(frozen=True)
class Identity:
    """Who asks.

    Args:
        origin: S13: origin host and realm.
        destination_realm: S13; empty: the server's.
        prefix: N17: part of the path before the API's name.
        token: N17: a file with an access token.
        map_versions: MAP: versions of the operation, asked in turn.
        routing_context: MAP: of the application server; None: not told.
        point_codes: MAP: ours and the server's.
    """

    origin: tuple[str, str]
    destination_realm: str
    prefix: str
    token: Path | None
    map_versions: Sequence[int]
    routing_context: int | None
    point_codes: tuple[int, int]


def connecting(
    target: Target, identity: Identity, tls: TlsFiles, questions: Sequence[Question], plan: Plan
) -> Connect:
    """What makes the connections of the interface.

    Raises:
        UsageError: a TLS file or the token cannot be used.
    """
    context = tls.context() if target.carrier == "tls" else None
    if target.interface == "n17":
        token = _token(identity.token)
        return N17Load(
            questions, target.host, target.port, plan.window, perf_counter, context, identity.prefix, token
        ).connect
    if target.interface == "s13":
        return S13Load(
            Node(*identity.origin),
            questions,
            target.host,
            target.port,
            plan.window,
            plan.connections,
            perf_counter,
            S13Transport(target.carrier),
            context,
            identity.destination_realm,
        ).connect
    opc, dpc = identity.point_codes
    return MapLoad(
        questions,
        target.host,
        target.port,
        plan.window,
        perf_counter,
        MapTransport(target.carrier),
        identity.map_versions,
        Asking(opc=opc, dpc=dpc, routing_context=identity.routing_context),
        plan.wait,
    ).connect


def _token(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("The access token cannot be read.", "Give --token a file that holds it.") from error
