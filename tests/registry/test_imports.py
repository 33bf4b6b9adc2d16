"""Consignments: submitted by licensed importers, checked, released by customs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from imports_world import (
    LATER,
    OTHER_TAC,
    TAC,
    TODAY,
    Known,
    Made,
    checked,
    imei,
    importer,
    importing,
    listed,
    on_list,
    released,
    released_by_two,
    some,
    submitted,
)
from people import NOW, actor, organisation

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, OrganisationKind, Role
from ceir.registry.audit.models import Entry
from ceir.registry.imports import licences, sealed_lists
from ceir.registry.imports.against_register import register_checks
from ceir.registry.imports.checking import Checks, check
from ceir.registry.imports.exporting import rows
from ceir.registry.imports.imei_files import Limits
from ceir.registry.imports.licences import LicenceError
from ceir.registry.imports.models import Consignment, Licence, State
from ceir.registry.imports.proposing import propose_release
from ceir.registry.imports.reading import found_shown, visible
from ceir.registry.imports.reasons import Reason
from ceir.registry.imports.receiving import (
    GIVEN_UP_AFTER,
    Declaration,
    QuotaError,
    SameFileError,
    submit,
    withdraw,
)
from ceir.registry.imports.releasing import (
    CHECK_LASTS,
    SecondPersonNeededError,
    doubts,
    put_on_sale,
    refuse,
    release,
)
from ceir.registry.imports.reporting import report
from ceir.registry.imports.states import TRANSITIONS, ConsignmentStateError, move
from ceir.registry.proposals.deciding import FourEyesError, decide
from ceir.registry.proposals.models import Proposal

# --- submitting


def test_a_consignment_goes_from_submitted_to_on_sale_and_each_step_is_recorded() -> None:
    one = submitted(listed(some(5)))
    assert (one.state, one.rows, one.submitted_at) == ("submitted", 5, NOW)
    assert checked(one).state == "checked"
    assert released(one, LATER).released_at == LATER
    assert put_on_sale(one.pk, actor=importing(), at=LATER).state == "on_sale"
    assert [e.action for e in Entry.objects.filter(subject=f"consignment:{one.pk}")] == [
        "import.submitted", "import.checked", "import.released", "import.on_sale",
    ]  # fmt: skip
    assert Proposal.objects.count() == 0


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("to", State)
def test_a_consignment_goes_only_where_the_table_says(before: State, to: State) -> None:
    one = Consignment(number="C", state=before.value)
    if to in TRANSITIONS[before]:
        move(one, to)
        assert one.state == to.value
    else:
        with pytest.raises(ConsignmentStateError):
            move(one, to)


@pytest.mark.parametrize("state", State)
def test_every_step_is_refused_from_where_it_may_not_start(state: State) -> None:
    one = checked(submitted(listed(some(2))))
    Consignment.objects.filter(pk=one.pk).update(state=state.value)
    steps: dict[str, tuple[set[State], Callable[[], object]]] = {
        "check": ({State.SUBMITTED, State.CHECKED}, lambda: checked(one)),
        "release": ({State.CHECKED}, lambda: released(one)),
        "propose": (
            {State.CHECKED},
            lambda: propose_release(one.pk, (), actor=actor(Role.CUSTOMS), reason="x", at=NOW),
        ),
        "refuse": (
            {State.SUBMITTED, State.CHECKED},
            lambda: refuse(one.pk, actor=actor(Role.CUSTOMS), reason="x", at=NOW),
        ),
        "on sale": ({State.RELEASED}, lambda: put_on_sale(one.pk, actor=importing(), at=NOW)),
        "withdraw": (
            {State.RECEIVING, State.UNREADABLE, State.SUBMITTED, State.CHECKED},
            lambda: withdraw(one.pk, actor=importing(), reason="x", at=NOW),
        ),
    }
    for starts, step in steps.values():
        if state not in starts:
            with pytest.raises(ConsignmentStateError) as refused:
                step()
            assert refused.value.hint
            one.refresh_from_db()
            assert one.state == state.value


def test_only_the_importer_himself_submits_withdraws_and_reads_his_report() -> None:
    one = submitted(listed(some(2)))
    stranger = importing("zenith")
    for who in (stranger, actor(Role.CUSTOMS), actor(Role.OFFICER), actor(Role.ADMINISTRATOR), SYSTEM):
        for deed in (
            lambda who=who: submit(
                Declaration(importer(), "C-9", 1, "Port"),
                Made(iter([listed([imei(9)])])),
                actor=who,
                at=NOW,  # type: ignore[arg-type]
            ),
            lambda who=who: withdraw(one.pk, actor=who, reason="x", at=NOW),
            lambda who=who: report(one.pk, actor=who, at=NOW),
            lambda who=who: put_on_sale(one.pk, actor=who, at=NOW),
        ):
            with pytest.raises(PermissionDeniedError):
                deed()
    assert Consignment.objects.count() == 1


def test_only_customs_release_and_refuse() -> None:
    one = checked(submitted(listed(some(2))))
    for who in (importing(), actor(Role.OFFICER), actor(Role.REVIEWER), actor(Role.ADMINISTRATOR), SYSTEM):
        for deed in (
            lambda who=who: release(one.pk, actor=who, at=NOW),
            lambda who=who: refuse(one.pk, actor=who, reason="x", at=NOW),
            lambda who=who: propose_release(one.pk, (), actor=who, reason="x", at=NOW),
        ):
            with pytest.raises(PermissionDeniedError):
                deed()


def test_without_a_licence_in_force_nothing_is_taken() -> None:
    acme = importer()
    licence = Licence.objects.get(importer=acme)
    licences.end(licence.pk, actor=actor(Role.OFFICER), reason="unpaid", at=NOW)
    said = Declaration(acme, "C-1", 1, "Port")
    with pytest.raises(LicenceError, match="no licence in force"):
        submit(said, Made(iter([b""])), actor=importing(), at=NOW)  # type: ignore[arg-type]
    for number, begin, end in (
        ("L-2", date(2026, 12, 1), None),
        ("L-3", date(2026, 1, 1), date(2026, 11, 21)),
    ):
        licences.grant(acme, number, begin, end, 100, actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(LicenceError):
        submit(said, Made(iter([b""])), actor=importing(), at=NOW)  # type: ignore[arg-type]
    assert Consignment.objects.count() == 0
    with pytest.raises(LicenceError, match="to end"):
        licences.end(licence.pk, actor=actor(Role.OFFICER), reason="again", at=NOW)
    with pytest.raises(LicenceError, match="no importer"):
        licences.grant(
            organisation(OrganisationKind.DEALER), "L-4", TODAY, None, 1, actor=actor(Role.OFFICER), at=NOW
        )
    with pytest.raises(PermissionDeniedError):
        licences.grant(acme, "L-5", TODAY, None, 1, actor=importing(), at=NOW)


def test_a_licence_is_for_so_many_imeis_a_year() -> None:
    acme = importer()
    Licence.objects.update(most_a_year=10)
    submitted(listed(some(6)))
    with pytest.raises(QuotaError, match="leaves 4 IMEIs"):
        submitted(listed(some(5, 100)), "C-2")
    assert Consignment.objects.get(number="C-2").state == "unreadable"
    submitted(listed(some(4, 100)), "C-2")
    with pytest.raises(QuotaError):
        submitted(listed(some(1, 200)), "C-3")
    withdraw(Consignment.objects.get(number="C-1").pk, actor=importing(), reason="sold abroad", at=NOW)
    submitted(listed(some(6, 200)), "C-3")
    a_year_later = NOW + timedelta(days=366)
    assert licences.left(Licence.objects.get(importer=acme), a_year_later) == 10


def test_the_same_file_again_changes_nothing_and_another_under_its_number_is_refused() -> None:
    octets = listed(some(3))
    one = submitted(octets)
    count = Entry.objects.count()
    assert submitted(octets).pk == one.pk
    assert Entry.objects.count() == count
    with pytest.raises(ConsignmentStateError, match="not its list"):
        submitted(listed(some(4)))
    with pytest.raises(SameFileError):
        submitted(octets, "C-2")
    assert len(on_list(one)) == 3
    assert Consignment.objects.get(number="C-2").state == "unreadable"
    other = submitted(octets, "C-1", "zenith")
    assert other.pk != one.pk
    withdraw(one.pk, actor=importing(), reason="x", at=NOW)
    with pytest.raises(ConsignmentStateError):
        submitted(octets)
    assert submitted(octets, "C-3").rows == 3


def test_a_withdrawn_list_is_destroyed() -> None:
    one = submitted(listed(some(3)) + b"x\n")
    withdraw(one.pk, actor=importing(), reason="a mistake", at=NOW)
    assert on_list(one) == []
    assert list(sealed_lists.rejected_rows(one.pk)) == []


def test_what_stops_in_the_middle_can_be_sent_again_after_an_hour_and_the_first_sender_is_too_late() -> None:
    def slow() -> Any:
        yield listed(some(50))
        with pytest.raises(ConsignmentStateError, match="is being received"):
            submitted(listed(some(70)), declared=70, at=NOW + GIVEN_UP_AFTER - timedelta(seconds=1))
        taken = submitted(listed(some(70)), declared=70, at=NOW + GIVEN_UP_AFTER)
        assert taken.rows == 70
        yield listed(some(50, 1000))

    with pytest.raises(ConsignmentStateError, match="given up"):
        submitted(Made(slow()), declared=100, limits=Limits(batch=10))
    one = Consignment.objects.get()
    assert (one.state, one.rows, len(on_list(one))) == ("submitted", 70, 70)


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": ""}, {"number": "x" * 61}, {"number": "a\x00"}, {"port": ""}, {"port": "a\nb"},
        {"declared": 0}, {"declared": -1}, {"declared": 10_000_001}, {"customs_reference": "\u202e"},
    ],
)  # fmt: skip
def test_a_declaration_that_does_not_hold_together_is_refused(wrong: dict[str, Any]) -> None:
    said: dict[str, Any] = {"importer": importer(), "number": "C-1", "declared": 1, "port": "Port", **wrong}
    with pytest.raises(CeirError):
        submit(Declaration(**said), Made(iter([listed(some(1))])), actor=importing(), at=NOW)  # type: ignore[arg-type]
    assert Consignment.objects.count() == 0


def test_sql_and_html_in_what_is_declared_are_words() -> None:
    text = "'); DELETE FROM imports_sealedimei; -- <b>"
    said = Declaration(importer(), text, 1, text, text)
    one = submit(said, Made(iter([listed(some(1))])), actor=importing(), at=NOW)  # type: ignore[arg-type]
    assert (one.number, one.port, len(on_list(one))) == (text, text, 1)


# --- checking


def test_checks_find_what_speaks_against_imeis_and_models() -> None:
    octets = listed([*some(10), *some(3, tac=OTHER_TAC)])
    known = Known(
        seen=[imei(1), imei(999)], registered=[imei(2)], stolen=[imei(3), imei(4)],
        not_allocated=[OTHER_TAC], not_approved=[OTHER_TAC],
    )  # fmt: skip
    one = checked(submitted(octets), known)
    assert one.found == {
        "not_approved": 3, "registered": 1, "seen": 1, "stolen": 2, "tac_not_allocated": 3,
    }  # fmt: skip
    assert one.not_made == []
    told = [row[:4] for row in report(one.pk, actor=importing(), at=NOW)]
    assert told == [
        ("4", imei(3).printed, "1", "stolen"),
        ("5", imei(4).printed, "1", "stolen"),
        ("11", f"{OTHER_TAC:08}", "3", "tac_not_allocated"),
        ("11", f"{OTHER_TAC:08}", "3", "not_approved"),
    ]


def test_who_lists_guesses_is_not_told_which_of_them_others_use_or_import() -> None:
    checked(submitted(listed(some(5)), "C-1", "acme"))
    guesses = [*some(10)]
    one = checked(submitted(listed(guesses), "G-1", "zenith"), Known(seen=some(4), registered=[imei(6)]))
    assert one.found == {"on_another": 5, "registered": 1, "seen": 4}
    assert list(report(one.pk, actor=importing("zenith"), at=NOW)) == []
    assert found_shown(one, actor=importing("zenith")) == {}
    assert found_shown(one, actor=actor(Role.CUSTOMS)) == one.found
    assert [one.number for one in visible(importing("zenith"))] == ["G-1"]
    assert visible(actor(Role.AUDITOR)).count() == 2
    for role in (Role.OPERATOR, Role.CONSUMER, Role.DEALER):
        with pytest.raises(PermissionDeniedError):
            visible(actor(role))


def test_a_check_that_could_not_be_made_is_named_and_takes_a_second_person() -> None:
    one = check(submitted(listed(some(2))).pk, Checks(approved=None), actor=SYSTEM, at=NOW)
    assert one.not_made == ["tac_not_allocated", "not_approved", "seen", "registered", "stolen"]
    with pytest.raises(SecondPersonNeededError):
        released(one)


def test_the_registers_own_certificates_are_asked_unless_others_are_given() -> None:
    from test_type_approvals import issued

    one = check(submitted(listed(some(2))).pk, Checks(), actor=SYSTEM, at=NOW)
    assert one.found == {"not_approved": 2}
    issued()
    assert check(one.pk, Checks(), actor=SYSTEM, at=NOW).found == {}


def test_what_is_reported_stolen_in_the_register_is_found_until_its_case_ends() -> None:
    import lost

    one = submitted(listed([lost.ONE, lost.TWO, imei(1)]))
    every = register_checks(NOW, allocated=lambda tacs, _: tacs, seen=lambda *_: (), registered=lambda _: ())
    case = lost.reported(imeis=(lost.ONE, lost.TWO))
    found = check(one.pk, every, actor=SYSTEM, at=NOW)
    assert (found.found["stolen"], found.not_made) == (2, [])
    lost.withdraw(case.pk, reason="found at home", actor=lost.police(), at=NOW)
    assert "stolen" not in check(one.pk, every, actor=SYSTEM, at=NOW).found


def test_a_check_made_again_forgets_what_it_found_before() -> None:
    one = submitted(listed(some(5)))
    assert checked(one, Known(stolen=some(5))).found == {"stolen": 5}
    assert checked(one, Known(seen=some(1))).found == {"seen": 1}
    assert checked(one).found == {}
    assert released(one).state == "released"


def test_checks_are_asked_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_lists, "PAGE", 7)
    known = Known(stolen=some(3, 10), seen=[imei(20)])
    one = checked(submitted(listed([*some(23), *some(2, tac=OTHER_TAC)])), known)
    assert one.found == {"seen": 1, "stolen": 3}
    assert known.most_asked <= 7


@pytest.mark.parametrize("step", ["withdrawn", "checked by another"])
def test_a_check_that_is_overtaken_ends_and_leaves_nothing_of_its_own(step: str) -> None:
    one = submitted(listed([*some(5), *some(5, tac=OTHER_TAC)]))
    known = Known(stolen=some(5, tac=OTHER_TAC))

    def seen(imeis: Sequence[int], day: date) -> set[int]:
        assert day == TODAY
        if imeis[0] // 10**6 == TAC:
            if step == "withdrawn":
                withdraw(one.pk, actor=importing(), reason="x", at=NOW)
            else:
                checked(one, Known(registered=[imei(2)]))
        return set(imeis)

    with pytest.raises(ConsignmentStateError):
        check(one.pk, replace(known.checks(), seen=seen), actor=SYSTEM, at=NOW)
    one.refresh_from_db()
    assert one.found == ({} if step == "withdrawn" else {"registered": 1})
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT reason FROM imports_finding")
        assert cursor.fetchall() == ([] if step == "withdrawn" else [("registered",)])


def test_an_imei_on_two_lists_is_found_of_both_whichever_is_checked_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealed_lists, "PAGE", 4)
    one = submitted(listed(some(10)), "C-1", "acme")
    two = submitted(listed(some(10, 8)), "C-1", "zenith")
    assert checked(one).found == {"on_another": 2}
    assert checked(two).found == {"on_another": 2}
    three = submitted(listed([imei(3), imei(9), imei(50)]), "C-2", "zenith")
    assert checked(three).found == {"on_another": 2}
    for other, count in ((one, 3), (two, 2)):
        other.refresh_from_db()
        assert other.found == {"on_another": count}
    withdraw(two.pk, actor=importing("zenith"), reason="x", at=NOW)
    assert checked(one).found == {"on_another": 2}


def test_who_may_have_consignments_checked() -> None:
    one = submitted(listed(some(1)))
    check(one.pk, Checks(), actor=actor(Role.CUSTOMS), at=NOW)
    for who in (importing(), actor(Role.OFFICER), actor(Role.REVIEWER)):
        with pytest.raises(PermissionDeniedError):
            check(one.pk, Checks(), actor=who, at=NOW)


# --- releasing


@pytest.mark.parametrize(
    ("octets", "declared", "known", "doubt"),
    [
        (listed(some(3)), 3, Known(stolen=[imei(1)]), "found.stolen"),
        (listed(some(3)), 3, Known(seen=[imei(1)]), "found.seen"),
        (listed(some(3)), 3, Known(registered=[imei(1)]), "found.registered"),
        (listed(some(3)), 3, Known(not_approved=[TAC]), "found.not_approved"),
        (listed(some(3)), 3, Known(not_allocated=[TAC]), "found.tac_not_allocated"),
        (listed(some(3)) + b"x\n", 4, Known(), "rejected.not_an_imei"),
        (listed([*some(3), imei(1)]), 4, Known(), "rejected.twice"),
        (listed(some(3)), 4, Known(), "declared_otherwise"),
        (listed(some(3)), 2, Known(), "declared_otherwise"),
    ],
)
def test_what_checks_found_takes_a_second_person(
    octets: bytes, declared: int, known: Known, doubt: str
) -> None:
    one = checked(submitted(octets, declared=declared), known)
    assert list(doubts(one)) == [doubt]
    with pytest.raises(SecondPersonNeededError, match=doubt):
        released(one)
    proposal = propose_release(one.pk, (), actor=actor(Role.CUSTOMS), reason="papers seen", at=NOW)
    for role, login in ((Role.CUSTOMS, ""), (Role.CUSTOMS, "c2"), (Role.POLICE, ""), (Role.OFFICER, "")):
        with pytest.raises(PermissionDeniedError) as denied:
            decide(proposal.pk, accept=True, actor=actor(role, login), reason="seen", at=NOW)
        assert isinstance(denied.value, FourEyesError | PermissionDeniedError)
    one.refresh_from_db()
    assert one.state == "checked"
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="right", at=NOW)
    one.refresh_from_db()
    assert (one.state, one.rows) == ("released", 3)


def test_what_is_left_out_waits_as_a_consignment_of_its_own() -> None:
    octets = listed([*some(10), *some(3, tac=OTHER_TAC)])
    known = Known(stolen=[imei(3)], seen=[imei(5)], not_approved=[OTHER_TAC])
    one = checked(submitted(octets), known)
    released_by_two(one, Reason.STOLEN, Reason.NOT_APPROVED)
    held = one.held.get()
    assert (one.state, one.rows, held.state, held.rows) == ("released", 9, "submitted", 4)
    assert held.number == "C-1/held-1"
    assert held.submitted_at == one.submitted_at
    assert set(on_list(held)) == {imei(3).number, *(i.number for i in some(3, tac=OTHER_TAC))}
    assert imei(5).number in on_list(one)
    assert sum(t.rows for t in one.tacs.all()) == 9
    assert {t.tac: t.rows for t in held.tacs.all()} == {TAC: 1, OTHER_TAC: 3}
    assert checked(held, Known(stolen=[imei(3)])).found == {"stolen": 1}
    again = released_by_two(held, Reason.STOLEN)
    assert (again.rows, again.held.get().number) == (3, "C-1/held-2")


def test_a_release_that_would_leave_nothing_is_refused_whole() -> None:
    one = checked(submitted(listed(some(3))), Known(not_approved=[TAC]))
    with pytest.raises(ConsignmentStateError, match="Nothing would be left"):
        released_by_two(one, Reason.NOT_APPROVED)
    one.refresh_from_db()
    assert (one.state, len(on_list(one)), one.held.count()) == ("checked", 3, 0)
    assert Proposal.objects.get().state == "open"


def test_rows_that_were_not_taken_cannot_be_left_out() -> None:
    one = checked(submitted(listed(some(3)) + b"x\n"))
    with pytest.raises(ConsignmentStateError):
        propose_release(one.pk, [Reason.NOT_AN_IMEI], actor=actor(Role.CUSTOMS), reason="x", at=NOW)


def test_a_proposal_does_not_release_what_more_was_found_of_since() -> None:
    one = checked(submitted(listed(some(3))), Known(seen=[imei(1)]))
    proposal = propose_release(one.pk, (), actor=actor(Role.CUSTOMS), reason="x", at=NOW)
    checked(one, Known(seen=[imei(1)], stolen=[imei(2)]))
    with pytest.raises(ConsignmentStateError, match="changed since"):
        decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    one.refresh_from_db()
    assert one.state == "checked"


def test_an_old_check_is_made_again_before_a_release() -> None:
    one = checked(submitted(listed(some(3))))
    with pytest.raises(ConsignmentStateError, match="older than 7 days"):
        released(one, NOW + CHECK_LASTS + timedelta(seconds=1))
    checked(one, at=NOW + CHECK_LASTS)
    assert released(one, NOW + CHECK_LASTS + timedelta(days=1)).state == "released"


def test_no_imei_is_released_twice() -> None:
    one, two = submitted(listed(some(5)), "C-1", "acme"), submitted(listed(some(5, 3)), "C-1", "zenith")
    checked(one)
    checked(two)
    one.refresh_from_db()
    released_by_two(one)
    assert one.rows == 5
    released_by_two(two)
    assert (two.rows, two.held.get().rows) == (3, 2)
    assert set(on_list(two.held.get())) == {imei(3).number, imei(4).number}
    rows_by_imei = [row[0] for row in rows(NOW) if row[4]]
    assert len(rows_by_imei) == len(set(rows_by_imei)) == 8
    held = checked(two.held.get())
    with pytest.raises(ConsignmentStateError, match="Nothing would be left"):
        released_by_two(held)
