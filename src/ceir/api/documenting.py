"""The OpenAPI document completed from what endpoints declare: refusals, headers, permissions, examples."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from ninja.operation import Operation

from ceir.api import problems
from ceir.api.certificates import CertificateRefusedError
from ceir.api.conditions import (
    PreconditionFailedError,
    PreconditionRequiredError,
    PreconditionUnsupportedError,
)
from ceir.api.examples import told_of
from ceir.api.problems import CODES_OF_THE_EDGE, status_of
from ceir.api.serving import SAFE, LengthRequiredError, RequestTooLargeError
from ceir.api.terms import Example, Terms, terms_of
from ceir.errors import CeirError, all_error_types
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.calls.allowing import TooManyRequestsError
from ceir.registry.calls.remembering import (
    IdempotencyKeyError,
    IdempotencyKeyReusedError,
    RequestInProgressError,
)
from ceir.registry.free_text import TextRefusedError
from ceir.registry.personal.fields import LegalBasisError

_GENERAL: tuple[type[CeirError], ...] = (TooManyRequestsError,)
_WITH_TOKEN: tuple[type[CeirError], ...] = (PermissionDeniedError, CertificateRefusedError)
_WHEN_CHANGING: tuple[type[CeirError], ...] = (
    LengthRequiredError,
    RequestTooLargeError,
    TextRefusedError,
)
_WITH_KEY: tuple[type[CeirError], ...] = (
    IdempotencyKeyError,
    IdempotencyKeyReusedError,
    PreconditionUnsupportedError,
    RequestInProgressError,
)

_PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal, as RFC 9457 has it.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where the code is explained."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: programs go by it."},
        "detail": {"type": "string", "description": "What is wrong, for people."},
        "hint": {"type": "string", "description": "What to do."},
        "faults": {
            "type": "array",
            "description": "Which parts of the request are not understood.",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
                "required": ["where", "what"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "detail"],
}


def refusals_of(operation: Operation) -> Mapping[int, frozenset[str]]:
    """Every code that an endpoint may answer with, by status."""
    declared = terms_of(operation.view_func)
    types: set[type[CeirError]] = set(_GENERAL)
    if operation.auth_callbacks:
        types.update(_WITH_TOKEN)
    changes = not set(operation.methods) <= SAFE
    if changes:
        types.update(_WHEN_CHANGING)
        if operation.auth_callbacks:
            types.update(_WITH_KEY)
    if declared.guard:
        types.add(PreconditionFailedError)
        if declared.guard.required:
            types.add(PreconditionRequiredError)
    if declared.legal_basis:
        types.add(LegalBasisError)
    for one in declared.refuses:
        types.update(all_error_types(one))
    if CeirError in declared.refuses:  # it carries out what others declare: any of their refusals
        types.update(all_error_types())
    found: dict[int, set[str]] = {}
    for one in types:
        found.setdefault(status_of(one.code).value, set()).add(one.code)
    for code in CODES_OF_THE_EDGE:
        if code == "token_missing" and not operation.auth_callbacks:
            continue
        if code != "method_not_allowed":  # then it is no call of this endpoint
            found.setdefault(status_of(code).value, set()).add(code)
    return {status: frozenset(codes) for status, codes in sorted(found.items())}


def complete(document: dict[str, Any], operations: Iterable[Operation]) -> None:
    """Put everything that ninja does not know into its document."""
    by_id = {operation.operation_id: operation for operation in operations}
    document["components"]["schemas"]["Problem"] = dict(_PROBLEM)
    for path in document["paths"].values():
        for details in path.values():
            operation = by_id[details["operationId"]]
            declared = terms_of(operation.view_func)
            _responses(details, operation)
            _headers(details, operation, declared)
            _permission(details, declared)
            for example in (*declared.examples, *told_of(str(operation.operation_id))):
                _example(details, example)


def _responses(details: dict[str, Any], operation: Operation) -> None:
    responses = details["responses"]
    any_code = CeirError in terms_of(operation.view_func).refuses
    for status, codes in refusals_of(operation).items():
        narrowed = {} if any_code else {"code": {"enum": sorted(codes)}}
        named = "" if any_code else f": {', '.join(sorted(codes))}"
        responses.setdefault(
            status,
            {
                "description": f"{HTTPStatus(status).phrase}{named}",
                "content": {
                    problems.MEDIA_TYPE: {
                        "schema": {
                            "allOf": [{"$ref": "#/components/schemas/Problem"}],
                            "properties": {**narrowed, "status": {"const": status}},
                        }
                    }
                },
            },
        )
    limits = {
        "RateLimit": _header('What is left: `"calls";r=CALLS;t=SECONDS`.'),
        "RateLimit-Policy": _header('The allowance: `"calls";q=CALLS;w=SECONDS`.'),
    }
    for status, response in responses.items():
        headers = response.setdefault("headers", {})
        headers.update(limits)
        if int(status) == HTTPStatus.OK and set(operation.methods) <= SAFE:
            headers["ETag"] = _header("Of this answer, for `If-None-Match` and `If-Match`.")
        if int(status) == HTTPStatus.TOO_MANY_REQUESTS:
            headers["Retry-After"] = _header("Seconds to wait.")
    if set(operation.methods) <= SAFE:
        responses[304] = {"description": "Not modified: the caller has this answer.", "headers": dict(limits)}


def _headers(details: dict[str, Any], operation: Operation, declared: Terms) -> None:
    parameters = details.setdefault("parameters", [])
    if set(operation.methods) <= SAFE:
        parameters.append(_parameter("If-None-Match", "ETag of an answer that the caller has."))
        return
    if operation.auth_callbacks:
        parameters.append(
            _parameter(
                "Idempotency-Key",
                "Chosen by the caller; the same call again within 24 hours gets the first answer and "
                "changes nothing.",
            )
        )
    if declared.guard:
        parameters.append(
            _parameter(
                "If-Match",
                "ETag of what the caller saw: if it is another by now, nothing is changed.",
                required=declared.guard.required,
            )
        )


def _permission(details: dict[str, Any], declared: Terms) -> None:
    if declared.permission is None:
        return
    details["x-permission"] = [permission.value for permission in declared.any_of]
    details["security"] = [
        {name: [permission.value] for name in one}
        for one in details["security"]
        for permission in declared.any_of
    ]


def _example(details: dict[str, Any], example: Example) -> None:
    given = {**example.path, **example.query, **example.headers}
    for parameter in details.get("parameters", []):
        if parameter["name"] in given:
            parameter.setdefault("examples", {})[example.name] = {"value": given[parameter["name"]]}
    if example.body is not None:
        for content in details["requestBody"]["content"].values():
            content.setdefault("examples", {})[example.name] = {"value": example.body}
    response = details["responses"].get(example.status) or details["responses"][str(example.status)]
    if example.answer is None:
        return
    for content in response.get("content", {}).values():
        content.setdefault("examples", {})[example.name] = {"value": example.answer}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _parameter(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }
