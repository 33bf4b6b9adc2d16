"""Importers and customs who do things with consignments at the same moment."""

import threading
import time
from typing import Any

import pytest
from at_once import at_once, need_postgresql
from imports_world import (
    Known,
    Made,
    checked,
    importer,
    importing,
    listed,
    on_list,
    some,
    submitted,
)
from people import NOW, actor

from ceir.registry.actors import Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.imports import sealed_lists
from ceir.registry.imports.imei_files import Limits
from ceir.registry.imports.models import Consignment, Licence
from ceir.registry.imports.proposing import propose_release
from ceir.registry.imports.receiving import (
    SameFileError,
    withdraw,
)
from ceir.registry.imports.releasing import (
    SecondPersonNeededError,
    release,
)
from ceir.registry.imports.states import ConsignmentStateError
from ceir.registry.proposals.deciding import decide


@pytest.mark.django_db(transaction=True)
def test_two_customs_officers_who_release_at_once_release_once() -> None:
    need_postgresql()
    one = checked(submitted(listed(some(50))))
    officers = [actor(Role.CUSTOMS, f"c{n}") for n in range(4)]
    came_to = at_once(*(lambda who=who: release(one.pk, actor=who, at=NOW) for who in officers))
    assert sorted(type(c).__name__ for c in came_to) == ["Consignment"] + ["ConsignmentStateError"] * 3
    assert Entry.objects.filter(action="import.released").count() == 1
    verify()


@pytest.mark.django_db(transaction=True)
def test_the_same_file_submitted_twice_at_once_is_one_consignment() -> None:
    need_postgresql()
    importer()
    octets = listed(some(3000))
    for number in ("C-1", "C-2", "C-3"):
        came_to = at_once(*(lambda number=number: submitted(octets, number) for _ in range(3)))
        good = [c for c in came_to if isinstance(c, Consignment)]
        bad = [c for c in came_to if not isinstance(c, Consignment)]
        assert all(isinstance(c, ConsignmentStateError | SameFileError) for c in bad), came_to
        if number == "C-1":
            assert good
            assert {c.pk for c in good} == {Consignment.objects.get(state="submitted").pk}
        else:
            assert not good
    assert Consignment.objects.filter(state="submitted").count() == 1
    assert len([row for page in sealed_lists.all_rows() for row in page]) == 3000
    verify()


@pytest.mark.django_db(transaction=True)
def test_the_same_file_under_two_numbers_at_once_is_one_consignment() -> None:
    need_postgresql()
    importer()
    octets = listed(some(3000))
    came_to = at_once(*(lambda n=n: submitted(octets, f"C-{n}") for n in range(3)))
    assert sorted(type(c).__name__ for c in came_to) == ["Consignment", "SameFileError", "SameFileError"], (
        came_to
    )
    assert sorted(c.state for c in Consignment.objects.all()) == ["submitted", "unreadable", "unreadable"]
    assert len([row for page in sealed_lists.all_rows() for row in page]) == 3000


@pytest.mark.django_db(transaction=True)
def test_two_lists_at_once_do_not_each_fit_into_what_a_licence_leaves() -> None:
    need_postgresql()
    importer()
    Licence.objects.update(most_a_year=1000)
    came_to = at_once(*(lambda n=n: submitted(listed(some(600, 1000 * n)), f"C-{n}") for n in range(3)))
    assert sorted(type(c).__name__ for c in came_to) == ["Consignment", "QuotaError", "QuotaError"], came_to


@pytest.mark.django_db(transaction=True)
def test_lists_that_share_imeis_taken_in_checked_and_released_at_once_release_each_imei_once() -> None:
    need_postgresql()
    customs, reviewer = actor(Role.CUSTOMS), actor(Role.REVIEWER)
    for code in ("acme", "zenith", "third"):
        importer(code)

    def whole(code: str, start: int) -> Consignment:
        one = checked(submitted(listed(some(400, start)), "C-1", code))
        try:
            return release(one.pk, actor=customs, at=NOW)
        except SecondPersonNeededError:
            proposal = propose_release(one.pk, (), actor=customs, reason="papers seen", at=NOW)
            decide(proposal.pk, accept=True, actor=reviewer, reason="seen", at=NOW)
            return one

    came_to = at_once(lambda: whole("acme", 0), lambda: whole("zenith", 200), lambda: whole("third", 300))
    assert all(isinstance(c, Consignment | ConsignmentStateError) for c in came_to), came_to
    free = set(Consignment.objects.filter(state="released").values_list("pk", flat=True))
    assert free
    let_in = [number for page in sealed_lists.all_rows() for number, owner, _ in page if owner in free]
    assert len(let_in) == len(set(let_in))
    for one in Consignment.objects.all():
        assert len(on_list(one)) == one.rows == sum(t.rows for t in one.tacs.all())
    verify()


@pytest.mark.django_db(transaction=True)
def test_a_list_checked_twice_at_once_ends_with_one_result() -> None:
    need_postgresql()
    one = submitted(listed(some(500)))
    known = Known(stolen=some(5))
    came_to = at_once(*(lambda: checked(one, known) for _ in range(3)))
    assert any(isinstance(c, Consignment) for c in came_to)
    assert all(isinstance(c, Consignment | ConsignmentStateError) for c in came_to), came_to
    one.refresh_from_db()
    assert (one.state, one.found) == ("checked", {"stolen": 5})


@pytest.mark.django_db(transaction=True)
def test_withdrawing_while_the_list_comes_leaves_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    need_postgresql()
    importer()
    putting, put = threading.Event(), sealed_lists.put

    def slowly(consignment_id: int, lines: Any) -> dict[int, int]:
        twice = put(consignment_id, lines)
        putting.set()  # the batch is there and not yet committed
        time.sleep(0.3)
        return twice

    def take_back() -> object:
        assert putting.wait(10)
        return withdraw(Consignment.objects.get().pk, actor=importing(), reason="x", at=NOW)

    monkeypatch.setattr(sealed_lists, "put", slowly)
    batches = (listed(some(50, 50 * n)) for n in range(5))
    came_to = at_once(lambda: submitted(Made(batches), declared=250, limits=Limits(batch=50)), take_back)
    assert [type(c).__name__ for c in came_to] == ["ConsignmentStateError", "Consignment"], came_to
    one = Consignment.objects.get()
    assert (one.state, on_list(one), one.tacs.count()) == ("withdrawn", [], 0)
