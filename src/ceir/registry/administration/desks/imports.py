"""Consignments and importers; never the sealed lists, of which one IMEI at a time is asked for."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django import forms

from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor, OrganisationKind
from ceir.registry.administration.declaring import (
    Deed,
    Desk,
    done,
    in_state,
    plain,
    reason,
    several,
    with_reason,
    words,
)
from ceir.registry.imports import alarms, licences, looking_up, proposing, releasing
from ceir.registry.imports.models import Alarm, AlarmState, Consignment, Licence, State
from ceir.registry.imports.reasons import Reason
from ceir.registry.organisations.models import Organisation


def _look_up(_row: Any, typed: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    found = looking_up.look_up(Imei.from_printed(typed["imei"]), actor=actor, basis=typed["basis"], at=at)
    return "\n".join(str(one) for one in found) or "It is on no list that counts."


def _importer() -> forms.Field:
    importers = Organisation.objects.filter(kind=OrganisationKind.IMPORTER.value, active=True)
    return forms.ModelChoiceField(importers, label="Importer")


DESKS = (
    Desk(
        Licence,
        sees=(Permission.IMPORT_READ,),
        shown=("number", "importer", "valid_from", "valid_until", "most_a_year", "ended_at"),
        find=("=number",),
        begin=(
            Deed(
                "grant",
                "License an importer",
                Permission.IMPORT_LICENSE,
                done(
                    lambda _, typed, actor, at: licences.grant(
                        typed["importer"],
                        typed["number"],
                        typed["valid_from"],
                        typed["valid_until"],
                        typed["most_a_year"],
                        actor=actor,
                        at=at,
                    )
                ),
                {
                    "importer": _importer,
                    "number": lambda: words("Number", 64),
                    "valid_from": lambda: forms.DateField(label="Valid from"),
                    "valid_until": lambda: forms.DateField(label="Last day", required=False),
                    "most_a_year": lambda: forms.IntegerField(label="IMEIs a year at most", min_value=1),
                },
            ),
        ),
        deeds=(
            Deed(
                "end",
                "End the licence",
                Permission.IMPORT_LICENSE,
                with_reason(licences.end),
                {"reason": reason},
                lambda row: row.ended_at is None,
            ),
        ),
    ),
    Desk(
        Consignment,
        sees=(Permission.IMPORT_READ,),
        shown=("number", "importer", "state", "rows", "port", "submitted_at", "released_at"),
        filters=("state",),
        find=("=number", "=customs_reference"),
        # Of what the checks found, some is told to nobody: a count would say whether guesses were right.
        hidden=frozenset({"found"}),
        begin=(
            Deed(
                "look-up",
                "Ask for one IMEI",
                Permission.IMPORT_LOOK_UP,
                _look_up,
                {"imei": lambda: words("IMEI", 20), "basis": lambda: words("Why it is asked for", 300)},
            ),
        ),
        deeds=(
            Deed(
                "release",
                "Release",
                Permission.IMPORT_RELEASE,
                plain(releasing.release),
                when=in_state(State.CHECKED),
            ),
            Deed(
                "release-without",
                "Ask for a release without what the checks speak against",
                Permission.IMPORT_RELEASE,
                done(
                    lambda row, typed, actor, at: proposing.propose_release(
                        row.pk,
                        [Reason(one) for one in typed["leave_out"]],
                        actor=actor,
                        reason=typed["reason"],
                        at=at,
                    )
                ),
                {
                    "leave_out": lambda: several("Leave out", tuple(one.value for one in Reason)),
                    "reason": reason,
                },
                in_state(State.CHECKED),
            ),
            Deed(
                "refuse",
                "Refuse",
                Permission.IMPORT_RELEASE,
                with_reason(releasing.refuse),
                {"reason": reason},
                in_state(State.SUBMITTED, State.CHECKED),
            ),
        ),
    ),
    Desk(
        Alarm,
        sees=(Permission.IMPORT_LOOK_UP,),
        shown=("consignment", "seen_on", "state", "raised_at", "concluded_by"),
        filters=("state",),
        hidden=frozenset({"imei"}),
        deeds=tuple(
            Deed(
                name,
                label,
                Permission.IMPORT_RELEASE,
                with_reason(partial(alarms.conclude, confirmed=confirmed)),
                {"reason": reason},
                in_state(AlarmState.OPEN),
            )
            for name, label, confirmed in (
                ("confirm", "It is a breach", True),
                ("explain", "It is explained", False),
            )
        ),
    ),
)
