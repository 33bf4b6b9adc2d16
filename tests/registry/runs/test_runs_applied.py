"""A run is taken over whole, once, and in order."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from people import NOW, actor
from registry_publications import decided, imeis, publish, told

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.personal.fields import Access
from ceir.registry.runs.applying import Applied, RunOutOfOrderError, apply
from ceir.registry.runs.looking import decision_of, history_of, latest_run
from ceir.registry.runs.merging import RunBaseError
from ceir.registry.runs.models import Change, Contact, Decision, Grounds, Run
from ceir.registry.runs.publication import RunTamperedError

A, B, C, D, E = imeis(5)


def take(folder: Path, day: int = 0, because: str = "") -> Applied:
    return apply(folder, actor=SYSTEM, at=NOW + timedelta(days=day), because=because)


def first(tmp_path: Path) -> Path:
    return publish(
        tmp_path / "1",
        1,
        [
            decided(A),
            decided(B, "notified", "20261201"),
            decided(C, "tracked"),
            decided(D, "trial"),
            decided("*#06#", "blocked", reasons="Malformed", conditions="malformed"),
        ],
        notifications={"operator1": [told(B, "111010000000001", "220000000001")]},
    )


def second(tmp_path: Path) -> Path:
    return publish(
        tmp_path / "2",
        2,
        [
            decided(A, "spared"),
            decided(B, "blocked", "20261103"),
            decided(C, "tracked", reasons="Another reason"),
            decided(E, "notified", "20261210"),
        ],
        base=1,
        notifications={"operator2": [told(E, "111020000000001", "220000000002")]},
    )


def holds() -> dict[str, tuple[str, str]]:
    return {
        d.identity: (d.outcome, d.grounds.reasons) for d in Decision.objects.select_related("grounds").all()
    }


def state() -> list[object]:
    """Everything that the register holds of runs, to the last column."""
    return [
        list(model.objects.order_by("pk").values_list())
        for model in (Run, Decision, Change, Grounds, Contact, Entry)
    ]


def test_a_run_becomes_decisions_history_and_contacts(tmp_path: Path) -> None:
    applied = take(first(tmp_path))
    assert applied.is_new
    assert holds() == {
        A: ("blocked", "Never allocated"),
        B: ("notified", "Never allocated"),
        C: ("tracked", "Never allocated"),
        D: ("trial", "Never allocated"),
        "*#06#": ("blocked", "Malformed"),
    }
    blocked = decision_of(f"{A}0")
    assert blocked is not None
    assert (blocked.block_on, blocked.since) == (date(2026, 11, 1), date(2026, 9, 1))
    assert blocked.grounds.conditions == "unallocated"
    assert blocked.outcome_run == latest_run() == applied.run
    assert applied.run.counts == {
        "blocked": 2, "notified": 1, "tracked": 1, "trial": 1,
        "became_blocked": 2, "became_notified": 1, "became_tracked": 1, "became_trial": 1,
        "contacts": 1, "contacts_new": 1, "contacts_ended": 0,
        "exceptions": 0, "exceptions_new": 0, "exceptions_ended": 0,
    }  # fmt: skip
    contact = Contact.objects.get()
    assert (contact.imei, contact.operator, contact.block_on) == (int(B), "operator1", date(2026, 12, 1))
    assert contact.msisdn.reveal(Access(SYSTEM, NOW, "a test"), "contact:1") == "220000000001"
    assert contact == Contact.objects.get(msisdn_key="220000000001", imsi_key="111010000000001")
    verify()


def test_the_next_run_changes_what_it_says_and_history_tells_how(tmp_path: Path) -> None:
    take(first(tmp_path))
    applied = take(second(tmp_path), 1)
    assert holds() == {
        A: ("spared", "Never allocated"),
        B: ("blocked", "Never allocated"),
        C: ("tracked", "Another reason"),
        E: ("notified", "Never allocated"),
    }
    told_of = {
        i: [c.told for c in history_of(i, actor=actor(Role.OFFICER))] for i in (A, B, C, D, E, "*#06#")
    }
    assert told_of == {
        A: ["became blocked", "unblocked, is spared as golden"],
        B: ["became notified", "became blocked"],
        C: ["became tracked", "changed"],
        D: ["matches on trial only", "resolved"],
        E: ["became notified"],
        "*#06#": ["became blocked", "unblocked, resolved"],
    }
    assert applied.run.counts == {
        "blocked": 1, "notified": 1, "spared": 1, "tracked": 1,
        "unblocked": 2, "became_spared": 1, "became_blocked": 1, "became_notified": 1, "changed": 1,
        "resolved": 2,
        "contacts": 1, "contacts_new": 1, "contacts_ended": 1,
        "exceptions": 0, "exceptions_new": 0, "exceptions_ended": 0,
    }  # fmt: skip
    tracked = decision_of(C)
    assert tracked is not None
    assert (tracked.run.number, tracked.outcome_run.number) == (2, 1)
    ended = Contact.objects.get(ended_run=2)
    assert (ended.imei, ended.ended_at) == (int(B), NOW + timedelta(days=1))


def test_the_same_run_again_changes_nothing_at_all(tmp_path: Path) -> None:
    take(first(tmp_path))
    before = state()
    for day in (0, 5):
        again = take(first(tmp_path), day)
        assert not again.is_new
        assert again.run.number == 1
    assert state() == before
    take(second(tmp_path), 1)
    before = state()
    assert not take(first(tmp_path), 2).is_new  # an older one that was taken over is known, not out of order
    assert state() == before


def test_the_same_number_with_another_content_is_refused(tmp_path: Path) -> None:
    take(first(tmp_path))
    before = state()
    with pytest.raises(RunTamperedError, match="another manifest"):
        take(publish(tmp_path / "other", 1, [decided(E)]))
    assert state() == before


def test_an_older_run_and_one_with_another_base_are_refused(tmp_path: Path) -> None:
    take(publish(tmp_path / "3", 3, [decided(A)], base=2))  # the first that comes may be any
    before = state()
    for number, base, day in ((2, 1, None), (5, 4, None), (4, None, None), (4, 3, date(2026, 11, 2))):
        with pytest.raises(RunOutOfOrderError) as refused:
            take(publish(tmp_path / f"{number}-{base}-{day}", number, [decided(B)], base=base, as_of=day))
        assert refused.value.hint
    with pytest.raises(RunOutOfOrderError, match="of Elsewhere"):
        take(publish(tmp_path / "elsewhere", 4, [decided(B)], base=3, country="Elsewhere"))
    assert state() == before
    assert take(publish(tmp_path / "4", 4, [decided(B)], base=3)).is_new


def test_whole_lists_with_another_base_are_taken_for_a_reason_that_is_recorded(tmp_path: Path) -> None:
    take(publish(tmp_path / "1", 1, [decided(A)]))
    folder = publish(tmp_path / "9", 9, [decided(B)], base=8)
    with pytest.raises(RunOutOfOrderError):
        take(folder, because="  ")
    assert take(folder, because="run 8 was lost with a disk").is_new
    assert list(holds()) == [B]
    assert Entry.objects.filter(action="run.applied").last().basis == "run 8 was lost with a disk"  # type: ignore[union-attr]


def test_changes_since_the_run_taken_over_last_do_as_well_as_whole_lists(tmp_path: Path) -> None:
    take(first(tmp_path))
    changes = publish(
        tmp_path / "2-since-1",
        2,
        [
            ("changed", "changed", *decided(A, "spared")),
            ("changed", "changed", *decided(B, "blocked", "20261103")),
            ("changed", "changed", *decided(C, "tracked", reasons="Another reason")),
            ("removed", "resolved", *decided(D, "trial")),
            ("removed", "resolved", *decided("*#06#", "blocked")),
            ("added", "decided", *decided(E, "notified", "20261210")),
        ],
        base=1,
        notifications={
            "operator1": [("removed", "blocked", *told(B, "111010000000001", "220000000001"))],
            "operator2": [("added", "new", *told(E, "111020000000001", "220000000002"))],
        },
        changes=True,
    )
    by_changes = take(changes, 1)
    assert not by_changes.run.whole
    held, counted = holds(), by_changes.run.counts
    assert Contact.objects.filter(ended_run__isnull=True).count() == 1
    before = state()
    assert not take(second(tmp_path), 2).is_new  # the same run as whole lists: known
    assert state() == before
    assert held == {
        A: ("spared", "Never allocated"),
        B: ("blocked", "Never allocated"),
        C: ("tracked", "Another reason"),
        E: ("notified", "Never allocated"),
    }
    assert counted["contacts_ended"] == counted["contacts_new"] == 1


@pytest.mark.parametrize(
    "row",
    [
        ("added", "decided", *decided(A)),
        ("removed", "resolved", *decided(E)),
        ("changed", "changed", *decided(E)),
    ],
)
def test_changes_that_do_not_fit_are_refused(tmp_path: Path, row: tuple[str, ...]) -> None:
    take(first(tmp_path))
    before = state()
    with pytest.raises(RunBaseError):
        take(publish(tmp_path / "2", 2, [row], base=1, changes=True))
    assert state() == before


def test_changes_cannot_be_the_first_that_is_taken_over(tmp_path: Path) -> None:
    rows = [("added", "decided", *decided(A))]
    with pytest.raises(RunOutOfOrderError, match="only changes"):
        take(publish(tmp_path / "2", 2, rows, base=1, changes=True))


def test_a_contact_that_comes_back_is_the_one_it_was(tmp_path: Path) -> None:
    row = told(B, "111010000000001", "220000000001")
    notified = [decided(B, "notified", "20261201")]
    take(publish(tmp_path / "1", 1, notified, notifications={"operator1": [row]}))
    key = Contact.objects.get().pk
    take(publish(tmp_path / "2", 2, notified, base=1))
    assert Contact.objects.get().ended_run == 2
    take(publish(tmp_path / "3", 3, notified, base=2, notifications={"operator1": [row], "operator2": [row]}))
    back = Contact.objects.get(operator="operator1")
    assert (back.pk, back.ended_run, back.ended_at) == (key, None, None)
    assert Contact.objects.count() == 2


def test_only_who_may_takes_a_run_over(tmp_path: Path) -> None:
    folder = first(tmp_path)
    for role in Role:
        if role in (Role.ADMINISTRATOR, Role.SYSTEM):
            continue
        with pytest.raises(PermissionDeniedError):
            apply(folder, actor=actor(role), at=NOW)
    assert Run.objects.count() == 0
    assert apply(folder, actor=actor(Role.ADMINISTRATOR), at=NOW).is_new


def test_history_is_for_who_may_see_runs(tmp_path: Path) -> None:
    take(first(tmp_path))
    with pytest.raises(PermissionDeniedError):
        history_of(A, actor=actor(Role.CONSUMER))
    with pytest.raises(CeirError):
        history_of("'; DROP TABLE runs_decision; --", actor=actor(Role.OFFICER))


def test_a_run_with_nothing_in_it_resolves_everything(tmp_path: Path) -> None:
    take(first(tmp_path))
    assert take(publish(tmp_path / "2", 2, [], base=1)).run.counts["resolved"] == 5
    assert holds() == {}
