"""Bringing the database up to date while the register goes on, and looking whether it is."""

import io
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from ceir.errors import CeirError

_ONE_AT_A_TIME = 0x6365_6972_6D69_6772
"""The advisory lock of whoever migrates."""

_LOCK_NOT_AVAILABLE = "55P03"
_QUERY_CANCELED = "57014"


class DatabaseUnreachableError(CeirError):
    """The database of the register cannot be reached."""

    code: ClassVar[str] = "database_unreachable"


class DatabaseNotMigratedError(CeirError):
    """The database lacks what this version needs."""

    code: ClassVar[str] = "database_not_migrated"


class MigrationBlockedError(CeirError):
    """Others used a table for so long that it could not be changed; the steps before stay done."""

    code: ClassVar[str] = "migration_blocked"


class MigrationTooLongError(CeirError):
    """A step took longer than it may; it left nothing behind, and the steps before stay done."""

    code: ClassVar[str] = "migration_too_long"


class MigrationRunningError(CeirError):
    """Another process is bringing the database up to date."""

    code: ClassVar[str] = "migration_running"


@dataclass(frozen=True)
class MigrationLimits:
    """How much a migration may be in the way of a register that goes on.

    Args:
        lock_seconds: for a table that others use. Whoever comes meanwhile waits behind, so this is what
            people may notice.
        statement_seconds: for one statement, during which its table may be closed to others.
        tries: of a step that could not have its lock.
        pause_seconds: between two tries.
    """

    lock_seconds: float = 2
    statement_seconds: float = 900
    tries: int = 10
    pause_seconds: float = 3


def pending() -> tuple[str, ...]:
    """Steps that the database lacks, as `app.name`, in their order.

    Raises:
        DatabaseUnreachableError: it cannot be asked.
    """
    from django.db import connection  # noqa: PLC0415 - Django is set up by now
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    with reachable():
        executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def taken() -> tuple[str, ...]:
    """Steps that the database has taken, as `app.name`, sorted.

    Raises:
        DatabaseUnreachableError: it cannot be asked.
    """
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.recorder import MigrationRecorder  # noqa: PLC0415

    with reachable():
        return tuple(
            sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
        )


def known() -> frozenset[str]:
    """Steps that this version knows."""
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415

    return frozenset(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations)


def is_fresh() -> bool:
    """Whether the database holds nothing yet.

    Raises:
        DatabaseUnreachableError: it cannot be asked.
    """
    from django.db import connection  # noqa: PLC0415

    with reachable():
        return not connection.introspection.table_names()


def require_migrated() -> None:
    """Go on if the database is as this version needs it; one that is newer is no hindrance.

    Raises:
        DatabaseUnreachableError, DatabaseNotMigratedError: see there.
    """
    lacking = pending()
    if lacking:
        raise DatabaseNotMigratedError(
            f"The database lacks {len(lacking)} steps that this version needs, the first is {lacking[0]}.",
            "Make a back-up, then bring it up to date with: ceir migrate",
        )


@contextmanager
def reachable() -> Iterator[None]:
    """Within this, a database that does not answer is told as such.

    Raises:
        DatabaseUnreachableError: it does not.
    """
    from django.db.utils import InterfaceError, OperationalError  # noqa: PLC0415

    try:
        yield
    except (OperationalError, InterfaceError) as error:
        # What the driver says names host, port and database, and no password.
        said = " ".join(str(error).split())[:300]
        raise DatabaseUnreachableError(
            f"The register's database does not answer: {said}",
            "See whether it runs, and whether CEIR_DATABASE names it and the password is where "
            "PGPASSFILE says.",
        ) from error


def migrate(
    limits: MigrationLimits | None = None,
    waiting: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[str, ...]:
    """Take the steps that the database lacks, one after the other, each whole or not at all.

    It waits for no lock longer than the limits say, because everybody else waits behind whoever waits. Ended
    at any moment, it goes on where it was when it is called again.

    Args:
        waiting: told which step waits, before each further try.

    Returns: the steps taken, as `app.name`.

    Raises:
        DatabaseUnreachableError: it cannot be reached.
        MigrationRunningError: another process does this.
        MigrationBlockedError, MigrationTooLongError: the limits did not suffice.
    """
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    chosen = limits or MigrationLimits()
    with reachable():
        connection.ensure_connection()
    done: list[str] = []
    with _alone(chosen):
        tries: Counter[str] = Counter()
        while left := pending():
            try:
                _take(done)
            except _StepRefused as refused:
                step = next((one for one in left if one not in done), "")
                tries[step] += 1
                _go_on_after(refused.state, step, tries[step], chosen)
                waiting(step)
                sleep(chosen.pause_seconds)
        # What Django does after all steps: kinds of content and permissions of models that came. Also where
        # no step was left: whoever was killed may not have come to it.
        call_command("migrate", interactive=False, verbosity=0, stdout=io.StringIO())
    return tuple(done)


class _StepRefused(Exception):  # noqa: N818 - never leaves this module
    """The database undid a step; `state` is PostgreSQL's code of why."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


def _take(done: list[str]) -> None:
    """Take all steps that are left, noting each that is done."""
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415
    from django.db.utils import OperationalError  # noqa: PLC0415

    def note(action: str, migration: Any | None = None, fake: bool | None = False) -> None:  # noqa: ARG001 - Django's signature
        if action == "apply_success" and migration is not None:
            done.append(f"{migration.app_label}.{migration.name}")

    class WholeSteps(MigrationExecutor):
        """Steps whose mark is set in the transaction in which they are taken.

        Why: Django sets it in one of its own after a step that leaves statements for its end; a process that
        is killed between the two would try to make tables that are there, for ever.
        """

        def apply_migration(
            self, state: Any, migration: Any, fake: bool = False, fake_initial: bool = False
        ) -> Any:
            if fake or fake_initial or not migration.atomic:
                return super().apply_migration(state, migration, fake, fake_initial)
            with self.connection.schema_editor(atomic=True) as editor:
                state = migration.apply(state, editor)
                for statement in editor.deferred_sql:
                    editor.execute(statement, None)
                editor.deferred_sql.clear()
                # The library of types is behind: Django asks for the step itself.
                self.record_migration(migration)  # type: ignore[call-arg]
            note("apply_success", migration)
            return state

    executor = WholeSteps(connection, note)
    targets = executor.loader.graph.leaf_nodes()
    try:
        executor.migrate(targets, executor.migration_plan(targets))
    except OperationalError as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state is None and "locked" in str(error):
            state = _LOCK_NOT_AVAILABLE
        if state not in (_LOCK_NOT_AVAILABLE, _QUERY_CANCELED):
            raise
        raise _StepRefused(state) from error


def _go_on_after(state: str, step: str, tried: int, limits: MigrationLimits) -> None:
    """Return if the step may be tried once more.

    Raises:
        MigrationBlockedError, MigrationTooLongError: it may not.
    """
    if state == _QUERY_CANCELED:
        raise MigrationTooLongError(
            f"The step {step} took longer than {limits.statement_seconds:g} seconds; it was undone.",
            "Take it at a quiet hour, with --statement-seconds.",
        )
    if tried >= limits.tries:
        raise MigrationBlockedError(
            f"The step {step} could not have its lock in {tried} tries of {limits.lock_seconds:g} seconds."
            f"{_holders()}",
            "End what runs there for so long, then take it again: the steps before stay done.",
        )


def _holders() -> str:
    """Who has been in a transaction for long, on PostgreSQL."""
    from django.db import connection  # noqa: PLC0415

    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, coalesce(application_name, ''), round(extract(epoch FROM now() - xact_start)) "
            "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND xact_start < now() - interval '1 second' ORDER BY xact_start LIMIT 3"
        )
        rows = cursor.fetchall()
    told = ", ".join(f"process {pid} ({name}) for {seconds} s" for pid, name, seconds in rows)
    return f" In transactions are: {told}." if told else ""


@contextmanager
def _alone(limits: MigrationLimits) -> Iterator[None]:
    from django.db import connection  # noqa: PLC0415

    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {int(limits.lock_seconds * 1000)}")
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME])
        row = cursor.fetchone()
        if not (row and row[0]):
            raise MigrationRunningError(
                "Another process is bringing the database up to date.", "Wait until it has ended."
            )
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [_milliseconds(limits.lock_seconds)])
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, false)", [_milliseconds(limits.statement_seconds)]
        )
    try:
        yield
    finally:
        # The session ends, and with it the lock and the limits.
        connection.close()


def _milliseconds(seconds: float) -> str:
    return f"{int(seconds * 1000)}ms"
