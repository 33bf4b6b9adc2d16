"""What checks found, kept by round; sealed like the lists, for it names their IMEIs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from ceir.registry.imports.models import Consignment
from ceir.registry.imports.reasons import IMEI_REASONS, MEANINGS, Reason

_PAGE = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """One finding.

    Args:
        subject: the IMEI, or the TAC, as a number.
        other: the other consignment; 0: none.
    """

    reason: Reason
    subject: int
    line: int
    rows: int = 1
    other: int = 0


def add(consignment_id: int, round_: int, found: Iterable[Found]) -> None:
    """Keep findings of a round; those that are there stay as they are."""
    rows = [(consignment_id, round_, f.reason.value, f.subject, f.other, f.line, f.rows) for f in found]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO imports_finding (consignment_id, round, reason, subject, other, line, rows)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                rows,
            )


def mirror(consignment: Consignment, other: Consignment) -> None:
    """What was found to be on `other` too is found of that one likewise, in each round that counts for it."""
    with connection.cursor() as cursor:
        for round_ in {other.round, other.checked_round} - {0}:
            cursor.execute(
                "INSERT INTO imports_finding (consignment_id, round, reason, subject, other, line, rows)"
                " SELECT %s, %s, f.reason, f.subject, %s, s.line, 1 FROM imports_finding f"
                " JOIN imports_sealedimei s ON s.imei = f.subject AND s.consignment_id = %s"
                " WHERE f.consignment_id = %s AND f.round = %s AND f.reason = %s AND f.other = %s"
                " ON CONFLICT DO NOTHING",
                (other.pk, round_, consignment.pk, other.pk, consignment.pk, consignment.round,
                 Reason.ON_ANOTHER.value, other.pk),
            )  # fmt: skip


def forget_before(consignment_id: int, round_: int) -> None:
    """Drop findings of earlier rounds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM imports_finding WHERE consignment_id = %s AND round < %s", (consignment_id, round_)
        )


def forget(consignment_id: int) -> None:
    """Drop everything that was found of a consignment."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM imports_finding WHERE consignment_id = %s", (consignment_id,))


def counts(consignment_id: int, round_: int) -> dict[str, int]:
    """IMEIs that something was found of, by reason."""
    rows = _all(
        "SELECT reason, SUM(rows), COUNT(DISTINCT subject) FROM imports_finding"
        " WHERE consignment_id = %s AND round = %s GROUP BY reason",
        (consignment_id, round_),
    )
    by_imei = {reason.value for reason in IMEI_REASONS}
    return {reason: int(subjects if reason in by_imei else rows) for reason, rows, subjects in sorted(rows)}


def others(consignment_id: int, round_: int) -> set[int]:
    """Consignments that share IMEIs with this one."""
    rows = _all(
        "SELECT DISTINCT other FROM imports_finding WHERE consignment_id = %s AND round = %s AND other <> 0",
        (consignment_id, round_),
    )
    return {row[0] for row in rows}


def subjects(consignment_id: int, round_: int, reason: Reason) -> Iterator[list[int]]:
    """IMEIs, or TACs, of which this was found, page by page."""
    after = -1
    while True:
        page = [
            row[0]
            for row in _all(
                "SELECT DISTINCT subject FROM imports_finding"
                " WHERE consignment_id = %s AND round = %s AND reason = %s AND subject > %s"
                " ORDER BY subject LIMIT %s",
                (consignment_id, round_, reason.value, after, _PAGE),
            )
        ]
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1]


def told(consignment_id: int, round_: int) -> Iterator[Found]:
    """What the importer is told row by row, in the order of lines."""
    names = [reason.value for reason, meaning in MEANINGS.items() if meaning.told]
    marks = ", ".join(["%s"] * len(names))
    after: tuple[int, int] = (0, 0)
    while True:
        page = _all(
            "SELECT line, id, reason, subject, rows FROM imports_finding"
            f" WHERE consignment_id = %s AND round = %s AND reason IN ({marks})"
            " AND (line, id) > (%s, %s) ORDER BY line, id LIMIT %s",
            (consignment_id, round_, *names, *after, _PAGE),
        )
        for line, _, reason, subject, rows in page:
            yield Found(Reason(reason), subject, line, rows)
        if len(page) < _PAGE:
            return
        after = page[-1][:2]


def of_imei(consignment: Consignment, imei: int) -> list[Reason]:
    """What was found of one IMEI and of its TAC."""
    rows = _all(
        "SELECT DISTINCT reason, subject FROM imports_finding WHERE consignment_id = %s AND round = %s"
        " AND subject IN (%s, %s)",
        (consignment.pk, consignment.checked_round, imei, imei // 10**6),
    )
    return sorted(
        {Reason(reason) for reason, subject in rows if (Reason(reason) in IMEI_REASONS) == (subject == imei)},
        key=lambda reason: reason.value,
    )


def kept_back(consignment_id: int, round_: int, first: int, last: int) -> set[int]:
    """IMEIs of a stretch that must not leave for the pipeline."""
    names = [reason.value for reason, meaning in MEANINGS.items() if meaning.kept_back]
    marks = ", ".join(["%s"] * len(names))
    rows = _all(
        "SELECT subject FROM imports_finding WHERE consignment_id = %s AND round = %s"
        f" AND reason IN ({marks}) AND subject BETWEEN %s AND %s",
        (consignment_id, round_, *names, first, last),
    )
    return {row[0] for row in rows}


def _all(statement: str, values: tuple[Any, ...]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[Any] = cursor.fetchall()
    return found
