"""Spans of IMEIs with a status, laid over each other so that none overlap."""

import heapq
from collections.abc import Iterable
from itertools import pairwise

from ceir.equipment_check.snapshot.format import LISTS, StatusName

Span = tuple[int, int, StatusName]
"""First IMEI, last IMEI, status."""


def laid_apart(spans: Iterable[Span]) -> list[Span]:
    """The spans without overlaps, sorted: where several meet, the first status of `LISTS` holds.

    Args:
        spans: with statuses of `LISTS`; first is not above last.
    """
    rank = {name: place for place, name in enumerate(LISTS)}
    waiting = sorted((first, rank[status], last) for first, last, status in spans)
    edges = sorted({e for first, _, last in waiting for e in (first, last + 1)})
    apart: list[Span] = []
    holding: list[tuple[int, int]] = []
    place = 0
    for begin, end in pairwise(edges):
        while place < len(waiting) and waiting[place][0] == begin:
            heapq.heappush(holding, (waiting[place][1], waiting[place][2]))
            place += 1
        while holding and holding[0][1] < begin:
            heapq.heappop(holding)
        if not holding:
            continue
        status = LISTS[holding[0][0]]
        if apart and apart[-1][1] + 1 == begin and apart[-1][2] == status:
            apart[-1] = (apart[-1][0], end - 1, status)
        else:
            apart.append((begin, end - 1, status))
    return apart
