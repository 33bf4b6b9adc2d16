"""Logging in by OpenID Connect, with a provider that runs as a process of its own."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from django.conf import settings
from django.test import Client as Browser
from django.test import override_settings
from django.utils import timezone
from logging_in import person, totp, who_is_in
from oidc_provider import CLIENT, SECRET
from people import actor, agreed

from ceir.errors import CeirError
from ceir.registry.accounts.models import Account
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.logins import identities
from ceir.registry.project.identity_providers import (
    IdentityProvider,
    IdentityProviderError,
    read_identity_providers,
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(__file__).parents[1] / "oidc_provider.py"
    process = subprocess.Popen([sys.executable, str(program), str(port)])
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            httpx.get(f"{address}/keys", timeout=5).raise_for_status()
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(30)


@pytest.fixture(autouse=True)
def _set_up(issuer: str) -> Iterator[None]:
    made = {**settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]}
    made["APPS"] = [
        IdentityProvider("state", "State identity", issuer, CLIENT, SECRET).as_allauth_has_it(),
        IdentityProvider("mail", "By mail", issuer, CLIENT, SECRET, claim="email").as_allauth_has_it(),
    ]
    with override_settings(SOCIALACCOUNT_PROVIDERS={"openid_connect": made}):
        yield


def come_back(browser: Browser, claims: dict[str, Any], wrong: str = "", provider: str = "state") -> Any:
    """As somebody's browser: to the provider, there as whoever, and back."""
    sent = browser.post(f"/account/identity/{provider}/")
    assert sent.status_code == 302, sent.content
    there = httpx.get(f"{sent.headers['Location']}&as={_quoted(claims)}&wrong={wrong}", timeout=60)
    assert there.status_code == 302, there.content
    path = there.headers["Location"].removeprefix("http://testserver")
    return browser.get(path)


def _quoted(claims: dict[str, Any]) -> str:
    return quote(json.dumps(claims))


def linked(subject: str = "citizen-7", provider: str = "state") -> Account:
    who = person(Role.OFFICER)
    admin, now = actor(Role.ADMINISTRATOR), timezone.now()
    identities.link(who.pk, provider, subject, reason="she asked", actor=admin, at=now)
    agreed(who.actor.id)
    return who


def test_whose_identity_is_linked_comes_in_with_the_second_factor() -> None:
    who = linked()
    browser = Browser()
    answer = come_back(browser, {"sub": "citizen-7"})
    assert answer.headers["Location"] == "/account/second-factor/"
    assert who_is_in(browser) == ""
    browser.post("/account/second-factor/", {"code": totp()})
    assert who_is_in(browser) == "officer (officer)"
    made = Entry.objects.get(action="login.made", subject=f"account:{who.pk}")
    assert json.loads(made.detail) == {"by": ["socialaccount", "mfa"]}


def test_nothing_of_the_provider_is_kept_and_nobody_is_made() -> None:
    from allauth.socialaccount.models import SocialAccount, SocialToken

    accounts = Account.objects.count()
    answer = come_back(
        Browser(), {"sub": "stranger", "email": "a@b.example", "email_verified": True, "role": "officer"}
    )
    assert answer.status_code == 403
    assert "could not be logged in" in answer.content.decode()
    linked()
    come_back(Browser(), {"sub": "citizen-7", "name": "Amina Yusuf"})
    assert Account.objects.count() == accounts + 3  # the officer, and the two who had the identity linked
    assert not SocialAccount.objects.exists()
    assert not SocialToken.objects.exists()
    assert "citizen-7" not in str(list(Entry.objects.values()))


WRONG = ["issuer", "audience", "expired", "nonce", "no_nonce", "parties"]
WRONG += ["unsigned", "shared_secret", "key", "kid", "no_token"]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_is_not_signed_for_this_log_in_lets_nobody_in(wrong: str) -> None:
    linked()
    browser = Browser()
    answer = come_back(browser, {"sub": "citizen-7"}, wrong)
    assert answer.status_code == 403
    assert "account_login" not in browser.session
    assert Entry.objects.filter(action="login.failed").count() == 1


def test_an_address_of_mail_counts_only_if_the_provider_verified_it() -> None:
    linked("amina@office.example", "mail")
    for claims in (
        {"sub": "x", "email": "amina@office.example"},
        {"sub": "x", "email": "amina@office.example", "email_verified": False},
        {"sub": "x", "email": "amina@office.example", "email_verified": "true"},
        {"sub": "x", "email": ["amina@office.example"], "email_verified": True},
        {"sub": "amina@office.example"},
    ):
        assert come_back(Browser(), claims, provider="mail").status_code == 403, claims
    verified = {"sub": "x", "email": "Amina@office.example", "email_verified": True}
    assert come_back(Browser(), verified, provider="mail").status_code == 302
    assert come_back(Browser(), verified, provider="state").status_code == 403, "of another provider"


def test_an_account_out_of_use_or_unlinked_does_not_come_in() -> None:
    who = linked()
    Account.objects.filter(pk=who.pk).update(is_active=False)
    assert come_back(Browser(), {"sub": "citizen-7"}).status_code == 403
    Account.objects.filter(pk=who.pk).update(is_active=True)
    assert come_back(Browser(), {"sub": "citizen-7"}).status_code == 302
    identities.unlink(who.pk, "state", actor=actor(Role.ADMINISTRATOR), at=timezone.now())
    assert come_back(Browser(), {"sub": "citizen-7"}).status_code == 403


def test_a_way_back_that_nobody_began_here_leads_nowhere() -> None:
    linked()
    stranger = Browser()
    sent = Browser().post("/account/identity/state/")
    there = httpx.get(f"{sent.headers['Location']}&as={_quoted({'sub': 'citizen-7'})}", timeout=60)
    path = there.headers["Location"].removeprefix("http://testserver")
    assert stranger.get(path).status_code == 403
    for path in (
        "?code=x&state=y",
        "?error=server_error",
        "?error=access_denied&state=x",
        "",
        "?code=%00&state=%00",
    ):
        assert stranger.get(f"/account/identity/state/back/{path}").status_code == 403, path
    assert stranger.get("/account/identity/nobody/back/?code=x").status_code == 404
    assert stranger.post("/account/identity/nobody/").status_code == 404


def test_nothing_that_stands_in_an_address_goes_to_the_provider() -> None:
    evil = "auth_params=redirect_uri%3Dhttps%3A%2F%2Fevil.example&scope=admin&process=connect"
    assert Browser().get(f"/account/identity/state/?{evil}").status_code == 405
    sent = Browser().post(f"/account/identity/state/?{evil}").headers["Location"]
    assert "evil" not in sent
    assert "admin" not in sent


def test_an_identity_is_one_accounts_and_only_an_administrator_links_it() -> None:
    who = linked()
    admin = actor(Role.ADMINISTRATOR)
    other = person(Role.REVIEWER)
    for account_id, value in ((other.pk, "citizen-7"), (who.pk, "citizen-8"), (999_999, "x"), (other.pk, "")):
        with pytest.raises(CeirError):
            identities.link(account_id, "state", value, reason="x", actor=admin, at=timezone.now())
    with pytest.raises(PermissionDeniedError):
        identities.link(other.pk, "state", "x", reason="x", actor=who.actor, at=timezone.now())


def test_providers_are_read_from_a_file_with_their_secrets_beside_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    file = tmp_path / "providers.toml"
    table = '[[provider]]\nid = "state"\nname = "State"\nclient_id = "c"\n'
    table += 'issuer = "{}"\nclient_secret_file = "{}"\n'
    file.write_text(table.format("https://id.example", "secret"))
    (read,) = read_identity_providers(file)
    assert (read.id, read.client_secret, read.origins) == ("state", "s3cret", ("https://id.example",))
    assert "s3cret" not in repr(read)
    for text in (
        table.format("http://id.example", "secret"),
        table.format("https://id.example", "missing"),
        table.format("https://id.example", "secret") * 2,
        "provider = 7",
        "nonsense",
        "",
    ):
        file.write_text(text)
        with pytest.raises(IdentityProviderError):
            read_identity_providers(file)
