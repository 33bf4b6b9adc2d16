"""The API put together: every endpoint is a module of `v1`, found by listing."""

import importlib
import json
import pkgutil
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from ninja import NinjaAPI, Router
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.renderers import BaseRenderer
from ninja.responses import NinjaJSONEncoder
from ninja.security import HttpBearer
from pydantic_core import to_json

import ceir
from ceir.api import documenting, problems, serving, tokens, v1
from ceir.api.certificates import thumbprint_of
from ceir.api.tokens import Caller
from ceir.errors import CeirError


class Bearer(HttpBearer):
    """Who has a token of ours."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """The caller, as `request.auth`; who was found once is not looked for again in the same request."""
        known = getattr(request, "auth", None)
        return known if isinstance(known, Caller) else _caller(request, token)


def _caller(request: HttpRequest, token: str) -> Caller | None:
    return tokens.read(token, thumbprint_of(request), at=timezone.now())


class Renderer(BaseRenderer):
    """Answers as JSON, by the library that checks them: days, moments and enumerations in one form."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:  # noqa: ARG002 - ninja's
        """The octets of an answer."""
        return to_json(data)


class Api(NinjaAPI):
    """Ninja's, with a document that says what our endpoints declare."""

    operations: tuple[Operation, ...] = ()
    _document: bytes | None = None

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The document as it is sent; made once, and each caller gets a copy: some that read it change it."""
        if self._document is None:
            made = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
            documenting.complete(made, self.operations)
            self._document = json.dumps(made, cls=NinjaJSONEncoder).encode()
        return cast("OpenAPISchema", json.loads(self._document))

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Short and stable: programs are generated from it."""
        return operation.view_func.__name__


def build() -> Api:
    """The API with everything in `v1`.

    Raises:
        TypeError: a module of `v1` has no `ROUTER`, or an endpoint declares no terms.
    """
    api = Api(
        title="OpenCEIR",
        version="1",
        description="The register of devices: what it knows, and what may be told it. Errors are of "
        "RFC 9457, with the register's own codes.",
        auth=Bearer(),
        renderer=Renderer(),
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
    api.exception_handler(HttpError)(_malformed)
    for unreadable in (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        api.exception_handler(unreadable)(_malformed)
    api.exception_handler(Http404)(_not_there)
    api.exception_handler(RequestDataTooBig)(_too_large)
    operations = serving.install(api)
    for operation in operations:
        operation.operation_id = api.get_openapi_operation_id(operation)
    names = [operation.operation_id for operation in operations]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise TypeError(f"two endpoints have the same name: {', '.join(twice)}")
    api.operations = tuple(operations)
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
    faults = [{"where": _where(one), "what": one["msg"]} for one in error.errors]
    return problems.problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "request_invalid",
        "The request is not understood.",
        "See the OpenAPI document.",
        faults=faults,
    )


def _where(fault: Mapping[str, Any]) -> str:
    """Which part of the request; a name that the caller made up is left out."""
    parts = [str(part) for part in fault["loc"]]
    if fault.get("type") == "extra_forbidden":
        parts = parts[:-1]
    return ".".join(part[:64] for part in parts)


def _malformed(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return problems.problem(
        HTTPStatus.BAD_REQUEST,
        "request_malformed",
        "The request cannot be read.",
        "See the OpenAPI document.",
    )


def _not_there(request: HttpRequest, _error: Http404) -> HttpResponse:
    return problems.of_error(request, problems.NotFoundError("There is nothing of that name.", ""))


def _too_large(request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return problems.of_error(
        request, serving.RequestTooLargeError("The request is too large.", "Send less at a time.")
    )
