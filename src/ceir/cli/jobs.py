from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError

if TYPE_CHECKING:
    from ceir.registry.background.scheduling import Standing

SHOWN = 10
"""Tasks that failed last; more would hide the jobs."""

What = Annotated[
    Literal["list", "run"], typer.Argument(help="`list`: each with its last run; `run`: one of them, now.")
]
Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="For `run`: which.", show_default=False)]


def jobs(session: Session, what: What = "list", name: Name = None) -> None:
    """Show or run what the register does by itself."""
    if (what == "run") != (name is not None):
        raise UsageError("Which job is to run was not said." if what == "run" else "`list` takes no name.",
                         "ceir jobs run NAME; see them with: ceir jobs")  # fmt: skip
    open_register(session)
    if name is not None:
        _run(session, name)
    else:
        _list(session)


def _run(session: Session, name: str) -> None:
    from ceir.clock import system_clock  # noqa: PLC0415
    from ceir.registry.background.presence import present  # noqa: PLC0415 - Django is set up only now
    from ceir.registry.background.scheduling import run_now  # noqa: PLC0415
    from ceir.registry.jobs import job_named  # noqa: PLC0415

    job = job_named(name)
    with present() as me:
        told = run_now(job, me, system_clock)
    session.data({"job": name, "told": told})
    session.say(f"{name}: {told}.")


def _list(session: Session) -> None:
    from django.db.models import Count  # noqa: PLC0415 - Django is set up only now
    from django_tasks_db.models import DBTaskResult  # noqa: PLC0415

    from ceir.registry.background.scheduling import standings  # noqa: PLC0415

    found = standings(session.now)
    counted = DBTaskResult.objects.order_by().values_list("status").annotate(Count("pk"))
    queue = {status.lower(): count for status, count in sorted(counted)}
    failed = DBTaskResult.objects.failed().order_by("-finished_at")[:SHOWN]
    session.data(
        {
            "jobs": [_data(one) for one in found],
            "tasks": queue,
            "failed_tasks": [
                {"name": t.task_name, "ended": t.finished_at, "error": t.exception_class_path} for t in failed
            ],
        }
    )
    session.say(
        table(
            "Jobs",
            ("job", "every", "last run", "state", "told", "next"),
            [
                (
                    one.job.name,
                    _span(one.job.every),
                    _moment(one.last.started_at if one.last else None),
                    _state(one),
                    one.last.told if one.last else "",
                    "" if one.running else _moment(one.due_at),
                )
                for one in found
            ],
        )
    )
    told = ", ".join(f"{count:,} {status}" for status, count in queue.items())
    session.say(f"\nTasks in the queue: {told or 'none'}.")
    for task in failed:
        session.say(f"  failed {_moment(task.finished_at)}: {task.task_name}: {task.exception_class_path}")


def _data(one: "Standing") -> dict[str, object]:
    last = one.last
    return {
        "name": one.job.name,
        "doc": one.job.doc,
        "every_seconds": one.job.every.total_seconds(),
        "state": str(_state(one)),
        "started": last and last.started_at,
        "ended": last and last.ended_at,
        "told": last.told if last else "",
        "ended_well": last and last.done_at,
        "failures": last.failures if last else 0,
        "due": one.due_at,
        "late": one.late,
    }


def _state(one: "Standing") -> Text:
    if one.running:
        return Text("running, late" if one.late else "running", style="red" if one.late else "green")
    if one.interrupted:
        return Text("interrupted", style="red")
    if one.late:
        return Text("late", style="bold red")
    if one.last is None or one.last.started_at is None:
        return Text("never ran", style="yellow")
    return Text(one.last.outcome, style="green" if one.last.outcome == "done" else "red")


def _moment(at: datetime | None) -> str:
    from django.utils.timezone import localtime  # noqa: PLC0415 - Django is set up by now

    return "" if at is None else f"{localtime(at):%Y-%m-%d %H:%M:%S}"


def _span(span: timedelta) -> str:
    for seconds, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if span.total_seconds() >= seconds and not span.total_seconds() % seconds:
            return f"{span.total_seconds() / seconds:g} {unit}"
    return f"{span.total_seconds():g} s"


COMMAND = Command(
    name="jobs",
    panel=Panel.KEEP,
    place=63,
    purpose="Show what the register does by itself, or do it now.",
    explanation="Deadlines that pass, data whose days are over, releases that go on: each is a job that the "
    "workers of `ceir serve` run again and again, one worker at a time. A job that failed is tried again "
    "sooner than its turn; one that has not ended well for much too long is `late`. What a killed worker had "
    "begun is begun anew. Moments are UTC.",
    examples=(
        Example("ceir jobs", "each with its last run"),
        Example("ceir jobs run personal-shred", "one of them now"),
    ),
    function=jobs,
    exits={0: "shown, or done", 1: "the job failed, or another process is running it"},
)
