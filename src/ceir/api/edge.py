"""The outermost layer of the API: whatever refuses a request, the caller reads a problem of RFC 9457."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ceir.api import problems

PREFIX = "/api/"

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
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, of the API's own form below its address."""
        response = self._get_response(request)
        if not request.path_info.startswith(PREFIX):
            return response
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
        response.headers.setdefault("Cache-Control", "private, no-store")
        for unneeded in ("Vary", "Content-Language"):
            if unneeded in response.headers:
                del response.headers[unneeded]
        return response
