from typing import Annotated

import typer

from ceir.cli._options import AsOf
from ceir.cli._session import Session
from ceir.cli._tables import pairs
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.retaining import PruneReport
from ceir.pipeline.retaining import prune as prune_workspace


def prune(
    session: Session,
    as_of: AsOf = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be dropped.", show_default=False)
    ] = False,
) -> None:
    """Drop personal data that is overdue."""
    day = as_of or session.today
    with session.changing() as workspace:
        report = prune_workspace(
            workspace, day, session.limits(workspace), dry_run=dry_run, progress=session.progress
        )
    session.data({"as_of": day, "dry_run": dry_run, **vars(report)})
    _show(session, report, dry_run=dry_run)


def _show(session: Session, report: PruneReport, *, dry_run: bool) -> None:
    if not any((report.files, report.publications, report.quarantines, report.lists, report.claims)):
        session.say("No personal data is overdue: nothing to drop.")
        return
    session.say("This would be dropped; nothing was changed:" if dry_run else "Dropped:")
    months = ", ".join(f"{m // 100}-{m % 100:02d}" for m in report.months)
    session.say(
        pairs(
            [
                ("months without subscribers now", months or "none"),
                ("files of observations and sightings", report.files),
                *([] if dry_run else [("rows folded away", report.rows)]),
                ("runs whose lists are deleted", report.publications),
                ("quarantine files", report.quarantines),
                ("superseded lists", report.lists),
                ("runs whose claims on copied identities are deleted", report.claims),
            ]
        )
    )


COMMAND = Command(
    name="prune",
    panel=Panel.KEEP,
    purpose="Drop personal data that is older than the policy keeps it.",
    explanation="Subscribers (IMSI, MSISDN) of older months leave the lake, and with them older quarantined "
    "rows, sightings and lists. What the equipment did stays, and so do verdicts and blocked lists. The "
    "months kept are retention.subscriber_months of the policy; the day is today, or that of --as-of.",
    examples=(
        Example("ceir prune --dry-run", "what would be dropped today"),
        Example("ceir prune", "drop it; once a month is enough"),
    ),
    function=prune,
    uses="change",
    computes=True,
)
