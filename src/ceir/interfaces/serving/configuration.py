"""The configuration of `ceir serve`: one TOML file, every key with a default."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from ceir.interfaces.declaration import (
    Address,
    ConfigurationError,
    Section,
    all_interfaces,
    interface_named,
)

ALL = "all"
OTHERS = frozenset({"register"})
"""Tables of the same file that are not of the equipment check."""

_ADDRESS = re.compile(r"(?:(tcp|tls|sctp):)?(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):([0-9]{1,5})")


class AdministrationAt(Section):
    """Health, readiness and metrics; keep it away from networks that only ask about equipment."""

    host: str = Field(default="127.0.0.1", description="An address of this machine.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=9464, description="TCP port.")


class SightingsAt(Section):
    """What of the answers is kept, for the register."""

    folder: Path | None = Field(
        default=None, description="Where sightings are kept until they are shipped; none: they are not."
    )
    sample_every: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="Blocked, tracked and paired answers are kept; of the rest 1 in so many. 0: none.",
    )
    subscriber: Literal["clear", "keyed", "none"] = Field(
        default="clear", description="How the IMSI is written; keyed needs `key_file`."
    )
    key_file: Path | None = Field(
        default=None, description="Hexadecimal digits of 32 octets or more, to key IMSIs with."
    )
    fold_seconds: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Repeats within so many seconds are one line with a count; 0: each is one."
    )
    total_megabytes: Annotated[int, Field(ge=16)] = Field(
        default=1024, description="Room for all files; what comes while they are full is dropped and counted."
    )


class Serving(Section):
    """What all interfaces share."""

    snapshots: Path | None = Field(
        default=None, description="Folder in which snapshots and deltas arrive, or one snapshot file."
    )
    trusted_keys: Path | None = Field(
        default=None, description="The register's public key, or a folder of keys."
    )
    operator: str | None = Field(
        default=None, description="Only snapshots made for this operator are served; none: any."
    )
    workers: Annotated[int, Field(ge=1, le=256)] = Field(
        default=1, description="Processes that share all addresses; one for each core."
    )
    look_seconds: Annotated[float, Field(ge=0.05, le=3600)] = Field(
        default=2.0, description="How often the folder is looked at."
    )
    when_stale: Literal["serve", "permitted", "unknown"] = Field(
        default="serve",
        description="Once the lists are expired: go on answering from them, or one answer to everything.",
    )
    administration: AdministrationAt = AdministrationAt()
    sightings: SightingsAt = SightingsAt()


class Configuration(Section):
    """A whole configuration.

    Args:
        interfaces: those to serve, with their sections.
    """

    serving: Serving
    interfaces: Mapping[str, Any]

    @property
    def addresses(self) -> tuple[tuple[str, Address], ...]:
        """Every address listened on, with the interface it belongs to."""
        found = all_interfaces()
        return tuple(
            (name, address)
            for name, section in self.interfaces.items()
            for address in found[name].addresses(section)
        )


def read_configuration(path: Path | None, names: Sequence[str]) -> Configuration:
    """The configuration in a file.

    Args:
        path: TOML; None: all defaults, which serve this machine only.
        names: interfaces to serve; `all`: those with a section in the file, every one where there is none.

    Raises:
        ConfigurationError: unreadable, not TOML, unknown keys, values outside their range; each is named.
        UsageError: an interface that does not exist.
    """
    raw = {name: table for name, table in read_toml(path).items() if name not in OTHERS}
    known = all_interfaces()
    sections = {name: raw.pop(name) for name in list(raw) if name in known}
    wanted = list(dict.fromkeys(names))
    if ALL in wanted:
        wanted = [name for name in known if name in sections] or list(known)
    chosen = {
        name: _section(interface_named(name).configuration, sections.get(name, {}), name, path)
        for name in wanted
    }
    return Configuration(serving=_section(Serving, raw, "", path), interfaces=chosen)


def parse_address(text: str) -> Address:
    """An address as it is typed: `HOST:PORT`, `TRANSPORT:HOST:PORT`, an IPv6 host in brackets.

    Raises:
        ConfigurationError: it is none.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or not 1 <= int(found[3]) <= 65535:
        raise ConfigurationError(f"{text!r} is no address.", "Write HOST:PORT, or sctp:HOST:PORT")
    transport: Any = found[1] or "tcp"
    return Address(found[2].strip("[]"), int(found[3]), transport)


def read_toml(path: Path | None) -> dict[str, Any]:
    """What a configuration file says, table by table; nothing, if there is none.

    Raises:
        ConfigurationError: unreadable, or not TOML.
    """
    if path is None:
        return {}
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", "Name the file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}.", "Mend the line it names.") from error


def _section(model: type[Section], raw: object, name: str, path: Path | None) -> Any:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = "; ".join(_fault(name, item) for item in error.errors())
        raise ConfigurationError(
            f"{path} cannot be obeyed: {faults}", "Every key and its range: docs/reference/serving.md"
        ) from error


def _fault(name: str, item: Any) -> str:
    where = ".".join(str(part) for part in ((name,) if name else ()) + tuple(item["loc"]))
    if item["type"] == "extra_forbidden":
        return f"{where} is no key that is known."
    return f"{where}: {item['msg']}."
