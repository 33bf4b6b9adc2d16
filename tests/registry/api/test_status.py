"""The status of equipment, as each kind of caller is told it."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from calling import bearer, call
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lost import ONE, blocked, reported
from people import NOW, account, actor
from registry_publications import decided, publish

from ceir.api.identities import identity_of
from ceir.identifiers import Imei, InvalidIdentifierError
from ceir.registry.actors import SYSTEM, Actor, Role
from ceir.registry.appeals.models import Appeal
from ceir.registry.appeals.models import State as AppealState
from ceir.registry.calls import allowing
from ceir.registry.cases.states import Mode
from ceir.registry.devices.models import Device, Identifier
from ceir.registry.organisations.models import Organisation
from ceir.registry.pairings.models import Pairing
from ceir.registry.references.models import Observed, TacRecord
from ceir.registry.registrations.models import Registration, Submission
from ceir.registry.releases.models import Member, Override, Release
from ceir.registry.runs.applying import apply
from ceir.registry.runs.models import Run
from ceir.registry.status.answering import Answer, Status, status_of
from ceir.registry.subscribers.finding import unknown
from ceir.registry.subscribers.models import Line, Sim

CLONE = Imei("35675904000001")
PUBLIC = {
    "imei", "status", "reasons", "advice", "since", "block_on", "works_with_paired_numbers", "lines_go_on",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _leases() -> Iterator[None]:
    allowing.forget_leases()
    yield
    allowing.forget_leases()


def run_with(tmp_path: Path, *rows: tuple[str, ...]) -> Run:
    return apply(publish(tmp_path / "run", 1, rows), actor=SYSTEM, at=NOW).run


def released(run: Run, imei: Imei, *, operators: tuple[str, ...] = ()) -> Release:
    """The imei's block let out by a release: everywhere, or at some operators."""
    release = Release.objects.create(
        run=run, conditions=[], stages=[{"buckets": 1, "days": 1, "operators": list(operators)}],
        by_operator=bool(operators), budgets={}, tolerated=0, alone_share=0, salt=b"x" * 16, state="running",
        reason="x", planned_by="account:1", planned_at=NOW,
    )  # fmt: skip
    Member.objects.create(
        release=release, imei=imei.number, blocked_run=run.number, bucket=0, stage=0,
        everywhere=not operators, moved_at=NOW,
    )  # fmt: skip
    return release


def asked(imei: Imei = CLONE, by: Actor | None = None) -> Status:
    return status_of([imei], actor=by or actor(Role.CONSUMER), at=NOW)[0]


def test_equipment_of_which_nothing_is_known_is_permitted() -> None:
    found = asked()
    assert (found.status, found.reasons, found.checks) == (Answer.PERMITTED, (), None)


def test_a_block_counts_only_once_a_release_let_it_out(tmp_path: Path) -> None:
    run = run_with(tmp_path, decided(CLONE.digits, reasons="Never allocated|Seen twice at once"))
    held = asked()
    assert held.status is Answer.TRACKED
    assert held.reasons == ("Never allocated", "Seen twice at once")
    assert held.block_on == date(2026, 11, 1)
    release = released(run, CLONE)
    assert asked().status is Answer.BLOCKED
    release.undone_at = NOW
    release.save()
    assert asked().status is Answer.TRACKED


def test_a_block_at_one_operator_is_a_block_there_and_told_so_everywhere(tmp_path: Path) -> None:
    run = run_with(tmp_path, decided(CLONE.digits))
    account(Role.OPERATOR, of="operator1")
    account(Role.OPERATOR, "o2", of="operator2")
    released(run, CLONE, operators=("operator1",))
    officer = asked(by=actor(Role.OFFICER))
    assert officer.evidence is not None
    assert officer.evidence.released == "in part"
    assert asked(by=actor(Role.OPERATOR, "operator-1", "operator1")).status is Answer.BLOCKED


def test_while_an_override_is_in_force_nothing_is_blocked(tmp_path: Path) -> None:
    released(run_with(tmp_path, decided(CLONE.digits)), CLONE)
    blocked()
    Override.objects.create(
        answer="tracked", reason="x", begun_at=NOW - timedelta(hours=1), proposed_by="a", decided_by="b",
        until=NOW + timedelta(hours=1),
    )  # fmt: skip
    assert asked().status is Answer.TRACKED
    assert asked(ONE).status is Answer.TRACKED
    Override.objects.update(answer="permitted")
    assert (asked().status, asked().reasons) == (Answer.PERMITTED, ())
    assert asked(ONE).status is Answer.PERMITTED
    later = status_of([ONE], actor=actor(Role.CONSUMER), at=NOW + timedelta(hours=2))[0]
    assert later.status is Answer.BLOCKED, "it ends by itself"


def test_an_override_of_another_operator_changes_nothing_for_this_one(tmp_path: Path) -> None:
    released(run_with(tmp_path, decided(CLONE.digits)), CLONE)
    account(Role.OPERATOR, "o1", of="operator1")
    account(Role.OPERATOR, "o2", of="operator2")
    Override.objects.create(
        operator="operator1", answer="permitted", reason="x", begun_at=NOW - timedelta(hours=1),
        proposed_by="a", decided_by="b", until=NOW + timedelta(hours=1),
    )  # fmt: skip
    assert asked(by=actor(Role.OPERATOR, "o1", "operator1")).status is Answer.PERMITTED
    assert asked(by=actor(Role.OPERATOR, "o2", "operator2")).status is Answer.BLOCKED
    assert asked().status is Answer.BLOCKED


@pytest.mark.parametrize("outcome", ["spared", "trial"])
def test_what_is_spared_or_on_trial_is_permitted_and_not_told_to_everybody(
    outcome: str, tmp_path: Path
) -> None:
    run_with(tmp_path, decided(CLONE.digits, outcome))
    told = asked()
    assert (told.status, told.reasons, told.since, told.block_on) == (Answer.PERMITTED, (), None, None)
    evidence = asked(by=actor(Role.OFFICER)).evidence
    assert evidence is not None
    assert evidence.outcome == outcome


def test_a_notified_device_works_and_knows_its_day(tmp_path: Path) -> None:
    run_with(tmp_path, decided(CLONE.digits, "notified", block="20261201"))
    told = asked()
    assert (told.status, told.block_on) == (Answer.TRACKED, date(2026, 12, 1))
    assert "appeal" in told.advice


def test_a_case_blocks_once_two_people_said_so_and_until_it_ends() -> None:
    case = reported(by=actor(Role.OPERATOR))
    told = asked(ONE)
    assert told.status is not Answer.PERMITTED
    case.state = "rejected"
    case.ended_at = NOW
    case.provisional_until = None
    case.save()
    assert asked(ONE).status is Answer.PERMITTED


def test_a_device_in_recovery_mode_works_and_its_owner_is_named_by_nobody() -> None:
    reported(mode=Mode.RECOVERY)
    told = asked(ONE)
    assert told.status is Answer.TRACKED
    assert told.reasons == ("Its owner asks for it back",)


def test_a_provisional_block_ends_at_its_deadline_whoever_sweeps() -> None:
    case = blocked()
    case.state, case.block_proposal, case.blocked_at = "reported", None, None
    case.provisional_from, case.provisional_until = NOW, NOW + timedelta(hours=1)
    case.save()
    assert asked(ONE).status is Answer.BLOCKED
    later = status_of([ONE], actor=actor(Role.CONSUMER), at=NOW + timedelta(hours=1))[0]
    assert later.status is Answer.TRACKED


def test_partners_see_checks_and_only_what_is_their_own() -> None:
    blocked()
    station = asked(ONE, actor(Role.POLICE, "p1", "station-1"))
    other = asked(ONE, actor(Role.POLICE, "p2", "station-2"))
    assert station.checks is not None
    assert station.checks.stolen == "blocked"
    assert station.cases is not None
    assert [case.state for case in station.cases] == ["blocked"]
    assert other.cases == ()
    assert station.evidence is None
    dealer = asked(ONE, actor(Role.DEALER))
    assert (dealer.cases, dealer.own_pairings) == ((), None)


def test_checks_say_what_is_known_of_a_device() -> None:
    TacRecord.objects.create(tac=35675904, manufacturer="Oppo", model_name="N1", device_type="IoT Device")
    Observed.objects.create(imei=CLONE.number, first_seen="2026-01-02", last_seen="2026-10-03")
    device = Device.objects.create(manufacturer="Oppo", model="N1", entered_at=NOW)
    Identifier.objects.create(device=device, kind="imei", imei=CLONE.number, bound_at=NOW, bound_because="x")
    person = unknown(at=NOW)
    of = Submission.objects.create(kind="person", person=person, entered_by="x", entered_at=NOW)
    Registration.objects.create(
        submission=of, device=device, kind="person", person=person, state="in_force", entered_at=NOW,
        begins_at=NOW,
    )  # fmt: skip
    with override_settings(CEIR_EXEMPT_DEVICE_TYPES=("iot device",)):
        checks = asked(by=actor(Role.DEALER)).checks
    assert checks is not None
    assert (checks.well_formed, checks.tac_known, checks.exempt) == (True, True, True)
    assert (checks.registered, checks.registration) == (True, "in_force")
    assert (checks.first_seen, checks.last_seen) == (date(2026, 1, 2), date(2026, 10, 3))
    Registration.objects.update(ends_at=NOW)
    ended = asked(by=actor(Role.DEALER)).checks
    assert ended is not None
    assert not ended.registered


def test_an_operator_is_told_how_many_of_its_own_lines_a_device_is_paired_with() -> None:
    one = Organisation.objects.get(pk=account(Role.OPERATOR, "o1", of="operator1").organisation_id)
    two = Organisation.objects.get(pk=account(Role.OPERATOR, "o2", of="operator2").organisation_id)
    for place, operator in enumerate((one, one, two)):
        line = Line.objects.create(
            person=unknown(at=NOW), number=f"22000000000{place}", number_key=f"22000000000{place}", since=NOW
        )
        imsi = f"11101000000000{place}"
        Sim.objects.create(line=line, operator=operator, imsi=imsi, imsi_key=imsi, since=NOW)
        Pairing.objects.create(
            imei=CLONE.number, line=line, place=place + 1, ground="code", because="pair_code:1",
            state="in_force", made_by="x", made_at=NOW,
        )  # fmt: skip
    assert asked(by=actor(Role.OPERATOR, "o1", "operator1")).own_pairings == 2
    assert asked(by=actor(Role.OPERATOR, "o2", "operator2")).own_pairings == 1
    officer = asked(by=actor(Role.OFFICER))
    assert officer.own_pairings is None
    assert officer.evidence is not None
    assert officer.evidence.pairings == 3


def test_an_appeal_is_told_without_calling_the_device_free(tmp_path: Path) -> None:
    run = run_with(tmp_path, decided(CLONE.digits, conditions="unallocated|twice"))
    released(run, CLONE)
    line = Line.objects.create(
        person=unknown(at=NOW), number="220000000000", number_key="220000000000", since=NOW
    )
    appeal = Appeal.objects.create(
        imei=CLONE.number, condition="twice", run=1, line=line, why="x", state=AppealState.UPHELD.value,
        made_by="x", made_at=NOW, decide_by=NOW, restored_at=NOW, restored_because="upheld",
    )  # fmt: skip
    told = asked()
    assert (told.status, told.works_with_paired_numbers) == (Answer.BLOCKED, True)
    evidence = asked(by=actor(Role.OFFICER)).evidence
    assert evidence is not None
    assert evidence.appeals == (appeal.pk,)
    assert [(c.label, c.restored) for c in evidence.conditions] == [("unallocated", False), ("twice", True)]


def test_a_malformed_identity_has_a_status_too(tmp_path: Path) -> None:
    released_run = run_with(tmp_path, decided("ABC123", reasons="Malformed"))
    identity = identity_of("abc123")
    found = status_of([identity], actor=actor(Role.OFFICER), at=NOW)[0]
    assert (found.imei, found.reasons) == ("ABC123", ("Malformed",))
    assert found.checks is not None
    assert not found.checks.well_formed
    assert released_run.number == 1


def test_a_status_takes_one_statement_whatever_is_known_and_whoever_asks(tmp_path: Path) -> None:
    blocked()
    run_with(tmp_path, decided(CLONE.digits))
    for role in (Role.CONSUMER, Role.OPERATOR, Role.OFFICER):
        token = bearer(role)
        call("GET", f"status/{ONE.digits}", token)  # the allowance is taken from the database once
        with CaptureQueriesContext(
            connection,
        ) as one:
            assert call("GET", f"status/{ONE.digits}", token).status_code == 200
        assert asked_for_a_status(one) == 1
        imeis = [f"{ONE.number + n:014}" for n in range(1000)]
        call("POST", "status/batch", token, {"imeis": imeis})
        with CaptureQueriesContext(connection) as many:
            answer = call("POST", "status/batch", token, {"imeis": imeis})
        assert len(answer.json()["results"]) == 1000
        assert asked_for_a_status(many) == 1


def asked_for_a_status(captured: CaptureQueriesContext) -> int:
    """Statements besides the one that looks whether the program is still in use."""
    if connection.vendor == "postgresql":
        # The statement is prepared by the driver, past what counts here: there must be nothing else.
        assert all("accounts_client" in q["sql"] for q in captured.captured_queries)
        return 1
    rest = [q["sql"] for q in captured.captured_queries if 'FROM "accounts_client"' not in q["sql"]]
    assert len(captured.captured_queries) <= 2, [sql[:80] for sql in rest]
    return len(rest)


def test_a_batch_answers_as_each_question_alone_would(tmp_path: Path) -> None:
    blocked()
    run_with(tmp_path, decided(CLONE.digits), decided("AB", "tracked"))
    Observed.objects.create(imei=ONE.number, first_seen="2026-01-02", last_seen="2026-10-03")
    texts = [ONE.digits, CLONE.printed, "AB", "35675904000777", ONE.digits]
    for role in (Role.CONSUMER, Role.OPERATOR, Role.OFFICER):
        token = bearer(role)
        rows = call("POST", "status/batch", token, {"imeis": texts}).json()["results"]
        alone = [call("GET", f"status/{text}", token).json() for text in texts]
        assert [row["status"] for row in rows] == alone
        assert [row["asked"] for row in rows] == texts
        assert all((one["checks"] is None) == (role is Role.CONSUMER) for one in alone)
        assert all((one["evidence"] is None) == (role is not Role.OFFICER) for one in alone)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"imeis": []}, "request_invalid"),
        ({"imeis": ["1"] * 1001}, "request_invalid"),
        ({"imeis": ["3" * 33]}, "request_invalid"),
        ({"imeis": "35674108000001"}, "request_invalid"),
        ({"imeis": [35674108000001]}, "request_invalid"),
        ({}, "request_invalid"),
    ],
)
def test_a_batch_of_another_form_is_refused(body: Any, code: str) -> None:
    refused = call("POST", "status/batch", bearer(Role.CONSUMER), body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


@pytest.mark.parametrize("text", ["356741080000019", "%00", "x y", "'; DROP TABLE", "9" * 17, "%F0%9F%93%B1"])
def test_what_is_no_identity_is_refused(text: str) -> None:
    refused = call("GET", f"status/{text.replace(' ', '%20')}", bearer(Role.CONSUMER))
    assert refused.status_code in (400, 404, 422), refused.content
    assert text not in refused.content.decode()


def test_identities_are_taken_as_labels_and_networks_write_them() -> None:
    for text in ("35674108000001", "356741080000010", "35-674108-000001-0", "3567410800000199"):
        assert identity_of(text) == ONE, text
    assert identity_of("356741080000020") == Imei("35674108000002"), "the last digit is spare"
    with pytest.raises(InvalidIdentifierError):
        identity_of("356741080000025")


def test_nothing_of_a_status_is_a_moment_so_that_it_can_be_kept() -> None:
    token = bearer(Role.OFFICER)
    blocked()
    first = call("GET", f"status/{ONE.digits}", token)
    again = call("GET", f"status/{ONE.digits}", token, If_None_Match=first.headers["ETag"])
    assert again.status_code == 304
    assert timezone.now().isoformat()[:16] not in first.content.decode()
