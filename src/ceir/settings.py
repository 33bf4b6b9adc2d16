"""What the installer of one machine sets; what the regulator decides is the policy.

Only `ceir.cli` reads it: everything below gets the values as arguments.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ceir.errors import CeirError

PREFIX = "CEIR_"


class SettingsError(CeirError):
    """A setting has a value it cannot have."""

    code = "settings_invalid"
    exit_code = 2


def _setting(default: object, *, doc: str, after_change: str, **limits: Any) -> Any:
    return Field(default, description=doc, json_schema_extra={"after_change": after_change}, **limits)


class Settings(BaseSettings):
    """Read from environment variables: CEIR_ and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    workspace: Path | None = _setting(
        None,
        doc="Folder of the country that commands work on; empty: the current folder, if it is a workspace.",
        after_change="Nothing: the next command uses the other workspace.",
    )
    threads: int | None = _setting(
        None,
        doc="Worker threads of the engine; empty: all cores.",
        after_change="Nothing: results do not depend on it.",
        ge=1,
        le=1024,
    )
    memory_gb: float | None = _setting(
        None,
        doc="Memory in GB that the engine may use before it spills to disk; empty: the engine's own share.",
        after_change="Nothing: results do not depend on it.",
        gt=0,
    )
    engine: Literal["duckdb", "spark"] = _setting(
        "duckdb",
        doc="Where runs are computed: duckdb on this machine, or spark on a Spark Connect server.",
        after_change="Nothing: lists are the same; the manifest of the next run names the other engine.",
    )
    spark_remote: str | None = _setting(
        None,
        doc="Address of the Spark Connect server, sc://HOST:PORT; it must see the workspace under the same "
        "path.",
        after_change="Try it with: ceir doctor",
        pattern=r"^sc://.+",
    )
    signing_key: Path | None = _setting(
        None,
        doc="Ed25519 key (PEM file) that signs snapshots; empty: the workspace's own, made at first.",
        after_change="Give its public half to the operators before they fetch the next snapshot.",
    )
    snapshots: Path | None = _setting(
        None,
        doc="Snapshot, or folder of snapshots, that `ceir check` and `ceir serve` answer from; empty: the "
        "workspace's.",
        after_change="Start `ceir serve` again.",
    )
    trusted_keys: Path | None = _setting(
        None,
        doc="Public key, or folder of them, whose snapshots are trusted; empty: the workspace's.",
        after_change="Start `ceir serve` again.",
    )
    database: str | None = _setting(
        None,
        doc="The register's database, postgresql://USER@HOST/NAME; empty: a SQLite file in the workspace.",
        after_change="Bring it up to date with: ceir migrate",
        pattern=r"^postgres(ql)?://.+",
    )
    secret_file: Path | None = _setting(
        None,
        doc="File with the secret that signs sessions; empty: the workspace's own, made at first.",
        after_change="Everybody logs in again.",
    )
    personal_keys: Path | None = _setting(
        None,
        doc="Folder of the keys of personal data; empty: the workspace's own, made at first.",
        after_change="The keys that encrypted what is stored must be in it.",
    )
    documents: Path | None = _setting(
        None,
        doc="Folder of the register's photos and papers, encrypted; empty: the workspace's own.",
        after_change="Move the files that are there into it.",
    )
    notices: Path | None = _setting(
        None,
        doc="File that says how the register tells people: gateways, languages, quiet hours; empty: "
        "notices.toml in the workspace, if there is one.",
        after_change="Look at it with: ceir notices check",
    )
    policy: Path | None = _setting(
        None,
        doc="The policy that the register obeys: its file or folder; empty: the workspace's.",
        after_change="Start the register again.",
    )
    country: Path | None = _setting(
        None,
        doc="File of what the country decides for its register besides the policy; empty: country.toml in "
        "the workspace, if there is one.",
        after_change="Start the register again.",
    )
    api_per_minute: int = _setting(
        6000,
        doc="Calls that a program may make within a minute, unless it has an allowance of its own.",
        after_change="Start the register again.",
        ge=1,
        le=10_000_000,
    )
    webhooks_private: bool = _setting(
        False,
        doc="Whether webhooks may lead into networks of your own, and without TLS.",
        after_change="Start the register again.",
    )
    hosts: str = _setting(
        "localhost,127.0.0.1,[::1]",
        doc="Names under which the register's pages are reached, with commas between.",
        after_change="Start it again.",
    )
    tls: Literal["auto", "yes", "no"] = _setting(
        "auto",
        doc="Whether pages are reached over TLS only; auto: they are, unless every one of CEIR_HOSTS is this "
        "machine.",
        after_change="Start it again. Browsers that saw `yes` insist on TLS for a year.",
    )
    proxies: int = _setting(
        0,
        doc="Proxies of your own before the register: what so many of them write of addresses "
        "(X-Forwarded-For) and of TLS (X-Forwarded-Proto) is believed.",
        after_change="Start it again.",
        ge=0,
        le=10,
    )
    certificate_header: str = _setting(
        "",
        doc="Header in which your proxy tells the certificate that a program came with; empty: none is "
        "believed. The proxy must take away what others put there.",
        after_change="Start it again.",
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$|^$",
    )
    identity_providers: Path | None = _setting(
        None,
        doc="TOML file of the OpenID Connect providers by which people may log in; see docs/admin/logins.md.",
        after_change="Start it again.",
    )
    wait_seconds: float = _setting(
        10.0,
        doc="Seconds to wait for another command that is changing the workspace.",
        after_change="Nothing.",
        ge=0,
    )


@dataclass(frozen=True)
class SettingInfo:
    """A setting as documentation and `ceir doctor` show it."""

    name: str
    variable: str
    doc: str
    after_change: str
    default: object


def all_settings() -> Iterator[SettingInfo]:
    """Every setting, in the order they are declared."""
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        yield SettingInfo(
            name, PREFIX + name.upper(), field.description or "", str(extra["after_change"]), field.default
        )


def read_settings(**chosen: object) -> Settings:
    """The settings of this machine, with what the command line chose instead.

    Args:
        chosen: values by setting; None: not chosen.

    Raises:
        SettingsError: a value is outside its range; every fault is named.
    """
    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
        raise SettingsError(
            f"A setting cannot be used: {faults}.", "See them all with: ceir doctor"
        ) from error
