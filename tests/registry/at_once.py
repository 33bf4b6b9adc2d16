"""Deeds begun at the same moment, each with its own connection to a real PostgreSQL."""

import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import connection


def at_once(deeds: Sequence[Callable[[], object]]) -> list[object]:
    """What each deed gives, or the error it ends with."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in: there is nothing at once")
    barrier = threading.Barrier(len(deeds))
    results: list[object] = [None] * len(deeds)

    def run(place: int) -> None:
        try:
            barrier.wait(30)
            results[place] = deeds[place]()
        except Exception as error:  # noqa: BLE001 - it is what is looked at
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    return results
