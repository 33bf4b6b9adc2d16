"""People who log in, as their browsers do it."""

import base64
import re
import time
from functools import cache
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.hashers import make_password
from django.test import Client as Browser
from people import account

from ceir.registry.accounts.models import Account
from ceir.registry.actors import Role

PASSWORD = "a heron stands in the reeds"
SECRET = base64.b32encode(b"twenty octets of key").decode()


@cache
def _hashed() -> str:
    return make_password(PASSWORD)


def totp(secret: str = SECRET, later: int = 0) -> str:
    """The code of now, or of so many steps later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def person(role: Role, login: str = "", *, factor: bool = True) -> Account:
    """Somebody with a password, and with a second factor."""
    from allauth.mfa.utils import encrypt

    made = account(role, login)
    made.password = _hashed()
    made.save()
    if factor:
        Authenticator.objects.create(
            user=made, type=Authenticator.Type.TOTP, data={"secret": encrypt(SECRET)}
        )
    return made


def give_password(browser: Browser, login: str, password: str = PASSWORD, **more: str) -> Any:
    return browser.post("/account/login/", {"login": login, "password": password, **more})


def log_in(who: Account, browser: Browser | None = None) -> Browser:
    """A browser in which somebody with a second factor is logged in."""
    used = browser or Browser()
    answer = give_password(used, who.login)
    assert answer.headers["Location"] == "/account/second-factor/", answer.content
    # A code counts once; tests log the same person in more than once.
    one = Authenticator.objects.get(user=who, type=Authenticator.Type.TOTP)
    one.data.pop("last_step", None)
    one.save()
    answer = used.post("/account/second-factor/", {"code": totp()})
    assert answer.status_code == 302, answer.content
    return used


def logged_in(role: Role, login: str = "") -> Browser:
    return log_in(person(role, login))


def who_is_in(browser: Browser) -> str:
    """As the account's page says; empty: nobody."""
    answer = browser.get("/account/")
    found = re.search(r"logged in as ([^<]*)\.", answer.content.decode())
    return found[1] if answer.status_code == 200 and found else ""
