from typing import Annotated

import typer

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.registry.project import migrating
from ceir.registry.project.migrating import MigrationLimits

LIMITS = MigrationLimits()
LockSeconds = Annotated[
    float,
    typer.Option(
        "--lock-seconds",
        metavar="SECONDS",
        min=0.1,
        max=600,
        help="How long to wait for a table that others use, each try.",
    ),
]
StatementSeconds = Annotated[
    float,
    typer.Option(
        "--statement-seconds", metavar="SECONDS", min=1, max=86400, help="How long one statement may take."
    ),
]
Tries = Annotated[int, typer.Option("--tries", metavar="N", min=1, max=1000, help="Of a step that waits.")]
OnlyShow = Annotated[bool, typer.Option("--plan", help="Show the steps that would be taken, take none.")]


def migrate(
    session: Session,
    lock_seconds: LockSeconds = LIMITS.lock_seconds,
    statement_seconds: StatementSeconds = LIMITS.statement_seconds,
    tries: Tries = LIMITS.tries,
    only_show: OnlyShow = False,
) -> None:
    """Bring the register's database up to date."""
    open_register(session, make=not only_show, as_it_is=True, undecided=True)
    from django.db import connection  # noqa: PLC0415 - Django is set up only now

    if only_show:
        plan = migrating.pending()
        session.data({"database": connection.vendor, "pending": plan})
        session.say("\n".join(plan) if plan else f"The {connection.vendor} database is up to date.")
        return
    taken = migrating.migrate(
        MigrationLimits(lock_seconds, statement_seconds, tries),
        waiting=lambda step: session.note(f"{step} waits for a table that others use; it is tried again."),
    )
    session.data({"database": connection.vendor, "applied": taken})
    if taken:
        session.say(f"{len(taken)} steps applied to the {connection.vendor} database.")
    else:
        session.say(f"The {connection.vendor} database is up to date.")


COMMAND = Command(
    name="migrate",
    panel=Panel.KEEP,
    place=60,
    purpose="Bring the register's database up to date.",
    explanation="Makes the tables of the register, or changes them to what this version needs. The first "
    "time it also draws the secret that signs sessions and the keys of personal data. Done again it does "
    "nothing; interrupted, it goes on where it was. The register may go on meanwhile: no lock is waited for "
    "longer than said, each step is whole or not at all. "
    "The database is CEIR_DATABASE, or a file in the workspace.",
    examples=(
        Example("ceir migrate", "after installing, and after every update"),
        Example("ceir migrate --plan", "what an update would change"),
    ),
    function=migrate,
    uses="change",
    exits={1: "the database does not answer, or a table could not be had", 0: "up to date"},
)
