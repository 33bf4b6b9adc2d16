"""`ceir serve` for the register: what it needs is looked at and told, then the process becomes the server."""

import os
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.text import Text

from ceir.cli._register import open_or_make_register
from ceir.cli._session import Session
from ceir.cli._tables import head, table
from ceir.interfaces.serving.configuration import read_toml
from ceir.office.configuration import SECTION as REGISTER
from ceir.office.configuration import Office, OfficeConfigurationError, orders, read_office

__all__ = ("REGISTER", "become", "serve_register")


def serve_register(
    session: Session,
    config: Path | None,
    interfaces: Sequence[str],
    check: Callable[[Path | None, Sequence[str]], dict[str, Any] | None],
    *,
    only_examine: bool,
) -> None:
    """Serve the register, and the equipment check beside it if that is asked for.

    Raises:
        OfficeConfigurationError: the configuration cannot be obeyed, or an address is taken.
        DatabaseUnreachableError, DatabaseNotMigratedError: of the database.
    """
    office = read_office(read_toml(config).get(REGISTER, {}), config)
    for host, port in ((office.host, office.port), (office.administration.host, office.administration.port)):
        _require_free(host, port)
    options = open_or_make_register(session)
    if office.tls is not None:
        options = replace(options, tls=True)
    session.data({"register": office, "address": office.address})
    _show(session, office)
    told = orders(office, options, check(config, interfaces))
    if only_examine:
        session.say("\nIt could serve.")
        return
    become("ceir.office", told.model_dump_json())


def become(module: str, told: str) -> None:
    """Go on as a process that loads only what it needs: its orders on standard input, never in arguments."""
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        file.write(told)
        file.flush()
        file.seek(0)
        os.dup2(file.fileno(), sys.stdin.fileno() if sys.stdin else 0)
    os.execv(sys.executable, [sys.executable, "-m", module])  # noqa: S606 - no shell wanted


def _show(session: Session, office: Office) -> None:
    from ceir.registry.accounts.models import Account  # noqa: PLC0415 - Django is set up only now

    at = office.administration
    session.say(head("Register"))
    session.say(
        table(
            "",
            ("what", "address", "for"),
            [
                ("pages", f"{office.address}/admin/", "people"),
                ("API", f"{office.address}/api/v1/", "programs"),
                ("health", f"http://{at.host}:{at.port}", "/healthz, /readyz, /metrics"),
            ],
        )
    )
    session.say()
    if not Account.objects.exists():
        session.say_whole("Nobody can log in yet. In another window: ceir createadmin LOGIN")
    if not session.as_json:
        session.say(Text("Ctrl-C ends it. What happens is told below, a line of JSON each.", style="dim"))


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((host, port))
    except OSError as error:
        raise OfficeConfigurationError(
            f"{host} port {port} cannot be listened on: {error.strerror}.",
            "Look whether the register is served already, or choose another address in --config FILE",
        ) from error
