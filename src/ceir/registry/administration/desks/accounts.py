"""Accounts of people, programs, and identities elsewhere: two administrators, or one and an auditor."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms

from ceir.registry.accounts import clients, invitations, people
from ceir.registry.accounts.models import Account, Client, Invitation
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

_MANAGE, _CONFIRM = Permission.ACCOUNT_MANAGE, Permission.RIGHTS_CONFIRM
_SEES = (_MANAGE, _CONFIRM, Permission.AUDIT_READ)
_ROLES = tuple(role.value for role in Role if role not in (Role.SYSTEM, Role.CONSUMER))
_SCOPES = tuple(sorted(permission.value for permission in Permission))
_HALF_OCTETS = 18


def _organisation() -> forms.Field:
    return forms.ModelChoiceField(Organisation.objects.filter(active=True), label="Organisation")


def _first_half(login: str, half: str) -> str:
    return (
        f"Login: {login}\nFirst half of the code to choose a password: {half}\n"
        "It counts once a second person agreed and gave the second half. Hand it over in person."
    )


def _make(_row: Any, typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    half = random_draw().letters(invitations.HALF_LETTERS)
    made = people.make_account(
        typed["organisation"],
        typed["login"],
        typed["name"],
        Role(typed["role"]),
        email=typed["email"],
        document=typed["document"],
        half=half,
        reason=typed["reason"],
        actor=actor,
        at=at,
    )
    return _first_half(made.login, half)


def _invite(row: Account, typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    half = random_draw().letters(invitations.HALF_LETTERS)
    people.invite(row.pk, half=half, reason=typed["reason"], actor=actor, at=at)
    return _first_half(row.login, half)


def _hand_out(row: Account, _typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    half = random_draw().letters(invitations.HALF_LETTERS)
    account = invitations.hand_out(row.pk, half=half, actor=actor, at=at)
    return (
        f"Login: {account.login}\nSecond half of the code to choose a password: {half}\n"
        f"It counts once, for {invitations.INVITED_FOR.days} days since you agreed. See the person and the "
        "document, and hand it over in person."
    )


def _make_client(_row: Any, typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    identifier, half = secrets.token_hex(12), secrets.token_urlsafe(_HALF_OCTETS)
    clients.make_client(
        typed["organisation"],
        typed["name"],
        Role(typed["role"]),
        [Permission(scope) for scope in typed["scopes"]],
        identifier=identifier,
        half=half,
        responsible=typed["responsible"].pk,
        reason=typed["reason"],
        actor=actor,
        at=at,
    )
    return f"client_id: {identifier}\nfirst half of client_secret: {half}"


def _new_secret(row: Client, typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    half, overlap = secrets.token_urlsafe(_HALF_OCTETS), timedelta(days=typed["days"])
    clients.propose_secret(row.pk, half=half, overlap=overlap, reason=typed["reason"], actor=actor, at=at)
    return f"client_id: {row.identifier}\nfirst half of client_secret: {half}"


def _hand_out_secret(row: Client, _typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    half = secrets.token_urlsafe(_HALF_OCTETS)
    clients.hand_out(row.pk, half=half, actor=actor, at=at)
    return f"client_id: {row.identifier}\nsecond half of client_secret: {half}"


DESKS = (
    Desk(
        Account,
        sees=_SEES,
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
                    "document": lambda: words("Number of the person's document", 100, needed=False),
                    "reason": reason,
                },
            ),
        ),
        deeds=(
            Deed(
                "invite",
                "Ask for a new password",
                _MANAGE,
                _invite,
                {"reason": reason},
                lambda row: bool(row.is_active),
            ),
            Deed(
                "hand-out",
                "Give the second half of the code",
                _CONFIRM,
                _hand_out,
                when=lambda row: Invitation.objects.filter(account=row).exclude(given_by="").exists(),
            ),
            Deed(
                "reset-second-factor",
                "Ask for a reset of the second factor",
                _MANAGE,
                with_reason(second_factor.propose_reset),
                {"reason": reason},
            ),
            Deed(
                "same-person",
                "Say that another account is the same person's",
                _CONFIRM,
                done(
                    lambda row, typed, actor, at: people.say_same_person(
                        row.pk, typed["other"].pk, reason=typed["reason"], actor=actor, at=at
                    )
                ),
                {
                    "other": lambda: forms.ModelChoiceField(
                        Account.objects.all(), to_field_name="login", widget=forms.TextInput, label="Login"
                    ),
                    "reason": reason,
                },
            ),
            Deed(
                "role",
                "Ask for another role",
                _MANAGE,
                done(
                    lambda row, typed, actor, at: people.propose_role(
                        row.pk, Role(typed["role"]), reason=typed["reason"], actor=actor, at=at
                    )
                ),
                {"role": lambda: choice("Role", _ROLES), "reason": reason},
            ),
            Deed(
                "link",
                "Ask for an identity to be linked",
                _MANAGE,
                done(
                    lambda row, typed, actor, at: identities.link(
                        row.pk,
                        typed["provider"],
                        typed["value"],
                        reason=typed["reason"],
                        actor=actor,
                        at=at,
                    )
                ),
                {
                    "reason": reason,
                    "provider": lambda: forms.SlugField(label="Identity provider", max_length=40),
                    "value": lambda: words("Value of the claim", 255),
                },
            ),
            Deed(
                "disable",
                "Put out of use",
                _MANAGE,
                with_reason(people.put_out_of_use),
                {"reason": reason},
                lambda row: bool(row.is_active),
            ),
            Deed(
                "enable",
                "Ask that it be put in use",
                _MANAGE,
                with_reason(people.propose_in_use),
                {"reason": reason},
                lambda row: not row.is_active,
            ),
        ),
    ),
    Desk(
        Client,
        sees=_SEES,
        shown=("name", "identifier", "organisation", "role", "responsible", "active", "previous_until"),
        filters=("role", "active"),
        find=("name", "=identifier"),
        hidden=frozenset({"secret_hash", "previous_hash", "first_half"}),
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
                    "responsible": lambda: forms.ModelChoiceField(
                        Account.objects.filter(is_active=True),
                        to_field_name="login",
                        widget=forms.TextInput,
                        label="Login of the person who answers for it",
                    ),
                    "reason": reason,
                },
            ),
        ),
        deeds=(
            Deed(
                "rotate",
                "Ask for a new secret",
                _MANAGE,
                _new_secret,
                {
                    "reason": reason,
                    "days": lambda: forms.IntegerField(
                        label="Days that the old one goes on",
                        min_value=0,
                        max_value=clients.LONGEST_OVERLAP.days,
                        initial=7,
                    ),
                },
            ),
            Deed(
                "hand-out",
                "Give the second half of the secret",
                _CONFIRM,
                _hand_out_secret,
                when=lambda row: row.first_half is not None and bool(row.given_by),
            ),
            Deed(
                "scopes",
                "Change the scopes",
                _MANAGE,
                done(
                    lambda row, typed, actor, at: clients.set_scopes(
                        row.pk,
                        [Permission(one) for one in typed["scopes"]],
                        reason=typed["reason"],
                        actor=actor,
                        at=at,
                    )
                ),
                {"scopes": lambda: several("Scopes", _SCOPES), "reason": reason},
            ),
            Deed(
                "certificates",
                "Bind to certificates",
                _MANAGE,
                done(
                    lambda row, typed, actor, at: clients.bind_to_certificates(
                        row.pk, typed["thumbprints"].split(), reason=typed["reason"], actor=actor, at=at
                    )
                ),
                {
                    "thumbprints": lambda: words("SHA-256 of each, base64url", 300, needed=False, lines=True),
                    "reason": reason,
                },
            ),
            Deed(
                "disable",
                "Put out of use",
                _MANAGE,
                with_reason(clients.put_out_of_use),
                {"reason": reason},
                lambda row: bool(row.active),
            ),
            Deed(
                "enable",
                "Ask that it be put in use",
                _MANAGE,
                with_reason(clients.propose_in_use),
                {"reason": reason},
                lambda row: not row.active,
            ),
        ),
    ),
    Desk(
        Identity,
        sees=_SEES,
        shown=("account", "provider", "agreed", "linked_at"),
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
