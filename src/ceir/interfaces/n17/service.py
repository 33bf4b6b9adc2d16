"""N17 as `ceir serve` runs it: what is configured, the server made of it, and its registration at an NRF."""

import asyncio
import random
import ssl
import time
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from ceir.interfaces.declaration import (
    Address,
    ConfigurationError,
    Desk,
    Interface,
    Section,
    readable,
)
from ceir.interfaces.n17.authorization import Authorizer, TokenTerms, VerificationKey
from ceir.interfaces.n17.nrf import NrfRegistration, Timing, nrf_http
from ceir.interfaces.n17.overload import RateLimit
from ceir.interfaces.n17.profile import EirProfile
from ceir.interfaces.n17.server import N17Server
from ceir.interfaces.serving.http import HttpLimits, HttpVersions, Listen, Tls

Port = Annotated[int, Field(ge=1, le=65535)]
Root = Annotated[str, StringConstraints(pattern=r"^https?://.+")]


class NrfAt(Section):
    """The NRFs where consumers find this server."""

    roots: tuple[Root, ...] = Field(min_length=1, description="API roots in the order to try.")
    address: str = Field(description="Where consumers connect: an address or a domain name.")
    port: Port | None = Field(default=None, description="Its port; none: the one listened on.")
    plmns: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{3}-[0-9]{2,3}$")], ...] = Field(
        default=(), description="Networks served, as MCC-MNC."
    )
    authorities: Path | None = Field(
        default=None, description="Whose certificates the NRF may show, PEM; none: the system's."
    )
    certificate: Path | None = Field(default=None, description="Own client certificate, PEM.")
    key: Path | None = Field(default=None, description="Its key, PEM.")
    allowed_nf_types: tuple[str, ...] = Field(default=("AMF",), description="Who may discover it.")
    capacity: Annotated[int, Field(ge=0, le=65535)] = Field(default=100, description="Weight.")
    priority: Annotated[int, Field(ge=0, le=65535)] = Field(default=0, description="Lower: asked first.")
    locality: str = Field(default="", description="Such as a data centre.")
    heartbeat_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=10, description="Proposed to the NRF."
    )


class N17Configuration(Section):
    """N5g-eir_EquipmentIdentityCheck over HTTP/2."""

    host: str = Field(default="127.0.0.1", description="An address of this machine.")
    port: Port = Field(default=7777, description="TCP port.")
    api_prefix: Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = Field(
        default="", description="Part of the path before the API's name, like `/eir`."
    )
    http: Literal["2", "1 and 2"] = Field(
        default="1 and 2", description="In clear text; a core speaks 2, people's tools speak 1."
    )
    certificate: Path | None = Field(default=None, description="With TLS: own certificate, PEM.")
    key: Path | None = Field(default=None, description="With TLS: its key, PEM.")
    client_authorities: Path | None = Field(
        default=None, description="With TLS: whose certificates consumers must show, PEM."
    )
    instance: UUID | None = Field(
        default=None, description="NF instance identity; draw one and keep it. Needed with an NRF."
    )
    token_keys: tuple[Path, ...] = Field(
        default=(), description="NRF's public keys, PEM: access tokens are asked for; none: they are not."
    )
    token_issuer: str | None = Field(default=None, description="NF instance identity of the NRF; none: any.")
    requests_per_second: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Of all workers together; more are refused with 429. None: no limit."
    )
    connections: Annotated[int, Field(ge=1)] = Field(
        default=1024, description="At a time, in each worker process."
    )
    nrf: NrfAt | None = Field(default=None, description="Where to register; none: nowhere.")


def _addresses(configuration: N17Configuration) -> tuple[Address, ...]:
    transport: Literal["tcp", "tls"] = "tls" if configuration.certificate else "tcp"
    return (Address(configuration.host, configuration.port, transport),)


def _listening_at(configuration: N17Configuration, address: Address) -> N17Configuration:
    if address.transport == "sctp":
        raise ConfigurationError("N17 runs over TCP.", "Give HOST:PORT")
    return configuration.model_copy(update={"host": address.host, "port": address.port})


def _tls(configuration: N17Configuration) -> Tls | None:
    if configuration.certificate is None and configuration.key is None:
        return None
    if configuration.certificate is None or configuration.key is None:
        raise ConfigurationError("N17 lacks certificate or key.", "Name both, or none.")
    return Tls(
        readable(configuration.certificate, "The certificate"),
        readable(configuration.key, "The key of N17"),
        configuration.client_authorities,
    )


def _authorizer(configuration: N17Configuration) -> Authorizer | None:
    if not configuration.token_keys:
        return None
    keys = [
        VerificationKey.from_pem(readable(path, "The NRF's key").read_bytes())
        for path in configuration.token_keys
    ]
    instance = str(configuration.instance) if configuration.instance else None
    return Authorizer(TokenTerms(keys, instance, configuration.token_issuer), time.time)


def _examine(configuration: N17Configuration) -> None:
    _tls(configuration)
    _authorizer(configuration)
    if configuration.nrf is not None:
        _profile(configuration, configuration.nrf)


async def _serve(configuration: N17Configuration, desk: Desk, stop: asyncio.Event) -> None:
    versions = HttpVersions.ONLY_2 if configuration.http == "2" else HttpVersions.BOTH
    rate = configuration.requests_per_second
    gate = None
    if rate is not None:
        own = rate / desk.workers
        gate = RateLimit(own, max(1, round(own)), time.monotonic)
    await N17Server(
        desk.checker,
        Listen(configuration.host, configuration.port, _tls(configuration), versions),
        HttpLimits(connections=configuration.connections),
        observe=desk.observe,
        refused=desk.refused,
        gate=gate,
        authorizer=_authorizer(configuration),
        instance=str(configuration.instance) if configuration.instance else None,
        api_prefix=configuration.api_prefix,
    ).serve(stop)


def _profile(configuration: N17Configuration, nrf: NrfAt) -> EirProfile:
    if configuration.instance is None:
        raise ConfigurationError(
            "An NRF needs to know this server's NF instance identity.",
            'Draw one once and keep it: [n17] instance = "UUID"',
        )
    return EirProfile(
        instance=str(configuration.instance),
        address=nrf.address,
        port=nrf.port or configuration.port,
        plmns=tuple((plmn.split("-")[0], plmn.split("-")[1]) for plmn in nrf.plmns),
        secure=configuration.certificate is not None,
        api_prefix=configuration.api_prefix,
        token_required=bool(configuration.token_keys),
        allowed_nf_types=nrf.allowed_nf_types,
        capacity=nrf.capacity,
        priority=nrf.priority,
        locality=nrf.locality,
        heartbeat_seconds=nrf.heartbeat_seconds,
    )


async def _register(configuration: N17Configuration, stop: asyncio.Event) -> None:
    nrf = configuration.nrf
    if nrf is None:
        return
    authorities: ssl.SSLContext | None = None
    if nrf.authorities is not None or nrf.certificate is not None:
        authorities = ssl.create_default_context(
            cafile=str(readable(nrf.authorities, "The authorities")) if nrf.authorities else None
        )
        if nrf.certificate is not None:
            authorities.load_cert_chain(readable(nrf.certificate, "The certificate"), nrf.key)
    chance = random.SystemRandom().random
    async with nrf_http(authorities) as http:
        registration = NrfRegistration(
            http, nrf.roots, _profile(configuration, nrf), Timing(asyncio.sleep, chance)
        )
        await registration.run(stop)


INTERFACE = Interface(
    name="n17",
    title="N17: AMF asks over HTTP/2",
    doc="N5g-eir_EquipmentIdentityCheck (5G), with registration at an NRF and access tokens.",
    source="3GPP TS 29.511; TS 29.500; TS 29.510",
    configuration=N17Configuration,
    addresses=_addresses,
    listening_at=_listening_at,
    examine=_examine,
    serve=_serve,
    beside=_register,
)
