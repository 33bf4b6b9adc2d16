"""An explanation as a page that a person reads from top to bottom."""

from datetime import date

from rich.padding import Padding
from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._tables import head, pairs, table
from ceir.pipeline.explaining import ExplainedVerdict, Explanation
from ceir.pipeline.explaining_scores import ExplainedScore

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
    if found.ladder:
        _show_ladder(session, found)
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


PROPOSALS = {
    "pair": "goes on; pairing proposed",
    "keep": "goes on",
    "stop": "stops",
    "refuse": "refused: came after the block",
}


def _show_ladder(session: Session, found: Explanation) -> None:
    """Each line that uses the identity: what speaks for and against its being the genuine device's."""
    session.say(head("Who uses it, and whose device is the genuine one"))
    for claim in found.ladder:
        name = claim.imsi or f"line {claim.line}"
        stops = f" on {claim.stops_on.isoformat()}" if claim.stops_on else ""
        session.say(
            Padding(
                Text.assemble(
                    (f"{name}, person {claim.person}", "bold"),
                    f": {claim.answer} (score {claim.score:f}), {PROPOSALS[claim.proposal]}{stops}; "
                    f"known since {claim.since.isoformat()}",
                ),
                (0, 0, 0, 1),
            )
        )
        for says, weight in claim.says:
            session.say(Padding(Text(f"{weight:+f}  {says}"), (0, 0, 0, 3)))
        if not claim.says:
            session.say(Padding(Text("nothing is known for or against"), (0, 0, 0, 3)))
        if claim.side_by_side:
            days = f"{claim.side_by_side} days side by side with the genuine one"
            session.say(Padding(Text(days), (0, 0, 0, 3)))


def _show_score(session: Session, score: ExplainedScore) -> None:
    session.say(
        Padding(
            Text(
                f"Score {score.score:f}: a clone from {score.clone_at:f} with {score.least_signals} "
                f"independent kinds of evidence ({score.signals} speak), undecided from {score.clear_at:f}."
            ),
            (0, 0, 0, 1),
        )
    )
    session.say(Padding(Text(f"{score.prior:+f}  several subscribers, and nothing else"), (0, 0, 0, 3)))
    for says, weight in score.terms:
        session.say(Padding(Text(f"{weight:+f}  {says}"), (0, 0, 0, 3)))
    if score.silent:
        session.say(Padding(Text(f"adds nothing: {', '.join(score.silent)}"), (0, 0, 0, 3)))
    if score.unknown:
        session.say(Padding(Text(f"not known, adds nothing: {', '.join(score.unknown)}"), (0, 0, 0, 3)))
    if score.counterfactual:
        session.say(Padding(Text(score.counterfactual), (0, 0, 0, 1)))
    if not score.calibrated:
        session.say(Padding(Text(f"The weights {score.weights} are not calibrated yet."), (0, 0, 0, 1)))


def _show_verdict(session: Session, verdict: ExplainedVerdict) -> None:
    session.say(head(f"Verdict {verdict.condition}: {verdict.title}"))
    for sentence in verdict.sentences:
        session.say(Padding(Text(sentence), (0, 0, 0, 1)))
    if verdict.score is not None:
        _show_score(session, verdict.score)
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
