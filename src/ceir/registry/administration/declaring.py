"""How a capability shows itself in an office's pages: one module of `desks` each, found by listing."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest

from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Actor
from ceir.registry.personal.fields import Access

Ask = Callable[[], forms.Field]
"""Makes a field of a form, anew for each form."""


@dataclass(frozen=True)
class Deed:
    """Something that may be done with a row; always by a service, which asks for permissions itself.

    Args:
        name: in addresses.
        label: on the button.
        needs: who sees the button; what the service requires is asked there.
        run: calls the service with the row (None: with none in particular), what was typed, who and when.
            Returns: what is shown once, like a secret; None: nothing.
        asks: fields of the form, by name.
        when: whether it makes sense for a row as it stands.
    """

    name: str
    label: str
    needs: Permission
    run: Callable[[Any, Mapping[str, Any], Actor, datetime], str | None]
    asks: Mapping[str, Ask] = field(default_factory=dict)
    when: Callable[[Any], bool] = lambda _: True


@dataclass(frozen=True)
class Desk:
    """How the rows of a model are looked at; none of them can be changed there.

    Args:
        sees: permissions, one of which is needed to see them.
        shown: columns of the list.
        own: look-ups to the organisation that a row belongs to, for roles that may see their own only; none:
            such roles see nothing.
        among: the rows that somebody may see at all, where that hangs on more than whose they are.
        hidden: fields that are shown to nobody.
        reveals: permission to read what is encrypted in a row.
        reveal: reads it otherwise than field by field.
        imei: look-up by which rows are found by an IMEI; empty: they are not.
    """

    model: type[models.Model]
    sees: tuple[Permission, ...]
    shown: tuple[str, ...]
    filters: tuple[Any, ...] = ()
    find: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    among: Callable[[Actor], models.QuerySet[Any]] | None = None
    hidden: frozenset[str] = frozenset()
    reveals: Permission | None = None
    reveal: Callable[[Any, Access], Mapping[str, str]] | None = None
    imei: str = ""
    deeds: tuple[Deed, ...] = ()
    begin: tuple[Deed, ...] = ()


@cache
def all_desks() -> tuple[Desk, ...]:
    """Every desk: the `DESKS` of each module of `desks`.

    Raises:
        TypeError: a module declares none.
    """
    from ceir.registry.administration import desks  # noqa: PLC0415 - its modules import this one

    found: list[Desk] = []
    for info in sorted(pkgutil.iter_modules(desks.__path__), key=lambda one: one.name):
        declared = getattr(importlib.import_module(f"{desks.__name__}.{info.name}"), "DESKS", None)
        if not isinstance(declared, tuple):
            raise TypeError(f"{desks.__name__}.{info.name} declares no DESKS")
        found += declared
    return tuple(found)


def actor_of(request: HttpRequest) -> Actor:
    """Who is at the desk."""
    found: Actor = request.user.actor  # type: ignore[union-attr]  # the site lets nobody else in
    return found


def reach(actor: Actor, desk: Desk) -> str:
    """How far somebody sees at a desk: `all`, `own`, or empty: not at all."""
    rules = [RULES[permission] for permission in desk.sees]
    if any(actor.acts_as in rule.roles - rule.own for rule in rules):
        return "all"
    return "own" if desk.own and any(actor.acts_as in rule.own for rule in rules) else ""


def may(actor: Actor, permission: Permission) -> bool:
    """Whether the role has it, be it for its own things only."""
    return actor.acts_as in RULES[permission].roles


def done(
    service: Callable[[Any, Mapping[str, Any], Actor, datetime], object],
) -> Callable[[Any, Mapping[str, Any], Actor, datetime], None]:
    """A deed of whose result nothing needs to be shown."""

    def run(row: Any, typed: Mapping[str, Any], actor: Actor, at: datetime) -> None:
        service(row, typed, actor, at)

    return run


def with_reason(service: Callable[..., object]) -> Callable[[Any, Mapping[str, Any], Actor, datetime], None]:
    """A deed of a service that takes a row's key and a reason."""

    def run(row: Any, typed: Mapping[str, Any], actor: Actor, at: datetime) -> None:
        service(row.pk, reason=typed["reason"], actor=actor, at=at)

    return run


def plain(service: Callable[..., object]) -> Callable[[Any, Mapping[str, Any], Actor, datetime], None]:
    """A deed of a service that takes a row's key and nothing else."""

    def run(row: Any, _typed: Mapping[str, Any], actor: Actor, at: datetime) -> None:
        service(row.pk, actor=actor, at=at)

    return run


def in_state(*states: Any) -> Callable[[Any], bool]:
    """Whether a row stands in one of some states."""
    values = {state.value for state in states}
    return lambda row: row.state in values


# --- fields that many deeds ask for


def reason() -> forms.Field:
    """Why."""
    return words("Reason", 300)


def words(label: str, most: int, *, needed: bool = True, lines: bool = False) -> forms.Field:
    """A text."""
    widget = forms.Textarea(attrs={"rows": 4}) if lines else forms.TextInput()
    return forms.CharField(label=label, max_length=most, required=needed, widget=widget)


def choice(label: str, values: Mapping[str, str] | tuple[str, ...]) -> forms.Field:
    """One of some values."""
    pairs = values.items() if isinstance(values, Mapping) else ((one, one) for one in values)
    return forms.ChoiceField(label=label, choices=list(pairs))


def several(label: str, values: tuple[str, ...]) -> forms.Field:
    """Some of some values."""
    return forms.MultipleChoiceField(
        label=label,
        choices=[(one, one) for one in values],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
