import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._tables import head, table
from ceir.cli.check import Snapshots, Trust, place_of_keys, place_of_snapshots
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError
from ceir.interfaces.declaration import all_interfaces
from ceir.interfaces.serving.configuration import ALL, Configuration, parse_address, read_configuration
from ceir.interfaces.serving.plant import examine

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INTERFACE...",
        help="n17, s13, map, gsup; or all: those that the configuration names, or every one.",
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
    """Answer networks from snapshots."""
    if not names:
        raise UsageError(
            "Which interface is to be served was not said.",
            f"ceir serve {' | '.join(all_interfaces())} | {ALL}",
        )
    configuration = _with_options(
        session, read_configuration(config, names), snapshots, trust, workers, listen, admin
    )
    examine(configuration)
    session.data(_data(configuration))
    _show(session, configuration)
    if only_examine:
        session.say("\nIt could serve.")
        return
    sys.stdout.flush()
    sys.stderr.flush()
    _become_the_server(configuration)


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
    raw = {
        "serving": configuration.serving.model_dump(mode="json"),
        "interfaces": {
            name: section.model_dump(mode="json") for name, section in configuration.interfaces.items()
        },
    }
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        json.dump(raw, file)
        file.flush()
        file.seek(0)
        os.dup2(file.fileno(), sys.stdin.fileno() if sys.stdin else 0)
    os.execv(sys.executable, [sys.executable, "-m", "ceir.interfaces.serving"])  # noqa: S606 - no shell wanted


COMMAND = Command(
    name="serve",
    panel=Panel.NETWORK,
    place=2,
    purpose="Answer networks: 5G (N17), 4G (S13), 2G and 3G (MAP), GSUP.",
    explanation="Answers from the newest signed snapshot in a folder, without a database. What arrives there "
    "is verified and put in force while answers go on; what is refused is told, and the last good one goes "
    "on serving. SIGTERM ends it in good order."
    "\n\n"
    "Without a configuration it listens on this machine only, to try it. Every key of the file: "
    "docs/reference/serving.md.",
    examples=(
        Example("ceir serve n17", "5G, on 127.0.0.1:7777, from the workspace's snapshots"),
        Example("ceir serve all --config serve.toml", "as an operator runs it"),
        Example("ceir serve all --config serve.toml --examine", "before it is started in earnest"),
    ),
    function=serve,
    exits={0: "ended by a signal", 1: "no snapshot that may be served, or an address is taken"},
)
