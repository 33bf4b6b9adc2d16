"""Merging a run's decisions into what holds, in sets: the same statements for PostgreSQL and SQLite."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from django.db import IntegrityError

from ceir.registry.runs import loading
from ceir.registry.runs.models import Grounds
from ceir.registry.runs.publication import RunRefusedError
from ceir.registry.runs.rows import DecisionRow, RunRowsError

_DIFFERS = (
    "(d.outcome <> s.outcome OR d.since <> s.since OR d.grounds_id <> s.grounds_id "
    "OR d.block_on IS DISTINCT FROM s.block_on)"
)


class RunBaseError(RunRefusedError):
    """Changes do not fit what the register holds."""

    code: ClassVar[str] = "run_base_differs"


def merge_decisions(rows: Iterable[DecisionRow], run: int, *, whole: bool) -> Mapping[str, int]:
    """Make the decisions those of a run, and keep what changed as its history; within a transaction.

    Args:
        rows: all decisions, or what changed of them.
        whole: they are all: what they do not name is resolved.

    Returns: identities by outcome (`blocked` …) and changes by kind (`became_blocked`, `unblocked` …).

    Raises:
        RunBaseError: a change does not fit what the register holds.
        RunRowsError: an identity is named twice.
    """
    _stage(rows)
    if not whole:
        _require_fit()
    _stage_gone(whole=whole)
    _keep_changes(run)
    loading.execute("DELETE FROM runs_decision WHERE imei IN (SELECT imei FROM gone_decision)")
    loading.execute(
        "INSERT INTO runs_decision "
        "(imei, text, outcome, since, block_on, grounds_id, run_id, outcome_run_id) "
        "SELECT s.imei, s.text, s.outcome, s.since, s.block_on, s.grounds_id, %s, %s "
        "FROM staged_decision AS s LEFT JOIN runs_decision AS d ON d.imei = s.imei "
        f"WHERE d.imei IS NULL OR {_DIFFERS} "
        "ON CONFLICT (imei) DO UPDATE SET outcome = excluded.outcome, since = excluded.since, "
        "block_on = excluded.block_on, grounds_id = excluded.grounds_id, run_id = excluded.run_id, "
        "outcome_run_id = CASE WHEN runs_decision.outcome = excluded.outcome "
        "THEN runs_decision.outcome_run_id ELSE excluded.outcome_run_id END",
        (run, run),
    )
    loading.drop("VIEW staged_decision", "TABLE staged_row", "TABLE staged_grounds", "TABLE gone_decision")
    loading.analyse("runs_decision")
    return {**outcomes(), **changes_of(run)}


def outcomes() -> Mapping[str, int]:
    """How many identities have each outcome."""
    return {
        str(outcome): int(n)
        for outcome, n in loading.select("SELECT outcome, COUNT(*) FROM runs_decision GROUP BY outcome")
    }


def changes_of(run: int) -> Mapping[str, int]:
    """How many changes of each kind a run made."""
    counts: dict[str, int] = {}
    for before, after, n in loading.select(
        "SELECT before, after, COUNT(*) FROM runs_change WHERE run_id = %s GROUP BY before, after", (run,)
    ):
        for kind in _kinds(before, after):
            counts[kind] = counts.get(kind, 0) + int(n)
    return counts


def _kinds(before: str, after: str) -> Iterator[str]:
    if before == after:
        yield "changed"
        return
    if before == "blocked":
        yield "unblocked"
    yield f"became_{after}" if after else "resolved"


def _stage(rows: Iterable[DecisionRow]) -> None:
    """Make `staged_row` (all rows that came) and `staged_decision` (those to hold, with their grounds)."""
    loading.temporary(
        "staged_row",
        "change VARCHAR(8), imei BIGINT, text VARCHAR(16), outcome VARCHAR(8), since DATE, block_on DATE, "
        "told INTEGER",
    )
    told: dict[tuple[str, str], int] = {}

    def staged() -> Iterator[tuple[object, ...]]:
        for r in rows:
            place = told.setdefault((r.reasons, r.conditions), len(told))
            yield r.change, r.imei, r.text, r.outcome, r.since, r.block_on, place

    loading.load("staged_row", ("change", "imei", "text", "outcome", "since", "block_on", "told"), staged())
    try:
        loading.execute("CREATE UNIQUE INDEX staged_row_imei ON staged_row (imei)")
    except IntegrityError as error:
        raise RunRowsError(
            "The decisions name an identity twice.", "Publish the run again; report it as a fault."
        ) from error
    loading.analyse("staged_row")
    loading.temporary("staged_grounds", "told INTEGER PRIMARY KEY, id BIGINT")
    loading.load(
        "staged_grounds", ("told", "id"), [(place, _grounds(*texts)) for texts, place in told.items()]
    )
    loading.analyse("staged_grounds")
    loading.execute(
        "CREATE TEMPORARY VIEW staged_decision AS SELECT r.imei, r.text, r.outcome, r.since, r.block_on, "
        "g.id AS grounds_id FROM staged_row AS r JOIN staged_grounds AS g ON g.told = r.told "
        "WHERE r.change <> 'removed'"
    )


def _stage_gone(*, whole: bool) -> None:
    loading.temporary("gone_decision", "imei BIGINT PRIMARY KEY")
    gone = (
        "SELECT d.imei FROM runs_decision AS d LEFT JOIN staged_row AS s ON s.imei = d.imei "
        "WHERE s.imei IS NULL"
        if whole
        else "SELECT imei FROM staged_row WHERE change = 'removed'"
    )
    loading.execute(f"INSERT INTO gone_decision (imei) {gone}")
    loading.analyse("gone_decision")


def _require_fit() -> None:
    """Every added identity is new, every changed or removed one is there."""
    ((wrong,),) = loading.select(
        "SELECT COUNT(*) FROM staged_row AS s LEFT JOIN runs_decision AS d ON d.imei = s.imei "
        "WHERE (s.change = 'added' AND d.imei IS NOT NULL) OR (s.change <> 'added' AND d.imei IS NULL)"
    )
    if wrong:
        raise RunBaseError(
            f"{wrong} changes do not fit what the register holds.",
            "Take over the whole lists of that run instead.",
        )


def _keep_changes(run: int) -> None:
    loading.execute(
        "INSERT INTO runs_change (run_id, imei, before, after, block_on, grounds_id) "
        "SELECT %s, s.imei, COALESCE(d.outcome, ''), s.outcome, s.block_on, s.grounds_id "
        "FROM staged_decision AS s LEFT JOIN runs_decision AS d ON d.imei = s.imei "
        f"WHERE d.imei IS NULL OR {_DIFFERS}",
        (run,),
    )
    loading.execute(
        "INSERT INTO runs_change (run_id, imei, before, after, block_on, grounds_id) "
        "SELECT %s, d.imei, d.outcome, '', NULL, NULL FROM runs_decision AS d "
        "JOIN gone_decision AS g ON g.imei = d.imei",
        (run,),
    )


def _grounds(reasons: str, conditions: str) -> int:
    digest = hashlib.sha256(f"{reasons}\0{conditions}".encode()).digest()[:16]
    found, _ = Grounds.objects.get_or_create(
        digest=digest, defaults={"reasons": reasons, "conditions": conditions}
    )
    return found.pk
