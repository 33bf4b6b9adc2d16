import io

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel


def migrate(session: Session) -> None:
    """Bring the register's database up to date."""
    open_register(session, make=True)
    from django.core.management import call_command  # noqa: PLC0415 - Django is set up only now
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
    call_command("migrate", interactive=False, verbosity=0, stdout=io.StringIO())
    session.data({"database": connection.vendor, "applied": names})
    if names:
        session.say(f"{len(names)} steps applied to the {connection.vendor} database.")
    else:
        session.say(f"The {connection.vendor} database is up to date.")


COMMAND = Command(
    name="migrate",
    panel=Panel.KEEP,
    place=60,
    purpose="Bring the register's database up to date.",
    explanation="Makes the tables of the register, or changes them to what this version needs. The first "
    "time it also draws the secret that signs sessions and the keys of personal data. Done again it does "
    "nothing. "
    "The database is CEIR_DATABASE, or a file in the workspace.",
    examples=(Example("ceir migrate", "after installing, and after every update"),),
    function=migrate,
    uses="change",
)
