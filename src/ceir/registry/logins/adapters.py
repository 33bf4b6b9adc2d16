"""How allauth does what it does here: nobody signs up, failures are counted by us, secrets are encrypted."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError
from django.contrib.auth import authenticate
from django.forms import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from ceir.registry.accounts.models import Account
from ceir.registry.logins import limiting, recording
from ceir.registry.personal.fields import keys

_LONGEST_PASSWORD = 200
_SECRET = "second factor"  # noqa: S105 - a label


class AccountAdapter(DefaultAccountAdapter):
    """Logging in with a password."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's
        """Accounts are made by administrators."""
        return False

    def is_ajax(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's
        """Pages answer with pages."""
        return False

    def add_message(self, *args: Any, **more: Any) -> None:
        """Pages say themselves what happened."""

    def send_notification_mail(self, *args: Any, **more: Any) -> None:
        """What happens to accounts stands in the record."""

    def get_login_stages(self) -> list[str]:
        """After the first factor comes the second; who has none sets it up before he is let in."""
        return ["allauth.mfa.stages.AuthenticateStage", "ceir.registry.logins.stages.SetUpStage"]

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Account | None:
        """The account with this name and password; that there is none of the name is not to be noticed.

        Raises:
            ValidationError: too many attempts failed.
        """
        name, password = str(credentials.get("username", "")), str(credentials.get("password", ""))
        address = limiting.address_of(request)
        try:
            taken = limiting.take({"login": f"{name} {address}", "address": address}, timezone.now())
        except limiting.TooManyFailuresError as error:
            raise ValidationError(f"{gettext('Too many attempts failed.')} {error.hint}") from error
        found = None
        if len(password) <= _LONGEST_PASSWORD and "\0" not in name:
            found = authenticate(request, username=name, password=password)
            # allauth keeps accounts that are out of use beside, to tell them so: to us they are nobody's.
            AuthenticationBackend.unstash_authenticated_user()
        if isinstance(found, Account):
            taken.give_back()
            return found
        known = Account.objects.filter(login__iexact=name).first() if "\0" not in name else None
        recording.failed(known, "password")
        return None


class SecondFactorAdapter(DefaultMFAAdapter):
    """The second factor's secrets, encrypted with the register's keys."""

    def encrypt(self, text: str) -> str:
        """For the database."""
        return keys().encrypt(_SECRET, text).hex()

    def decrypt(self, encrypted_text: str) -> str:
        """From the database."""
        return keys().decrypt(_SECRET, bytes.fromhex(encrypted_text))

    def get_totp_issuer(self) -> str:
        """As the authenticator lists it."""
        return gettext("Device register")


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Identity providers: see `identity_providers`."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002 - allauth's
        """Whoever the register does not know stays outside."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the account, and log in there; what allauth would do next is never reached.

        Raises:
            ImmediateHttpResponse: always.
        """
        from ceir.registry.logins.identity_providers import come_in  # noqa: PLC0415 - it needs this module

        come_in(request, sociallogin)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,  # noqa: ARG002 - allauth's
        error: Any = None,
        exception: Any = None,  # noqa: ARG002
        extra_context: Any = None,  # noqa: ARG002
    ) -> None:
        """Tell whoever comes back with nothing good no more than that.

        Raises:
            ImmediateHttpResponse: unless he turned back by himself.
        """
        from ceir.registry.logins.identity_providers import failed  # noqa: PLC0415 - it needs this module

        if error != AuthError.CANCELLED:
            raise ImmediateHttpResponse(failed(request))
