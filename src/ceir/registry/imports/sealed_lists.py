"""The only statements that touch the sealed lists of IMEIs.

Nothing outside `imports` uses this module (a test looks), and nothing in it gives out more than a caller in
`imports` needs: to take a list in, to check it, to answer for one IMEI, to write the pipeline's.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, connection, transaction

from ceir.registry.imports.imei_files import Rejected
from ceir.registry.imports.models import ConsignedTac
from ceir.registry.imports.reasons import Reason

SERIALS = 10**6
"""IMEIs of a TAC."""

PAGE = 20_000
"""Rows held in memory at a time."""

Row = tuple[int, int, int]
"""IMEI, consignment, line."""


def put(consignment_id: int, lines: Mapping[int, int]) -> dict[int, int]:
    """Add IMEIs (with their lines) to a consignment's list; within a transaction.

    Returns: those that it holds already, which are not added.
    """
    rows = sorted(lines.items())
    try:
        with transaction.atomic():
            _insert(consignment_id, rows)
    except IntegrityError:
        there = _there(consignment_id, [imei for imei, _ in rows])
        twice = {imei: line for imei, line in rows if imei in there}
        fresh = [(imei, line) for imei, line in rows if imei not in there]
        _insert(consignment_id, fresh)
    else:
        fresh, twice = rows, {}
    _count(consignment_id, fresh)
    return twice


def reject(consignment_id: int, rejected: Iterable[Rejected]) -> None:
    """Keep rows that are not taken."""
    rows = [(consignment_id, row.line, row.reason.value, row.text) for row in rejected]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO imports_rejectedrow (consignment_id, line, reason, text)"
                " VALUES (%s, %s, %s, %s)",
                rows,
            )


def rejected_rows(consignment_id: int) -> Iterator[Rejected]:
    """Rows of a consignment's file that were not taken, by line."""
    after = (0, 0)
    while True:
        page = _all(
            "SELECT line, id, reason, text FROM imports_rejectedrow"
            " WHERE consignment_id = %s AND (line, id) > (%s, %s) ORDER BY line, id LIMIT %s",
            (consignment_id, *after, PAGE),
        )
        for line, _, reason, text in page:
            yield Rejected(line, Reason(reason), text)
        if len(page) < PAGE:
            return
        after = page[-1][:2]


def clear(consignment_id: int) -> None:
    """Destroy a consignment's list and the rows of it that were not taken."""
    with transaction.atomic(), connection.cursor() as cursor:
        for tac in ConsignedTac.objects.filter(consignment_id=consignment_id).values_list("tac", flat=True):
            cursor.execute(
                "DELETE FROM imports_sealedimei WHERE imei >= %s AND imei < %s AND consignment_id = %s",
                (tac * SERIALS, (tac + 1) * SERIALS, consignment_id),
            )
        cursor.execute("DELETE FROM imports_rejectedrow WHERE consignment_id = %s", (consignment_id,))
        ConsignedTac.objects.filter(consignment_id=consignment_id).delete()


def rows_of_tac(tac: int) -> Iterator[list[Row]]:
    """Every row of a TAC, of all consignments, in order; a page never ends within an IMEI."""
    return _pages(tac * SERIALS, (tac + 1) * SERIALS)


def all_rows() -> Iterator[list[Row]]:
    """Every row there is, as `rows_of_tac`; for the pipeline's list alone."""
    return _pages(0, 10**14)


def rows_of(imei: int) -> list[Row]:
    """The rows of one IMEI."""
    return _all(
        "SELECT imei, consignment_id, line FROM imports_sealedimei WHERE imei = %s ORDER BY consignment_id",
        (imei,),
    )


def which(imeis: Collection[int]) -> list[Row]:
    """The rows of some IMEIs, at most a page of them."""
    statement = (
        f"SELECT imei, consignment_id, line FROM imports_sealedimei WHERE imei {_among()}"
        " ORDER BY imei, consignment_id"
    )
    with _by_index():
        return _all(statement, (_list(imeis),))


def hand_over_tac(consignment_id: int, to: int, tac: int) -> int:
    """Move all rows of a TAC to another consignment. Returns: how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE imports_sealedimei SET consignment_id = %s"
            " WHERE consignment_id = %s AND imei >= %s AND imei < %s",
            (to, consignment_id, tac * SERIALS, (tac + 1) * SERIALS),
        )
        moved: int = cursor.rowcount
        ConsignedTac.objects.filter(consignment_id=consignment_id, tac=tac).update(consignment_id=to)
    return moved


def hand_over(consignment_id: int, to: int, imeis: Collection[int]) -> int:
    """Move the rows of some IMEIs, at most a page of them, to another consignment. Returns: how many."""
    moved = [(imei, line) for imei, owner, line in which(imeis) if owner == consignment_id]
    if not moved:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        with _by_index():
            cursor.execute(
                "UPDATE imports_sealedimei SET consignment_id = %s"
                f" WHERE consignment_id = %s AND imei {_among()}",
                (to, consignment_id, _list([imei for imei, _ in moved])),
            )
        _count(to, moved)
        for tac in {imei // SERIALS for imei, _ in moved}:
            _recount(consignment_id, tac)
    return len(moved)


def _pages(begin: int, end: int) -> Iterator[list[Row]]:
    while True:
        page = _all(
            "SELECT imei, consignment_id, line FROM imports_sealedimei"
            " WHERE imei >= %s AND imei < %s ORDER BY imei, consignment_id LIMIT %s",
            (begin, end, PAGE),
        )
        if len(page) < PAGE:
            yield page
            return
        # The last IMEI may go on in the next page: it is read there as a whole.
        begin = page[-1][0]
        yield [row for row in page if row[0] < begin]


def _insert(consignment_id: int, rows: list[tuple[int, int]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany(
                "INSERT INTO imports_sealedimei (imei, consignment_id, line) VALUES (%s, %s, %s)",
                [(imei, consignment_id, line) for imei, line in rows],
            )
            return
        statement = "COPY imports_sealedimei (imei, consignment_id, line) FROM STDIN"
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            copy.write("".join([f"{imei}\t{consignment_id}\t{line}\n" for imei, line in rows]))


def _there(consignment_id: int, imeis: list[int]) -> set[int]:
    return {imei for imei, owner, _ in which(imeis) if owner == consignment_id}


def _count(consignment_id: int, rows: list[tuple[int, int]]) -> None:
    counted: dict[int, list[int]] = {}
    for imei, line in rows:
        entry = counted.setdefault(imei // SERIALS, [0, line])
        entry[0] += 1
        entry[1] = min(entry[1], line)
    # Whoever adds rows holds the consignment: nobody else changes its counts.
    there = {
        entry.tac: entry
        for entry in ConsignedTac.objects.filter(consignment_id=consignment_id, tac__in=list(counted))
    }
    for tac, known in there.items():
        known.rows += counted[tac][0]
        known.first_line = min(known.first_line, counted[tac][1])
    ConsignedTac.objects.bulk_update(there.values(), ["rows", "first_line"], batch_size=200)
    ConsignedTac.objects.bulk_create(
        [
            ConsignedTac(consignment_id=consignment_id, tac=tac, rows=rows, first_line=line)
            for tac, (rows, line) in counted.items()
            if tac not in there
        ],
        batch_size=200,
    )


def _recount(consignment_id: int, tac: int) -> None:
    ((rows, line),) = _all(
        "SELECT COUNT(*), MIN(line) FROM imports_sealedimei"
        " WHERE imei >= %s AND imei < %s AND consignment_id = %s",
        (tac * SERIALS, (tac + 1) * SERIALS, consignment_id),
    )
    counted = ConsignedTac.objects.filter(consignment_id=consignment_id, tac=tac)
    if rows:
        counted.update(rows=rows, first_line=line)
    else:
        counted.delete()


@contextmanager
def _by_index() -> Iterator[None]:
    """A list that just came has no statistics yet: the planner would read the whole table for each page."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan TO DEFAULT")


def _among() -> str:
    return "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"


def _list(imeis: Collection[int]) -> Any:
    values = sorted(imeis)
    return values if connection.vendor == "postgresql" else json.dumps(values)


def _all(statement: str, values: tuple[Any, ...]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[Any] = cursor.fetchall()
    return found
