"""What people type to come in. Errors stand with the field that they are about."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ceir.identifiers import InvalidIdentifierError, Msisdn
from ceir.registry.accounts.models import Account

LONGEST_PASSWORD = 200


def _secret(label: Any, autocomplete: str, **more: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=LONGEST_PASSWORD, widget=widget, **more)


def _code(label: Any, **more: Any) -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
    return forms.CharField(label=label, max_length=40, widget=forms.TextInput(attrs=attrs), **more)


def _name() -> forms.CharField:
    attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    return forms.CharField(
        label=_("Name to log in with"), max_length=150, widget=forms.TextInput(attrs=attrs)
    )


class LoginForm(forms.Form):
    """Name and password."""

    login = _name()
    password = _secret(_("Password"), "current-password")

    def __init__(self, *args: Any, request: HttpRequest, **more: Any) -> None:
        super().__init__(*args, **more)
        self.request = request
        self.account: Account | None = None

    def clean(self) -> dict[str, Any]:
        """Refuse what is not right, in the same words whatever is wrong."""
        given = super().clean() or {}
        if "login" in given and "password" in given:
            self.account = get_adapter().authenticate(
                self.request, username=given["login"], password=given["password"]
            )
            if self.account is None:
                raise ValidationError(_("The name or the password is wrong."), code="wrong")
        return given


class SecondFactorForm(forms.Form):
    """A code of the authenticator, or a recovery code."""

    code = _code(_("Code"))


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = _secret(_("New password"), "new-password")
    again = _secret(_("New password again"), "new-password")

    def __init__(self, *args: Any, account: Account | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.account = account
        self.fields["password"].help_text = password_validators_help_text_html()

    def clean_password(self) -> str:
        """Refuse what is easily guessed."""
        password: str = self.cleaned_data["password"]
        if self.account is not None:
            validate_password(password, self.account)
        return password

    def clean(self) -> dict[str, Any]:
        """Refuse two that differ."""
        given = super().clean() or {}
        if "password" in given and "again" in given and given["password"] != given["again"]:
            self.add_error("again", _("This is not the same password."))
        return given


class ChangePasswordForm(NewPasswordForm):
    """The old password, and a new one."""

    current = _secret(_("Present password"), "current-password")
    field_order = ("current", "password", "again")


class ChoosePasswordForm(NewPasswordForm):
    """The code that an administrator handed out, and a password."""

    login = _name()
    invitation = _code(_("Code from your administrator"))
    field_order = ("login", "invitation", "password", "again")


class NumberForm(forms.Form):
    """A mobile number."""

    number = forms.CharField(
        label=_("Mobile number, with country code"),
        help_text=_("Like +220 3000000. A code is sent there."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "dir": "ltr"}),
    )

    def clean_number(self) -> Msisdn:
        """The number that was typed."""
        try:
            number = Msisdn.from_people(self.cleaned_data["number"], None)
        except InvalidIdentifierError as error:
            raise ValidationError(_("This is not a number. Begin with + and the country code.")) from error
        if not number.is_countable:
            raise ValidationError(_("Nobody can hold such a number."))
        return number


class NumberCodeForm(forms.Form):
    """The code that was sent."""

    code = forms.CharField(
        label=_("Code from the message"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "dir": "ltr"}),
    )
