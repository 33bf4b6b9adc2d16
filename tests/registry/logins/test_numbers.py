"""Consumers who come in with their number and a code."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone
from logging_in import person

from ceir.registry.accounts.models import Account
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.codes.models import Allowance
from ceir.registry.logins import numbers
from ceir.registry.logins.models import Holder
from ceir.registry.notices.models import Event, Notice
from ceir.registry.personal.fields import Access
from ceir.registry.subscribers.models import Line, Person

NUMBER = "+220 300 0001"


@pytest.fixture(autouse=True)
def _gateways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The installation says that it has some; nobody sends."""
    monkeypatch.setattr(settings, "CEIR_NOTICES", tmp_path / "notices.toml")


def sent() -> list[tuple[str, str]]:
    """Numbers and codes that wait to be sent, the latest last."""
    access = Access(SYSTEM, timezone.now(), "test")
    return [
        (one.msisdn.reveal(access, "x"), json.loads(one.words.reveal(access, "x"))["code"])
        for one in Notice.objects.filter(event=Event.CODE.value).order_by("pk")
    ]


def ask(browser: Browser, number: str = NUMBER) -> int:
    return int(browser.post("/account/number/", {"number": number}).status_code)


def code() -> str:
    return sent()[-1][1]


def give(browser: Browser, text: str) -> int:
    return int(browser.post("/account/number/code/", {"code": text}).status_code)


def come_in(number: str = NUMBER) -> Browser:
    Allowance.objects.all().delete()
    browser = Browser()
    assert ask(browser, number) == 302
    assert give(browser, code()) == 302
    return browser


def in_as(browser: Browser) -> str:
    return str(browser.session.get("_auth_user_id", ""))


def test_whoever_reads_the_code_is_in_as_the_holder_of_the_number() -> None:
    browser = come_in()
    assert sent()[0][0] == "2203000001"
    account = Account.objects.get(pk=in_as(browser))
    assert (account.role, account.organisation.kind) == ("consumer", "public")
    assert not account.has_usable_password()
    assert "logged in with your number" in browser.get("/account/").content.decode()
    assert numbers.unseal(browser.session["ceir_proven_number"]).digits == "2203000001"
    assert in_as(come_in()) == str(account.pk), "the same number, the same account"
    assert in_as(come_in("+220 300 0002")) != str(account.pk)


def test_a_wrong_code_a_used_one_and_that_of_another_browser_let_nobody_in() -> None:
    browser, other = Browser(), Browser()
    ask(browser)
    right = code()
    assert give(browser, "000000" if right != "000000" else "111111") == 422
    Allowance.objects.all().delete()
    ask(other, "+220 300 0002")
    assert give(other, right) == 422
    assert in_as(other) == ""
    assert give(browser, f" {right[:3]}-{right[3:]} ") == 302
    assert in_as(browser) != ""
    again = Browser()
    assert again.post("/account/number/code/", {"code": right}).headers["Location"] == "/account/number/"


def test_a_number_without_country_code_or_that_is_none_is_refused_at_its_field() -> None:
    for number in (
        "",
        "3000001",
        "+220",
        "hello",
        "+1\x00234567890",
        "+" + "9" * 30,
        "'; DROP TABLE accounts;--",
    ):
        answer = Browser().post("/account/number/", {"number": number})
        assert answer.status_code == 422, number
        assert 'id="id_number_error"' in answer.content.decode()
    assert sent() == []


def test_codes_are_not_asked_for_without_end() -> None:
    browser = Browser()
    assert ask(browser) == 302
    assert ask(browser) == 422, "one a moment ago"
    for n in range(2, 10):
        ask(Browser(), f"+220 300 00{n:02}")
    assert ask(Browser(), "+220 300 0099") == 422, "ten from one address within an hour"
    assert len(sent()) == 9


def test_a_number_that_went_to_somebody_else_opens_nothing_of_who_had_it() -> None:
    before = come_in()
    account = in_as(before)
    now = timezone.now()
    person = Person.objects.create(entered_at=now)
    Line.objects.create(person=person, number="2203000001", number_key="2203000001", since=now, ended_at=now)
    after = come_in()
    assert in_as(after) != account
    assert before.get("/account/").status_code == 302, "his session is over"
    assert Holder.objects.filter(ended_at=None).count() == 1


def test_a_number_that_was_long_not_proven_gets_a_new_account() -> None:
    first = in_as(come_in())
    Holder.objects.update(last_proven_at=timezone.now() - numbers.FORGOTTEN_AFTER - timedelta(days=1))
    assert in_as(come_in()) != first


def test_a_line_that_the_holder_himself_got_registered_changes_nothing() -> None:
    first = in_as(come_in())
    now = timezone.now()
    person = Person.objects.create(entered_at=now)
    Line.objects.create(person=person, number="2203000001", number_key="2203000001", since=now)
    assert in_as(come_in()) == first


def test_numbers_stand_nowhere_in_clear() -> None:
    browser = come_in()
    kept = str(list(Entry.objects.values())) + str(list(Holder.objects.values())) + str(dict(browser.session))
    assert "3000001" not in kept
    assert {"account.made", "code.issued", "code.proven", "code.used", "login.made"} <= set(
        Entry.objects.values_list("action", flat=True)
    )


def test_a_consumer_reaches_no_page_of_the_office_and_lasts_an_hour_at_most() -> None:
    browser = come_in()
    assert browser.get("/admin/").status_code in (302, 403)
    session = browser.session
    session["ceir"] = {**session["ceir"], "began": session["ceir"]["began"] - 3601}
    session.save()
    assert browser.get("/account/").status_code == 302


def test_coming_in_with_a_number_ends_a_session_of_somebody_else_in_the_same_browser() -> None:
    from logging_in import log_in

    browser = log_in(person(Role.OFFICER))
    ask(browser)
    assert give(browser, code()) == 302
    assert Account.objects.get(pk=in_as(browser)).role == "consumer"


def test_where_no_gateway_is_set_up_nobody_waits_for_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CEIR_NOTICES", None)
    assert ask(Browser()) == 422
    assert sent() == []
    assert not Allowance.objects.exists()
