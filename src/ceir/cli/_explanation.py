"""An explanation as a page that a person reads from top to bottom."""

from datetime import date

from rich.padding import Padding
from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._tables import head, pairs, table
from ceir.pipeline.explaining import ExplainedVerdict, Explanation

OUTCOMES = {
    "blocked": ("blocked", "bold red"),
    "notified": ("will be blocked; its users are told", "bold yellow"),
    "tracked": ("served and tracked", "yellow"),
    "spared": ("golden: spared whatever its verdicts", "green"),
    "trial": ("served; only conditions on trial match", "green"),
    "none": ("served", "green"),
}


def show_explanation(session: Session, found: Explanation) -> None:
    """All of it, the outcome first."""
    words, style = OUTCOMES[found.outcome]
    day = f" as of {found.as_of.isoformat()} (run {found.run})" if found.as_of else ""
    session.say(Text.assemble((found.text, "bold"), ": ", (words, style), day))
    for title, rows in (("Identity", found.identity), ("Model", found.model), ("Seen", found.seen)):
        if rows:
            session.say(head(title))
            session.say(pairs(rows))
    if found.lists:
        session.say(head("On reference lists"))
        session.say(
            pairs((e.list, "; ".join(f"{n} {v}" for n, v in e.details) or "listed") for e in found.lists)
        )
    for verdict in sorted(found.verdicts, key=lambda v: (v.block_on or date.max, v.condition)):
        _show_verdict(session, verdict)
    if found.ended:
        session.say()
        session.say(
            table(
                "Verdicts that ended",
                ("condition", "from", "to", "ended by run"),
                [(e.condition, e.first_matched_on, e.ended_on, e.run) for e in found.ended],
            )
        )
    session.say(head("What follows"))
    for step in found.next_steps:
        if step:
            session.say(Padding(Text(f"• {step}"), (0, 0, 0, 1)))
    if found.subscribers:
        session.say()
        session.say(
            table("Subscribers seen with it", ("IMSI", "number", "operator", "last seen"), found.subscribers)
        )


def _show_verdict(session: Session, verdict: ExplainedVerdict) -> None:
    session.say(head(f"Verdict {verdict.condition}: {verdict.title}"))
    for sentence in verdict.sentences:
        session.say(Padding(Text(sentence), (0, 0, 0, 1)))
    state = verdict.state if verdict.matching else f"{verdict.state}; no longer observed, kept by the policy"
    rows: list[tuple[str, object]] = [
        ("since", verdict.first_matched_on),
        ("consequence", state),
        ("rules", ", ".join(verdict.rules)),
        *((title, f"{value} {unit}".strip()) for title, value, unit in verdict.evidence),
    ]
    session.say(Padding(pairs(rows), (0, 0, 0, 1)))
    for told in verdict.rows:
        title = f"{told.title} ({told.more} more)" if told.more else told.title
        session.say(Padding(table(title, told.headings, told.rows), (0, 0, 0, 1)))
