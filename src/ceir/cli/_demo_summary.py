"""The demonstration's summary: what came in, what was found, what went out, and what was hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType
from rich.rule import Rule
from rich.text import Text

from ceir.cli._demo_truth import Score
from ceir.cli._explanation import show_explanation
from ceir.cli._ingesting import Outcome
from ceir.cli._running import conditions_table, lists_table
from ceir.cli._session import Session
from ceir.cli._tables import share, table
from ceir.pipeline.catalogue import Publication, Run
from ceir.pipeline.explaining import Explanation
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy


@dataclass(frozen=True)
class Demonstration:
    """Everything that the demonstration did."""

    folder: Path
    workspace: Workspace
    policy: Policy
    outcomes: tuple[Outcome, ...]
    run: Run
    publication: Publication
    score: Score
    explanation: Explanation | None
    seconds: float


def show_summary(session: Session, demo: Demonstration) -> None:
    """All tables, from the files in to what to try next."""
    _part(session, "What came in")
    session.say(_files_table(demo.outcomes))
    _part(session, f"What was found: run {demo.run.id}, as of {demo.run.as_of.isoformat()}")
    session.say(
        f"{demo.run.equipment:,} pieces of equipment, {demo.run.verdicts:,} verdicts in force, under the "
        f"policy {demo.policy.name}.\n"
    )
    session.say(conditions_table(demo.policy, demo.run))
    _part(session, "What goes out to the operators")
    session.say(lists_table(demo.run.publications[0], demo.publication))
    _part(session, "What was hidden, and how much of it was found")
    session.say(_truth_table(demo.score))
    session.say(
        f"\nOf {demo.score.honest:,} identities used honestly and alone, a blocking condition matches "
        f"{demo.score.blocked:,}.\nNumbers of a made-up country: they show what rules do, not how well they "
        "do in the field."
    )
    if demo.explanation is not None:
        _part(session, "One verdict, explained")
        show_explanation(session, demo.explanation)
    _part(session, f"Done in {demo.seconds:.0f} seconds: where it lies, and what to try next")
    for name, path in _places(demo):
        session.say_whole(Text.assemble((f"{name:22} ", "dim"), str(path)))
    session.say("\nTry:")
    for line, why in _next(demo):
        session.say(Text(f"  # {why}", style="dim"))
        session.say_whole(Text(f"  {line}", style="bold"))


def summary_data(demo: Demonstration) -> dict[str, object]:
    """The same for machines."""
    return {
        "folder": demo.folder,
        "workspace": demo.workspace.root,
        "seconds": round(demo.seconds, 1),
        "files": [
            {"source": s, "files": n, "rows": r, "kept": k, "folded": f, "quarantined": q}
            for s, n, r, k, f, q in _by_source(demo.outcomes)
        ],
        "run": demo.run.model_dump(mode="json", exclude={"list_states", "inputs"}),
        "lists": demo.publication.rows,
        "truth": demo.score,
        "explained": demo.explanation.text if demo.explanation else None,
    }


def _part(session: Session, title: str) -> None:
    session.say()
    session.say(Rule(Text(title, style="bold"), align="left"))
    session.say()


def _by_source(outcomes: Sequence[Outcome]) -> list[tuple[str, int, int, int, int, int]]:
    rows = []
    records = [o.record for o in outcomes if o.record is not None and not o.known]
    for source in dict.fromkeys(r.source for r in records):
        counts = [r.counts for r in records if r.source == source]
        rows.append(
            (
                source,
                len(counts),
                sum(c.read for c in counts),
                sum(c.kept for c in counts),
                sum(c.folded for c in counts),
                sum(c.quarantined for c in counts),
            )
        )
    return sorted(rows, key=lambda row: -row[2])


def _files_table(outcomes: Sequence[Outcome]) -> RenderableType:
    rows = _by_source(outcomes)
    sums = ("all", *(sum(row[i] for row in rows) for i in range(1, 6)))  # type: ignore[misc]
    return table("", ("source", "files", "rows", "kept", "folded", "quarantined"), [*rows, sums])


def _truth_table(score: Score) -> RenderableType:
    rows = []
    for kind in score.found:
        by = kind.best or ("–" if kind.conditions else "nobody looks for it")
        rows.append((kind.words, kind.hidden, kind.found, share(kind.found, kind.hidden), by))
    return table("", ("identities", "hidden", "found", "share", "most of them by"), rows)


def _places(demo: Demonstration) -> list[tuple[str, Path]]:
    return [
        ("the country's files", demo.folder / "files"),
        ("the truth behind them", demo.folder / "files" / "truth.parquet"),
        ("the workspace", demo.workspace.root),
        ("its newest lists", demo.workspace.path(demo.publication.path)),
    ]


def _next(demo: Demonstration) -> list[tuple[str, str]]:
    where = f"ceir --workspace {demo.workspace.root}"
    imei = demo.explanation.text if demo.explanation else "IMEI"
    compare = (
        (f"{where} diff {demo.run.parent} {demo.run.id}", "what a month changed")
        if demo.run.parent is not None
        else (f"{where} runs", "the run that was made")
    )
    return [
        (f"{where} explain {imei} --subscribers", "the same identity, with who was seen with it"),
        compare,
        (f"{where} ingest undo {_last(demo)} --because 'a try'", "take a file back, then: ceir run"),
    ]


def _last(demo: Demonstration) -> int:
    """The newest ingest of observations."""
    records = [o.record for o in demo.outcomes if o.record is not None]
    return max(record.id for record in records if record.source == "observations")
