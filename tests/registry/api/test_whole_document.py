"""Requests made from the OpenAPI document, fitting and not: nothing fails, no answer is other than it says.

`CEIR_API_EXAMPLES` says how many requests an operation gets; they are always the same ones, unless
`CEIR_API_SEED` is a number.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from calling import program
from desk import KNOWN, Phones, blocked_case, country, fleet, line, proof, registered, run, speaks_for
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, seed, settings
from operation_permissions import NEEDED
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ceir.api import tokens
from ceir.api.urls import API
from ceir.registry.accounts.permissions import RULES
from ceir.registry.actors import Role
from ceir.registry.calls import allowing
from ceir.registry.codes.models import Purpose

EXAMPLES = int(os.environ.get("CEIR_API_EXAMPLES", "10"))
SEED = os.environ.get("CEIR_API_SEED")
"""Another number makes other requests; without one they are always the same."""

_schema = schemathesis.openapi.from_dict(API.get_openapi_schema())
_schema.app = get_wsgi_application()

_CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]

_PURPOSE_OF = {
    "registrations": Purpose.REGISTRATION,
    "devices": Purpose.DEVICES,
    "duties": Purpose.DEVICES,
    "transfers": Purpose.TRANSFER,
    "repairs": Purpose.REPAIR,
    "pairings": Purpose.PAIRING,
    "appeals": Purpose.APPEAL,
}


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, settings: Any) -> Iterator[None]:
    settings.CEIR_API_PER_MINUTE = 1_000_000_000
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # no secret is tried here
    settings.CEIR_DOCUMENTS = tmp_path / "documents"
    settings.CEIR_COUNTRY = country(Phones())
    allowing.forget_leases()
    # As Django's own client does: a server's end of a request would close the connection of the test.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    blocked_case()
    line()
    registered()
    fleet(speaks_for(Role.IMPORTER), 1, 2)
    run(tmp_path)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    allowing.forget_leases()


def by(name: str) -> Role | None:
    """Who calls an operation: the first who may."""
    roles = [r for r in Role if r is not Role.SYSTEM and any(r in RULES[p].roles for p in NEEDED[name])]
    return roles[0] if roles else None


def _operations() -> dict[str, list[Any]]:
    """By the first part of their path, which is what they are about."""
    found: dict[str, list[Any]] = {}
    for result in _schema.get_all_operations():
        operation = result.ok()
        found.setdefault(operation.path.removeprefix("/api/v1/").split("/")[0], []).append(operation)
    return found


_OPERATIONS = _operations()


@pytest.mark.parametrize("about", _OPERATIONS)
def test_no_request_gets_an_answer_that_the_document_does_not_say(about: str) -> None:
    wrong: list[str] = []
    for operation in _OPERATIONS[about]:
        try:
            _try(operation)
        except FailureGroup as group:
            wrong += [f"{operation.label}: {failure}" for failure in group.exceptions]
        except Failure as failure:
            wrong.append(f"{operation.label}: {failure}")
    assert not wrong, "\n\n".join(wrong)


def _try(operation: Any) -> None:
    name = operation.definition.raw["operationId"]
    role = by(name)
    headers = {}
    if role is not None:
        headers["Authorization"] = f"Bearer {tokens.issue(program(role), [], timezone.now())[0]}"

    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @settings(
        max_examples=EXAMPLES,
        derandomize=SEED is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    def tried(case: schemathesis.Case) -> None:
        if role is not None:
            _bring_near(case, role)
        case.call_and_validate(headers=headers, checks=_CHECKS)

    (tried if SEED is None else seed(int(SEED))(tried))()


def _bring_near(case: schemathesis.Case, role: Role) -> None:
    """Of two requests let one speak of things that are there: pure chance would never find them."""
    drawn = sum(repr((case.body, case.path_parameters, case.query)).encode())
    if drawn % 2:
        return
    for key, value in (case.path_parameters or {}).items():
        if isinstance(value, int) or str(value).isdecimal():
            case.path_parameters[key] = 1 + drawn % 3
    if isinstance(case.body, dict):
        for key, known in _known(case, role).items():
            if key in case.body:
                case.body[key] = known()


def _known(case: schemathesis.Case, role: Role) -> dict[str, Callable[[], Any]]:
    tag = case.operation.path.removeprefix("/api/v1/").split("/")[0]
    purpose = _PURPOSE_OF.get(tag, Purpose.DEVICES)

    def proven() -> object:
        return proof(purpose, speaks_for(role))

    return {
        "proof": proven,
        "consent": proven,
        "imei": lambda: KNOWN["imei"],
        "imeis": lambda: [KNOWN["imei"]],
        "identity": lambda: KNOWN["imei"],
        "device": lambda: KNOWN["imei"] if tag == "repairs" else {"imeis": ["867530901234567"]},
        "msisdn": lambda: "+22000000001",
        "imsi": lambda: "111010000000001",
        "tac": lambda: KNOWN["tac"],
        "organisation": lambda: program(role).organisation_id,
    }
