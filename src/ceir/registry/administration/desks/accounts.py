"""Accounts of people, programs, and identities elsewhere: all in the hands of administrators."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django import forms

from ceir.registry.accounts import clients, people
from ceir.registry.accounts.models import Account, Client
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor, Role
from ceir.registry.administration.declaring import (
    Deed,
    Desk,
    choice,
    done,
    reason,
    several,
    with_reason,
    words,
)
from ceir.registry.codes.drawing import random_draw
from ceir.registry.logins import identities, second_factor
from ceir.registry.logins.models import Identity
from ceir.registry.organisations.models import Organisation

_MANAGE = Permission.ACCOUNT_MANAGE
_ROLES = tuple(role.value for role in Role if role not in (Role.SYSTEM, Role.CONSUMER))
_SCOPES = tuple(sorted(permission.value for permission in Permission))


def _organisation() -> forms.Field:
    return forms.ModelChoiceField(Organisation.objects.filter(active=True), label="Organisation")


def _invited(login: str, code: str) -> str:
    return (
        f"Login: {login}\nCode to choose a password: {code}\n"
        f"It counts once, for {people.INVITED_FOR.days} days. Hand it over in person."
    )


def _make(_row: Any, typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    code = random_draw().letters(people.CODE_LETTERS)
    made = people.make_account(
        typed["organisation"],
        typed["login"],
        typed["name"],
        Role(typed["role"]),
        email=typed["email"],
        code=code,
        actor=actor,
        at=at,
    )
    return _invited(made.login, code)


def _invite(row: Account, _typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    code = random_draw().letters(people.CODE_LETTERS)
    return _invited(people.invite(row.pk, code=code, actor=actor, at=at).login, code)


def _make_client(_row: Any, typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    identifier, secret = secrets.token_hex(12), secrets.token_urlsafe(36)
    clients.make_client(
        typed["organisation"],
        typed["name"],
        Role(typed["role"]),
        [Permission(scope) for scope in typed["scopes"]],
        identifier=identifier,
        secret=secret,
        actor=actor,
        at=at,
    )
    return f"client_id: {identifier}\nclient_secret: {secret}"


def _rotate(row: Client, typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    secret = secrets.token_urlsafe(36)
    overlap = timedelta(days=typed["days"])
    clients.rotate_secret(row.pk, secret=secret, overlap=overlap, actor=actor, at=at)
    return f"client_id: {row.identifier}\nclient_secret: {secret}"


DESKS = (
    Desk(
        Account,
        sees=(_MANAGE, Permission.AUDIT_READ),
        shown=("login", "name", "organisation", "role", "is_active", "last_login"),
        filters=("role", "is_active"),
        find=("login", "name"),
        hidden=frozenset({"password"}),
        begin=(
            Deed(
                "make",
                "Make an account",
                _MANAGE,
                _make,
                {
                    "organisation": _organisation,
                    "login": lambda: words("Name to log in with", 150),
                    "name": lambda: words("Name", 150),
                    "role": lambda: choice("Role", _ROLES),
                    "email": lambda: words("Mail address", 254, needed=False),
                },
            ),
        ),
        deeds=(
            Deed("invite", "Let choose a new password", _MANAGE, _invite),
            Deed(
                "reset-second-factor",
                "Reset the second factor",
                _MANAGE,
                with_reason(second_factor.reset),
                {"reason": reason},
            ),
            Deed(
                "role",
                "Change the role",
                _MANAGE,
                done(
                    lambda row, typed, actor, at: people.change_role(
                        row.pk, Role(typed["role"]), reason=typed["reason"], actor=actor, at=at
                    )
                ),
                {"role": lambda: choice("Role", _ROLES), "reason": reason},
            ),
            Deed(
                "link",
                "Link an identity",
                _MANAGE,
                done(
                    lambda row, typed, actor, at: identities.link(
                        row.pk, typed["provider"], typed["value"], actor=actor, at=at
                    )
                ),
                {
                    "provider": lambda: forms.SlugField(label="Identity provider", max_length=40),
                    "value": lambda: words("Value of the claim", 255),
                },
            ),
            Deed(
                "disable",
                "Put out of use",
                _MANAGE,
                with_reason(partial(people.set_in_use, active=False)),
                {"reason": reason},
                lambda row: bool(row.is_active),
            ),
            Deed(
                "enable",
                "Put in use again",
                _MANAGE,
                with_reason(partial(people.set_in_use, active=True)),
                {"reason": reason},
                lambda row: not row.is_active,
            ),
        ),
    ),
    Desk(
        Client,
        sees=(_MANAGE, Permission.AUDIT_READ),
        shown=("name", "identifier", "organisation", "role", "active", "previous_until"),
        filters=("role", "active"),
        find=("name", "=identifier"),
        hidden=frozenset({"secret_hash", "previous_hash"}),
        begin=(
            Deed(
                "make",
                "Give a program credentials",
                _MANAGE,
                _make_client,
                {
                    "organisation": _organisation,
                    "name": lambda: words("Name", 100),
                    "role": lambda: choice("Role", _ROLES),
                    "scopes": lambda: several("Scopes", _SCOPES),
                },
            ),
        ),
        deeds=(
            Deed(
                "rotate",
                "Draw a new secret",
                _MANAGE,
                _rotate,
                {
                    "days": lambda: forms.IntegerField(
                        label="Days that the old one goes on",
                        min_value=0,
                        max_value=clients.LONGEST_OVERLAP.days,
                        initial=7,
                    )
                },
            ),
            Deed(
                "scopes",
                "Change the scopes",
                _MANAGE,
                done(
                    lambda row, typed, actor, at: clients.set_scopes(
                        row.pk, [Permission(one) for one in typed["scopes"]], actor=actor, at=at
                    )
                ),
                {"scopes": lambda: several("Scopes", _SCOPES)},
            ),
            Deed(
                "certificates",
                "Bind to certificates",
                _MANAGE,
                done(
                    lambda row, typed, actor, at: clients.bind_to_certificates(
                        row.pk, typed["thumbprints"].split(), actor=actor, at=at
                    )
                ),
                {"thumbprints": lambda: words("SHA-256 of each, base64url", 300, needed=False, lines=True)},
            ),
            Deed(
                "disable",
                "Put out of use",
                _MANAGE,
                with_reason(partial(clients.set_in_use, active=False)),
                {"reason": reason},
                lambda row: bool(row.active),
            ),
            Deed(
                "enable",
                "Put in use again",
                _MANAGE,
                with_reason(partial(clients.set_in_use, active=True)),
                {"reason": reason},
                lambda row: not row.active,
            ),
        ),
    ),
    Desk(
        Identity,
        sees=(_MANAGE, Permission.AUDIT_READ),
        shown=("account", "provider", "linked_at"),
        filters=("provider",),
        deeds=(
            Deed(
                "unlink",
                "Unlink",
                _MANAGE,
                done(
                    lambda row, _typed, actor, at: identities.unlink(
                        row.account_id, row.provider, actor=actor, at=at
                    )
                ),
            ),
        ),
    ),
)
