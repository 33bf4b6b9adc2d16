"""What a request that is refused is told: RFC 9457, with the codes that the whole register uses."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from ceir.errors import CeirError

MEDIA_TYPE = "application/problem+json"

STATUS_OF: Mapping[str, HTTPStatus] = {
    "permission_denied": HTTPStatus.FORBIDDEN,
    "four_eyes": HTTPStatus.FORBIDDEN,
    "client_refused": HTTPStatus.UNAUTHORIZED,
    "certificate_refused": HTTPStatus.BAD_REQUEST,
    "not_found": HTTPStatus.NOT_FOUND,
    "too_many_requests": HTTPStatus.TOO_MANY_REQUESTS,
    "identifier_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Statuses by code; any other refusal is a conflict with the state of things."""

_log = logging.getLogger(__name__)


class NotFoundError(CeirError):
    """There is nothing of that name, or nothing that the caller may see: which, is not said."""

    code = "not_found"


def problem(status: HTTPStatus, code: str, detail: str, hint: str = "", **more: Any) -> HttpResponse:
    """A refusal as it is sent."""
    body = {
        "type": f"about:blank#{code}",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": detail,
        **({"hint": hint} if hint else {}),
        **more,
    }
    return JsonResponse(body, status=status.value, content_type=MEDIA_TYPE)


def of_error(_request: HttpRequest, error: CeirError) -> HttpResponse:
    """A refusal of the register."""
    return problem(STATUS_OF.get(error.code, HTTPStatus.CONFLICT), error.code, error.detail, error.hint)


def of_bug(_request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: told in the log, not to the caller."""
    _log.exception("api_failed", exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "This is a fault of the register.", "Try again later."
    )
