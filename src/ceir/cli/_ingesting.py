"""Taking many files in, one after the other, and showing what became of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._tables import head, pairs, table
from ceir.errors import CeirError, UsageError
from ceir.pipeline.catalogue import CheckResult, Ingest
from ceir.pipeline.ingest import Delivery, take_in
from ceir.pipeline.ingest.checking import ChecksFailedError, show
from ceir.pipeline.ingest.opening import FileRefusedError
from ceir.pipeline.workspace import Workspace


@dataclass(frozen=True)
class Outcome:
    """What became of one file: taken in, known already, or refused for a reason."""

    file: Path
    record: Ingest | None
    known: bool = False
    error: CeirError | None = None

    @property
    def state(self) -> str:
        """In one word."""
        if self.record is None:
            return "refused"
        return "unchanged" if self.known else "taken"

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        """What was measured, of a refused file too."""
        if self.record is not None:
            return self.record.checks
        return self.error.results if isinstance(self.error, ChecksFailedError) else ()


def take_all(session: Session, workspace: Workspace, deliveries: Iterable[Delivery]) -> tuple[Outcome, ...]:
    """Take each file in on its own: one that is refused does not stop the others.

    Raises:
        CeirError: for what concerns the workspace or the machine and not one file.
    """
    outcomes = []
    for delivery in deliveries:
        next_id = workspace.catalogue().next_ingest
        try:
            record = take_in(workspace, delivery, session.limits(workspace), session.progress)
        except (FileRefusedError, ChecksFailedError, UsageError) as error:
            outcomes.append(Outcome(delivery.path, None, error=error))
        else:
            outcomes.append(Outcome(delivery.path, record, known=record.id < next_id))
    return tuple(outcomes)


def deliveries(
    source: str,
    files: Sequence[Path],
    received_on: date,
    operator: str | None = None,
    delta: bool = False,
    accepted: Mapping[str, str] | None = None,
) -> tuple[Delivery, ...]:
    """The same word of the bringer for several files."""
    return tuple(Delivery(source, f, received_on, operator, delta, accepted or {}) for f in files)


def quarantine_csv(workspace: Workspace, record: Ingest) -> Path | None:
    """Where the rows that could not be read lie for people; None: there are none."""
    found = [p for p in record.files.get("quarantine", ()) if p.endswith(".csv")]
    return workspace.path(found[0]) if found else None


def data_of(workspace: Workspace, outcome: Outcome) -> dict[str, object]:
    """An outcome for machines."""
    told: dict[str, object] = {"file": outcome.file, "state": outcome.state, "checks": outcome.checks}
    if outcome.record is not None:
        told["ingest"] = outcome.record.model_dump(mode="json", exclude={"days", "files", "checks"})
        told["quarantine"] = quarantine_csv(workspace, outcome.record)
    if outcome.error is not None:
        told["error"] = {
            "code": outcome.error.code,
            "detail": outcome.error.detail,
            "hint": outcome.error.hint,
        }
    return told


def show_outcomes(
    session: Session, workspace: Workspace, outcomes: Sequence[Outcome], *, all_checks: bool
) -> None:
    """A short report a file: counts, checks and where the quarantine lies.

    Args:
        all_checks: show the checks that passed, too.
    """
    for outcome in outcomes:
        session.say(head(_title(outcome)))
        record = outcome.record
        if record is not None:
            session.say(pairs([("rows", _counts(record))]))
            csv = quarantine_csv(workspace, record)
            if csv is not None:
                session.say_whole(Text.assemble(("quarantine  ", "dim"), str(csv)))
        if outcome.error is not None:
            session.say(
                Text.assemble(("refused ", "bold red"), f"[{outcome.error.code}] {outcome.error.detail}")
            )
            session.say(Text.assemble(("hint: ", "bold"), outcome.error.hint))
        if not outcome.known:
            show_checks(session, outcome.checks, everything=all_checks)
    if len(outcomes) > 1:
        _show_sums(session, outcomes)


def _title(outcome: Outcome) -> str:
    record = outcome.record
    if record is None:
        return f"{outcome.file.name}: refused, nothing of it was taken"
    whose = f" of {record.operator}" if record.operator else ""
    if outcome.known:
        return f"{outcome.file.name}: unchanged, it is ingest {record.id} already"
    return f"{outcome.file.name}: ingest {record.id}, {record.source}{whose}"


def _counts(record: Ingest) -> str:
    counts = record.counts
    return (
        f"{counts.read:,} read = {counts.kept:,} kept + {counts.folded:,} folded "
        f"+ {counts.quarantined:,} quarantined"
    )


def show_checks(session: Session, checks: Sequence[CheckResult], *, everything: bool) -> None:
    """What was measured against which limit."""
    if not checks:
        return
    failed = [c for c in checks if not c.passed]
    passed = len(checks) - len(failed)
    if not everything and not failed:
        session.say(pairs([("checks", f"all {passed} passed")]))
        return
    session.say(
        table(
            "",
            ("check", "measured", "limit", "result", "unit"),
            [
                (c.check, show(c.measured), show(c.limit), _result(c), c.unit)
                for c in checks
                if everything or not c.passed
            ],
        )
    )
    if not everything:
        session.say(f"{passed} other checks passed.")


def _result(check: CheckResult) -> Text:
    if check.passed:
        return Text("passed", style="green")
    if check.accepted_because is not None:
        return Text(f"accepted: {check.accepted_because}", style="yellow")
    return Text("failed", style="bold red")


def _show_sums(session: Session, outcomes: Sequence[Outcome]) -> None:
    counted = {state: sum(o.state == state for o in outcomes) for state in ("taken", "unchanged", "refused")}
    told = ", ".join(f"{n} {state}" for state, n in counted.items() if n)
    session.say(f"\n{len(outcomes)} files: {told}.")
