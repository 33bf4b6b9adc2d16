"""Merging whom to tell into what is known: only newcomers are encrypted, for that is what takes time."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from django.db import IntegrityError, connection

from ceir.registry.personal.fields import keys
from ceir.registry.runs import loading
from ceir.registry.runs.merging import RunBaseError
from ceir.registry.runs.rows import ContactRow, RunRowsError

Told: TypeAlias = tuple[str, ContactRow]
"""An operator and a row of its notifications."""

_SAME = (
    "s.imei = runs_contact.imei AND s.imsi_key = runs_contact.imsi_key "
    "AND s.msisdn_key = runs_contact.msisdn_key AND s.operator = runs_contact.operator"
)


def merge_contacts(
    read: Callable[[], Iterable[Told]], run: int, at: datetime, *, whole: bool
) -> Mapping[str, int]:
    """Make the contacts those of a run; within a transaction. Who is no longer named has ended and is kept.

    Args:
        read: reads all rows, the same in the same order each time; it is called twice.
        whole: they are all; else what changed.

    Returns: `contacts` in force, `contacts_new`, `contacts_ended`.

    Raises:
        RunRowsError: one is named twice.
        RunBaseError: one that should be gone was never there.
    """
    _stage(read)
    new = _insert_newcomers(read, run)
    loading.execute(
        "UPDATE runs_contact SET block_on = s.block_on, amnesty = s.amnesty, run_id = %s, ended_run = NULL, "
        f"ended_at = NULL FROM staged_contact AS s WHERE {_SAME} AND s.change <> 'removed' "
        "AND (runs_contact.ended_run IS NOT NULL OR runs_contact.block_on <> s.block_on "
        "OR runs_contact.amnesty <> s.amnesty)",
        (run,),
    )
    if whole:
        gone = f"NOT EXISTS (SELECT 1 FROM staged_contact AS s WHERE {_SAME})"
    else:
        gone = f"EXISTS (SELECT 1 FROM staged_contact AS s WHERE {_SAME} AND s.change = 'removed')"
    ended = loading.execute(
        f"UPDATE runs_contact SET ended_run = %s, ended_at = %s WHERE ended_run IS NULL AND {gone}", (run, at)
    )
    loading.drop("TABLE staged_contact")
    loading.analyse("runs_contact")
    ((known,),) = loading.select("SELECT COUNT(*) FROM runs_contact WHERE ended_run IS NULL")
    return {"contacts": int(known), "contacts_new": new, "contacts_ended": ended}


def _stage(read: Callable[[], Iterable[Told]]) -> None:
    octets = "BYTEA" if connection.vendor == "postgresql" else "BLOB"
    loading.temporary(
        "staged_contact",
        f"place BIGINT, change VARCHAR(8), imei BIGINT, imsi_key {octets}, msisdn_key {octets}, "
        "operator VARCHAR(16), block_on DATE, amnesty BOOLEAN",
    )
    keyed = keys().keyed
    loading.load(
        "staged_contact",
        ("place", "change", "imei", "imsi_key", "msisdn_key", "operator", "block_on", "amnesty"),
        (
            (place, r.change, r.imei, keyed("imsi", r.imsi), keyed("msisdn", r.msisdn), operator, r.block_on,
             r.amnesty)
            for place, (operator, r) in enumerate(read())
        ),
    )  # fmt: skip
    try:
        loading.execute(
            "CREATE UNIQUE INDEX staged_contact_once ON staged_contact (imei, imsi_key, msisdn_key, operator)"
        )
    except IntegrityError as error:
        raise RunRowsError(
            "An operator's notifications name the same identity and subscriber twice.",
            "Publish the run again; report it as a fault.",
        ) from error
    loading.analyse("staged_contact")


def _insert_newcomers(read: Callable[[], Iterable[Told]], run: int) -> int:
    unknown = loading.select(
        f"SELECT s.place, s.change FROM staged_contact AS s LEFT JOIN runs_contact ON {_SAME} "
        "WHERE runs_contact.imei IS NULL"
    )
    if any(change == "removed" for _, change in unknown):
        raise RunBaseError(
            "Contacts are taken out that the register never had.",
            "Take over the whole lists of that run instead.",
        )
    places = {place for place, _ in unknown}
    ring = keys()

    def encrypted() -> Iterator[tuple[Any, ...]]:
        for place, (operator, r) in enumerate(read()):
            if place in places:
                yield (
                    r.imei, ring.keyed("imsi", r.imsi), ring.keyed("msisdn", r.msisdn),
                    ring.encrypt("contact.imsi", r.imsi), ring.encrypt("contact.msisdn", r.msisdn),
                    operator, r.block_on, r.amnesty, run,
                )  # fmt: skip

    columns = (
        "imei",
        "imsi_key",
        "msisdn_key",
        "imsi",
        "msisdn",
        "operator",
        "block_on",
        "amnesty",
        "run_id",
    )
    return loading.load("runs_contact", columns, encrypted()) if places else 0
