import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from ceir.cli._office import REGISTER, become, serve_register
from ceir.cli._session import Session
from ceir.cli._tables import head, table
from ceir.cli.check import Snapshots, Trust, place_of_keys, place_of_snapshots
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError
from ceir.interfaces.declaration import all_interfaces
from ceir.interfaces.serving.configuration import (
    Configuration,
    parse_address,
    read_configuration,
    read_toml,
)
from ceir.interfaces.serving.plant import examine

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INTERFACE...",
        help="register: pages, API and workers, and what of the equipment check the configuration names; "
        "n17, s13, map, gsup: these; all: those that the configuration names, or every one. "
        "None: register.",
        show_default=False,
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="TOML; without it everything has its default and only this machine is served.",
        show_default=False,
    ),
]
ListenOn = Annotated[
    str | None,
    typer.Option(
        "--listen",
        metavar="[TRANSPORT:]HOST:PORT",
        help="For one interface: listen here instead.",
        show_default=False,
    ),
]
Admin = Annotated[
    str | None,
    typer.Option(
        "--admin", metavar="HOST:PORT", help="Health and metrics: listen here instead.", show_default=False
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", metavar="N", min=1, help="Processes that share the addresses.", show_default=False
    ),
]
OnlyExamine = Annotated[
    bool,
    typer.Option(
        "--examine", help="Look whether it could serve: configuration, keys, snapshot, ports; then end."
    ),
]


def serve(
    session: Session,
    names: Names = None,
    config: ConfigFile = None,
    snapshots: Snapshots = None,
    trust: Trust = None,
    workers: Workers = None,
    listen: ListenOn = None,
    admin: Admin = None,
    only_examine: OnlyExamine = False,
) -> None:
    """Serve the register, or answer networks from snapshots."""
    if not names or REGISTER in names:
        serve_register(
            session,
            config,
            [name for name in names or () if name != REGISTER],
            _check(session, snapshots, trust, workers, listen, admin),
            only_examine=only_examine,
        )
        return
    configuration = _with_options(
        session, read_configuration(config, names), snapshots, trust, workers, listen, admin
    )
    examine(configuration)
    session.data(_data(configuration))
    _show(session, configuration)
    if only_examine:
        session.say("\nIt could serve.")
        return
    _become_the_server(configuration)


def _check(
    session: Session,
    snapshots: Path | None,
    trust: Path | None,
    workers: int | None,
    listen: str | None,
    admin: str | None,
) -> Callable[[Path | None, Sequence[str]], dict[str, Any] | None]:
    """The equipment check beside a register, shown and examined as by itself; None: none is asked for."""

    def make(config: Path | None, names: Sequence[str]) -> dict[str, Any] | None:
        wanted = list(names) or [name for name in read_toml(config) if name in all_interfaces()]
        if not wanted:
            return None
        configuration = _with_options(
            session, read_configuration(config, wanted), snapshots, trust, workers, listen, admin
        )
        examine(configuration)
        _show(session, configuration)
        return raw_of(configuration)

    return make


def _with_options(
    session: Session,
    configuration: Configuration,
    snapshots: Path | None,
    trust: Path | None,
    workers: int | None,
    listen: str | None,
    admin: str | None,
) -> Configuration:
    serving, interfaces = configuration.serving, dict(configuration.interfaces)
    changed: dict[str, object] = {}
    if snapshots is not None or serving.snapshots is None:
        changed["snapshots"] = place_of_snapshots(session, snapshots).absolute()
    if trust is not None or serving.trusted_keys is None:
        changed["trusted_keys"] = place_of_keys(session, trust).absolute()
    if workers is not None:
        changed["workers"] = workers
    if admin is not None:
        at = parse_address(admin)
        changed["administration"] = serving.administration.model_copy(
            update={"host": at.host, "port": at.port}
        )
    if listen is not None:
        if len(interfaces) != 1:
            raise UsageError(
                "--listen is for one interface.", "Several have their addresses in --config FILE"
            )
        name, section = next(iter(interfaces.items()))
        interfaces[name] = all_interfaces()[name].listening_at(section, parse_address(listen))
    return Configuration(serving=serving.model_copy(update=changed), interfaces=interfaces)


def _data(configuration: Configuration) -> dict[str, object]:
    return {
        "serving": configuration.serving,
        "addresses": [
            {"interface": n, "transport": a.transport, "host": a.host, "port": a.port}
            for n, a in configuration.addresses
        ],
    }


def _show(session: Session, configuration: Configuration) -> None:
    serving = configuration.serving
    titles = all_interfaces()
    session.say(head("Equipment check"))
    at = serving.administration
    session.say(
        table(
            "",
            ("interface", "address", "for"),
            [
                *((name, str(address), titles[name].title) for name, address in configuration.addresses),
                ("health", f"http://{at.host}:{at.port}", "/healthz, /readyz, /metrics"),
            ],
        )
    )
    session.say()
    workers = "1 worker" if serving.workers == 1 else f"{serving.workers} workers"
    session.say_whole(f"{workers}; snapshots from {serving.snapshots}")
    if not session.as_json:
        session.say(Text("Ctrl-C ends it. What happens is told below, a line of JSON each.", style="dim"))


def _become_the_server(configuration: Configuration) -> None:
    """Go on as a process without the register: its workers then load no database, and cannot."""
    become("ceir.interfaces.serving", json.dumps(raw_of(configuration)))


def raw_of(configuration: Configuration) -> dict[str, Any]:
    """A configuration as its process reads it."""
    return {
        "serving": configuration.serving.model_dump(mode="json"),
        "interfaces": {
            name: section.model_dump(mode="json") for name, section in configuration.interfaces.items()
        },
    }


COMMAND = Command(
    name="serve",
    panel=Panel.NETWORK,
    place=2,
    purpose="Serve the register, or networks: N17, S13, MAP, GSUP.",
    explanation="Without a name, or with `register`: everything that a small country needs, in one process "
    "tree. Pages and API, a worker for what the register does by itself, workers for tasks, health and "
    "metrics; beside them the equipment check, if the configuration has interfaces. A register that does "
    "not exist yet is made. A process that ends is started again."
    "\n\n"
    "With names of interfaces: answers 5G (N17), 4G (S13), 2G and 3G (MAP) and GSUP from the newest signed "
    "snapshot in a folder, without a database. What arrives there "
    "is verified and put in force while answers go on; what is refused is told, and the last good one goes "
    "on serving. SIGTERM ends it in good order."
    "\n\n"
    "Without a configuration it listens on this machine only, to try it. Every key of the file: "
    "docs/reference/serving.md.",
    examples=(
        Example("ceir serve", "the register, on http://127.0.0.1:8000"),
        Example("ceir serve n17", "5G, on 127.0.0.1:7777, from the workspace's snapshots"),
        Example("ceir serve all --config serve.toml", "as an operator runs it"),
        Example("ceir serve all --config serve.toml --examine", "before it is started in earnest"),
    ),
    function=serve,
    exits={0: "ended by a signal", 1: "no snapshot that may be served, or an address is taken"},
)
