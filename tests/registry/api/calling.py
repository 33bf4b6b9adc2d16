"""Calling the API in tests as programs do, over Django's handler."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.test import Client as Http
from django.utils import timezone
from people import account, credentials

from ceir.api import tokens
from ceir.registry.accounts.models import Client
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Role
from ceir.registry.organisations.models import Organisation

SECRET = "correct horse battery staple, and more of it"
BASE = "/api/v1"


def program(role: Role, *scopes: Permission, identifier: str = "", of: str = "") -> Client:
    """A program that acts in a role, with all that the role may unless told."""
    name = identifier or f"program-{role.value}{of and '-' + of}"
    found = Client.objects.filter(identifier=name).first()
    if found is not None:
        return found
    answers = account(role, of and f"{role.value}-{of}", of)
    owner = Organisation.objects.get(pk=answers.organisation_id)
    every = scopes or tuple(p for p, rule in RULES.items() if role in rule.roles)
    return credentials(owner, name, role, every, identifier=name, secret=SECRET, responsible=answers)


def bearer(role: Role, *scopes: Permission, identifier: str = "", of: str = "") -> str:
    """A token of such a program."""
    made = program(role, *scopes, identifier=identifier, of=of)
    return tokens.issue(made, [], timezone.now())[0]  # asking for it takes a hash on purpose slow


def call(
    method: str,
    path: str,
    token: str = "",
    body: Any = None,
    query: Mapping[str, Any] | None = None,
    **headers: str,
) -> Any:
    """An answer; the path is below `/api/v1`, `If_None_Match` is a header."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    where = f"{BASE}/{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
    more: dict[str, Any] = {}
    if body is not None:
        more = {"data": json.dumps(body), "content_type": "application/json"}
    return Http(raise_request_exception=False).generic(method, where, headers=sent, **more)
