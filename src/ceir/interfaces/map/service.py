"""MAP as `ceir serve` runs it: what is configured, and the server made of it."""

import asyncio
import logging
from typing import Annotated, Literal

from pydantic import Field

from ceir.interfaces.declaration import Address, ConfigurationError, Desk, Interface, Section
from ceir.interfaces.map import m3ua, sccp
from ceir.interfaces.map.association import AssociationOptions, Role
from ceir.interfaces.map.responder import ResponderOptions
from ceir.interfaces.map.server import Connect, Listen, MapServer, Options
from ceir.interfaces.map.transport import Transport, sctp_available

Chosen = Literal["auto", "sctp", "tcp"]
Port = Annotated[int, Field(ge=1, le=65535)]

_log = logging.getLogger(__name__)


class ListenAt(Section):
    """An address where peers open associations (IPSP)."""

    host: str = Field(default="127.0.0.1", description="An address of this machine.")
    port: Port = Field(default=m3ua.PORT, description="2905 is M3UA's.")
    transport: Chosen = Field(
        default="auto", description="auto: SCTP where the kernel has it, else TCP, which no network speaks."
    )


class ConnectTo(Section):
    """A signalling gateway or peer towards which an association is held open."""

    host: str = Field(description="Its address.")
    port: Port = Field(default=m3ua.PORT, description="Its port.")
    transport: Chosen = Field(default="auto", description="As above.")
    role: Literal["asp", "ipsp_client"] = Field(default="asp", description="ASP to a gateway, or IPSP.")
    local_host: str = Field(default="", description="Address to connect from; empty: the kernel's choice.")
    local_port: Annotated[int, Field(ge=0, le=65535)] = Field(default=0, description="0: any.")


class MapConfiguration(Section):
    """MAP CheckIMEI over TCAP, SCCP and M3UA."""

    listen: tuple[ListenAt, ...] = Field(default=(ListenAt(),), description="Where peers connect.")
    connect: tuple[ConnectTo, ...] = Field(
        default=(), description="Where to connect; each worker process holds an association of its own."
    )
    routing_context: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] | None = Field(
        default=None, description="Of the application server, as the gateway knows it; none: not used."
    )
    network_appearance: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] | None = Field(
        default=None, description="As agreed; none: not used."
    )
    traffic_mode: Literal["override", "loadshare", "broadcast"] | None = Field(
        default=None, description="None: the peer's choice. With several workers: loadshare."
    )
    subsystem: Annotated[int, Field(ge=1, le=254)] = Field(
        default=sccp.SSN_EIR, description="Subsystem number (SSN) that is answered."
    )
    highest_version: Literal[1, 2, 3] = Field(
        default=3, description="Highest version of the application context that is accepted."
    )
    associations: Annotated[int, Field(ge=1)] = Field(
        default=64, description="Accepted at a time, in each worker process."
    )


_MODES = {"override": 1, "loadshare": 2, "broadcast": 3}


def _transport(chosen: str) -> Transport:
    if chosen == "auto":
        return Transport.SCTP if sctp_available() else Transport.TCP
    return Transport(chosen)


def _addresses(configuration: MapConfiguration) -> tuple[Address, ...]:
    return tuple(Address(one.host, one.port, _transport(one.transport).value) for one in configuration.listen)


def _listening_at(configuration: MapConfiguration, address: Address) -> MapConfiguration:
    if address.transport == "tls":
        raise ConfigurationError("M3UA runs over SCTP, or TCP for tests.", "Give sctp:HOST:PORT")
    one = ListenAt(host=address.host, port=address.port, transport=address.transport)
    return configuration.model_copy(update={"listen": (one,)})


def _examine(configuration: MapConfiguration) -> None:
    """Nothing: its own limits say it all."""


async def _serve(configuration: MapConfiguration, desk: Desk, stop: asyncio.Event) -> None:
    if configuration.connect and desk.workers > 1 and configuration.traffic_mode != "loadshare":
        _log.warning("map_workers_override_each_other", extra={"traffic_mode": configuration.traffic_mode})
    options = Options(
        listen=tuple(
            Listen(one.host, one.port, _transport(one.transport), shared=desk.workers > 1)
            for one in configuration.listen
        ),
        connect=tuple(
            Connect(
                one.host,
                one.port,
                _transport(one.transport),
                Role(one.role),
                (one.local_host or "0.0.0.0", one.local_port)  # noqa: S104 - the kernel's choice
                if one.local_host or one.local_port
                else None,
            )
            for one in configuration.connect
        ),
        association=AssociationOptions(
            routing_context=configuration.routing_context,
            network_appearance=configuration.network_appearance,
            traffic_mode=_MODES.get(configuration.traffic_mode or ""),
        ),
        responder=ResponderOptions(
            highest_version=configuration.highest_version,
            subsystem=configuration.subsystem,
            routing_context=configuration.routing_context,
        ),
        max_connections=configuration.associations,
    )
    server = MapServer(
        desk.checker,
        options,
        observe=desk.observe,
        refused=desk.refused,
        tell=lambda event, fields: _log.info(event, extra=dict(fields)),
    )
    await server.run(stop)


INTERFACE = Interface(
    name="map",
    title="MAP: MSC and SGSN ask over SS7",
    doc="CheckIMEI (2G, 3G), versions 1 to 3, over TCAP, SCCP and M3UA.",
    source="3GPP TS 29.002 clauses 8.7.1 and 17; IETF RFC 4666",
    configuration=MapConfiguration,
    addresses=_addresses,
    listening_at=_listening_at,
    examine=_examine,
    serve=_serve,
)
