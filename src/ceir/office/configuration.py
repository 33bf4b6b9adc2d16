"""What `ceir serve` starts, and how the processes of one office are told."""

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ceir.errors import CeirError
from ceir.registry.project.configuring import RegistryOptions

SECTION = "register"
"""The table of the configuration file."""

_FILE = "office.json"
_READY = ".ready"


class OfficeConfigurationError(CeirError):
    """The register cannot be served as it is configured."""

    code: ClassVar[str] = "office_configuration"
    exit_code: ClassVar[int] = 2


class Section(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OfficeAdministrationAt(Section):
    """Health, readiness and metrics of the register; keep it away from the public."""

    host: str = Field(default="127.0.0.1", description="An address of this machine.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=9465, description="TCP port.")


class OfficeTls(Section):
    """Certificate and key; without them something in front of the register must do TLS."""

    certificate: Path = Field(description="PEM file, with the chain.")
    key: Path = Field(description="PEM file that only the service may read.")


class Office(Section):
    """The register as it is served: pages and API, and workers for what it does by itself."""

    host: str = Field(default="127.0.0.1", description="An address of this machine.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=8000, description="TCP port.")
    web_processes: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Processes that answer requests; one for each two cores."
    )
    web_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        default=8, description="Requests that a process answers at the same time; each takes a connection."
    )
    job_workers: Annotated[int, Field(ge=1, le=16)] = Field(
        default=2, description="Processes that run jobs, each a different one: none waits for a long one."
    )
    task_workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Processes that run tasks of the queue."
    )
    grace_seconds: Annotated[float, Field(ge=1, le=600)] = Field(
        default=25.0, description="For requests, jobs and tasks under way, once all is to end."
    )
    tls: OfficeTls | None = Field(default=None, description="TLS of its own.")
    administration: OfficeAdministrationAt = OfficeAdministrationAt()

    @property
    def address(self) -> str:
        """Where people find it, if nothing stands in front."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class Orders(BaseModel):
    """All that the processes of one office are told: a file that only they may read."""

    model_config = ConfigDict(frozen=True)

    office: Office
    registry: dict[str, Any]
    check: dict[str, Any] | None = None


def read_office(raw: object, path: Path | None) -> Office:
    """The section `[register]` of a configuration file.

    Raises:
        OfficeConfigurationError: unknown keys, values outside their range; each is named.
    """
    try:
        return Office.model_validate(raw)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join((SECTION, *map(str, item['loc'])))}: {item['msg']}" for item in error.errors()
        )
        raise OfficeConfigurationError(
            f"{path} cannot be obeyed: {faults}", "Every key and its range: docs/reference/serving.md"
        ) from error


def orders(office: Office, options: RegistryOptions, check: dict[str, Any] | None) -> Orders:
    """What to tell the processes."""
    registry = TypeAdapter(RegistryOptions).dump_python(options, mode="json")
    return Orders(office=office, registry=registry, check=check)


def options_of(told: Orders) -> RegistryOptions:
    """The register's options again."""
    return TypeAdapter(RegistryOptions).validate_python(told.registry)


def keep_orders(folder: Path, told: Orders) -> None:
    """Write them where the processes look."""
    handle = os.open(folder / _FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(told.model_dump_json())


def read_orders(folder: Path) -> Orders:
    """What this process is told."""
    return Orders.model_validate_json((folder / _FILE).read_bytes())


def ready_file(folder: Path, process: str) -> Path:
    """Is there while a process is ready for work."""
    return folder / f"{process}{_READY}"


def metrics_folder(folder: Path) -> Path:
    """Where processes count."""
    return folder / "metrics"
