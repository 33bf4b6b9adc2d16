"""Time as an argument: what the edges pass down, and the day numbers that tables use."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the present moment, timezone-aware. Only `ceir.cli` holds a real one."""

EPOCH = date(1970, 1, 1)


def system_clock() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def day_number(day: date) -> int:
    """Days since 1970-01-01: plain integers in tables, so that every engine adds and compares alike."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=number)


def months_before(day: date, months: int) -> date:
    """The same day of the month, `months` earlier, clipped to that month's length."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")
