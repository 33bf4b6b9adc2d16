"""The identities that a run calls clones or cannot settle, with what would happen to their users."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from ceir.pipeline.catalogue import Run
from ceir.pipeline.classify.claiming import name_past_claims, name_past_suspects
from ceir.pipeline.classify.inputs import name_inputs
from ceir.pipeline.engines import Engine
from ceir.pipeline.exporting import run_named
from ceir.pipeline.workspace import Workspace, disk_errors
from ceir.weights.declaration import THOUSANDTHS

HEADER = (
    "imei",
    "answer",
    "score",
    "signals",
    "lines",
    "persons",
    "pair",
    "keep",
    "stop",
    "refuse",
    "conditions",
)


@dataclass(frozen=True)
class Suspect:
    """An identity and its users; no subscriber is named.

    Args:
        answer: the strongest of the policy's conditions.
        signals: independent kinds of evidence that speak.
        lines: subscribers that use it now.
        pair: lines of the genuine user, if one is decided.
        keep: lines that go on because nobody can say.
        stop: lines of clones.
        refuse: lines that came after the block began.
    """

    imei: str
    answer: Literal["clone", "undecided"]
    score: Decimal
    signals: int
    lines: int
    persons: int
    pair: int
    keep: int
    stop: int
    refuse: int
    conditions: tuple[str, ...]


def suspects(
    workspace: Workspace, name: str, engine: Engine, answer: Literal["clone", "undecided"] | None = None
) -> tuple[Run, tuple[Suspect, ...]]:
    """The suspected identities of a run, those with the highest score first.

    Args:
        answer: only those with this answer.

    Raises:
        UsageError: there is no such run.
    """
    catalogue = workspace.catalogue()
    run = run_named(catalogue, name)
    name_inputs(engine, workspace, catalogue)
    name_past_suspects(engine, workspace, "suspects", run)
    name_past_claims(engine, workspace, "claims", run)
    proposals = ", ".join(
        f"SUM(CASE WHEN proposal = '{p}' THEN 1 ELSE 0 END) AS {p}_lines"
        for p in ("pair", "keep", "stop", "refuse")
    )
    labels: dict[int, list[str]] = {}
    for imei, label in engine.rows("SELECT imei, condition FROM suspects ORDER BY imei, condition"):
        labels.setdefault(int(str(imei)), []).append(str(label))
    rows = engine.rows(
        "SELECT s.imei, CASE WHEN s.imei >= 0 THEN LPAD(CAST(s.imei AS VARCHAR), 14, '0') ELSE m.text END "
        "AS text, "
        "s.clone, s.score, s.signals, c.lines, c.persons, c.pair_lines, c.keep_lines, c.stop_lines, "
        "c.refuse_lines FROM (SELECT imei, BOOL_OR(answer = 'clone') AS clone, MAX(score) AS score, "
        "MAX(signals) AS signals FROM suspects GROUP BY imei) AS s "
        "LEFT JOIN malformed AS m ON m.imei = s.imei "
        f"LEFT JOIN (SELECT imei, COUNT(*) AS lines, MAX(person) AS persons, {proposals} FROM claims "
        "GROUP BY imei) AS c ON c.imei = s.imei ORDER BY s.score DESC, text"
    )
    found = (_suspect(row, tuple(labels[int(str(row[0]))])) for row in rows)
    return run, tuple(s for s in found if answer in (None, s.answer))


def write_suspects(found: Sequence[Suspect], out: Path) -> None:
    """Write them as CSV; conditions joined by |.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    fresh = out.with_name(f".{out.name}.new")
    with disk_errors():
        with fresh.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            for s in found:
                numbers = (s.lines, s.persons, s.pair, s.keep, s.stop, s.refuse)
                writer.writerow(
                    (s.imei, s.answer, f"{s.score:f}", s.signals, *numbers, "|".join(s.conditions))
                )
        fresh.replace(out)


def _suspect(row: tuple[object, ...], labels: tuple[str, ...]) -> Suspect:
    lines, persons, pair, keep, stop, refuse = (int(str(value or 0)) for value in row[5:])
    return Suspect(
        imei=str(row[1]),
        answer="clone" if row[2] else "undecided",
        score=Decimal(int(str(row[3]))) / THOUSANDTHS,
        signals=int(str(row[4])),
        lines=lines,
        persons=persons,
        pair=pair,
        keep=keep,
        stop=stop,
        refuse=refuse,
        conditions=labels,
    )
