"""Steps between a right password and a session."""

from typing import Any

from allauth.account.stages import LoginStage
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ceir.registry.accounts.models import Account
from ceir.registry.logins import second_factor


class SetUpStage(LoginStage):
    """Whoever must have a second factor and has none sets it up before there is a session."""

    key = "ceir_set_up"
    urlname = "second_factor_set_up"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """To the page that sets it up, or on."""
        account: Any = self.login.user
        if not isinstance(account, Account):
            return None, False
        if not account.needs_second_factor or second_factor.is_set_up(account):
            return None, True
        return HttpResponseRedirect(reverse(self.urlname)), True
