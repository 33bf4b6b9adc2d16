import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._loading import Identity, Interface, Target, TlsFiles, connecting
from ceir.cli._session import Session
from ceir.cli._tables import pairs, share, table
from ceir.cli.declaration import Command, Example, Panel
from ceir.equipment_check import Question
from ceir.errors import UsageError
from ceir.interfaces.load import LoadReport, Plan, put_load
from ceir.interfaces.load.mix import MADE_UP, made_up, mixed, read_questions
from ceir.interfaces.serving.workers import new_event_loop

BUSY = 0.9
"""Share of a processor above which this client, not the server, may be what is measured."""

LATE_SECONDS = 0.05

ONLY_S13, ONLY_N17, ONLY_MAP = "Only S13", "Only N17", "Only MAP"
TLS = "Only TLS"


def load_test(
    session: Session,
    interface: Annotated[Interface, typer.Argument(help="What to ask over: n17, s13 or map.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="[TRANSPORT:]HOST[:PORT]",
            help="The server; the transport is tcp, tls or sctp.",
        ),
    ],
    rate: Annotated[
        float | None,
        typer.Option("--rate", metavar="N", help="Requests a second; without it as many as are answered."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", metavar="N", help="How long.")] = 10,
    connections: Annotated[int, typer.Option("--connections", metavar="N", help="At a time.")] = 4,
    window: Annotated[
        int, typer.Option("--window", metavar="N", help="Most requests that a connection has unanswered.")
    ] = 256,
    imeis: Annotated[
        Path | None,
        typer.Option(
            "--imeis",
            metavar="FILE",
            help="What to ask: an IMEI a line, or CSV with imei, software_version, imsi.",
            show_default=False,
        ),
    ] = None,
    listed: Annotated[
        list[Path] | None,
        typer.Option(
            "--listed",
            metavar="FILE",
            help="A published list, like blocked.csv, from which --listed-share is drawn. May be repeated.",
            show_default=False,
        ),
    ] = None,
    listed_share: Annotated[
        float, typer.Option("--listed-share", metavar="SHARE", help="Of the questions, 0 to 0.99.")
    ] = 0.05,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", help="What is made up or drawn is the same for the same seed."),
    ] = 1,
    authority: Annotated[
        Path | None,
        typer.Option(
            "--authority",
            metavar="PEM",
            help="Who signed the server's certificate (the system's authorities).",
            rich_help_panel=TLS,
            show_default=False,
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate",
            metavar="PEM",
            help="Our own, if the server asks for one.",
            rich_help_panel=TLS,
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="PEM", help="Its key.", rich_help_panel=TLS, show_default=False),
    ] = None,
    origin_host: Annotated[
        str,
        typer.Option(
            "--origin-host", metavar="NAME", help="Who we are; a peer there.", rich_help_panel=ONLY_S13
        ),
    ] = "load-test.localdomain",
    origin_realm: Annotated[
        str, typer.Option("--origin-realm", metavar="NAME", help="Our realm.", rich_help_panel=ONLY_S13)
    ] = "localdomain",
    destination_realm: Annotated[
        str,
        typer.Option(
            "--destination-realm",
            metavar="NAME",
            help="Whom the requests are for (the realm that the server names).",
            rich_help_panel=ONLY_S13,
            show_default=False,
        ),
    ] = "",
    path_prefix: Annotated[
        str,
        typer.Option(
            "--path-prefix",
            metavar="/PATH",
            help="What stands before the API's name.",
            rich_help_panel=ONLY_N17,
            show_default=False,
        ),
    ] = "",
    token: Annotated[
        Path | None,
        typer.Option(
            "--token",
            metavar="FILE",
            help="An access token to show.",
            rich_help_panel=ONLY_N17,
            show_default=False,
        ),
    ] = None,
    map_versions: Annotated[
        str,
        typer.Option(
            "--map-versions",
            metavar="1,2,3",
            help="Of the operation, in turn; 1 and 2 tell the IMSI.",
            rich_help_panel=ONLY_MAP,
        ),
    ] = "3",
    routing_context: Annotated[
        int | None,
        typer.Option(
            "--routing-context",
            metavar="N",
            help="Of the application server.",
            rich_help_panel=ONLY_MAP,
            show_default=False,
        ),
    ] = None,
    point_codes: Annotated[
        str,
        typer.Option("--point-codes", metavar="OURS,THEIRS", help="As numbers.", rich_help_panel=ONLY_MAP),
    ] = "1,2",
) -> None:
    """Put a load on a server."""
    target = Target.parse(interface, to)
    plan = Plan(seconds, rate, connections, window)
    ours, theirs = _numbers(point_codes, "--point-codes", 2, 2)
    identity = Identity(
        (origin_host, origin_realm),
        destination_realm,
        path_prefix,
        token,
        _numbers(map_versions, "--map-versions", 1, 3),
        routing_context,
        (ours, theirs),
    )
    if not {1, 2, 3}.issuperset(identity.map_versions):
        raise UsageError("The operation has the versions 1, 2 and 3.", "Give --map-versions 3, or 1,2,3.")
    questions = _questions(session, imeis, listed or [], listed_share, seed)
    connect = connecting(target, identity, TlsFiles(authority, certificate, key), questions, plan)
    with (
        session.progress.step(f"{interface} load", seconds, "seconds") as step,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        report = runner.run(put_load(connect, plan, step.at))
    session.data(_data(target, plan, report))
    _show(session, target, plan, report)
    if report.errors or report.closed:
        raise typer.Exit(1)


def _questions(
    session: Session, imeis: Path | None, listed: Sequence[Path], part: float, seed: int
) -> Sequence[Question]:
    plain = made_up(MADE_UP, seed) if imeis is None else _read(session, imeis, seed)
    if not listed:
        return plain
    return mixed(plain, [one for path in listed for one in _read(session, path, seed)], part, seed)


def _read(session: Session, path: Path, seed: int) -> Sequence[Question]:
    found = read_questions(path, seed)
    if found.skipped:
        session.note(
            f"{found.skipped:,} lines of {path.name} hold no IMEI of 14 to 16 digits and are left out."
        )
    if found.left_out:
        session.note(f"Of {path.name}, {len(found.questions):,} lines were drawn at random.")
    return found.questions


def _numbers(text: str, option: str, fewest: int, most: int) -> tuple[int, ...]:
    parts = text.split(",")
    if not fewest <= len(parts) <= most or not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"{text!r} are no numbers for {option}.", "See: ceir load-test --help")
    return tuple(int(part) for part in parts)


def _data(target: Target, plan: Plan, report: LoadReport) -> dict[str, object]:
    return {
        "interface": target.interface,
        "transport": target.carrier,
        "to": f"{target.host}:{target.port}",
        "rate_wanted": plan.rate,
        "seconds": round(report.seconds, 3),
        "due": report.due,
        "sent": report.sent,
        "answered": report.answered,
        "answers_per_second": round(report.rate, 1),
        "answers": report.outcomes,
        "errors": report.errors,
        "connections": len(report.connections),
        "connections_closed": report.closed,
        "milliseconds": {_percent(p): round(s * 1000, 3) for p, s in report.percentiles.items()},
        "client_late_milliseconds": round(report.late * 1000, 3),
        "client_processor_share": round(report.processor, 3),
    }


def _show(session: Session, target: Target, plan: Plan, report: LoadReport) -> None:
    wanted = "as many as are answered" if plan.rate is None else f"{plan.rate:,g} a second"
    session.say(
        pairs(
            (
                (
                    "load",
                    f"{target.interface} over {target.carrier}, {plan.connections} connections, {wanted}",
                ),
                ("sent", report.sent),
                ("answered", f"{report.answered:,} in {report.seconds:.1f} s, {report.rate:,.0f} a second"),
                *((("connections closed", report.closed),) if report.closed else ()),
            )
        )
    )
    for title, found in (("Answers", report.outcomes), ("Errors", report.errors)):
        if found:
            rows = sorted(found.items(), key=lambda item: -item[1])
            session.say()
            session.say(
                table(title, ("what", "count", "share"), [(w, n, share(n, report.due)) for w, n in rows])
            )
    if report.percentiles:
        times = [(_percent(p), f"{s * 1000:.2f}") for p, s in report.percentiles.items()]
        session.say()
        session.say(table("Time to the answer", ("of the answers", "ms"), times))
    if report.processor > BUSY and plan.rate is None:
        session.note("This client was at its limit: the server may answer more. Start several.")
    if report.late > LATE_SECONDS:
        session.note(
            f"This client was up to {report.late * 1000:.0f} ms late: times above the median may be its own."
        )


def _percent(percent: float) -> str:
    return "all" if percent == 100 else f"{percent:g} %"


COMMAND = Command(
    name="load-test",
    panel=Panel.NETWORK,
    place=3,
    purpose="Ask an equipment check as a network does, as fast as wanted.",
    explanation="Sends questions to a server of N17, S13 or MAP and tells how many were answered, with "
    "what, and how long it took. Questions come from a file or are made up; a share may ask about listed "
    "equipment. With --rate, a time counts from the moment when the request was due, so that a server that "
    "stalls is not spared. Put a load only on what you may. What is shown holds no IMEI and no IMSI.",
    examples=(
        Example(
            "ceir load-test s13 --to 127.0.0.1:3868 --rate 2000", "2,000 requests a second for 10 seconds"
        ),
        Example(
            "ceir load-test n17 --to tls:eir.example.org:8443 --authority ca.pem",
            "as many as are answered, over TLS",
        ),
        Example(
            "ceir load-test map --to 127.0.0.1 --listed lists/blocked.csv --listed-share 0.02 --json",
            "two in a hundred about blocked equipment",
        ),
    ),
    function=load_test,
    uses="nothing",
    exits={
        0: "every request was answered with a status",
        1: "errors, lost requests or connections; or no connection",
    },
)
