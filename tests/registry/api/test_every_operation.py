"""Every operation of the OpenAPI document, tried with every role, with none, and without its scope."""

from collections.abc import Iterator
from typing import Any

import pytest
from calling import bearer, call, program
from django.utils import timezone
from operation_permissions import NEEDED

from ceir.api import tokens
from ceir.api.urls import API
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry
from ceir.registry.calls import allowing

PEOPLE = [role for role in Role if role is not Role.SYSTEM]


@pytest.fixture(autouse=True)
def _many_calls(settings: Any) -> Iterator[None]:
    settings.CEIR_API_PER_MINUTE = 1_000_000
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # no secret is tried here
    allowing.forget_leases()
    yield
    allowing.forget_leases()


def operations() -> Iterator[tuple[str, str, str]]:
    """Name, method and path of each, with a key of something that is not there."""
    for path, methods in API.get_openapi_schema()["paths"].items():
        for method, details in methods.items():
            filled = path.removeprefix("/api/v1/")
            for parameter in details.get("parameters", []):
                if parameter["in"] == "path":
                    value = "987654321" if parameter["schema"].get("type") == "integer" else "nothing"
                    filled = filled.replace("{" + parameter["name"] + "}", value)
            assert "{" not in filled
            yield details["operationId"], method.upper(), filled


OPERATIONS = list(operations())


def may(role: Role, name: str) -> bool:
    return any(role in RULES[permission].roles for permission in NEEDED[name])


def test_every_operation_has_its_permission_written_down_and_none_is_left_over() -> None:
    assert {name for name, _, _ in OPERATIONS} == set(NEEDED)


def test_the_document_names_the_permissions_that_are_written_down() -> None:
    for path in API.get_openapi_schema()["paths"].values():
        for details in path.values():
            named = set(details.get("x-permission", ()))
            assert named == {p.value for p in NEEDED[details["operationId"]]}, details["operationId"]


def test_no_two_schemas_of_the_document_share_a_name() -> None:
    found: dict[str, Any] = {}
    for operation in API.operations:
        for model in [*operation.models, *operation.response_models.values()]:
            if not hasattr(model, "model_json_schema"):
                continue
            mode = "serialization" if model not in operation.models else "validation"
            made = model.model_json_schema(mode=mode)
            for name, schema in made.get("$defs", {}).items():
                assert found.setdefault(name, schema) == schema, f"{operation.operation_id}: {name}"


@pytest.mark.parametrize("role", PEOPLE)
def test_a_role_gets_past_the_gate_of_what_it_may_do_and_of_nothing_else(role: Role) -> None:
    token = bearer(role)
    for name, method, path in OPERATIONS:
        if not NEEDED[name]:
            continue
        answer = call(method, path, token)
        refused = (answer.status_code, _code(answer)) == (403, "permission_denied")
        assert refused == (not may(role, name)), (
            f"{role.value} {name}: {answer.status_code} {answer.content!r}"
        )
        assert answer.status_code not in (401, 500), f"{role.value} {name}: {answer.content!r}"


def test_without_a_token_only_what_is_for_everybody_answers() -> None:
    for name, method, path in OPERATIONS:
        for token in ("", "x.y.z"):
            answer = call(method, path, token)
            refused = (answer.status_code, _code(answer)) == (401, "token_missing")
            assert refused == bool(NEEDED[name]), f"{name}: {answer.status_code} {answer.content!r}"


def test_a_token_without_the_scope_is_refused_whatever_its_role_may() -> None:
    for name, method, path in OPERATIONS:
        role = next((role for role in PEOPLE if may(role, name)), None)
        if role is None:
            continue
        answer = call(method, path, _without(role, NEEDED[name]))
        assert (answer.status_code, _code(answer)) == (403, "permission_denied"), (
            f"{name}: {answer.content!r}"
        )


def test_what_is_refused_at_the_gate_leaves_nothing_behind() -> None:
    token = bearer(Role.LAB)
    before = Entry.objects.count()
    for name, method, path in OPERATIONS:
        if NEEDED[name] and not may(Role.LAB, name):
            call(method, path, token, {"reason": "x"})
    assert Entry.objects.count() == before


def _without(role: Role, missing: tuple[Permission, ...]) -> str:
    """A token of a program that may more than it asks for."""
    rest = [p.value for p, rule in RULES.items() if role in rule.roles and p not in missing]
    return tokens.issue(program(role), rest, timezone.now())[0]


def _code(answer: Any) -> str:
    if "json" not in answer.headers.get("Content-Type", ""):
        return ""
    found = answer.json()
    return str(found.get("code", "")) if isinstance(found, dict) else ""
