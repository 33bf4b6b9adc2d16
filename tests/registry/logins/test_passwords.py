"""Coming in with a password and a second factor, over Django's handler and a real database."""

import json
import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client as Browser
from django.test import override_settings
from django.utils import timezone
from logging_in import PASSWORD, SECRET, give_password, log_in, logged_in, person, totp, who_is_in
from people import NOW, actor, agreed, second

from ceir.registry.accounts import invitations, people
from ceir.registry.accounts.models import Account, Invitation
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import Actor, OrganisationKind, Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.logins import second_factor
from ceir.registry.logins.models import Failures
from ceir.registry.logins.sessions import LASTING

OFFICE_ROLES = [role for role in Role if role not in (Role.SYSTEM, Role.CONSUMER)]
CODE = "ABCDEFGHJKMNPQRS"


def deeds(subject: str) -> list[str]:
    return list(Entry.objects.filter(subject=subject).order_by("sequence").values_list("action", flat=True))


# --- two factors


def test_a_password_alone_lets_nobody_in() -> None:
    who = person(Role.OFFICER)
    browser = Browser()
    answer = give_password(browser, who.login)
    assert answer.headers["Location"] == "/account/second-factor/"
    assert who_is_in(browser) == ""
    assert browser.get("/admin/").status_code == 302


def test_password_and_code_let_in_and_it_is_recorded() -> None:
    who = person(Role.OFFICER)
    browser = log_in(who)
    assert who_is_in(browser) == "officer (officer)"
    browser.post("/account/logout/")
    assert who_is_in(browser) == ""
    assert deeds(f"account:{who.pk}") == ["login.made", "login.ended"]
    made = Entry.objects.get(action="login.made")
    assert json.loads(made.detail) == {"by": ["password", "mfa"]}
    verify()


@pytest.mark.parametrize("role", OFFICE_ROLES, ids=lambda role: role.value)
def test_whoever_has_no_second_factor_sets_it_up_before_there_is_a_session(role: Role) -> None:
    who = person(role, factor=False)
    browser = Browser()
    answer = give_password(browser, who.login)
    assert answer.headers["Location"] == "/account/second-factor/set-up/"
    assert who_is_in(browser) == ""
    page = browser.get("/account/second-factor/set-up/").content.decode()
    secret = re.search(r"<code dir=\"ltr\">([A-Z2-7 ]+)</code>", page)
    assert secret is not None
    assert "<svg" in page
    key = secret[1].replace(" ", "")
    wrong = browser.post("/account/second-factor/set-up/", {"code": "000000"})
    assert wrong.status_code == 422
    right = browser.post("/account/second-factor/set-up/", {"code": totp(key)})
    codes = re.findall(r"<li>(\d{12})</li>", right.content.decode())
    assert len(codes) == 10
    assert who_is_in(browser) == ""
    browser.post("/account/second-factor/set-up/", {"kept": "yes"})
    assert who_is_in(browser) != ""
    assert deeds(f"account:{who.pk}") == ["second_factor.set_up", "login.made"]


def test_whoever_has_a_second_factor_cannot_set_up_another_one_with_a_password() -> None:
    who = person(Role.ADMINISTRATOR)
    browser = Browser()
    give_password(browser, who.login)
    assert browser.get("/account/second-factor/set-up/").headers["Location"] == "/account/login/"
    assert browser.post("/account/second-factor/set-up/", {"kept": "yes"}).status_code == 302
    assert who_is_in(browser) == ""


def test_a_code_counts_once_also_within_its_half_minute() -> None:
    who = person(Role.OFFICER)
    code = totp()
    first, second = Browser(), Browser()
    for browser in (first, second):
        give_password(browser, who.login)
    assert first.post("/account/second-factor/", {"code": code}).status_code == 302
    assert second.post("/account/second-factor/", {"code": code}).status_code == 422
    assert who_is_in(second) == ""


def test_a_recovery_code_lets_in_once() -> None:
    who = person(Role.OFFICER, factor=False)
    codes = second_factor.set_up(who, SECRET, totp(), at=timezone.now())
    for attempt, expected in enumerate((302, 422)):
        browser = Browser()
        give_password(browser, who.login)
        spaced = f"{codes[0][:4]} {codes[0][4:8]}-{codes[0][8:]}"
        assert browser.post("/account/second-factor/", {"code": spaced}).status_code == expected, attempt
    assert "second_factor.recovered" in deeds(f"account:{who.pk}")


def test_new_recovery_codes_end_those_from_before() -> None:
    who = person(Role.OFFICER, factor=False)
    old = second_factor.set_up(who, SECRET, totp(), at=timezone.now())
    browser = log_in(who)
    answer = browser.post("/account/second-factor/recovery-codes/", {"code": totp(later=1)})
    new = re.findall(r"<li>(\d{12})</li>", answer.content.decode())
    assert len(new) == 10
    assert not set(new) & set(old)
    with pytest.raises(second_factor.SecondFactorError):
        second_factor.check(who, old[1], at=timezone.now())
    second_factor.check(who, new[1], at=timezone.now())


def test_secrets_of_second_factors_cannot_be_read_from_the_database() -> None:
    who = person(Role.OFFICER, factor=False)
    codes = second_factor.set_up(who, SECRET, totp(), at=timezone.now())
    kept = json.dumps(list(Authenticator.objects.filter(user=who).values_list("data", flat=True)))
    assert SECRET not in kept
    assert not [code for code in codes if code in kept]


def test_an_administrator_resets_a_lost_second_factor_of_others_only() -> None:
    who, admin = person(Role.OFFICER), person(Role.ADMINISTRATOR)
    browser = log_in(who)
    second_factor.propose_reset(who.pk, reason="phone lost", actor=admin.actor, at=timezone.now())
    assert who_is_in(browser) != "", "one administrator alone resets nothing"
    agreed(who.actor.id)
    assert who_is_in(browser) == ""
    assert give_password(Browser(), who.login).headers["Location"] == "/account/second-factor/set-up/"
    with pytest.raises(people.AccountRefusedError):
        second_factor.propose_reset(admin.pk, reason="mine", actor=admin.actor, at=timezone.now())
    with pytest.raises(PermissionDeniedError):
        second_factor.propose_reset(admin.pk, reason="x", actor=who.actor, at=timezone.now())


# --- failures


def test_a_wrong_name_and_a_wrong_password_and_an_account_out_of_use_look_the_same() -> None:
    who, gone, consumer = person(Role.OFFICER), person(Role.REVIEWER), person(Role.CONSUMER)
    consumer.set_unusable_password()
    consumer.save()
    Account.objects.filter(pk=gone.pk).update(is_active=False)
    pages = set()
    for name, password in (
        (who.login, "a wrong password"),
        ("nobody", PASSWORD),
        (gone.login, PASSWORD),
        (consumer.login, PASSWORD),
        ("a\0b", PASSWORD),
        (who.login, "x" * 201),
    ):
        answer = give_password(Browser(), name, password)
        assert answer.status_code == 200
        text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())
        pages.add(text.replace(f'value="{name}"', ""))
    # What a form itself refuses differs: it says nothing about accounts.
    assert len([page for page in pages if "The name or the password is wrong." in page]) == 1


def test_attempts_are_counted_and_refused_even_with_the_right_password() -> None:
    who = person(Role.OFFICER)
    for _ in range(5):
        assert "is wrong" in give_password(Browser(), who.login, "a wrong password").content.decode()
    refused = give_password(Browser(), who.login)
    assert "Too many attempts failed." in refused.content.decode()
    assert "Try again in 5 minutes." in refused.content.decode()
    elsewhere = Browser(REMOTE_ADDR="192.0.2.7")
    assert give_password(elsewhere, who.login).status_code == 302, "others cannot lock somebody out"
    Failures.objects.update(began=timezone.now() - timedelta(minutes=6))
    assert give_password(Browser(), who.login).status_code == 302


def test_one_address_cannot_try_many_names() -> None:
    for n in range(30):
        give_password(Browser(), f"nobody-{n}", "x")
    assert "Too many attempts" in give_password(Browser(), "nobody-x").content.decode()


def test_success_does_not_wipe_what_failed_before() -> None:
    who = person(Role.OFFICER)
    for _ in range(4):
        give_password(Browser(), who.login, "a wrong password")
    assert give_password(Browser(), who.login).status_code == 302
    give_password(Browser(), who.login, "a wrong password")
    assert "Too many attempts" in give_password(Browser(), who.login).content.decode()


def test_codes_of_the_second_factor_cannot_be_tried_through() -> None:
    who = person(Role.OFFICER)
    for _ in range(5):
        browser = Browser()
        give_password(browser, who.login)
        assert browser.post("/account/second-factor/", {"code": "000000"}).status_code == 422
    browser = Browser()
    give_password(browser, who.login)
    answer = browser.post("/account/second-factor/", {"code": totp()})
    assert answer.status_code == 422
    assert "Too many attempts failed." in answer.content.decode()


def test_failures_are_recorded_without_what_was_typed() -> None:
    who = person(Role.OFFICER)
    give_password(Browser(), who.login, "my other password")
    give_password(Browser(), "my password typed as a name", "x")
    kept = list(Entry.objects.filter(action="login.failed").values_list("subject", "detail", "actor"))
    assert {one[0] for one in kept} == {f"account:{who.pk}", "account:none"}
    assert "typed" not in str(list(Entry.objects.values()))
    assert "typed" not in str(list(Failures.objects.values()))


def test_proxies_are_believed_only_as_far_as_they_are_ours() -> None:
    from django.test import RequestFactory

    from ceir.registry.logins.limiting import address_of

    made = RequestFactory(REMOTE_ADDR="10.0.0.1").get(
        "/", headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.5"}
    )
    assert address_of(made) == "10.0.0.1"
    for proxies, seen in ((1, "203.0.113.5"), (2, "198.51.100.9"), (3, "10.0.0.1")):
        with override_settings(CEIR_PROXIES=proxies):
            assert address_of(made) == seen
    six = RequestFactory(REMOTE_ADDR="2001:db8:1:2:3:4:5:6").get("/")
    assert address_of(six) == "2001:db8:1:2::/64"
    assert address_of(RequestFactory(REMOTE_ADDR="").get("/")) == "unknown"


# --- sessions


def test_sessions_end_when_nothing_is_done_and_when_their_time_is_over() -> None:
    who = person(Role.ADMINISTRATOR)
    lasting = LASTING[Role.ADMINISTRATOR]
    for what, back in (("seen", lasting.idle), ("began", lasting.whole)):
        browser = log_in(who)
        session = browser.session
        session["ceir"] = {**session["ceir"], what: session["ceir"][what] - back.total_seconds() - 1}
        session.save()
        assert who_is_in(browser) == ""
    ended = Entry.objects.filter(action="login.ended").values_list("basis", flat=True)
    assert sorted(ended) == ["its time was over", "nothing was done"]


def test_every_role_has_a_limit_and_an_administrator_the_shortest() -> None:
    assert set(LASTING) == set(Role) - {Role.SYSTEM}
    assert min(LASTING.values(), key=lambda one: one.idle).idle == LASTING[Role.ADMINISTRATOR].idle


def test_a_session_ends_at_once_with_its_account_its_organisation_its_role_or_by_order() -> None:
    admin = actor(Role.ADMINISTRATOR)
    now = timezone.now()
    who = person(Role.OFFICER)
    browser = log_in(who)
    people.propose_role(who.pk, Role.AUDITOR, reason="moved", actor=admin, at=now)
    agreed(who.actor.id)
    assert who_is_in(browser) == ""
    browser = log_in(Account.objects.get(pk=who.pk))
    people.put_out_of_use(who.pk, reason="left", actor=admin, at=timezone.now())
    assert who_is_in(browser) == ""
    people.propose_in_use(who.pk, reason="back", actor=admin, at=timezone.now())
    agreed(who.actor.id)
    assert who_is_in(browser) == ""
    station = person(Role.POLICE)
    browser = log_in(station)
    type(station.organisation).objects.filter(pk=station.organisation_id).update(active=False)
    assert who_is_in(browser) == ""


def test_a_session_that_lacks_the_second_factor_is_none() -> None:
    who = person(Role.OFFICER)
    browser = Browser()
    browser.force_login(who)
    assert who_is_in(browser) == ""
    assert browser.get("/admin/").status_code == 302


def test_logging_in_draws_a_new_session_so_that_a_known_one_is_worth_nothing() -> None:
    who = person(Role.OFFICER)
    browser = Browser()
    give_password(browser, who.login)
    before = browser.session.session_key
    browser.post("/account/second-factor/", {"code": totp()})
    assert browser.session.session_key != before


def test_where_somebody_is_sent_after_logging_in_is_here() -> None:
    for wanted, went in (
        ("/admin/", "/admin/"),
        ("https://evil.example/", "/account/"),
        ("//evil.example", "/account/"),
    ):
        who = person(Role.OFFICER, f"officer-{len(wanted)}")
        browser = Browser()
        give_password(browser, who.login, next=wanted)
        answer = browser.post("/account/second-factor/", {"code": totp()})
        assert answer.headers["Location"] == went


def test_nobody_is_logged_out_by_a_page_that_is_merely_looked_at() -> None:
    browser = logged_in(Role.OFFICER)
    browser.get("/account/logout/")
    assert who_is_in(browser) != ""


def test_forms_that_come_from_elsewhere_are_refused() -> None:
    browser = Browser(enforce_csrf_checks=True)
    for path in ("login/", "number/", "password/choose/", "logout/"):
        assert browser.post(f"/account/{path}", {"login": "x"}).status_code == 403, path


# --- accounts and passwords


def invited(role: Role = Role.OFFICER) -> Account:
    from people import organisation

    made = people.make_account(
        organisation(OrganisationKind.REGULATOR, "regulator"), "amina", "Amina Yusuf", role,
        document="C 100 200", half=CODE[:8], reason="she begins", actor=actor(Role.ADMINISTRATOR),
        at=timezone.now(),
    )  # fmt: skip
    agreed(made.actor.id)
    return invitations.hand_out(made.pk, half=CODE[8:], actor=second(), at=timezone.now())


def invited_again(who: Account, code: str = CODE) -> None:
    now = timezone.now()
    people.invite(who.pk, half=code[:8], reason="forgotten", actor=actor(Role.ADMINISTRATOR), at=now)
    agreed(who.actor.id)
    invitations.hand_out(who.pk, half=code[8:], actor=second(), at=now)


def choose(code: str = CODE, password: str = PASSWORD, again: str = "", login: str = "amina") -> int:
    form = {"login": login, "invitation": code, "password": password, "again": again or password}
    return int(Browser().post("/account/password/choose/", form).status_code)


def test_whoever_is_invited_chooses_a_password_that_nobody_else_knows() -> None:
    who = invited()
    assert give_password(Browser(), "amina", "").status_code == 200
    assert choose("abcd-efgh jkmn pqrs") == 302
    assert give_password(Browser(), "AMINA").headers["Location"] == "/account/second-factor/set-up/"
    assert choose() == 422, "the code counts once"
    done = ["account.made", "account.invited", "account.enabled", "invitation.half_given", "password.chosen"]
    assert deeds(f"account:{who.pk}") == done


@pytest.mark.parametrize(
    "password", ["short", "1q2w3e4r5t6y", "amina yusuf 1", "x" * 201, "aaaaaaaaaaaaaaaaaaaa"]
)
def test_passwords_that_are_easily_guessed_are_refused_and_the_code_stays_good(password: str) -> None:
    invited()
    assert choose(password=password) == 422
    assert choose() == 302


def test_a_code_to_choose_a_password_is_not_guessed_and_does_not_last() -> None:
    invited()
    assert choose("2222222222222222") == 422
    assert choose(login="nobody") == 422
    assert choose("a\0b") == 422
    assert choose(again="something else entirely") == 422
    Invitation.objects.update(expires_at=NOW)
    assert choose() == 422
    invited_again(Account.objects.get(login="amina"), "QRSTVWXYZ2345678")
    for _ in range(10):
        with pytest.raises(invitations.InvitationRefusedError):
            invitations.accept("amina", "wrong", PASSWORD, at=timezone.now())
    with pytest.raises(invitations.InvitationRefusedError):
        invitations.accept("amina", "QRSTVWXYZ2345678", PASSWORD, at=timezone.now())


def test_inviting_somebody_again_ends_the_password_and_the_sessions() -> None:
    who = person(Role.OFFICER)
    browser = log_in(who)
    invited_again(who)
    assert who_is_in(browser) == ""
    assert give_password(Browser(), who.login).status_code == 200


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions() -> None:
    who = person(Role.OFFICER)
    here, there = log_in(who), log_in(who)
    new = "two herons stand in the reeds"
    form = {"current": "wrong", "password": new, "again": new}
    assert here.post("/account/password/", form).status_code == 422
    assert here.post("/account/password/", {**form, "current": PASSWORD}).status_code == 200
    assert who_is_in(here) != ""
    assert who_is_in(there) == ""
    assert give_password(Browser(), who.login, new).status_code == 302
    assert "password.changed" in deeds(f"account:{who.pk}")


def made(
    login: str, role: Role, *, by: Actor | None = None, half: str = CODE[:8], email: str = "",
    document: str = "P 1",
) -> Account:  # fmt: skip
    from people import organisation

    return people.make_account(
        organisation(OrganisationKind.REGULATOR, "regulator"), login, "X", role, email=email,
        document=document, half=half, reason="needed", actor=by or actor(Role.ADMINISTRATOR), at=NOW,
    )  # fmt: skip


def test_nobody_makes_accounts_but_an_administrator_and_none_of_his_own_is_changed_by_him() -> None:
    with pytest.raises(PermissionDeniedError):
        made("x", Role.OFFICER, by=actor(Role.OFFICER))
    admin = actor(Role.ADMINISTRATOR)
    own = int(admin.id.partition(":")[2])
    for attempt in (
        lambda: people.propose_role(own, Role.OFFICER, reason="x", actor=admin, at=NOW),
        lambda: people.put_out_of_use(own, reason="x", actor=admin, at=NOW),
        lambda: people.invite(own, half=CODE[:8], reason="x", actor=admin, at=NOW),
        lambda: people.propose_role(own + 999, Role.OFFICER, reason="x", actor=admin, at=NOW),
        lambda: made("x", Role.POLICE),
        lambda: made("x", Role.OFFICER, half="short"),
        lambda: made("x", Role.OFFICER, email="no"),
        lambda: made("x", Role.OFFICER, document=" "),
    ):
        with pytest.raises(people.AccountRefusedError):
            attempt()


def test_two_accounts_whose_names_differ_in_case_only_are_one_too_many() -> None:
    invited()
    with pytest.raises(people.AccountRefusedError, match="already"):
        made("AMINA", Role.AUDITOR)
