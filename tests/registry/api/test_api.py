"""The API as programs call it, over Django's handler."""

import base64
from typing import Any

import pytest
from django.test import Client as Http
from people import NOW, account, actor
from people import credentials as make_credentials

from ceir.api.urls import API
from ceir.registry.accounts.clients import ClientRefusedError
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Role
from ceir.registry.audit.chain import record
from ceir.registry.organisations.models import Organisation

SECRET = "correct horse battery staple, and more of it"


def credentials(role: Role, *scopes: Permission, identifier: str = "") -> str:
    name = identifier or f"program-{role.value}"
    answers = account(role)
    of = Organisation.objects.get(pk=answers.organisation_id)
    every = scopes or tuple(p for p, rule in RULES.items() if role in rule.roles)
    make_credentials(of, name, role, every, identifier=name, secret=SECRET, responsible=answers)
    return name


def token(role: Role, *scopes: Permission) -> str:
    asked = {
        "grant_type": "client_credentials",
        "client_id": credentials(role, *scopes),
        "client_secret": SECRET,
    }
    answer = Http().post("/api/v1/token", asked)
    assert answer.status_code == 200, answer.content
    text: str = answer.json()["access_token"]
    return text


def get(path: str, bearer: str = "") -> Any:
    return Http().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {bearer}"} if bearer else {})


def test_a_token_is_given_for_a_form_or_a_header() -> None:
    name = credentials(Role.AUDITOR)
    basic = base64.b64encode(f"{name}:{SECRET}".encode()).decode()
    answer = Http().post(
        "/api/v1/token", {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"}
    )
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert "audit.read" in answer.json()["scope"]


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "password"},
        {"grant_type": "client_credentials"},
        {"grant_type": "client_credentials", "client_id": "program-auditor", "client_secret": "wrong"},
        {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": SECRET},
        {"grant_type": "client_credentials", "client_id": "program-auditor", "client_secret": SECRET,
         "scope": "case.verify"},
    ],
)  # fmt: skip
def test_wrong_credentials_get_a_problem_and_no_token(form: dict[str, str]) -> None:
    credentials(Role.AUDITOR)
    answer = Http().post("/api/v1/token", form)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "client_refused"
    assert SECRET not in answer.content.decode()


def test_without_a_token_nothing_is_told() -> None:
    for bearer in ("", "x.y.z", token(Role.AUDITOR)[:-2]):
        answer = get("record", bearer)
        assert answer.status_code == 401
        assert answer.json()["code"] == "token_missing"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_neither_a_role_nor_a_scope_alone_is_enough() -> None:
    assert get("record", token(Role.AUDITOR)).status_code == 200
    refused = get("record", token(Role.OFFICER))
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    with pytest.raises(ClientRefusedError):
        credentials(Role.OFFICER, Permission.AUDIT_READ, identifier="too-much")


def test_lists_come_page_by_page_and_whole() -> None:
    for n in range(250):
        record(actor(Role.OFFICER), "case.made", f"case:{n}", at=NOW)
    bearer = token(Role.AUDITOR)
    found, cursor = [], ""
    while True:
        answer = get(f"record?cursor={cursor}", bearer).json()
        found += [entry["sequence"] for entry in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert found == sorted(found, reverse=True)
    assert found[-1] == 1
    assert len(set(found)) == len(found) > 250
    assert get("record?cursor=%C3%BC", bearer).json()["code"] == "cursor_invalid"


def test_what_is_not_understood_is_named_without_repeating_it() -> None:
    bearer = token(Role.REVIEWER)
    answer = Http().post(
        "/api/v1/proposals/1/decision",
        {"accept": "35675904000001"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {bearer}"},
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "request_invalid"
    assert "35675904000001" not in answer.content.decode()
    assert get("proposals/99", bearer).json()["code"] == "not_found"


def test_the_api_describes_itself() -> None:
    document = get("openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/proposals/{proposal_id}/decision" in document["paths"]


def test_every_key_in_a_path_has_bounds_so_that_no_database_is_asked_for_more_than_it_can_hold() -> None:
    for path, methods in API.get_openapi_schema()["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                schema = parameter["schema"]
                if parameter["in"] == "path" and schema.get("type") == "integer":
                    assert schema.get("maximum", schema.get("exclusiveMaximum", 2**64)) < 2**63, path
