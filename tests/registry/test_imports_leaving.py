"""What leaves of consignments for the pipeline, and use before release."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from imports_world import (
    LATER,
    TODAY,
    Known,
    checked,
    imei,
    importing,
    listed,
    released,
    released_by_two,
    some,
    submitted,
)
from people import NOW, actor

from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.exports import write_exports
from ceir.registry.imports import alarms, sealed_lists
from ceir.registry.imports.checking import Checks, check
from ceir.registry.imports.exporting import rows
from ceir.registry.imports.models import Alarm
from ceir.registry.imports.receiving import (
    withdraw,
)
from ceir.registry.imports.releasing import (
    SecondPersonNeededError,
    refuse,
)
from ceir.sources import all_sources


def leaving() -> dict[str, tuple[str, str]]:
    return {row[0]: (row[1], row[4]) for row in rows(NOW)}


# --- what leaves


def test_the_list_for_the_pipeline_has_its_columns_and_one_row_an_imei(tmp_path: Path) -> None:
    one = checked(submitted(listed(some(2)), at=NOW))
    two = checked(submitted(listed(some(2, 10)), "C-2"))
    released(two, LATER)
    submitted(listed(some(2, 20)), "C-3")
    write_exports(tmp_path, NOW)
    with (tmp_path / "imports.csv").open(encoding="utf-8", newline="") as file:
        header, *found = [tuple(line) for line in csv.reader(file)]
    assert header == tuple(field.headers[0] for field in all_sources()["imports"].fields)
    assert found == [
        (imei(0).digits, "C-1", "acme", "20261122", ""),
        (imei(1).digits, "C-1", "acme", "20261122", ""),
        (imei(10).digits, "C-2", "acme", "20261122", "20261124"),
        (imei(11).digits, "C-2", "acme", "20261122", "20261124"),
    ]
    assert Entry.objects.filter(action="import.lists_exported").count() == 1
    refuse(one.pk, actor=actor(Role.CUSTOMS), reason="no papers", at=NOW)
    assert set(leaving()) == {imei(10).digits, imei(11).digits}


def test_what_was_in_use_before_its_list_came_never_leaves_so_nobody_is_cut() -> None:
    """An importer who lists other people's devices does them no harm."""
    known = Known(seen=[imei(1)], registered=[imei(2)])
    one = checked(submitted(listed(some(4))), known)
    assert set(leaving()) == {imei(0).digits, imei(3).digits}
    released_by_two(one)
    assert set(leaving()) == {imei(0).digits, imei(3).digits}


def test_a_list_that_no_network_was_asked_about_does_not_leave() -> None:
    one = submitted(listed(some(4)))
    assert leaving() == {}
    check(one.pk, Checks(approved=None), actor=SYSTEM, at=NOW)
    assert leaving() == {}
    checked(one)
    assert len(leaving()) == 4


def test_a_network_that_tells_late_that_a_device_was_in_use_before_takes_it_off_the_list() -> None:
    one = released(checked(submitted(listed(some(3)))), LATER)
    assert len(leaving()) == 3
    raised = alarms.note_first_use(imei(1), TODAY - timedelta(days=1), actor=SYSTEM, at=LATER)
    assert raised == []
    assert set(leaving()) == {imei(0).digits, imei(2).digits}
    one.refresh_from_db()
    assert one.found == {"seen": 1}
    alarms.note_first_use(imei(1), TODAY - timedelta(days=9), actor=SYSTEM, at=LATER)
    assert Entry.objects.filter(action="import.seen_before").count() == 1


def test_an_imei_on_two_lists_leaves_with_the_one_it_was_released_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealed_lists, "PAGE", 3)
    one = checked(submitted(listed(some(5)), "C-1", "acme"))
    two = checked(submitted(listed(some(5)), "C-2", "zenith"))
    assert set(leaving().values()) == {("C-1", "")}
    released_by_two(two)
    assert set(leaving().values()) == {("C-2", "20261122")}
    assert len(leaving()) == one.rows == 5


# --- first use before release


def test_first_use_before_release_raises_one_alarm_for_customs() -> None:
    one = checked(submitted(listed(some(3))))
    (alarm,) = alarms.note_first_use(imei(1), TODAY + timedelta(days=5), actor=SYSTEM, at=LATER)
    assert (alarm.consignment, alarm.imei) == (one, imei(1).number)
    assert alarms.note_first_use(imei(1), TODAY + timedelta(days=3), actor=SYSTEM, at=LATER) == []
    assert Alarm.objects.get().seen_on == TODAY + timedelta(days=3)
    assert alarms.note_first_use(imei(77), TODAY, actor=SYSTEM, at=LATER) == []
    (read,) = alarms.open_alarms(actor=actor(Role.CUSTOMS), at=LATER)
    assert read.pk == alarm.pk
    assert Entry.objects.get(action="import.alarms_read").actor == actor(Role.CUSTOMS).id
    with pytest.raises(SecondPersonNeededError, match="alarms 1"):
        released(one, LATER)
    alarms.conclude(alarm.pk, confirmed=False, reason="shown at a fair", actor=actor(Role.CUSTOMS), at=LATER)
    with pytest.raises(SecondPersonNeededError, match="alarms 1"):
        released(one, LATER)
    assert released_by_two(one, at=LATER).state == "released"
    with pytest.raises(alarms.AlarmError):
        alarms.conclude(alarm.pk, confirmed=True, reason="x", actor=actor(Role.CUSTOMS), at=LATER)


@pytest.mark.parametrize(
    ("day", "raises"), [(0, True), (1, True), (2, False), (3, False), (-1, False)], ids=str
)
def test_use_counts_from_the_day_the_list_came_to_the_day_before_release(day: int, raises: bool) -> None:
    released(checked(submitted(listed(some(3)))), LATER)
    found = alarms.note_first_use(imei(1), TODAY + timedelta(days=day), actor=SYSTEM, at=LATER)
    assert bool(found) is raises


def test_use_of_refused_goods_raises_an_alarm_and_of_withdrawn_ones_none() -> None:
    one, two = submitted(listed(some(3))), submitted(listed(some(3, 10)), "C-2")
    refuse(one.pk, actor=actor(Role.CUSTOMS), reason="no papers", at=NOW)
    withdraw(two.pk, actor=importing(), reason="sent back", at=NOW)
    seen = [(imei(n), TODAY + timedelta(days=1)) for n in (1, 2, 11)]
    assert [a.imei for a in alarms.note_first_uses(seen, actor=SYSTEM, at=LATER)] == [
        imei(1).number,
        imei(2).number,
    ]


def test_nobody_but_the_register_itself_notes_first_use() -> None:
    submitted(listed(some(3)))
    for role in (Role.OPERATOR, Role.CUSTOMS, Role.OFFICER, Role.ADMINISTRATOR, Role.IMPORTER):
        with pytest.raises(PermissionDeniedError):
            alarms.note_first_use(imei(1), TODAY, actor=actor(role), at=NOW)
    for role in (Role.IMPORTER, Role.OPERATOR, Role.REVIEWER):
        with pytest.raises(PermissionDeniedError):
            alarms.open_alarms(actor=actor(role), at=NOW)
