"""Pages to come in and go out: forms that the server writes, and that need nothing but HTML."""

import secrets
from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import perform_login, perform_password_login, record_authentication
from allauth.account.models import Login
from allauth.account.views import LoginView, LogoutView
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, get_totp_secret
from allauth.socialaccount.adapter import get_adapter as get_provider_adapter
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from ceir.errors import CeirError
from ceir.registry.accounts.invitations import accept
from ceir.registry.accounts.models import Account
from ceir.registry.audit.chain import record
from ceir.registry.codes.drawing import as_typed, random_draw
from ceir.registry.logins import limiting, numbers, recording, second_factor
from ceir.registry.logins.adapters import SecondFactorAdapter
from ceir.registry.logins.forms import (
    ChangePasswordForm,
    ChoosePasswordForm,
    LoginForm,
    NumberCodeForm,
    NumberForm,
    SecondFactorForm,
)
from ceir.registry.logins.stages import SetUpStage

_VISITOR = "ceir_visitor"
_NUMBER = "ceir_number"
_PROVEN = "ceir_proven_number"

_page = require_http_methods(["GET", "HEAD", "POST"])


class LoginPage(LoginView):
    """Name and password, or one of the other ways."""

    template_name = "logins/login.html"
    form_class = LoginForm

    def get_form_class(self) -> type[LoginForm]:
        """Ours."""
        return LoginForm

    def form_valid(self, form: LoginForm) -> HttpResponse:
        """On to the second factor."""
        login = Login(user=form.account, redirect_url=self.get_success_url())
        return perform_password_login(self.request, {}, login)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the identity providers that there are."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["providers"] = get_provider_adapter().list_apps(self.request, provider="openid_connect")
        return context


class LogoutPage(LogoutView):
    """Asks, for a page that logs out when it is merely looked at could be put into any other page."""

    template_name = "logins/logout.html"


login_page = LoginPage.as_view()
logout_page = LogoutPage.as_view()


@_page
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """A code of the authenticator, after the password."""
    stage: Any = request._login_stage  # type: ignore[attr-defined]
    account: Account = stage.login.user
    form = SecondFactorForm(_typed(request))
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        try:
            taken = limiting.take({"factor": str(account.pk)}, at)
            used = second_factor.check(account, form.cleaned_data["code"], at=at)
        except limiting.TooManyFailuresError as error:
            form.add_error(None, _told(error))
        except second_factor.SecondFactorError as error:
            recording.failed(account, "second_factor")
            form.add_error("code", _told(error))
        else:
            taken.give_back()
            record_authentication(request, account, method="mfa", type=used.type)
            answer: HttpResponse = stage.exit()
            return answer
    return _shown(request, "logins/second_factor.html", form)


@_page
@login_stage_required(stage=SetUpStage.key, redirect_urlname="account_login")
def set_up_page(request: HttpRequest) -> HttpResponse:
    """Set up the second factor, which everybody of an office needs, before there is a session."""
    stage: Any = request._login_stage  # type: ignore[attr-defined]
    account: Account = stage.login.user
    if request.method == "POST" and "kept" in request.POST and second_factor.is_set_up(account):
        answer: HttpResponse = stage.exit()
        return answer
    form = SecondFactorForm(_typed(request))
    secret = get_totp_secret()
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        try:
            taken = limiting.take({"factor": str(account.pk)}, at)
            codes = second_factor.set_up(account, secret, form.cleaned_data["code"], at=at)
        except CeirError as error:
            form.add_error("code", _told(error))
        else:
            taken.give_back()
            request.session.pop(SECRET_SESSION_KEY, None)
            record_authentication(request, account, method="mfa", type="totp")
            return render(request, "logins/recovery_codes.html", {"codes": codes, "first": True})
    adapter = SecondFactorAdapter()
    url = adapter.build_totp_url(account, secret)
    more = {
        "secret": " ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        "url": url,
        "picture": mark_safe(adapter.build_totp_svg(url).partition("?>")[2]),  # noqa: S308 - drawn here
    }
    return _shown(request, "logins/set_up.html", form, **more)


@never_cache
@login_required
@require_POST
def recovery_codes_page(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown once, for a right code of the authenticator."""
    account = _account(request)
    form, at = SecondFactorForm(request.POST), timezone.now()
    if form.is_valid():
        try:
            taken = limiting.take({"factor": str(account.pk)}, at)
            second_factor.check(account, form.cleaned_data["code"], at=at)
        except CeirError as error:
            form.add_error("code", _told(error))
        else:
            taken.give_back()
            codes = second_factor.renew_recovery_codes(account, at=at)
            return render(request, "logins/recovery_codes.html", {"codes": codes, "first": False})
    return _shown(request, "logins/account.html", form)


@_page
@never_cache
@login_required
def account_page(request: HttpRequest) -> HttpResponse:
    """Who is logged in, and what he can do about it."""
    return render(request, "logins/account.html", {"form": SecondFactorForm()})


@sensitive_post_parameters()
@_page
@never_cache
@login_required
def change_password_page(request: HttpRequest) -> HttpResponse:
    """A new password for the old one; other sessions end."""
    account = _account(request)
    if not account.has_usable_password():
        return HttpResponseRedirect(reverse("account"))
    form = ChangePasswordForm(_typed(request), account=account)
    if request.method == "POST" and form.is_valid():
        at = timezone.now()
        try:
            taken = limiting.take({"factor": str(account.pk)}, at)
        except limiting.TooManyFailuresError as error:
            form.add_error("current", _told(error))
        else:
            if account.check_password(form.cleaned_data["current"]):
                taken.give_back()
                account.set_password(form.cleaned_data["password"])
                account.save()
                record(account.actor, "password.changed", f"account:{account.pk}", at=at)
                update_session_auth_hash(request, account)
                return render(request, "logins/done.html", {"what": gettext("The password is changed.")})
            recording.failed(account, "password")
            form.add_error("current", gettext("The password is wrong."))
    return _shown(request, "logins/password.html", form, title=gettext("Change the password"))


@sensitive_post_parameters()
@_page
@never_cache
def choose_password_page(request: HttpRequest) -> HttpResponse:
    """The password of an account that an administrator made."""
    form = ChoosePasswordForm(_typed(request))
    if request.method == "POST" and form.is_valid():
        given, at = form.cleaned_data, timezone.now()
        address = limiting.address_of(request)
        try:
            taken = limiting.take({"login": f"{given['login']} {address}", "address": address}, at)
            accept(given["login"], as_typed(given["invitation"]), given["password"], at=at)
        except CeirError as error:
            field = "password" if error.code == "account_refused" else None
            form.add_error(field, _told(error))
        else:
            taken.give_back()
            return HttpResponseRedirect(reverse("account_login"))
    return _shown(request, "logins/password.html", form, title=gettext("Choose a password"))


@_page
@never_cache
def number_page(request: HttpRequest) -> HttpResponse:
    """Ask for a code."""
    form = NumberForm(_typed(request))
    if request.method == "POST" and form.is_valid():
        at, number = timezone.now(), form.cleaned_data["number"]
        token = request.session.setdefault(_VISITOR, secrets.token_urlsafe(16))
        try:
            limiting.take({"number": limiting.address_of(request)}, at)
            numbers.ask(number, draw=random_draw(), actor=numbers.visitor(token), at=at)
        except CeirError as error:
            form.add_error("number", _told(error))
        else:
            request.session[_NUMBER] = numbers.seal(number)
            return HttpResponseRedirect(reverse("number_code"))
    return _shown(request, "logins/number.html", form)


@_page
@never_cache
def number_code_page(request: HttpRequest) -> HttpResponse:
    """Take the code, and let its reader in."""
    token, sealed = request.session.get(_VISITOR), request.session.get(_NUMBER)
    if not token or not sealed:
        return HttpResponseRedirect(reverse("number"))
    form = NumberCodeForm(_typed(request))
    if request.method == "POST" and form.is_valid():
        number, at = numbers.unseal(sealed), timezone.now()
        name = f"consumer-{secrets.token_hex(12)}"
        try:
            address = limiting.address_of(request)
            taken = limiting.take({"address": address}, at)
            account = numbers.prove(
                number, form.cleaned_data["code"], actor=numbers.visitor(token), login=name, at=at
            )
        except CeirError as error:
            form.add_error("code", _told(error))
        else:
            taken.give_back()
            for key in (_VISITOR, _NUMBER):
                request.session.pop(key, None)
            record_authentication(request, account, method="number")
            answer: HttpResponse = perform_login(request, Login(user=account))
            request.session[_PROVEN] = numbers.seal(number)
            return answer
    return _shown(request, "logins/number_code.html", form)


def _account(request: HttpRequest) -> Account:
    account = request.user
    assert isinstance(account, Account)  # login_required
    return account


def _typed(request: HttpRequest) -> Any:
    """What was typed; None: the page is merely looked at."""
    return request.POST if request.method == "POST" else None


def _told(error: CeirError) -> str:
    return f"{error.detail} {error.hint}"


def _shown(request: HttpRequest, template: str, form: Any, **more: Any) -> HttpResponse:
    """A page with a form; one that was refused is no success."""
    status = 422 if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **more}, status=status)
