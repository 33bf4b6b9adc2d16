"""The API put together: every endpoint is a module of `v1`, found by listing."""

import importlib
import pkgutil
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer

import ceir
from ceir.api import problems, tokens, v1
from ceir.api.certificates import thumbprint_of
from ceir.api.tokens import Caller
from ceir.errors import CeirError


class Bearer(HttpBearer):
    """Who has a token of ours."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """The caller, as `request.auth`."""
        return tokens.read(token, thumbprint_of(request))


def build() -> NinjaAPI:
    """The API with everything in `v1`.

    Raises:
        TypeError: a module of `v1` has no `ROUTER`.
    """
    api = NinjaAPI(
        title="OpenCEIR",
        version="1",
        description="The register of devices: what it knows, and what may be told it. Errors are of "
        "RFC 9457, with the register's own codes.",
        auth=Bearer(),
        docs_url=None,
        openapi_url="/openapi.json",
        urls_namespace=f"ceir-{ceir.__version__}",
    )
    for info in sorted(pkgutil.iter_modules(v1.__path__), key=lambda i: i.name):
        if info.name.startswith("_"):
            continue
        router = getattr(importlib.import_module(f"ceir.api.v1.{info.name}"), "ROUTER", None)
        if not isinstance(router, Router):
            raise TypeError(f"ceir.api.v1.{info.name} declares no ROUTER")
        api.add_router(f"/{info.name.replace('_', '-')}", router, tags=[info.name])
    api.exception_handler(CeirError)(problems.of_error)
    api.exception_handler(Exception)(problems.of_bug)
    api.exception_handler(AuthenticationError)(_not_known)
    api.exception_handler(ValidationError)(_not_understood)
    return api


def _not_known(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    refused = problems.problem(
        HTTPStatus.UNAUTHORIZED,
        "token_missing",
        "The request carries no access token that is valid here.",
        "Get one from /api/v1/token.",
    )
    refused["WWW-Authenticate"] = 'Bearer realm="openceir"'
    return refused


def _not_understood(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    # What was sent is not repeated: it may hold identities, and is in the caller's hands anyway.
    faults = [
        {"where": ".".join(str(part) for part in one["loc"]), "what": one["msg"]} for one in error.errors
    ]
    return problems.problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "request_invalid",
        "The request is not understood.",
        "See the OpenAPI document.",
        faults=faults,
    )
