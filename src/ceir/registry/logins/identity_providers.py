"""Logging in by OpenID Connect (Core 1.0): code flow with PKCE, state and nonce; the ID token's signature is
verified always, and only a claim that it vouches for says who somebody is."""

import secrets
from collections.abc import Mapping
from typing import Any, NoReturn

import jwt
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from requests import RequestException

from ceir.registry.logins import limiting, recording
from ceir.registry.logins.identities import account_of

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key pair; one with a shared secret would let anybody who knows it sign."""

_LEEWAY = 60
"""Seconds by which clocks may differ."""

_NONCE = "ceir_nonce"
_VERIFIED_BY = {"email": "email_verified", "phone_number": "phone_number_verified"}
"""Claims that a provider passes on unseen unless it says otherwise: OpenID Connect Core clause 5.1."""


class VerifyingAdapter(OpenIDConnectOAuth2Adapter):
    """Fetches tokens, and believes only what is signed for us, for this log-in."""

    def complete_login(
        self,
        request: HttpRequest,
        app: SocialApp,
        token: Any,  # noqa: ARG002 - allauth's
        **kwargs: Any,
    ) -> Any:
        """What the ID token says; nothing else is asked for."""
        given = kwargs["response"].get("id_token")
        if not isinstance(given, str):
            raise OAuth2Error("no ID token")
        claims = self._decode_id_token(app, given)
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        expected = self.request.session.pop(_NONCE, None)
        try:
            header = jwt.get_unverified_header(id_token)
            if header.get("alg") not in _ALGORITHMS:
                raise OAuth2Error("the ID token is not signed with a key pair")
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self._key(header),
                algorithms=[header["alg"]],
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=_LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error("the ID token is not good") from error
        if not expected or not secrets.compare_digest(str(claims.get("nonce", "")), expected):
            raise OAuth2Error("the ID token is of another log-in")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != app.client_id:
            raise OAuth2Error("the ID token is for somebody else")
        return claims

    def _key(self, header: Mapping[str, Any]) -> Any:
        """The provider's key that the header names; where it names none, its only one."""
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            known = jwt.PyJWKSet.from_dict(answer.json()).keys
        usable = [key for key in known if key.public_key_use in (None, "sig")]
        named = [key for key in usable if key.key_id == header.get("kid")] if "kid" in header else usable
        if len(named) != 1 or named[0].algorithm_name != header["alg"]:
            raise OAuth2Error("the ID token's key is not known")
        return named[0].key


class Provider(OpenIDConnectProvider):
    """One identity provider of the installation."""

    oauth2_adapter_class = VerifyingAdapter


@never_cache
@require_POST
def go(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to his provider; what goes there is ours alone, nothing of it comes from the address."""
    provider = _provider(request, provider_id)
    nonce = secrets.token_urlsafe(32)
    request.session[_NONCE] = nonce
    try:
        answer: HttpResponse = provider.redirect(
            request, "login", next_url=get_next_redirect_url(request), auth_params={"nonce": nonce}
        )
    except (OAuth2Error, RequestException, ValueError, KeyError):
        return _sorry(request, 502)
    return answer


@never_cache
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take somebody back from his provider, with a code to fetch the ID token."""
    _provider(request, provider_id)
    try:
        limiting.take({"address": limiting.address_of(request)}, timezone.now()).give_back()
        answer: HttpResponse = OAuth2CallbackView.adapter_view(VerifyingAdapter(request, provider_id))(
            request
        )
    except limiting.TooManyFailuresError:
        return _sorry(request, 429)
    except (ValueError, KeyError, TypeError):
        return failed(request)
    return answer


def come_in(request: HttpRequest, sociallogin: Any) -> NoReturn:
    """Log the account in whose identity it is; nobody's stays outside, and nothing of him is kept.

    Raises:
        ImmediateHttpResponse: always, with what comes next.
    """
    app = sociallogin.provider.app
    value = _verified(sociallogin.account.extra_data.get("id_token", {}), app.settings.get("claim", "sub"))
    account = account_of(app.provider_id, value) if value else None
    if account is None:
        raise ImmediateHttpResponse(failed(request))
    record_authentication(request, account, method="socialaccount", provider=app.provider_id)
    login = Login(user=account, redirect_url=sociallogin.get_redirect_url(request))
    raise ImmediateHttpResponse(perform_login(request, login))


def failed(request: HttpRequest) -> HttpResponse:
    """What somebody is told whom the register does not let in; the same whatever the reason."""
    try:
        limiting.take({"address": limiting.address_of(request)}, timezone.now())
    except limiting.TooManyFailuresError:
        return _sorry(request, 429)
    recording.failed(None, "identity")
    return _sorry(request, 403)


def _verified(claims: Mapping[str, Any], claim: str) -> str:
    """The claim's value, if the provider vouches for it; else empty."""
    value, witness = claims.get(claim), _VERIFIED_BY.get(claim)
    if not isinstance(value, str) or (witness is not None and claims.get(witness) is not True):
        return ""
    return value.casefold() if claim == "email" else value


def _provider(request: HttpRequest, provider_id: str) -> Any:
    try:
        provider = get_adapter().get_provider(request, provider_id)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    if not isinstance(provider, Provider):
        raise Http404
    return provider


def _sorry(request: HttpRequest, status: int) -> HttpResponse:
    return render(request, "logins/identity_refused.html", status=status)
