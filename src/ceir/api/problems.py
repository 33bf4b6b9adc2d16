"""What a request that is refused is told: RFC 9457, with the codes that the whole register uses."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from ceir.errors import CeirError

MEDIA_TYPE = "application/problem+json"
TYPES = "/api/v1/problems/"
"""Where each code is explained."""

STATUS_OF: Mapping[str, HTTPStatus] = {
    "permission_denied": HTTPStatus.FORBIDDEN,
    "four_eyes": HTTPStatus.FORBIDDEN,
    "client_refused": HTTPStatus.UNAUTHORIZED,
    "client_certificate_refused": HTTPStatus.BAD_REQUEST,
    "token_missing": HTTPStatus.UNAUTHORIZED,
    "not_found": HTTPStatus.NOT_FOUND,
    "bulk_unknown": HTTPStatus.NOT_FOUND,
    "edition_unknown": HTTPStatus.NOT_FOUND,
    "webhook_unknown": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "too_many_requests": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_codes": HTTPStatus.TOO_MANY_REQUESTS,
    "quota_exceeded": HTTPStatus.FORBIDDEN,
    "request_malformed": HTTPStatus.BAD_REQUEST,
    "precondition_unsupported": HTTPStatus.BAD_REQUEST,
    "idempotency_key_invalid": HTTPStatus.BAD_REQUEST,
    "length_required": HTTPStatus.LENGTH_REQUIRED,
    "precondition_failed": HTTPStatus.PRECONDITION_FAILED,
    "precondition_required": HTTPStatus.PRECONDITION_REQUIRED,
    "request_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "request_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "idempotency_key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_identifier": HTTPStatus.UNPROCESSABLE_ENTITY,
    "cursor_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "text_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "legal_basis": HTTPStatus.UNPROCESSABLE_ENTITY,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "release_needs_second_person": HTTPStatus.FORBIDDEN,
    "second_person_needed": HTTPStatus.FORBIDDEN,
    "case_unknown": HTTPStatus.NOT_FOUND,
    "consignment_unknown": HTTPStatus.NOT_FOUND,
    "document_missing": HTTPStatus.NOT_FOUND,
    "no_device": HTTPStatus.NOT_FOUND,
    "not_yours": HTTPStatus.NOT_FOUND,
    "identifiers_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "document_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "device_file_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "import_file_refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_set_up": HTTPStatus.SERVICE_UNAVAILABLE,
    "key_refused": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Statuses by code; any other refusal is a conflict with the state of things."""

CODES_OF_THE_EDGE: Mapping[str, str] = {
    "token_missing": "The request carries no access token that is valid here.",
    "method_not_allowed": "The address does not take that method.",
    "request_malformed": "The request cannot be read: its body is no JSON, or its form is no form.",
    "request_invalid": "The request is not understood: a parameter is missing or is not of its form.",
    "internal": "A fault of the register; what was asked for was not done.",
}
"""Codes that are no `CeirError`, with what they mean."""

_log = logging.getLogger(__name__)


class NotFoundError(CeirError):
    """There is nothing of that name, or nothing that the caller may see: which, is not said."""

    code = "not_found"


def status_of(code: str) -> HTTPStatus:
    """The status that a code comes with."""
    return STATUS_OF.get(code, HTTPStatus.CONFLICT)


def problem(status: HTTPStatus, code: str, detail: str, hint: str = "", **more: Any) -> HttpResponse:
    """A refusal as it is sent."""
    body = {
        "type": f"{TYPES}{code}",
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
    return problem(status_of(error.code), error.code, error.detail, error.hint)


def of_bug(_request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: told in the log, not to the caller."""
    _log.exception("api_failed", exc_info=error)
    return internal()


def internal() -> HttpResponse:
    """What the caller is told of a fault of ours."""
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "This is a fault of the register.", "Try again later."
    )
