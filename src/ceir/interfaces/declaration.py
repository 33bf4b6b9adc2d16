"""How a reference point is declared: what its part of the configuration says, and how it is served."""

import asyncio
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ceir.equipment_check import Answer, Checker, Values
from ceir.errors import CeirError, UsageError

Transport = Literal["tcp", "tls", "sctp"]


class ConfigurationError(CeirError):
    """The configuration of a server cannot be obeyed as it is written."""

    code: ClassVar[str] = "serve_configuration"
    exit_code = 2


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, paths are given whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens, for people and for a look whether the place is free."""

    host: str
    port: int
    transport: Transport

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a worker process gives an interface to answer with.

    Args:
        checker: who knows.
        observe: told of every answer; must be called for each.
        refused: told the code of each request that got no status, where the interface has such codes.
        workers: how many processes share the addresses.
        started_at: seconds since 1970 when the server was started; the same in every worker.
        number: of this worker, from 0.
    """

    checker: Checker
    observe: Callable[[Answer, float, Values], None]
    refused: Callable[[int], None]
    workers: int
    number: int
    started_at: int


@dataclass(frozen=True)
class Interface:
    """A reference point at which networks ask.

    Args:
        name: of its package, of its section in the configuration, and in `ceir serve NAME`.
        configuration: a `Section`; all its fields have defaults, and with them it serves this machine only.
        addresses: where a configuration listens.
        listening_at: the configuration with another single address instead; refuses what it cannot be.
        examine: raises what would be found out only while serving: files that cannot be read, parts that
            do not fit.
        serve: answers until the event is set; in each worker.
        beside: what one process does for all workers meanwhile; None: nothing.
    """

    name: str
    title: str
    doc: str
    source: str
    configuration: type[Section]
    addresses: Callable[[Any], tuple[Address, ...]]
    listening_at: Callable[[Any, Address], Any]
    examine: Callable[[Any], None]
    serve: Callable[[Any, Desk, asyncio.Event], Awaitable[None]]
    beside: Callable[[Any, asyncio.Event], Awaitable[None]] | None = None


@cache
def all_interfaces() -> Mapping[str, Interface]:
    """Every interface by name: the `INTERFACE` of each package here that has a module `service`.

    Raises:
        TypeError: a `service` declares none, or one of another name.
    """
    import ceir.interfaces  # noqa: PLC0415 - the package holds this module

    found: dict[str, Interface] = {}
    for info in sorted(pkgutil.iter_modules(ceir.interfaces.__path__), key=lambda i: i.name):
        # Looked for as a file: to ask the import system would load packages that serve nothing.
        if not (Path(ceir.interfaces.__path__[0]) / info.name / "service.py").is_file():
            continue
        name = f"ceir.interfaces.{info.name}.service"
        interface = getattr(importlib.import_module(name), "INTERFACE", None)
        if not isinstance(interface, Interface) or interface.name != info.name:
            raise TypeError(f"{name} declares no interface of its package's name")
        found[interface.name] = interface
    return found


def interface_named(name: str) -> Interface:
    """The interface called `name`.

    Raises:
        UsageError: there is none; the hint names them all.
    """
    found = all_interfaces()
    if name not in found:
        raise UsageError(f"There is no interface {name!r}.", f"Interfaces: {', '.join(found)}, or all.")
    return found[name]


def readable(path: Path, what: str) -> Path:
    """A file that is there and can be read.

    Raises:
        ConfigurationError: it is not.
    """
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ConfigurationError(
            f"{what} {path} cannot be read: {error.strerror}.", "Correct the path or the file's rights."
        ) from error
