"""S13 as `ceir serve` runs it: what is configured, and the server made of it."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork

from ceir.interfaces.declaration import (
    Address,
    ConfigurationError,
    Desk,
    Interface,
    Section,
    readable,
)
from ceir.interfaces.s13 import server
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Limits, Peer, Service
from ceir.interfaces.s13.server import DIAMETER_PORT, Endpoint


class ListenAt(Section):
    """An address that peers connect to."""

    host: str = Field(default="127.0.0.1", description="An address of this machine.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=DIAMETER_PORT, description="3868 is Diameter's, 5868 with TLS."
    )
    transport: Literal["tcp", "tls", "sctp"] = Field(default="tcp", description="What carries Diameter.")
    certificate: Path | None = Field(default=None, description="With tls: own certificate, PEM.")
    key: Path | None = Field(default=None, description="With tls: its key, PEM.")
    client_authorities: Path | None = Field(
        default=None, description="With tls: whose certificates peers must show, PEM; none: no certificate."
    )


class PeerAt(Section):
    """A node that may connect."""

    host: str = Field(description="Its Diameter identity (Origin-Host).")
    realm: str = Field(default="", description="Its Origin-Realm; empty: any.")
    networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="Networks it may come from; none: any."
    )
    secured: bool = Field(default=False, description="Only over TLS with a certificate that names it.")


class S13Configuration(Section):
    """Diameter S13 and S13'."""

    identity: str = Field(default="eir.localdomain", description="Own Diameter identity (Origin-Host).")
    realm: str = Field(default="localdomain", description="Own realm; requests for others are refused.")
    addresses: tuple[str, ...] = Field(
        default=(), description="Told in Host-IP-Address; none: those listened on."
    )
    listen: tuple[ListenAt, ...] = Field(default=(ListenAt(),), min_length=1, description="Where to listen.")
    peers: tuple[PeerAt, ...] = Field(
        default=(),
        description="Who may connect. None: anybody, which is taken only where all addresses are loopback.",
    )
    connections: Annotated[int, Field(ge=1)] = Field(
        default=1024, description="At a time, in each worker process."
    )
    watchdog_seconds: Annotated[float, Field(ge=6)] = Field(
        default=30.0, description="Silence until a peer is asked whether it lives (Tw)."
    )


def _addresses(configuration: S13Configuration) -> tuple[Address, ...]:
    return tuple(Address(one.host, one.port, one.transport) for one in configuration.listen)


def _listening_at(configuration: S13Configuration, address: Address) -> S13Configuration:
    if address.transport == "tls":
        raise ConfigurationError("S13 over TLS needs certificates.", "Write them into a configuration file.")
    one = ListenAt(host=address.host, port=address.port, transport=address.transport)
    return configuration.model_copy(update={"listen": (one,)})


def _tls(one: ListenAt) -> ssl.SSLContext | None:
    if one.transport != "tls":
        return None
    if one.certificate is None or one.key is None:
        raise ConfigurationError("A TLS address of S13 lacks certificate or key.", "Name both.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(
            readable(one.certificate, "The certificate"), readable(one.key, "The key of S13")
        )
        if one.client_authorities is not None:
            context.load_verify_locations(readable(one.client_authorities, "The authorities"))
            context.verify_mode = ssl.CERT_REQUIRED
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"TLS for S13 cannot be set up: {error.reason}.", "Certificate and key must belong together, PEM."
        ) from error
    return context


def _own_addresses(configuration: S13Configuration) -> tuple[str, ...]:
    told = configuration.addresses or tuple(one.host for one in configuration.listen)
    return tuple(host for host in told if not ip_address(host).is_unspecified) or ("127.0.0.1",)


def _welcome(configuration: S13Configuration) -> Peer | None:
    """Anybody, where only this machine can come."""
    if configuration.peers:
        return None
    if not all(ip_address(one.host).is_loopback for one in configuration.listen):
        raise ConfigurationError(
            "S13 listens to the network but knows no peer.", "Name who may connect: [[s13.peers]]"
        )
    return Peer("", networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")))


def _endpoints(configuration: S13Configuration, workers: int) -> Sequence[Endpoint]:
    return [
        Endpoint(one.host, one.port, server.Transport(one.transport), _tls(one), shared=workers > 1)
        for one in configuration.listen
    ]


def _examine(configuration: S13Configuration) -> None:
    _welcome(configuration)
    _endpoints(configuration, 1)


async def _serve(configuration: S13Configuration, desk: Desk, stop: asyncio.Event) -> None:
    node = Node(
        configuration.identity,
        configuration.realm,
        tuple(ip_address(host) for host in _own_addresses(configuration)),
        origin_state_id=desk.started_at,
    )
    peers = [Peer(p.host, p.realm, p.networks, p.secured) for p in configuration.peers]
    limits = Limits(connections=configuration.connections, watchdog=configuration.watchdog_seconds)
    service = Service(
        node,
        peers,
        desk.checker,
        limits,
        time.perf_counter,
        desk.observe,
        welcome=_welcome(configuration),
        refused=desk.refused,
    )
    await server.serve(service, _endpoints(configuration, desk.workers), stop)


INTERFACE = Interface(
    name="s13",
    title="S13 and S13': MME and SGSN ask over Diameter",
    doc="ME-Identity-Check (4G): TCP, TLS and SCTP.",
    source="3GPP TS 29.272 clauses 6 and 7; IETF RFC 6733",
    configuration=S13Configuration,
    addresses=_addresses,
    listening_at=_listening_at,
    examine=_examine,
    serve=_serve,
)
