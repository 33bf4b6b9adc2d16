"""Cases of stolen and lost devices."""

from collections.abc import Mapping
from dataclasses import asdict

from django import forms

from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import OrganisationKind
from ceir.registry.administration.declaring import Deed, Desk, done, in_state, reason, with_reason, words
from ceir.registry.cases import leaving, reading, verifying
from ceir.registry.cases.models import Case, CaseIdentity, Trace
from ceir.registry.cases.states import ENDED, State
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import Access

_GOING_ON = in_state(*(state for state in State if state not in ENDED))


def _person(row: Case, access: Access) -> Mapping[str, str]:
    return asdict(reading.person_of(row.pk, access=access))


def _whereabouts(row: Trace, access: Access) -> Mapping[str, str]:
    return asdict(row.reveal(access))


def _station() -> forms.Field:
    stations = Organisation.objects.filter(kind=OrganisationKind.POLICE.value, active=True)
    return forms.ModelChoiceField(stations, label="Police station")


DESKS = (
    Desk(
        Case,
        sees=(Permission.CASE_READ,),
        shown=("id", "loss", "mode", "state", "reporter", "organisation", "reported_at", "police"),
        filters=("state", "mode", "loss", "reporter"),
        find=("=pk", "=police_reference"),
        own=("organisation", "police"),
        reveals=Permission.PERSONAL_READ,
        reveal=_person,
        imei="identities__imei",
        deeds=(
            Deed(
                "verify",
                "Confirm the report",
                Permission.CASE_VERIFY,
                done(
                    lambda row, typed, actor, at: verifying.verify(
                        row.pk,
                        reason=typed["reason"],
                        police_reference=typed["police_reference"],
                        actor=actor,
                        at=at,
                    )
                ),
                {"reason": reason, "police_reference": lambda: words("Police reference", 100, needed=False)},
                in_state(State.REPORTED),
            ),
            Deed(
                "reject",
                "Reject the report",
                Permission.CASE_VERIFY,
                with_reason(leaving.reject),
                {"reason": reason},
                _GOING_ON,
            ),
            Deed(
                "ask-for-block",
                "Ask for the block again",
                Permission.CASE_VERIFY,
                with_reason(verifying.ask_for_block),
                {"reason": reason},
                in_state(State.VERIFIED),
            ),
            Deed(
                "station",
                "Hand to a police station",
                Permission.CASE_VERIFY,
                done(
                    lambda row, typed, actor, at: verifying.assign_station(
                        row.pk, typed["station"].pk, actor=actor, at=at
                    )
                ),
                {"station": _station},
                _GOING_ON,
            ),
            Deed(
                "recover",
                "Record that it was found",
                Permission.CASE_RECOVER,
                with_reason(leaving.recover),
                {"reason": reason},
                _GOING_ON,
            ),
            Deed(
                "restore",
                "Restore",
                Permission.CASE_RECOVER,
                with_reason(leaving.restore),
                {"reason": reason},
                in_state(State.RECOVERED),
            ),
            Deed(
                "withdraw",
                "Take the report back",
                Permission.CASE_AMEND,
                with_reason(leaving.withdraw),
                {"reason": reason},
                _GOING_ON,
            ),
        ),
    ),
    Desk(
        CaseIdentity,
        sees=(Permission.CASE_READ,),
        shown=("case", "imei", "proven"),
        own=("case__organisation", "case__police"),
        imei="imei",
    ),
    Desk(
        Trace,
        sees=(Permission.TRACE_READ,),
        shown=("case", "imei", "operator", "first_seen_at", "last_seen_at", "asked_at"),
        own=("case__police",),
        reveals=Permission.TRACE_READ,
        reveal=_whereabouts,
        imei="imei",
    ),
)
