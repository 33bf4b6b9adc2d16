"""Worlds through the product's public face: `ceir ingest`, `ceir classify`, tables of the run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from typer.testing import CliRunner

from ceir.cli.main import whole
from ceir.rules import all_rules
from ceir.sources import all_sources

SHARED = "shared"
"""Condition that every identity with several subscribers matches, so that the run keeps its facts."""

PEER = {
    "peer_threshold": "{ rule = 'too_many_imsis', threshold = 5, window_days = 120 }",
    "peer_daily": "{ rule = 'too_many_imsis_daily', threshold = 2.0, window_days = 30, min_seen_days = 2 }",
}
"""The open-source peer's rules with the parameters of its documented sample; either one counts."""

WINDOW = 90
"""Days that facts look back, where a rule lets one choose."""

SIGNALS: Mapping[str, str] = {
    "too_many_imsis": "threshold = 5",
    "too_many_imsis_daily": "threshold = 2.0, min_seen_days = 2",
    "too_many_persons": "threshold = 3",
    "too_many_persons_daily": "threshold = 2.0, min_seen_days = 2",
    "used_by_strangers": "",
    "parallel_subscribers": "",
    "steady_sharing": "",
    "alternating_subscribers": "",
    "simultaneous_sessions": "",
    "impossible_journey": "",
    "separate_homes": "",
    "split_technology": "",
    "software_flip_flop": "",
    "fingerprint_disagreement": "",
    "resurrected": "",
    "used_after_scrapping": "",
    "pair_never_together": "",
    "rat_exceeds_capability": "",
    "seen_before_release": "",
}
"""Rules that are measured one by one where this version has them, with what they require beside a window."""


class BenchError(RuntimeError):
    """A command of the product refused what the benchmark asked."""


@dataclass(frozen=True)
class Answers:
    """What a run says.

    Args:
        matched: IMEIs of each condition.
        facts: every fact of shared identities, by IMEI.
        claims: answer of each (imei, imsi); None: this version has no such table.
        scores: score of identities that the product's rules called clone or undecided, in natural log-odds.
    """

    as_of: date
    matched: Mapping[str, frozenset[str]]
    facts: Mapping[str, Mapping[str, Any]]
    claims: Mapping[tuple[str, str], str] | None
    scores: Mapping[str, float]


def conditions(weights: str | None) -> dict[str, str]:
    """The policy's conditions by label: shared, the peer's, each signal, and the score's answers."""
    rules = all_rules()
    # The first use of a fact gives the column its plain name: those of the score's window come first.
    found = {SHARED: f"{{ rule = 'too_many_imsis', threshold = 2, window_days = {WINDOW} }}"}
    for name, given in SIGNALS.items():
        if name not in rules:
            continue
        known = {parameter.name: parameter for parameter in rules[name].parameters}
        window = f"window_days = {WINDOW}" if "window_days" in known else ""
        found[f"signal_{name}"] = (
            f"{{ rule = '{name}'{''.join(f', {part}' for part in (given, window) if part)} }}"
        )
    if "cloned" in rules:
        named = f", weights = '{weights}'" if weights else ""
        found["cloned"] = f"{{ rule = 'cloned'{named} }}"
        found["perhaps_cloned"] = f"{{ rule = 'perhaps_cloned'{named} }}"
    return {**found, **PEER}


def policy_text(operators: Sequence[tuple[str, str]], weights: str | None = None) -> str:
    """A policy that counts and blocks nothing; limits on files are wide, for worlds are small."""
    lines = ["name = 'clones'", "version = 1", "mode = 'permissive'", "", "[country]", "name = 'Bench'"]
    lines.append("country_codes = ['22']")
    for operator, plmn in operators:
        lines += [
            "",
            "[[operators]]",
            f"id = '{operator}'",
            f"name = '{operator}'",
            f"plmns = ['{plmn[:3]}-{plmn[3:]}']",
        ]
    lines += [
        "",
        "[retention]",
        "subscriber_months = 12",
        "",
        "[lists]",
        "look_back_days = 30",
        "",
        "[checks.observations]",
    ]
    lines += [
        f"{check.name} = {0 if check.passes == 'at least' else 1000}"
        for check in all_sources()["observations"].checks
    ]
    for label, rule in conditions(weights).items():
        lines += ["", f"[conditions.{label}]", f"all = [{rule}]", f"reason = '{label}'"]
    return "\n".join(lines) + "\n"


class Bench:
    """A workspace, worked with as a person would."""

    def __init__(self, root: Path, policy: str) -> None:
        self.root = root
        given = root.with_name(f"{root.name}.toml")
        given.write_text(policy, encoding="utf-8")
        self._ceir("init", root, "--policy", given, where=False)

    @classmethod
    def at(cls, root: Path) -> "Bench":
        """A workspace that is there already."""
        bench = cls.__new__(cls)
        bench.root = root
        return bench

    def follow(self, policy: str) -> None:
        """Puts another policy in force."""
        (self.root / "policy.toml").write_text(policy, encoding="utf-8")

    def take(self, files: Mapping[str, Sequence[Path]], received: date) -> dict[str, int]:
        """Ingests the files of each source; sources that this version does not know are left out.

        Returns: files of each source that were taken in.
        """
        taken = {}
        for source in ("tac", *sorted(set(files) - {"tac"})):
            if source in all_sources() and files.get(source):
                self._ceir("ingest", source, *files[source], "--received-on", received.isoformat())
                taken[source] = len(files[source])
        return taken

    def classify(self, as_of: date) -> Answers:
        """Classifies a day and reads what the run says."""
        self._ceir("classify", "--as-of", as_of.isoformat())
        return read_answers(self.root, as_of)

    def _ceir(self, *line: object, where: bool = True) -> str:
        before = ["--workspace", str(self.root), "--memory-gb", "4"] if where else []
        result = CliRunner().invoke(whole(), [str(line[0]), *map(str, line[1:]), *before])
        if result.exit_code:
            raise BenchError(f"ceir {line[0]} {line[1] if len(line) > 1 else ''}: {result.output}")
        return result.output


def read_answers(workspace: Path, as_of: date) -> Answers:
    """What the newest run of a workspace for a day says."""
    runs = json.loads((workspace / "catalogue.json").read_text(encoding="utf-8"))["runs"]
    mine = [run for run in runs if run["as_of"] == as_of.isoformat()]
    if not mine:
        raise BenchError(f"There is no run for {as_of}.")
    folder = workspace / "runs" / f"{mine[-1]['id']:05d}"
    told = mine[-1].get("claims")
    verdicts = _rows(folder / "verdicts", "imei, condition")
    matched: dict[str, set[str]] = {}
    for row in verdicts:
        matched.setdefault(row["condition"], set()).add(_text(row["imei"]))
    facts = {
        _text(row["imei"]): {name: value for name, value in row.items() if name not in {"imei", "matched"}}
        for row in _rows(folder / "evidence", "*")
        if row["imei"] >= 0
    }
    claims = _rows(workspace / told, "imei, imsi, answer") if told else None
    scores = _rows(folder / "suspects", "imei, score") if (folder / "suspects").exists() else []
    return Answers(
        as_of,
        {label: frozenset(imeis) for label, imeis in matched.items()},
        facts,
        None if claims is None else {(_text(r["imei"]), str(r["imsi"])[1:]): r["answer"] for r in claims},
        {_text(row["imei"]): row["score"] / 1000 for row in scores},
    )


def _rows(folder: Path, columns: str) -> list[dict[str, Any]]:
    found = duckdb.connect().execute(f"SELECT {columns} FROM read_parquet('{folder}/**/*.parquet')")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _text(imei: int) -> str:
    return f"{imei:014d}" if imei >= 0 else str(imei)
