"""Several people doing something at the same moment, each in a transaction of his own."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

NEEDS_POSTGRESQL = "transactions of SQLite come one after another by themselves"


def need_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip(NEEDS_POSTGRESQL)


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """What each came to: what it returned, or what it raised. On PostgreSQL only."""
    need_postgresql()
    start = threading.Barrier(len(deeds))
    came_to: list[object] = [None] * len(deeds)

    def attempt(place: int) -> None:
        try:
            start.wait()
            came_to[place] = deeds[place]()
        except Exception as error:  # noqa: BLE001 - it is what is asked for
            came_to[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    return came_to
