from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli._tables import pairs, table
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError

What = Annotated[
    Literal["check", "show", "untold", "send"],
    typer.Argument(
        help="check: read the file that says how people are told. show: where notices stand. untold: blocks "
        "of which nobody was told. send: plan and send what is due, once.",
        show_default=False,
    ),
]
Days = Annotated[
    int, typer.Option("--days", metavar="N", min=0, max=366, help="Of blocks that come within so many days.")
]


def notices(session: Session, what: What, days: Days = 30) -> None:
    """Tell people before their device is blocked, and see who was not told."""
    options = open_register(session)
    if options.notices is None:
        raise UsageError(
            "Nothing says how people are told.", "Write notices.toml, or name a file in CEIR_NOTICES."
        )
    {"check": _check, "show": _show, "untold": _untold, "send": _send}[what](session, days, options.notices)


def _check(session: Session, days: int, path: Path) -> None:  # noqa: ARG001 - as all are called

    from ceir.registry.notices.opening import outlet  # noqa: PLC0415
    from ceir.registry.notices.terms import Untold  # noqa: PLC0415

    with outlet(path) as found:
        terms, routes = found.terms, found.routes
    quiet = f"{terms.quiet.begin:%H:%M} to {terms.quiet.end:%H:%M}, {terms.quiet.zone.key}"
    hold = f"held back for {terms.hold_days} days" if terms.untold is Untold.HOLD else "comes on its day"
    ways = [
        {"name": r.name, "operators": list(r.operators), "codes_and_answers": r.rest, "address": r.address}
        for r in routes
    ]
    session.data({"days": list(terms.days), "languages": list(terms.languages), "gateways": ways})
    session.say(
        pairs(
            (
                ("days before a block", ", ".join(map(str, terms.days))),
                ("languages", ", ".join(terms.languages)),
                ("quiet hours", quiet),
                ("a block that nobody could be told of", hold),
            )
        )
    )
    rows = [(r.name, ", ".join(r.operators) or "everybody else", r.rest) for r in routes]
    session.say(table("gateways", ("name", "operators", "codes and answers"), rows))


def _show(session: Session, days: int, path: Path) -> None:  # noqa: ARG001 - as all are called
    from django.db.models import Count  # noqa: PLC0415 - Django is set up only now

    from ceir.registry.notices.models import Notice  # noqa: PLC0415
    from ceir.registry.notices.unreached import counts  # noqa: PLC0415
    from ceir.registry.releases.models import Hold  # noqa: PLC0415

    stand = list(
        Notice.objects.values_list("event", "state").annotate(Count("pk")).order_by("event", "state")
    )
    reach = counts(session.today, session.today + timedelta(days=days))
    held = Hold.objects.filter(ended_at__isnull=True).count()
    session.data(
        {
            "notices": [{"event": e, "state": s, "count": n} for e, s, n in stand],
            "blocks": {r.value: n for r, n in reach.items()},
            "held": held,
        }
    )
    if stand:
        session.say(table("notices", ("event", "state", "count"), stand))
    else:
        session.say("Nobody was told anything yet.")
    rows = sorted((r.value, n) for r, n in reach.items())
    if rows:
        session.say(table(f"devices whose block comes within {days} days", ("told", "devices"), rows))
    else:
        session.say(f"No block comes within {days} days.")
    session.say(f"{held:,} devices are held back because nobody could be told.")


def _untold(session: Session, days: int, path: Path) -> None:
    from django.conf import settings  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415

    from ceir.registry.notices.configuration import read_configuration  # noqa: PLC0415
    from ceir.registry.notices.unreached import not_told, reached  # noqa: PLC0415

    wanted = not_told(read_configuration(path, settings.TIME_ZONE).terms)
    with transaction.atomic():
        found = [
            one for one in reached(session.today, session.today + timedelta(days=days)) if one.reach in wanted
        ]
    session.data(
        [
            {
                "imei": one.identity,
                "block_on": one.block_on.isoformat(),
                "reach": one.reach.value,
                "held_until": one.held_until.isoformat() if one.held_until else None,
            }
            for one in found
        ]
    )
    session.say(
        table(
            f"{len(found):,} blocks of which nobody was told yet",
            ("imei", "block date", "how far", "held until"),
            [(one.identity, one.block_on, one.reach.value, one.held_until) for one in found],
        )
    )


def _send(session: Session, days: int, path: Path) -> None:  # noqa: ARG001 - as all are called

    from ceir.registry.actors import SYSTEM  # noqa: PLC0415
    from ceir.registry.codes.drawing import random_draw  # noqa: PLC0415
    from ceir.registry.notices.jobs import send_all  # noqa: PLC0415
    from ceir.registry.notices.opening import outlet  # noqa: PLC0415
    from ceir.registry.notices.planning import plan_notices  # noqa: PLC0415
    from ceir.registry.notices.reports import settle  # noqa: PLC0415

    with outlet(path) as found:
        planned = plan_notices(found.terms, draw=random_draw(), actor=SYSTEM, at=session.now)
        sent = send_all(found, session.now)
        settle(found.terms, at=session.now)
    session.data({"planned": planned, "sent": dict(sent)})
    session.say(f"{planned:,} notices planned.")
    if sent:
        session.say(table("", ("became", "notices"), sorted(sent.items())))
    else:
        session.say("Nothing was due.")


COMMAND = Command(
    name="notices",
    panel=Panel.KEEP,
    place=64,
    purpose="Tell people before their device is blocked.",
    explanation="Who is told, in which languages and at which hours, and through which gateways, stands in "
    "notices.toml; docs/notices.md says how. The register's worker plans and sends by itself; `send` does it "
    "once, where no worker runs. A message whose fate is not known is never sent twice.",
    examples=(
        Example("ceir notices check", "after changing notices.toml"),
        Example("ceir notices show", "what was sent, delivered, and what was not"),
        Example("ceir notices untold --days 7", "who would be cut off next week without having been told"),
    ),
    function=notices,
    uses="workspace",
)
