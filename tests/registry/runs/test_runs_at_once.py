"""Two processes that take runs over at the same time: one after the other, each run once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from people import NOW
from publications import decided, imeis, publish

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.runs.applying import Applied, RunOutOfOrderError, apply
from ceir.registry.runs.models import Change, Decision, Run

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [decided(imei) for imei in imeis(2000)]


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """What each gives, or the error it ends with; begun at the same moment, each with its own connection."""
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
    return results


def test_a_run_taken_over_by_four_at_once_is_taken_over_once(tmp_path: Path) -> None:
    folder = publish(tmp_path / "1", 1, ROWS)
    results = at_once(*[lambda: apply(folder, actor=SYSTEM, at=NOW)] * 4)
    assert sorted(r.is_new for r in results if isinstance(r, Applied)) == [False, False, False, True]
    assert Decision.objects.count() == Change.objects.count() == len(ROWS)
    assert Entry.objects.filter(action="run.applied").count() == 1
    verify()


def test_two_runs_that_would_both_be_next_become_one(tmp_path: Path) -> None:
    apply(publish(tmp_path / "1", 1, ROWS), actor=SYSTEM, at=NOW)
    folders = [publish(tmp_path / str(n), n, ROWS[: n * 100], base=1) for n in (2, 3)]
    later = NOW + timedelta(days=1)
    results = at_once(*[lambda f=f: apply(f, actor=SYSTEM, at=later) for f in folders])
    assert {type(r) for r in results} == {Applied, RunOutOfOrderError}
    taken = Run.objects.order_by("number").last()
    assert taken is not None
    assert Decision.objects.count() == taken.number * 100
