"""Merging the lines that a run lets go on into what is known: only newcomers are encrypted."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from django.db import IntegrityError, connection

from ceir.registry.personal.fields import keys
from ceir.registry.runs import loading
from ceir.registry.runs.merging import RunBaseError
from ceir.registry.runs.rows import ExceptionRow, RunRowsError

Let: TypeAlias = tuple[str, ExceptionRow]
"""An operator and a row of its exceptions."""

_SAME = (
    "s.imei = runs_excepted.imei AND s.imsi_key = runs_excepted.imsi_key "
    "AND s.msisdn_key = runs_excepted.msisdn_key AND s.operator = runs_excepted.operator"
)


def merge_exceptions(
    read: Callable[[], Iterable[Let]], run: int, at: datetime, *, whole: bool
) -> Mapping[str, int]:
    """Make the lines that go on those of a run; within its transaction. What is no longer named has ended.

    Args:
        read: reads all rows, the same in the same order each time; it is called twice.
        whole: they are all; else what changed.

    Returns: `exceptions` in force, `exceptions_new`, `exceptions_ended`.

    Raises:
        RunRowsError: one is named twice.
        RunBaseError: a change does not fit what the register holds.
    """
    _stage(read)
    if not whole:
        _require_fit()
    new = _insert_newcomers(read, run)
    new += loading.execute(
        f"UPDATE runs_excepted SET run_id = %s, ended_run = NULL, ended_at = NULL FROM staged_excepted AS s "
        f"WHERE {_SAME} AND s.change <> 'removed' AND runs_excepted.ended_run IS NOT NULL",
        (run,),
    )
    if whole:
        gone = f"NOT EXISTS (SELECT 1 FROM staged_excepted AS s WHERE {_SAME})"
    else:
        gone = f"EXISTS (SELECT 1 FROM staged_excepted AS s WHERE {_SAME} AND s.change = 'removed')"
    ended = loading.execute(
        f"UPDATE runs_excepted SET ended_run = %s, ended_at = %s WHERE ended_run IS NULL AND {gone}",
        (run, at),
    )
    loading.drop("TABLE staged_excepted")
    loading.analyse("runs_excepted")
    ((known,),) = loading.select("SELECT COUNT(*) FROM runs_excepted WHERE ended_run IS NULL")
    return {"exceptions": int(known), "exceptions_new": new, "exceptions_ended": ended}


def _stage(read: Callable[[], Iterable[Let]]) -> None:
    octets = "BYTEA" if connection.vendor == "postgresql" else "BLOB"
    loading.temporary(
        "staged_excepted",
        f"place BIGINT, change VARCHAR(8), imei BIGINT, imsi_key {octets}, msisdn_key {octets}, "
        "operator VARCHAR(16)",
    )
    keyed = keys().keyed
    loading.load(
        "staged_excepted",
        ("place", "change", "imei", "imsi_key", "msisdn_key", "operator"),
        (
            (place, r.change, r.imei, keyed("imsi", r.imsi), keyed("msisdn", r.msisdn), operator)
            for place, (operator, r) in enumerate(read())
        ),
    )
    try:
        loading.execute(
            "CREATE UNIQUE INDEX staged_excepted_once "
            "ON staged_excepted (imei, imsi_key, msisdn_key, operator)"
        )
    except IntegrityError as error:
        raise RunRowsError(
            "An operator's exceptions name the same identity and subscriber twice.",
            "Publish the run again; report it as a fault.",
        ) from error
    loading.analyse("staged_excepted")


def _require_fit() -> None:
    """What is added does not go on yet, what is removed does: else somebody would be cut, or let for good."""
    ((wrong,),) = loading.select(
        "SELECT COUNT(*) FROM staged_excepted AS s "
        f"LEFT JOIN runs_excepted ON {_SAME} AND runs_excepted.ended_run IS NULL "
        "WHERE (s.change = 'added') = (runs_excepted.imei IS NOT NULL)"
    )
    if wrong:
        raise RunBaseError(
            f"{wrong} changes of exceptions do not fit what the register holds.",
            "Take over the whole lists of that run instead.",
        )


def _insert_newcomers(read: Callable[[], Iterable[Let]], run: int) -> int:
    unknown = loading.select(
        f"SELECT s.place FROM staged_excepted AS s LEFT JOIN runs_excepted ON {_SAME} "
        "WHERE runs_excepted.imei IS NULL"
    )
    places = {place for (place,) in unknown}
    ring = keys()

    def encrypted() -> Iterator[tuple[Any, ...]]:
        for place, (operator, r) in enumerate(read()):
            if place in places:
                yield (
                    r.imei, r.text, ring.keyed("imsi", r.imsi), ring.keyed("msisdn", r.msisdn),
                    ring.encrypt("excepted.imsi", r.imsi), bool(r.msisdn), operator, run,
                )  # fmt: skip

    columns = ("imei", "text", "imsi_key", "msisdn_key", "imsi", "paired", "operator", "run_id")
    return loading.load("runs_excepted", columns, encrypted()) if places else 0
