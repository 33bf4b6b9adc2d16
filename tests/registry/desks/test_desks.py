"""The desks of an office: everybody sees what his role may, nobody changes a row, deeds are the services'."""

import json
import re
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone
from logging_in import log_in, logged_in, person, who_is_in
from lost import ONE, police, reported
from people import NOW, account, actor, agreed, organisation

from ceir.registry.accounts.models import Account, Client
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.administration.declaring import all_desks
from ceir.registry.administration.unseen import UNSEEN
from ceir.registry.audit.chain import record, verify
from ceir.registry.audit.models import Entry
from ceir.registry.cases.models import Case
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import EncryptedField
from ceir.registry.personal.finding import encrypted_fields
from ceir.registry.proposals.models import Proposal
from ceir.registry.subscribers.models import Line, Person

DESKS = all_desks()
import_module("ceir.api.urls")  # they are put there when the first page is asked for
OFFICE = (Role.OFFICER, Role.REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR, Role.POLICE, Role.CUSTOMS)


def path_of(desk: Any, rest: str = "") -> str:
    meta = desk.model._meta
    return f"/admin/{meta.app_label}/{meta.model_name}/{rest}"


def desk_of(model: type) -> Any:
    return next(desk for desk in DESKS if desk.model is model)


# --- what is there


def test_the_root_leads_to_the_desks() -> None:
    answer = Browser().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_every_model_is_at_a_desk_or_said_to_be_seen_by_nobody() -> None:
    ours = {m._meta.label for m in apps.get_models() if m.__module__.startswith("ceir.")}
    shown = {desk.model._meta.label for desk in DESKS}
    assert not shown & set(UNSEEN)
    assert ours == shown | set(UNSEEN)
    assert set(admin.site._registry) == {desk.model for desk in DESKS}, "nothing that others registered"


def test_every_desk_with_personal_data_has_a_way_to_read_it_and_no_other_shows_it() -> None:
    for desk in DESKS:
        assert bool(encrypted_fields(desk.model)) == (desk.reveals is not None), desk.model
        named = {f.name for f in desk.model._meta.fields if isinstance(f, EncryptedField)}
        assert not named & {*desk.shown, *desk.find, *desk.filters}


def test_sealed_lists_codes_and_secrets_are_at_no_desk() -> None:
    for label in ("imports.SealedImei", "imports.RejectedRow", "codes.Code", "accounts.Invitation"):
        assert label in UNSEEN
    assert {"password"} <= desk_of(Account).hidden
    assert {"secret_hash", "previous_hash"} <= desk_of(Client).hidden


# --- who sees what


@pytest.mark.parametrize("role", OFFICE, ids=lambda role: role.value)
def test_every_list_opens_exactly_for_roles_that_may_see_it(role: Role) -> None:
    browser = logged_in(role)
    request = RequestFactory().get("/")
    request.user = account(role)
    opened: dict[bool, str] = {}
    for desk in DESKS:
        rules = [RULES[permission] for permission in desk.sees]
        whole = any(role in rule.roles - rule.own for rule in rules)
        own = bool(desk.own) and any(role in rule.own for rule in rules)
        may = admin.site._registry[desk.model].has_view_permission(request)
        assert may == (whole or own), (role, desk.model)
        opened[may] = path_of(desk)
    index = browser.get("/admin/").content.decode()
    for may, path in opened.items():
        assert browser.get(path).status_code == (200 if may else 403), path
        assert (f'href="{path}"' in index) == may


def test_every_list_and_every_row_of_it_can_be_shown() -> None:
    """As somebody who may see everything: no role may."""
    reported()
    site = admin.site
    for desk in DESKS:
        shown = site._registry[desk.model]
        request = RequestFactory().get("/")
        request.user = account(next(role for role in Role if role in RULES[desk.sees[0]].roles))
        page = shown.changelist_view(request)
        assert page.status_code == 200
        page.render()  # type: ignore[attr-defined]
        for row in desk.model._default_manager.all()[:1]:
            one = shown.change_view(request, str(row.pk))
            assert one.status_code == 200
            one.render()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "role", [r for r in Role if r not in (*OFFICE, Role.SYSTEM)], ids=lambda role: role.value
)
def test_who_does_not_work_in_an_office_has_none_of_its_pages(role: Role) -> None:
    browser = logged_in(role) if role is not Role.CONSUMER else Browser()
    assert browser.get("/admin/").status_code == 302
    assert browser.get("/admin/cases/case/").status_code == 302


def test_whoever_is_not_logged_in_is_sent_to_our_log_in() -> None:
    answer = Browser().get("/admin/audit/entry/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/account/login/?next=")


def test_no_row_of_any_desk_can_be_added_changed_or_deleted_by_django() -> None:
    case = reported()
    request = RequestFactory().get("/")
    for role in OFFICE:
        request.user = account(role)
        for shown in admin.site._registry.values():
            assert not shown.has_add_permission(request)
            assert not shown.has_change_permission(request)
            assert not shown.has_delete_permission(request)
            assert not shown.get_actions(request)
    for role, path in (
        (Role.OFFICER, f"/admin/cases/case/{case.pk}/"),
        (Role.AUDITOR, "/admin/audit/entry/1/"),
    ):
        browser = logged_in(role)
        assert browser.post(f"{path}change/", {"state": "restored", "action": "x"}).status_code == 403
        assert browser.post(f"{path}delete/", {"post": "yes"}).status_code == 403
        listed = path.rstrip("0123456789/") + "/"
        assert browser.post(f"{listed}add/", {}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": "1", "post": "yes"}
        browser.post(listed, chosen)
    assert Case.objects.get(pk=case.pk).state == "reported"
    assert Entry.objects.filter(sequence=1).exists()
    verify()


def test_police_see_the_cases_of_their_station_only() -> None:
    ours, others = reported(), reported(by=police("p2", "elsewhere"))
    station = person(Role.POLICE, "station-1")
    Case.objects.filter(pk=ours.pk).update(police=station.organisation_id)
    elsewhere = organisation(OrganisationKind.POLICE, "elsewhere")
    Case.objects.filter(pk=others.pk).update(police=elsewhere, organisation=elsewhere)
    browser = log_in(station)
    assert browser.get(f"/admin/cases/case/{ours.pk}/change/").status_code == 200
    assert browser.get(f"/admin/cases/case/{others.pk}/change/").status_code == 302
    assert browser.get(f"/admin/cases/case/{others.pk}/do/verify/").status_code == 404
    assert browser.get(f"/admin/cases/case/{others.pk}/reveal/").status_code == 404


def test_djangos_own_permissions_are_nobodys() -> None:
    for role in Role:
        if role is Role.SYSTEM:
            continue
        who = account(role)
        assert not who.has_perm("cases.change_case")
        assert not who.has_perm("accounts.add_account")
        assert who.has_perm("case.read") == (role in RULES[Permission.CASE_READ].roles)


# --- looking


def test_a_row_is_found_by_its_imei_as_it_is_printed_and_shown_with_all_digits() -> None:
    case = reported()
    browser = logged_in(Role.OFFICER)
    imei = ONE.number
    page = browser.get(f"/admin/cases/case/?q={imei:014}").content.decode()
    assert f"/admin/cases/case/{case.pk}/change/" in page
    assert f"{imei:014}" in browser.get("/admin/cases/caseidentity/").content.decode()
    assert browser.get("/admin/cases/case/?q=00000000000000").status_code == 200
    for hostile in ("%00", "'; DROP TABLE x;--", "<script>", "9" * 400, "%FF%FE"):
        assert browser.get(f"/admin/cases/case/?q={hostile}").status_code in (200, 302, 400)
    assert browser.get("/admin/cases/case/?state__exact=<b>&nonsense=1").status_code in (200, 302)
    assert browser.get("/admin/cases/case/abc%00/change/").status_code in (302, 404)


def test_a_moment_is_shown_in_one_way_with_its_zone_and_what_is_not_there_as_a_dash() -> None:
    case = reported()
    page = logged_in(Role.OFFICER).get(f"/admin/cases/case/{case.pk}/change/").content.decode()
    assert f"{case.reported_at:%Y-%m-%d %H:%M} UTC" in page
    assert "+00:00" not in page
    assert ">None<" not in page


def test_what_must_be_typed_is_marked_and_an_error_is_tied_to_its_field() -> None:
    browser = logged_in(Role.ADMINISTRATOR)
    page = browser.get("/admin/accounts/account/begin/make/").content.decode()
    assert re.search(r'<label for="id_login" class="required">', page)
    assert not re.search(r'<label for="id_email" class="required">', page)
    wrong = press(browser, "accounts/account/begin/make/").content.decode()
    field = re.search(r'<input[^>]*name="login"[^>]*>', wrong)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert 'aria-describedby="id_login_error"' in field[0]
    assert 'id="id_login_error"' in wrong


def test_personal_data_is_sealed_until_a_legal_basis_is_given_and_the_read_is_kept() -> None:
    case = reported()
    browser = logged_in(Role.OFFICER)
    row = browser.get(f"/admin/cases/case/{case.pk}/change/").content.decode()
    assert "[sealed]" in row
    clear = re.compile(r"\b220\d{9}\b")
    assert not clear.search(row)
    path = f"/admin/cases/case/{case.pk}/reveal/"
    before = Entry.objects.count()
    assert not clear.search(browser.get(path).content.decode())
    for basis in ("", "  ", "x" * 301, "a\u202eb\x07"):
        answer = browser.post(path, {"basis": basis})
        assert answer.status_code == 422
        assert not clear.search(answer.content.decode())
    assert Entry.objects.count() == before
    answer = browser.post(path, {"basis": "Act 7, section 3"})
    assert clear.search(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    kept = Entry.objects.filter(action="personal.read", subject=f"case:{case.pk}")
    assert set(kept.values_list("basis", flat=True)) == {"Act 7, section 3"}
    assert kept.first().actor == account(Role.OFFICER).actor.id  # type: ignore[union-attr]


def test_people_and_lines_are_read_one_at_a_time_by_those_who_may() -> None:
    somebody = Person.objects.create(name="Binta Ceesay", entered_at=NOW)
    line = Line.objects.create(person=somebody, number="2203000077", number_key="2203000077", since=NOW)
    officer, auditor = logged_in(Role.OFFICER), logged_in(Role.AUDITOR)
    for path, clear in (
        (f"/admin/subscribers/person/{somebody.pk}/", "Binta Ceesay"),
        (f"/admin/subscribers/line/{line.pk}/", "2203000077"),
    ):
        assert clear not in officer.get(f"{path}change/").content.decode()
        assert clear in officer.post(f"{path}reveal/", {"basis": "court order 12"}).content.decode()
        assert auditor.post(f"{path}reveal/", {"basis": "court order 12"}).status_code == 403
    assert Entry.objects.filter(action="personal.read").count() == 2


# --- deeds


def press(browser: Browser, path: str, **typed: Any) -> Any:
    return browser.post(f"/admin/{path}", typed)


def test_a_case_is_confirmed_by_one_and_its_block_decided_by_another() -> None:
    case = reported()
    Case.objects.filter(pk=case.pk).update(reported_by="client:1")
    police = person(Role.POLICE, "station-1")
    Case.objects.filter(pk=case.pk).update(police=police.organisation_id)
    station, reviewer, officer = log_in(police), logged_in(Role.REVIEWER), logged_in(Role.OFFICER)
    assert press(officer, f"cases/case/{case.pk}/do/verify/", reason="x").status_code == 403
    answer = press(
        station, f"cases/case/{case.pk}/do/verify/", reason="seen the invoice", police_reference="A 1"
    )
    assert answer.status_code == 302, answer.content
    waiting = Proposal.objects.get(subject=f"case:{case.pk}")
    own = press(station, f"proposals/proposal/{waiting.pk}/do/accept/", reason="mine")
    assert own.status_code == 422
    assert "cannot decide it" in own.content.decode()
    assert press(reviewer, f"proposals/proposal/{waiting.pk}/do/accept/", reason="agreed").status_code == 302
    assert Case.objects.get(pk=case.pk).state == "blocked"
    again = press(reviewer, f"proposals/proposal/{waiting.pk}/do/accept/", reason="again")
    assert again.status_code == 422


def test_a_deed_that_the_service_refuses_says_why_and_changes_nothing() -> None:
    case = reported()
    browser = logged_in(Role.REVIEWER)
    answer = press(browser, f"cases/case/{case.pk}/do/reject/", reason="")
    assert answer.status_code == 422
    answer = press(browser, f"cases/case/{case.pk}/do/reject/", reason="a\u202eb")
    assert answer.status_code == 422
    assert "characters that cannot be seen" in answer.content.decode()
    assert Case.objects.get(pk=case.pk).state == "reported"
    assert press(browser, f"cases/case/{case.pk}/do/nothing/").status_code == 404
    assert press(browser, "cases/case/999999/do/reject/", reason="x").status_code == 404


def test_an_administrator_makes_accounts_and_the_code_is_shown_once() -> None:
    admins = logged_in(Role.ADMINISTRATOR)
    regulator = organisation(OrganisationKind.REGULATOR, "regulator")
    form = {"organisation": regulator.pk, "login": "binta", "name": "Binta", "role": "officer", "email": "",
            "document": "C 1", "reason": "she begins on Monday"}  # fmt: skip
    answer = press(admins, "accounts/account/begin/make/", **form)
    first = re.search(r"First half of the code to choose a password: (\w{8})", answer.content.decode())
    assert first is not None, answer.content
    made = Account.objects.get(login="binta")
    assert not made.is_active
    hand_out = f"accounts/account/{made.pk}/do/hand-out/"
    assert press(admins, hand_out).status_code == 422
    accept = f"proposals/proposal/{Proposal.objects.get().pk}/do/accept/"
    assert press(admins, accept, reason="mine").status_code == 422
    assert press(logged_in(Role.REVIEWER), accept, reason="not his to decide").status_code == 422
    auditor = logged_in(Role.AUDITOR)
    assert press(auditor, accept, reason="seen her and her card").status_code == 302
    assert press(admins, hand_out).status_code == 422
    answer = press(auditor, hand_out)
    shown = re.search(r"Second half of the code to choose a password: (\w{8})", answer.content.decode())
    assert shown is not None, answer.content
    chosen = {
        "login": "binta",
        "invitation": f"{first[1]} {shown[1]}",
        "password": "a heron in the reeds",
        "again": "a heron in the reeds",
    }
    assert Browser().post("/account/password/choose/", chosen).status_code == 302
    officer = logged_in(Role.OFFICER)
    assert officer.get("/admin/accounts/account/begin/make/").status_code == 403
    assert press(officer, "accounts/account/begin/make/", login="x").status_code == 403


def test_an_administrator_cannot_change_himself_and_ends_sessions_of_others() -> None:
    who = person(Role.ADMINISTRATOR)
    admins = log_in(who)
    for deed in ("disable", "reset-second-factor", "invite"):
        assert press(admins, f"accounts/account/{who.pk}/do/{deed}/", reason="x").status_code == 422
    other = person(Role.OFFICER)
    browser = log_in(other)
    assert press(admins, f"accounts/account/{other.pk}/do/disable/", reason="left").status_code == 302
    assert who_is_in(browser) == ""


def test_an_administrator_makes_a_program_and_rotates_its_secret() -> None:
    admins = logged_in(Role.ADMINISTRATOR)
    operator = organisation(OrganisationKind.OPERATOR, "operator1")
    person(Role.OPERATOR, "ousman")
    Account.objects.filter(login="ousman").update(organisation=operator)
    form = {"organisation": operator.pk, "name": "billing", "role": "operator", "responsible": "ousman",
            "reason": "their bills"}  # fmt: skip
    make = "accounts/client/begin/make/"
    answer = press(admins, make, **form, scopes=["status.read", "run.read"])
    found = re.search(r"client_id: (\w+)\nfirst half of client_secret: ([\w-]+)", answer.content.decode())
    assert found is not None, answer.content
    made = Client.objects.get(identifier=found[1])
    auditor = logged_in(Role.AUDITOR)

    def second_half() -> str:
        waiting = Proposal.objects.get(state="open")
        assert press(auditor, f"proposals/proposal/{waiting.pk}/do/accept/", reason="seen").status_code == 302
        assert press(admins, f"accounts/client/{made.pk}/do/hand-out/").status_code == 422
        page = press(auditor, f"accounts/client/{made.pk}/do/hand-out/").content.decode()
        half = re.search(r"second half of client_secret: ([\w-]+)", page)
        assert half is not None, page
        return half[1]

    def token(secret: str) -> int:
        asked = {"grant_type": "client_credentials", "client_id": found[1], "client_secret": secret}
        return int(Browser().post("/api/v1/token", asked).status_code)

    old = found[2] + second_half()
    assert (token(found[2]), token(old)) == (401, 200)
    answer = press(admins, f"accounts/client/{made.pk}/do/rotate/", days=0, reason="a laptop was lost")
    new = re.search(r"first half of client_secret: ([\w-]+)", answer.content.decode())
    assert new is not None
    assert token(old) == 200, "until a second person agreed and gave his half"
    assert token(new[1] + second_half()) == 200
    assert token(old) == 401
    too_much = press(admins, make, **form, scopes=["audit.read"])
    assert too_much.status_code == 422
    assert found[2] not in json.dumps([str(one) for one in Entry.objects.values()])


def test_organisations_are_entered_and_put_out_of_use() -> None:
    admins = logged_in(Role.ADMINISTRATOR)
    form = {"kind": "lab", "code": "lab-1", "name": "Laboratory", "place": "", "reason": "accredited"}
    assert press(admins, "organisations/organisation/begin/enter/", **form).status_code == 302
    assert press(admins, "organisations/organisation/begin/enter/", **form).status_code == 422
    assert (
        press(admins, "organisations/organisation/begin/enter/", **{**form, "code": "a b"}).status_code == 422
    )
    lab = Organisation.objects.get(code="lab-1")
    assert not lab.active
    agreed(f"organisation:{lab.pk}")
    assert Organisation.objects.get(code="lab-1").active
    assert (
        press(admins, f"organisations/organisation/{lab.pk}/do/disable/", reason="closed").status_code == 302
    )
    assert not Organisation.objects.get(pk=lab.pk).active
    own = Organisation.objects.get(code="regulator")
    assert press(admins, f"organisations/organisation/{own.pk}/do/disable/", reason="x").status_code == 422


def test_one_imei_of_a_sealed_list_is_asked_for_with_a_reason_and_the_question_is_kept() -> None:
    customs = logged_in(Role.CUSTOMS)
    answer = press(
        customs, "imports/consignment/begin/look-up/", imei="35675904000001", basis="box at the border"
    )
    assert "on no list that counts" in answer.content.decode()
    wrong = press(customs, "imports/consignment/begin/look-up/", imei="hello", basis="x")
    assert wrong.status_code == 422
    assert Entry.objects.filter(action="import.looked_up", basis="box at the border").count() == 1
    assert logged_in(Role.AUDITOR).get("/admin/imports/consignment/begin/look-up/").status_code == 403


def test_what_people_typed_stands_in_pages_as_text_and_never_as_markup() -> None:
    case = reported()
    Case.objects.filter(pk=case.pk).update(place='<script>alert(1)</script>"><img src=x>')
    record(actor(Role.OFFICER), "x.y", "<b>z</b>", at=timezone.now() - timedelta(days=1))
    assert (
        "<script>alert"
        not in logged_in(Role.OFFICER).get(f"/admin/cases/case/{case.pk}/change/").content.decode()
    )
    assert "<b>z</b>" not in logged_in(Role.AUDITOR).get("/admin/audit/entry/").content.decode()
