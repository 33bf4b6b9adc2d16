"""Bringing a million rows into the database: COPY on PostgreSQL, many at a time on SQLite."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection

_AT_A_TIME = 10_000


def load(table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    """Put rows into a table, as they are: no default of a model is applied. Returns: how many.

    Args:
        table, columns: of our own making, never of anybody's input.
        rows: texts, numbers, octets and None, in the order of the columns.
    """
    names = ", ".join(columns)
    if connection.vendor == "postgresql":
        return _copied(f"COPY {table} ({names}) FROM STDIN", rows)
    marks = ", ".join("?" for _ in columns)
    return _inserted(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def temporary(table: str, columns: str) -> None:
    """Make a table that only this transaction sees, empty."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ({columns})")


def drop(*things: str) -> None:
    """Remove temporary tables and views, like `TABLE staged`, in this order."""
    with connection.cursor() as cursor:
        for thing in things:
            cursor.execute(f"DROP {thing}")


def analyse(table: str) -> None:
    """Let the database count what was loaded: without it it plans for a handful of rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {table}")


def execute(sql: str, values: tuple[Any, ...] = ()) -> int:
    """Run a statement. Returns: rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _adapted(values))
        return max(int(cursor.rowcount), 0)


def select(sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows of a question with a small answer."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _adapted(values))
        return list(cursor.fetchall())


def stream(sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The rows of a question with a large answer, some at a time; within a transaction on PostgreSQL."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, _adapted(values))
        while some := cursor.fetchmany(_AT_A_TIME):
            yield from some


def adapted(moment: datetime) -> Any:
    """A moment as the ORM stores it: on SQLite it is a text, and compared as one."""
    return connection.ops.adapt_datetimefield_value(moment)


def _adapted(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(adapted(value) if isinstance(value, datetime) else value for value in values)


def _copied(statement: str, rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _inserted(statement: str, rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    with connection.cursor() as cursor:
        for some in _batches(rows):
            cursor.cursor.executemany(statement, some)  # the driver's own: Django's rewrites each statement
            count += len(some)
    return count


def _batches(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    waiting = iter(rows)
    while some := list(islice(waiting, _AT_A_TIME)):
        yield some
