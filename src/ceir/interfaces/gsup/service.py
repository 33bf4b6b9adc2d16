"""GSUP as `ceir serve` runs it: what is configured, and the server made of it."""

import asyncio
from typing import Annotated

from pydantic import Field

from ceir.interfaces.declaration import Address, ConfigurationError, Desk, Interface, Section
from ceir.interfaces.gsup import codec
from ceir.interfaces.gsup.server import GsupServer, Options


class GsupConfiguration(Section):
    """Osmocom's Check-IMEI."""

    host: str = Field(default="127.0.0.1", description="An address of this machine.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=codec.PORT, description="TCP port.")
    accept_unknown: bool = Field(
        default=True, description="The answer to equipment of which nothing is known: yes."
    )
    connections: Annotated[int, Field(ge=1)] = Field(
        default=64, description="At a time, in each worker process."
    )


def _addresses(configuration: GsupConfiguration) -> tuple[Address, ...]:
    return (Address(configuration.host, configuration.port, "tcp"),)


def _listening_at(configuration: GsupConfiguration, address: Address) -> GsupConfiguration:
    if address.transport != "tcp":
        raise ConfigurationError("GSUP runs over TCP only.", "Give HOST:PORT")
    return configuration.model_copy(update={"host": address.host, "port": address.port})


def _examine(configuration: GsupConfiguration) -> None:
    """Nothing: its own limits say it all."""


async def _serve(configuration: GsupConfiguration, desk: Desk, stop: asyncio.Event) -> None:
    options = Options(
        host=configuration.host,
        port=configuration.port,
        shared=desk.workers > 1,
        accept_unknown=configuration.accept_unknown,
        max_connections=configuration.connections,
    )
    await GsupServer(desk.checker, options, observe=desk.observe, refused=desk.refused).run(stop)


INTERFACE = Interface(
    name="gsup",
    title="GSUP: Osmocom's core asks, yes or no",
    doc="Check-IMEI of Osmocom's Generic Subscriber Update Protocol (2G, 3G).",
    source="OsmoHLR User Manual, Generic Subscriber Update Protocol",
    configuration=GsupConfiguration,
    addresses=_addresses,
    listening_at=_listening_at,
    examine=_examine,
    serve=_serve,
)
