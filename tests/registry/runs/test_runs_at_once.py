"""Two processes that take runs over at the same time: one after the other, each run once."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from at_once import at_once
from people import NOW
from registry_publications import decided, imeis, publish

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.runs.applying import Applied, RunOutOfOrderError, apply
from ceir.registry.runs.models import Change, Decision, Run

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [decided(imei) for imei in imeis(2000)]


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
    results = at_once(*[partial(apply, f, actor=SYSTEM, at=later) for f in folders])
    assert {type(r) for r in results} == {Applied, RunOutOfOrderError}
    taken = Run.objects.order_by("number").last()
    assert taken is not None
    assert Decision.objects.count() == taken.number * 100
