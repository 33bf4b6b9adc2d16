"""The desk over the API: whose things are seen, what takes a code, a basis or a second person."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from calling import bearer, call, program
from desk import Phones, blocked_case, country, fleet, line, proof, registered, speaks_for
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Http
from django.utils import timezone
from lost import NUMBER, ONE, THIEF
from people import account, actor, agreed, second
from test_documents import PDF, png
from world import imei

from ceir.registry.accounts.clients import hand_out
from ceir.registry.actors import Role
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.audit.models import Entry
from ceir.registry.cases.choosing import SeenDevice
from ceir.registry.cases.models import Case
from ceir.registry.codes.models import Purpose
from ceir.registry.imports.licences import grant
from ceir.registry.organisations.models import Organisation
from ceir.registry.registrations.models import Registration


@pytest.fixture(autouse=True)
def phones(tmp_path: Path, settings: Any) -> Iterator[Phones]:
    made = Phones()
    settings.CEIR_DOCUMENTS = tmp_path / "documents"
    settings.CEIR_COUNTRY = country(made)
    yield made
    verify_record()


def post(path: str, token: str, body: Any = None) -> Any:
    return call("POST", path, token, body)


def upload(path: str, token: str, name: str, octets: bytes, **more: object) -> Any:
    form = {"file": SimpleUploadedFile(name, octets), **more}
    return Http(raise_request_exception=False).post(
        f"/api/v1/{path}", form, headers={"Authorization": f"Bearer {token}"}
    )


def lost(**more: object) -> dict[str, object]:
    return {
        "loss": "stolen",
        "happened_at": (timezone.now() - timedelta(hours=2)).isoformat(),
        "place": "Old Market",
        "msisdn": "+220000000001",
        **more,
    }


def accept(proposal: int, role: Role = Role.REVIEWER) -> None:
    answer = post(f"proposals/{proposal}/decision", bearer(role), {"accept": True, "reason": "seen"})
    assert answer.status_code == 200, answer.content


def test_a_case_by_number_only_goes_from_code_to_choice_to_block_to_owner(
    phones: Phones, settings: Any
) -> None:
    seen = [SeenDevice(ONE, "Oppo", "N1", timezone.now().date())]
    settings.CEIR_COUNTRY = country(phones, devices_seen=lambda _: seen)
    owner, police, station = (
        bearer(Role.CONSUMER),
        bearer(Role.POLICE, of="p1"),
        program(Role.POLICE, of="p1").organisation_id,
    )
    case = post("cases", owner, lost(station=station)).json()["id"]
    assert post(f"cases/{case}/code", owner, {"msisdn": "+220000000001"}).status_code == 202
    given = {"msisdn": "+220000000001", "code": phones.last}
    offered = post(f"cases/{case}/candidates", owner, given).json()["items"]
    assert offered == [{"number": 1, "make": "Oppo", "model": "N1", "last_digits": ONE.printed[-4:]}]
    chosen = post(f"cases/{case}/choice", owner, {"numbers": [1]}).json()
    assert chosen["identities"] == [{"imei": ONE.printed, "proven": True}]
    verified = post(f"cases/{case}/verification", police, {"reason": "the bill fits"}).json()
    assert verified["case"]["state"] == "verified"
    accept(verified["proposal"]["id"])
    assert call("GET", f"cases/{case}", owner).json()["state"] == "blocked"
    assert post(f"cases/{case}/recovery", police, {"reason": "found"}).json()["state"] == "recovered"
    assert post(f"cases/{case}/restoration", police, {"reason": "fetched"}).json()["state"] == "restored"


def test_a_case_of_another_is_not_there_whatever_is_tried_with_it() -> None:
    case = blocked_case("station-1")
    for token in (bearer(Role.POLICE, of="elsewhere"), bearer(Role.CONSUMER), bearer(Role.OPERATOR)):
        for path, body in (
            ("withdrawal", {"reason": "x"}),
            ("person", {"basis": "law 1"}),
            ("code", {"msisdn": "+220000000001"}),
        ):
            answer = post(f"cases/{case}/{path}", token, body)
            assert answer.status_code in (403, 404), answer.content
            if answer.status_code == 403:
                assert answer.json()["detail"] == "The token does not cover personal.read."
        missing = call("GET", f"cases/{case}", token), call("GET", "cases/999999", token)
        assert [one.status_code for one in missing] == [404, 404]
        assert call("GET", "cases", token).json()["items"] == []
    assert Case.objects.get(pk=case).state == "seen"


def test_personal_data_is_read_on_a_basis_that_is_kept_and_is_nowhere_else() -> None:
    case = blocked_case("station-1")
    program(Role.POLICE, of="station-1")
    police = bearer(Role.POLICE, of="station-1")
    shown = call("GET", f"cases/{case}", police).content.decode()
    shown += call("GET", f"cases/{case}/traces", police).content.decode()
    for secret in ("Amina", str(NUMBER), str(THIEF)):
        assert secret not in shown
    assert post(f"cases/{case}/person", police, {"basis": ""}).status_code == 422
    assert post(f"cases/{case}/person", police, {"basis": "a\nb"}).json()["code"] == "legal_basis"
    person = post(f"cases/{case}/person", police, {"basis": "law 7"}).json()
    assert (person["owner_name"], person["msisdn"]) == ("Amina Yusuf", str(NUMBER))
    trace = call("GET", f"cases/{case}/traces", police).json()["items"][0]["id"]
    where = post(f"cases/{case}/traces/{trace}/reading", police, {"basis": "law 7"}).json()
    assert where["msisdn"] == str(THIEF)
    read = Entry.objects.filter(action="personal.read", basis="law 7")
    assert set(read.values_list("subject", flat=True)) == {f"case:{case}", f"trace:{trace}"}
    elsewhere = bearer(Role.POLICE, of="elsewhere")
    assert call("GET", f"cases/{case}/traces", elsewhere).json()["items"] == []
    assert post(f"cases/{case}/traces/{trace}/reading", elsewhere, {"basis": "law 7"}).status_code == 404


def test_documents_are_what_their_octets_say_and_are_given_back_whole() -> None:
    case = blocked_case("station-1")
    police = bearer(Role.POLICE, of="station-1")
    added = upload(f"cases/{case}/documents", police, "../../etc/passwd.exe", PDF)
    assert (added.status_code, added.json()["media_type"]) == (201, "application/pdf")
    refused = upload(f"cases/{case}/documents", police, "bill.pdf", b"PK\x03\x04 not a bill")
    assert (refused.status_code, refused.json()["code"]) == (422, "document_refused")
    read = post(f"cases/{case}/documents/{added.json()['id']}/reading", police, {"basis": "law 7"})
    assert (read.content, read.headers["Content-Type"]) == (PDF, "application/pdf")
    assert read.headers["Content-Disposition"] == "attachment"
    listed = call("GET", f"cases/{case}/documents", police).json()["items"]
    assert [one["id"] for one in listed] == [added.json()["id"]]


def test_a_number_is_proven_by_a_code_and_a_device_registered_shown_and_given_up(phones: Phones) -> None:
    mine = bearer(Role.CONSUMER)
    sent = post("codes", mine, {"purpose": "registration", "msisdn": "+220000000001"})
    assert sent.status_code == 202
    assert phones.last not in sent.content.decode()
    wrong = {"purpose": "registration", "msisdn": "+220000000001", "code": "no"}
    assert post("codes/proof", mine, wrong).json()["code"] == "code_refused"
    code = post("codes/proof", mine, {**wrong, "code": phones.last}).json()["code"]
    known = {"code": code, "msisdn": "+220000000001"}
    wanted = {"device": {"imeis": [imei(1).printed]}, "proof": known}
    made = post("registrations", mine, wanted)
    assert (made.status_code, made.json()["imeis"]) == (201, [imei(1).printed])
    again = post("registrations", mine, wanted)
    assert again.json()["code"] in ("code_refused", "identifier_taken", "registration_refused")
    devices = {"proof": proof(Purpose.DEVICES, speaks_for(Role.CONSUMER))}
    assert post("devices/mine", mine, devices).json()["items"][0]["identities"] == [imei(1).printed]
    ended = post("registrations/giving-up", mine, {"imei": imei(1).printed, **devices})
    assert ended.json()["state"] == "ended"


def test_a_device_goes_from_hand_to_hand_by_its_code() -> None:
    registered(1)
    mine, who = bearer(Role.CONSUMER), speaks_for(Role.CONSUMER)
    offered = post("transfers", mine, {"imei": imei(1).printed, "proof": proof(Purpose.TRANSFER, who, 1)})
    assert offered.status_code == 201, offered.content
    taken = {
        "imei": imei(1).printed,
        "code": offered.json()["code"],
        "proof": proof(Purpose.TRANSFER, who, 2),
    }
    assert post("transfers/acceptance", mine, {**taken, "code": "AAAA"}).json()["code"] == "transfer_refused"
    became = post("transfers/acceptance", mine, taken)
    assert became.status_code == 201, became.content
    assert "22000000" not in became.content.decode(), "neither learns the other's number"
    gone = post("transfers/999/withdrawal", mine, {"proof": proof(Purpose.TRANSFER, who, 2)})
    assert gone.status_code == 404


def test_an_organisation_sees_its_own_registrations_and_nobody_elses() -> None:
    fleet(speaks_for(Role.IMPORTER), 1, 2)
    fleet(speaks_for(Role.DEALER), 3)
    registered(1)
    mine = call("GET", "registrations", bearer(Role.IMPORTER)).json()["items"]
    assert len(mine) == 2
    other = call("GET", f"registrations/{mine[0]['id']}", bearer(Role.DEALER))
    assert (other.status_code, other.json()["code"]) == (404, "not_found")
    assert call("GET", "registrations", bearer(Role.CONSUMER)).json()["items"] == []
    assert len(call("GET", "registrations", bearer(Role.OFFICER)).json()["items"]) == 4


def test_a_batch_takes_what_is_right_and_says_what_is_wrong_with_the_rest() -> None:
    batch = {
        "kind": "fleet",
        "reason": "meters",
        "devices": [{"imeis": [imei(1, "35209900").printed]}, {"imeis": ["123"]}],
    }
    outcome = post("registrations/batch", bearer(Role.IMPORTER), batch)
    assert outcome.status_code == 201, outcome.content
    assert (outcome.json()["registered"], outcome.json()["refused"][0]["row"]) == (1, 2)
    theirs = {**batch, "organisation": program(Role.DEALER).organisation_id}
    assert post("registrations/batch", bearer(Role.IMPORTER), theirs).status_code == 403
    assert post("registrations/batch", bearer(Role.CONSUMER), batch).status_code == 403


def test_a_file_of_devices_is_taken_row_by_row() -> None:
    rows = f"imei1,serial\n{imei(1, '35209900').printed},\n=cmd|'/c calc'!A0,\n".encode()
    outcome = upload(
        "registrations/file", bearer(Role.IMPORTER), "fleet.csv", rows, kind="fleet", reason="meters"
    )
    assert outcome.status_code == 201, outcome.content
    assert outcome.json()["registered"] == 1
    assert [one["row"] for one in outcome.json()["refused"]] == [2]
    assert "calc" not in outcome.content.decode()


def licensed() -> Organisation:
    owner = Organisation.objects.get(pk=speaks_for(Role.IMPORTER).organisation)
    at = timezone.now()
    grant(owner, "L-1", at.date(), None, 1000, actor=actor(Role.OFFICER), at=at)
    return owner


def test_a_consignment_is_submitted_checked_released_and_sealed() -> None:
    licensed()
    listed = "".join(f"{imei(n).printed}\n" for n in range(3)).encode()
    said = {"number": "C-1", "declared": "3", "port": "Port Examplia"}
    mine, customs = bearer(Role.IMPORTER), bearer(Role.CUSTOMS)
    made = upload("imports", mine, "list.csv", listed, **said)
    assert made.status_code == 201, made.content
    consignment = made.json()["id"]
    assert upload("imports", mine, "list.csv", listed, **said).json()["id"] == consignment
    elsewhere = bearer(Role.IMPORTER, of="elsewhere")
    assert call("GET", f"imports/{consignment}", elsewhere).status_code == 404
    assert post(f"imports/{consignment}/withdrawal", elsewhere, {"reason": "x"}).status_code == 404
    checked = post(f"imports/{consignment}/check", customs)
    assert checked.json()["state"] == "checked", checked.content
    found = post("imports/look-up", customs, {"imei": imei(1).printed, "basis": "inspection 3"}).json()
    assert [one["consignment"] for one in found["items"]] == [consignment]
    assert Entry.objects.filter(action="import.looked_up", basis="inspection 3").exists()
    refused = post(f"imports/{consignment}/release", customs)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")
    asked = post(f"imports/{consignment}/release-proposal", customs, {"reason": "papers seen"})
    accept(asked.json()["id"])
    assert call("GET", f"imports/{consignment}", mine).json()["state"] == "released"
    assert post(f"imports/{consignment}/sale", mine).json()["state"] == "on_sale"
    report = call("GET", f"imports/{consignment}/report", mine)
    assert b"".join(report.streaming_content).startswith(b"line,value")


def test_a_certificate_takes_two_people_over_the_api_too() -> None:
    officer = bearer(Role.OFFICER)
    wording = {
        "holder": "Oppo, Ltd.",
        "models": [{"manufacturer": "Oppo", "name": "N1", "tacs": ["35675904"]}],
        "standards": ["EN 301 511 V12.5.1"],
        "valid_from": "2026-01-01",
    }
    drafted = post("approvals", officer, {"number": "TA-1", "wording": wording}).json()
    assert call("GET", f"approvals/{drafted['id']}", bearer(Role.IMPORTER)).status_code == 404
    proposed = post(
        f"approvals/{drafted['id']}/changes", officer, {"change": "issue", "reason": "complete"}
    ).json()
    same = post(f"proposals/{proposed['id']}/decision", officer, {"accept": True, "reason": "x"})
    assert same.status_code == 403
    accept(proposed["id"])
    assert call("GET", f"approvals/{drafted['id']}", bearer(Role.IMPORTER)).json()["state"] == "valid"
    wrong = post(f"approvals/{drafted['id']}/changes", officer, {"change": "reinstate", "reason": "x"})
    assert wrong.json()["code"] == "certificate_state"


def test_a_pair_code_pairs_a_number_and_the_pairing_can_be_released() -> None:
    line(1)
    registered(1)
    mine, who = bearer(Role.CONSUMER), speaks_for(Role.CONSUMER)
    made = post("pairings/codes", mine, {"imei": imei(1).printed, "proof": proof(Purpose.PAIRING, who)})
    assert made.status_code == 201, made.content
    wanted = {"imei": imei(1).printed, "code": made.json()["code"], "proof": proof(Purpose.PAIRING, who, 2)}
    paired = post("pairings", mine, wanted)
    assert (paired.status_code, paired.json()["state"]) == (201, "in_force"), paired.content
    released = post(
        f"pairings/{paired.json()['id']}/release", mine, {"proof": proof(Purpose.PAIRING, who, 2)}
    )
    assert released.status_code == 204
    assert call("GET", "pairings", mine).json()["items"] == []


def test_a_line_is_told_swapped_and_ended_by_its_operator() -> None:
    told = {"msisdn": "+220000000005", "imsi": "111010000000005", "holder": {"document": "AB 999"}}
    operator = bearer(Role.OPERATOR)
    first = post("subscribers/lines", operator, told)
    assert first.status_code == 200, first.content
    swapped = post("subscribers/lines", operator, {**told, "imsi": "111010000000006"})
    assert swapped.json() == first.json()
    other = post("subscribers/lines", operator, {**told, "imsi": "999010000000006"})
    assert other.json()["code"] == "report_refused"
    assert post("subscribers/ends", operator, {"msisdn": "+220000000005"}).status_code == 204


def test_a_program_gets_credentials_that_work_and_no_more_than_its_role() -> None:
    administrator = bearer(Role.ADMINISTRATOR)
    answers = account(Role.OPERATOR)
    operator = answers.organisation
    more = {"responsible": answers.pk, "reason": "their gateway"}
    made = post(
        f"organisations/{operator.pk}/clients",
        administrator,
        {"name": "gateway", "role": "operator", "scopes": ["subscriber.report"], **more},
    )
    assert made.status_code == 201, made.content
    key, half = made.json()["client"]["id"], "the second half of it"
    assert not made.json()["client"]["active"]
    agreed(f"client:{key}")
    hand_out(key, half=half, actor=second(), at=timezone.now())
    form = {
        "grant_type": "client_credentials",
        "client_id": made.json()["client"]["identifier"],
        "client_secret": made.json()["first_half"] + half,
    }
    assert Http().post("/api/v1/token", form).status_code == 200
    too_much = {"name": "x", "role": "operator", "scopes": ["case.verify"], **more}
    refused = post(f"organisations/{operator.pk}/clients", administrator, too_much)
    assert refused.json()["code"] == "client_refused"
    assert (
        made.json()["first_half"]
        not in call("GET", f"organisations/{operator.pk}/clients", administrator).content.decode()
    )


def test_a_counterfeit_is_reported_with_photos_examined_and_concluded() -> None:
    seen = {"suspicion": "counterfeit", "imei": imei(1).printed, "brand": "Oppo", "model": "N1"}
    mine = bearer(Role.DEALER)
    report = post("counterfeits", mine, seen).json()["id"]
    photo = upload(f"counterfeits/{report}/photos", mine, "p.png", png(), shows="device")
    assert photo.status_code == 201, photo.content
    assert call("GET", f"counterfeits/{report}", bearer(Role.CONSUMER)).status_code == 404
    read = post(
        f"counterfeits/{report}/photos/{photo.json()['id']}/reading", mine, {"basis": "my own report"}
    )
    assert read.content == png()
    upload(f"counterfeits/{report}/photos", mine, "q.png", png(2), shows="imei_on_screen")
    assert post(f"counterfeits/{report}/examination", bearer(Role.OFFICER)).json()["state"] == "examined"
    concluded = post(
        f"counterfeits/{report}/conclusion", bearer(Role.REVIEWER), {"confirmed": True, "reason": "a copy"}
    )
    assert concluded.json()["state"] == "confirmed", concluded.content


def test_an_audit_of_the_market_goes_to_its_end() -> None:
    officer = bearer(Role.OFFICER)
    day = timezone.now().date()
    audit = post("surveillance", officer, {"number": "S-1", "place": "Old Market", "on": str(day)}).json()
    sample = post(
        f"surveillance/{audit['id']}/samples",
        officer,
        {"manufacturer": "Oppo", "model": "N1", "imei": imei(1).printed, "taken_from": "stall 3"},
    ).json()
    for aspect in ("brand", "conformity", "identifier"):
        found = {"aspect": aspect, "faulty": False, "text": "in order"}
        answer = post(f"surveillance/samples/{sample['id']}/findings", officer, found)
        assert answer.status_code == 201, answer.content
    closed = post(f"surveillance/{audit['id']}/closing", officer, {"conclusion": "all in order"})
    assert closed.json()["state"] == "closed", closed.content


def test_without_a_gateway_or_a_policy_it_is_said_what_is_lacking(settings: Any) -> None:
    settings.CEIR_COUNTRY = None
    wanted = {"purpose": "devices", "msisdn": "+220000000001"}
    lacking = post("codes", bearer(Role.CONSUMER), wanted)
    assert (lacking.status_code, lacking.json()["code"]) == (503, "not_set_up")
    assert Registration.objects.count() == 0
