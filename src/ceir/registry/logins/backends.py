"""Who is let in at all, asked at each request."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.base_user import AbstractBaseUser

from ceir.registry.accounts.models import Account


class AccountBackend(AuthenticationBackend):
    """Passwords of accounts; an account or an organisation that is put out of use is out at once."""

    def get_user(self, user_id: Any) -> Account | None:
        """The account of a session, with its organisation."""
        account = Account.objects.select_related("organisation").filter(pk=user_id).first()
        return account if account is not None and self.user_can_authenticate(account) else None

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        """Active, and of an organisation that takes part."""
        return isinstance(user, Account) and user.is_active and user.organisation.active
