"""The outermost layer of the API: whatever refuses a request, the caller reads a problem of RFC 9457.

Calls of programs end here: they do not pass what is for pages (sessions, languages, forms, logins). They pass
what guards every answer: TLS, the names of the host, the headers.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from django.core.handlers.exception import convert_exception_to_response
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import translation

from ceir.api import problems
from ceir.registry.project.headers import HeadersMiddleware

_Answers = Callable[[HttpRequest], HttpResponse]

PREFIX = "/api/"
ROOT = "/api/v1/"

_SAID = {
    HTTPStatus.BAD_REQUEST: ("request_malformed", "The request is malformed.", "See the OpenAPI document."),
    HTTPStatus.NOT_FOUND: ("not_found", "There is nothing at this address.", "See the OpenAPI document."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "method_not_allowed",
        "This address does not take that method.",
        "See the header Allow.",
    ),
}


class ApiEdge:
    """Middleware around all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._pages = get_response
        called = cast("_Answers", convert_exception_to_response(_Called()))
        framed = cast("_Answers", XFrameOptionsMiddleware(called))
        self._called = cast("_Answers", SecurityMiddleware(HeadersMiddleware(framed)))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, of the API's own form below its address."""
        if not request.path_info.startswith(PREFIX):
            return self._pages(request)
        response = self._called(request)
        if not response.headers.get("Content-Type", "").startswith(problems.MEDIA_TYPE):
            said = _SAID.get(HTTPStatus(response.status_code))
            if said is not None:
                refused = problems.problem(HTTPStatus(response.status_code), *said)
                if "Allow" in response.headers:
                    refused.headers["Allow"] = response.headers["Allow"]
                response = refused
            elif response.status_code >= 500:
                response = problems.internal()
        # Answers are for one caller: nothing between keeps them. They vary by nothing else.
        if isinstance(response, HttpResponse) and response.status_code not in (204, 304):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        response.headers.setdefault("Cache-Control", "private, no-store")
        for unneeded in ("Vary", "Content-Language"):
            if unneeded in response.headers:
                del response.headers[unneeded]
        return response


class _Called:
    """Finds the endpoint of a call, and calls it."""

    def __init__(self) -> None:
        self._endpoints: dict[str, list[URLPattern]] | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # refuses names that are not the register's
        translation.deactivate()  # of a page that was shown before in another language
        if self._endpoints is None:
            self._endpoints = _endpoints()
        path = request.path_info.removeprefix(ROOT)
        if path != request.path_info:
            for pattern in self._endpoints.get(path.split("/", 1)[0], ()):
                match = pattern.resolve(path)
                if match is not None:
                    match.route = ROOT.lstrip("/") + match.route
                    request.resolver_match = match
                    answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
                    return answer
        raise Http404


def _endpoints() -> dict[str, list[URLPattern]]:
    """Every endpoint by the first part of its path, so that a call is not held against all of them."""
    found: dict[str, list[URLPattern]] = {}
    for within in get_resolver().url_patterns:
        if not isinstance(within, URLResolver) or str(within.pattern) != ROOT.lstrip("/"):
            continue
        for pattern in within.url_patterns:
            if isinstance(pattern, URLPattern):
                found.setdefault(str(pattern.pattern).split("/", 1)[0], []).append(pattern)
    return found
