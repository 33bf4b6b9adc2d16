"""What the days of an identity's subscribers tell together: technologies apart, silences, who came back."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise

from .world import G2, G3, G4, G5, Calendar, Equipment

_BEST = ((G5, 5), (G4, 4), (G3, 3), (G2, 2))
SHORTEST_SILENCE = 14


def generations_apart(
    calendar: Calendar,
    equipment: Equipment,
    days_of: Mapping[str, int],
    window: tuple[date, date],
    busy_days: int,
) -> int | None:
    """How far the best technologies of its busy subscribers lie apart; None: of none is one known.

    Args:
        days_of: how many days each valid IMSI used it in the window.
        window: its first day and the day after its last; whole months are looked at.
    """
    start, end = window
    after = (end - timedelta(days=1)).replace(day=28) + timedelta(days=4)
    months = calendar.window(start.replace(day=1), after.replace(day=1))
    best = []
    for imsi, days in days_of.items():
        mask = 0
        for (who, generations), told in equipment.generations_of.items():
            if who == imsi and told[0] & months:
                mask |= generations
        number = next((n for generation, n in _BEST if mask & generation), None)
        if number is not None and days >= busy_days:
            best.append(number)
    return max(best) - min(best) if best else None


def longest_silence(used: list[date], start: date, first: date) -> int:
    """Days of the longest silence that ended in a window; 0: none was long.

    Args:
        used: days of use in the window, in order.
        start: the window's first day.
        first: the first day of use of all.
    """
    before = [start - timedelta(days=1)] if first < start else []
    return max(
        (gap for a, b in pairwise([*before, *used]) if (gap := (b - a).days - 1) >= SHORTEST_SILENCE),
        default=0,
    )


def came_back_new(used: list[date], silent_days: int, users: Iterable[Iterable[date]]) -> bool:
    """Whether nobody from before the last long silence was seen after it.

    Args:
        users: days in the window of each IMSI and of each person.
    """
    least = max(silent_days, SHORTEST_SILENCE)
    back = [day for before, day in pairwise(used) if (day - before).days - 1 >= least]
    if not back:
        return False
    sides = [(min(days) < back[-1], max(days) >= back[-1]) for days in map(list, users)]
    return (
        any(before for before, _ in sides)
        and any(after for _, after in sides)
        and not any(before and after for before, after in sides)
    )
